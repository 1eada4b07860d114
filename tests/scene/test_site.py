"""Rooms, the outdoors and objects are told apart, whatever their size and whatever surrounds them."""

from dataclasses import replace

import numpy as np
import pytest

from exgs.scene import Frame, Gaussians, orbit, read_scene, sample_views, starting_view
from exgs.scene.outdoors import near_core
from exgs.scene.site import measure_site
from exgs.scene.spread import sphere_directions


def dots(means: np.ndarray, scale: np.ndarray | float) -> Gaussians:
    count = len(means)
    return Gaussians(
        np.ascontiguousarray(means, np.float32),
        np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        np.log(np.broadcast_to(np.asarray(scale, np.float32), (3, count)).T.copy()),
        np.full(count, 3.0, np.float32),
        np.zeros((count, 1, 3), np.float32),
        np.zeros((count, 0, 3), np.float32),
        Frame("RDF"),
    )


def garden(*, hills: bool = True, unit: float = 1.0) -> Gaussians:
    """A lawn of 10 m radius, eight bushes and a pillar on it, and hills 40 m away; y down."""
    random = np.random.default_rng(4)
    away, turn = 10 * np.sqrt(random.random(12000)), random.uniform(0, 2 * np.pi, 12000)
    parts = [dots(np.column_stack([away * np.cos(turn), 0 * turn, away * np.sin(turn)]), 0.08)]
    for spot in np.arange(8) * np.pi / 4:
        bush = sphere_directions(700) + np.array([7 * np.cos(spot), -1, 7 * np.sin(spot)])
        parts.append(dots(bush, 0.06))
    pillar = random.uniform((-0.3, -1.2, -0.3), (0.3, 0, 0.3), (2500, 3))
    parts.append(dots(pillar, 0.02))
    if hills:
        turn = random.uniform(0, 2 * np.pi, 4000)
        parts.append(
            dots(np.column_stack([np.cos(turn), -0.2 * random.random(4000), np.sin(turn)]) * 40, 0.8)
        )
    whole = Gaussians.concatenate(parts)
    return replace(
        whole, means=whole.means * np.float32(unit), log_scales=whole.log_scales + np.float32(np.log(unit))
    )


@pytest.mark.parametrize("apart", [0.0, 0.01])
@pytest.mark.parametrize("size", [0.1, 30.0])
def test_a_few_gaussians_at_one_place_are_seen_from_around_them(size: float, apart: float) -> None:
    middle = np.array([5.0, 2, -7])
    few = dots(middle + apart * size * np.eye(3), size)
    away = np.array([np.linalg.norm(camera.position - middle) for camera in sample_views(few, 16)])
    assert (away > 0.5 * size).all() and (away < 20 * size).all()


@pytest.mark.parametrize("unit", [1.0, 0.01, 300.0])
def test_a_garden_is_walked_through_whatever_its_unit(unit: float) -> None:
    scene = garden(unit=unit)
    assert measure_site(scene).kind == "outdoors"
    cameras = sample_views(scene, 48)
    places = np.array([camera.position for camera in cameras]) / unit
    assert ((places[:, 1] < -0.1) & (places[:, 1] > -4)).all(), "above the lawn, not above the trees"
    assert np.linalg.norm(places[:, [0, 2]], axis=1).max() < 11
    assert np.ptp(places[:, 0]) > 6 and np.ptp(places[:, 2]) > 6
    ways = np.array([camera.camera_from_world[2, :3] for camera in cameras])
    assert np.abs(ways.mean(axis=0)).max() < 0.4, "outwards as well as inwards"
    assert 0.3 < starting_view(scene).units_per_metre / unit < 2


def test_where_the_unit_is_known_heads_are_as_high_as_heads() -> None:
    scene = replace(garden(), frame=Frame("RDF", metres_per_unit=1.0))
    heights = -np.array([camera.position[1] for camera in sample_views(scene, 32)])
    assert heights.min() > 0.2 and heights.max() < 2.4


def test_a_plot_with_nothing_behind_it_is_an_object() -> None:
    scene = garden(hills=False)
    assert measure_site(scene).kind == "object"


def test_the_near_part_leaves_the_hills_out() -> None:
    assert np.ptp(near_core(garden()), axis=0).max() < 25


def test_an_orbit_through_a_garden_stays_on_the_lawn() -> None:
    places = np.array([camera.position for camera in orbit(garden(), 12)])
    assert np.linalg.norm(places[:, [0, 2]], axis=1).max() < 15


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
def test_one_huge_backdrop_far_away_does_not_hide_the_scene(far: float) -> None:
    rng = np.random.default_rng(3)
    means, scales = rng.normal(size=(2000, 3)), np.full((2000, 3), 0.05)
    means[7], scales[7] = far, far
    grid = measure_site(dots(means, scales.T)).grid
    assert max(grid.density.shape) < 100
    assert (grid.origin < -1).all() and (grid.origin + grid.size > 1).all()


def test_a_room_is_one_whatever_its_unit_and_whatever_leaks_out(interior: Gaussians) -> None:
    unit = np.float32(0.013)
    small = replace(
        interior,
        means=interior.means * unit,
        log_scales=interior.log_scales + np.log(unit),
        frame=Frame("RDF"),
    )
    assert measure_site(small).kind == "room"
    random = np.random.default_rng(1)
    stray = interior.select(random.integers(0, len(interior), len(interior) // 7))
    away = random.normal(size=(len(stray), 3))
    away *= random.uniform(8, 60, (len(stray), 1)) / np.linalg.norm(away, axis=1, keepdims=True)
    stray = replace(
        stray, means=(away + interior.means.mean(axis=0)).astype(np.float32), log_scales=stray.log_scales + 3
    )
    leaky = Gaussians.concatenate([interior, stray])
    assert measure_site(leaky).kind == "room"
    places = np.array([camera.position for camera in sample_views(leaky, 32)])
    assert ((places > (-0.3, -2.9, -0.3)) & (places < (9.8, 0.1, 5.3))).all(), "all within the walls"
    assert (places[:, 0] > 6.15).sum() > 4 and (places[:, 0] < 6).sum() > 10, "in both rooms"


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "angel.sog",
        "angel-kneeling.sog",
        "flowers/lod-meta.json",
        "guitar.compressed.ply",
        "luma-seal.splat",
        "massa.sog",
        "playbot/lod-meta.json",
        "skull.sog",
        "st-peter.sog",
    ],
)
def test_the_shared_scenes_are_objects(shared_data, name: str) -> None:  # type: ignore[no-untyped-def]
    assert measure_site(read_scene(shared_data / "scenes" / name)).kind == "object"
