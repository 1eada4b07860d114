import numpy as np
import pytest

from exgs.feedforward.paths import STEP_M, find_path, metre_of
from exgs.scene import Gaussians, generate_interior
from exgs.scene.site import Site, measure_site

SIZE = (64, 36)


@pytest.fixture(scope="module")
def room() -> Site:
    return measure_site(generate_interior(seed=3, count=40_000).with_sh_degree(0))


@pytest.fixture(scope="module")
def thing() -> Site:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    count = len(points)
    return measure_site(
        Gaussians(
            points.astype(np.float32), np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
            np.full((count, 3), np.log(0.05), np.float32), np.full(count, 4, np.float32),
            np.zeros((count, 1, 3), np.float32), np.zeros((count, 0, 3), np.float32),
        )
    )  # fmt: skip


def test_a_walk_goes_on_in_small_steps_through_the_air(room: Site) -> None:
    cameras = find_path(room, 32, seed=5, size=SIZE).cameras(np.linspace(0, 1, 32), SIZE)
    places = np.stack([camera.position for camera in cameras])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1) / metre_of(room)
    assert steps.min() > 0.3 * STEP_M and steps.max() < 2 * STEP_M
    assert (room.grid.at(places) < 0.7).all(), "nobody walks through furniture"
    ahead = np.stack([camera.camera_from_world[2, :3] for camera in cameras])
    assert (np.sum(ahead[1:] * ahead[:-1], axis=1) > np.cos(np.radians(5))).all(), "heads turn slowly"


def test_an_arc_keeps_its_thing_in_view(thing: Site) -> None:
    assert thing.kind == "object"
    cameras = find_path(thing, 40, seed=2, size=SIZE).cameras(np.linspace(0, 1, 40), SIZE)
    for camera in cameras:
        x, y, z = (camera.camera_from_world @ (0, 0, 0, 1))[:3]
        assert z > 1.2, "outside of it"
        assert abs(camera.fx * x / z) < SIZE[0] / 2 and abs(camera.fy * y / z) < SIZE[1] / 2
    first, last = cameras[0].position, cameras[-1].position
    assert np.linalg.norm(first - last) > 1, "and goes around it"


def test_paths_follow_from_their_seeds(room: Site) -> None:
    one, same, other = (find_path(room, 16, seed=seed, size=SIZE).positions(0.3) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_walks_can_be_sampled_as_densely_as_wanted(room: Site) -> None:
    path = find_path(room, 16, seed=1, size=SIZE)
    few, many = (path.cameras(np.linspace(0, 1, count), SIZE) for count in (3, 5))
    assert np.allclose(few[1].camera_from_world, many[2].camera_from_world)
