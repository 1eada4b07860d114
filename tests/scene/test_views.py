"""Viewpoints for scenes without cameras."""

import numpy as np
import pytest

from exgs.raster import choose_rasterizer
from exgs.scene import Camera, Frame, Gaussians, SceneError, orbit, sample_views, starting_view, to_frame
from exgs.scene.inside import is_room
from exgs.scene.occupancy import MAX_GAUSSIANS, measure_occupancy, thin
from exgs.scene.spread import sphere_directions

SIZE = (96, 54)


def grey(means: np.ndarray, *, scale: float, frame: Frame | None = None) -> Gaussians:
    count = len(means)
    return Gaussians(
        np.ascontiguousarray(means, np.float32),
        np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        np.full((count, 3), np.log(scale), np.float32),
        np.full(count, 3.0, np.float32),
        np.zeros((count, 1, 3), np.float32),
        np.zeros((count, 0, 3), np.float32),
        frame or Frame("RDF"),
    )


def ball_at(center: tuple[float, float, float], radius: float = 1.0) -> Gaussians:
    return grey(radius * sphere_directions(4000) + center, scale=0.04 * radius)


def positions(cameras: list[Camera]) -> np.ndarray:
    return np.array([camera.position for camera in cameras])


def test_inside_views_of_the_interior_are_full_and_in_the_air(interior: Gaussians) -> None:
    cameras = sample_views(interior, 24, size=SIZE)
    rendering = choose_rasterizer("cpu").render(interior, cameras)
    assert rendering.alpha.mean() > 0.97
    assert rendering.alpha.mean(axis=(1, 2)).min() > 0.9
    assert (rendering.color.std(axis=(1, 2, 3)) > 0.02).all(), "something to see in every view"
    grid = measure_occupancy(interior)
    assert (grid.at(positions(cameras)) < 0.7).all(), "none within solid matter"


def test_inside_views_are_spread_over_both_rooms_at_the_height_of_heads(interior: Gaussians) -> None:
    cameras = sample_views(interior, 48, size=SIZE)
    places = positions(cameras)
    assert (places[:, 0] < 6).sum() > 15 and (places[:, 0] > 6.15).sum() > 6
    assert np.ptp(places[:, 0]) > 6 and np.ptp(places[:, 2]) > 3
    assert ((places[:, 1] < -0.5) & (places[:, 1] > -2.8)).all()
    ways = np.array([camera.camera_from_world[2, :3] for camera in cameras])
    assert np.abs(ways.mean(axis=0)).max() < 0.35, "no side is preferred"
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(len(places))
    assert np.median(gaps.min(axis=1)) > 0.3


def test_orbit_views_fill_the_picture_from_outside() -> None:
    ball = ball_at((3, -2, 5))
    assert not is_room(measure_occupancy(ball))
    cameras = sample_views(ball, 32, size=SIZE)
    away = positions(cameras) - (3, -2, 5)
    distances = np.linalg.norm(away, axis=1)
    assert distances.min() > 1.1
    alpha = choose_rasterizer("cpu").render(ball, cameras).alpha.mean(axis=(1, 2))
    assert alpha.min() > 0.05 and alpha.mean() > 0.2
    heights = -away[:, 1] / distances
    assert (heights > -0.1).mean() > 0.6, "mostly from above"
    assert np.abs(away[:, [0, 2]].mean(axis=0)).max() < 0.5 * distances.mean(), "from all sides"


def test_views_above_ground_stay_above_it() -> None:
    ball = ball_at((0, -1, 0), 0.5)
    plan = np.stack(np.meshgrid(np.linspace(-2, 2, 70), np.linspace(-2, 2, 70)), axis=-1).reshape(-1, 2)
    ground = grey(np.column_stack([plan[:, 0], np.zeros(len(plan)), plan[:, 1]]), scale=0.05)
    cameras = sample_views(Gaussians.concatenate([ball, ground]), 40, size=SIZE)
    assert (positions(cameras)[:, 1] < -0.1).all()


def test_up_follows_the_frame() -> None:
    ball = to_frame(ball_at((0, 0, 0)), Frame("RUB"))
    for camera in [*sample_views(ball, 8, size=SIZE), *orbit(ball, 4, size=SIZE)]:
        assert camera.camera_from_world[1, 1] < 0, "the picture's downward axis points against +y"


def test_same_seed_same_views_and_names(interior: Gaussians) -> None:
    first, again = sample_views(interior, 12, seed=3), sample_views(interior, 12, seed=3)
    other = sample_views(interior, 12, seed=4)
    assert np.array_equal(positions(first), positions(again))
    assert not np.allclose(positions(first), positions(other))
    assert [camera.name for camera in first] == [f"{number:03d}" for number in range(12)]
    assert (first[0].width, first[0].height) == (640, 360)


def test_layout_can_be_forced(interior: Gaussians) -> None:
    inside = sample_views(ball_at((0, 0, 0)), 6, layout="inside")
    assert np.linalg.norm(positions(inside), axis=1).max() < 1
    outside = positions(sample_views(interior, 6, layout="orbit"))
    assert np.linalg.norm(outside - (4.7, -1.4, 2.5), axis=1).min() > 2


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_views(interior: Gaussians, count: int) -> None:
    assert len(sample_views(interior, count)) == count
    assert len(orbit(interior, count)) == count


def test_outliers_do_not_move_the_views() -> None:
    ball = ball_at((0, 0, 0))
    stray = grey(np.array([[900.0, 0, 0], [0, -5000, 0], [np.nan, 0, 0], [0, np.inf, 0]]), scale=0.1)
    for camera in sample_views(Gaussians.concatenate([ball, stray]), 16):
        assert np.linalg.norm(camera.position) < 8


@pytest.mark.parametrize(
    "means",
    [
        np.zeros((0, 3)),
        np.zeros((1, 3)),
        np.zeros((50, 3)),
        np.full((3, 3), np.nan),
        np.column_stack([np.linspace(0, 1, 200), np.zeros(200), np.zeros(200)]),
        np.column_stack([np.random.default_rng(0).random((500, 2)), np.zeros(500)]) * 1e6,
        np.random.default_rng(0).random((500, 3)) * 1e-6 + 100,
    ],
    ids=["none", "one", "heap", "nan", "line", "plane", "minute"],
)
@pytest.mark.parametrize("layout", ["auto", "inside", "orbit"])
def test_odd_scenes_still_get_views(means: np.ndarray, layout: str) -> None:
    scene = grey(means, scale=0.01)
    assert len(sample_views(scene, 5, layout=layout)) == 5  # type: ignore[arg-type]
    assert len(orbit(scene, 3)) == 3
    assert starting_view(scene).units_per_metre > 0


def test_orbit_is_a_closed_even_loop(interior: Gaussians) -> None:
    for scene in (interior, ball_at((1, 1, 1))):
        places = positions(orbit(scene, 24, size=SIZE))
        steps = np.linalg.norm(np.roll(places, -1, axis=0) - places, axis=1)
        assert steps.max() < 1.2 * steps.min()


def test_orbit_in_the_interior_sees_no_holes(interior: Gaussians) -> None:
    alpha = choose_rasterizer("cpu").render(interior, orbit(interior, 6, size=SIZE)).alpha
    assert alpha.mean(axis=(1, 2)).min() > 0.95


def test_a_large_scene_is_thinned() -> None:
    many = grey(np.zeros((2 * MAX_GAUSSIANS + 1, 3)), scale=0.01)
    some, stands_for = thin(many)
    assert len(some) <= MAX_GAUSSIANS and stands_for == 3


def test_rays_stop_at_solid_matter() -> None:
    grid = measure_occupancy(ball_at((0, 0, 0)))
    starts = np.array([[-1.02, 0.4, 0.3], [-1.02, 0.4, 0.3], [0.0, 0, 0]])
    ways = np.array([[-1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    free = grid.depth_along(starts, ways, 4.0)
    assert free[0] == 4.0
    assert free[2] == pytest.approx(1.0, abs=2.5 * grid.cell)


@pytest.mark.parametrize(("count", "layout"), [(-1, "auto"), (10**9, "auto"), (3, "sideways")])
def test_refuses_nonsense(count: int, layout: str) -> None:
    with pytest.raises(SceneError, match="expected"):
        sample_views(ball_at((0, 0, 0)), count, layout=layout)  # type: ignore[arg-type]


def test_orbit_refuses_nonsense() -> None:
    with pytest.raises(SceneError, match="expected"):
        orbit(ball_at((0, 0, 0)), -1)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["angel.sog", "skull.sog", "luma-seal.splat"])
def test_real_objects_are_seen_from_outside(shared_data, name: str) -> None:  # type: ignore[no-untyped-def]
    from exgs.scene import read_scene

    scene = read_scene(shared_data / "scenes" / name)
    cameras = sample_views(scene, 12, size=SIZE)
    alpha = choose_rasterizer("cpu").render(scene, cameras).alpha
    assert alpha.mean(axis=(1, 2)).min() > 0.05
    assert alpha.mean() < 0.9
