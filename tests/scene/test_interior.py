"""The generated interior: reproducible, closed all around, and shaped like a trained scene."""

import hashlib

import numpy as np
import pytest

from exgs.raster import choose_rasterizer
from exgs.scene import Camera, Gaussians, SceneError, generate_interior
from exgs.scene.interior.cells import Survey, unit_normals
from exgs.scene.interior.gloss import harmonics, highlight
from exgs.scene.interior.light import Air, Lamp
from exgs.scene.interior.model import Builder, Look
from exgs.scene.interior.noise import hashed, layered_noise
from exgs.scene.interior.refine import refine

UP = np.array([0.0, -1.0, 0.0])


def looking(position: tuple[float, float, float], target: tuple[float, float, float]) -> Camera:
    return Camera.looking(np.array(position), np.array(target), UP, fov_y_rad=1.1, size=(160, 90))


def digest(gaussians: Gaussians) -> str:
    names = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")
    return hashlib.sha256(
        b"".join(np.round(getattr(gaussians, name), 3).tobytes() for name in names)
    ).hexdigest()


def test_counts_frame_and_degree(interior: Gaussians) -> None:
    assert len(interior) == 120_000
    assert interior.sh_degree == 3
    assert (interior.frame.axes, interior.frame.metres_per_unit) == ("RDF", 1.0)


def test_same_seed_same_scene_and_other_seed_another() -> None:
    first, again, other = (generate_interior(seed=seed, count=9_000) for seed in (1, 1, 2))
    assert digest(first) == digest(again)
    assert digest(first) != digest(other)


def test_values_are_finite_and_rotations_unit(interior: Gaussians) -> None:
    for name in ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN"):
        assert np.isfinite(getattr(interior, name)).all(), name
    assert np.abs(np.linalg.norm(interior.quats, axis=1) - 1).max() < 1e-3


def test_resembles_a_trained_scene(interior: Gaussians) -> None:
    scales = np.sort(interior.scales, axis=1)
    assert np.median(scales[:, 1] / scales[:, 0]) > 2, "flat along surfaces"
    assert np.percentile(scales[:, 2], 95) > 4 * np.percentile(scales[:, 2], 5), "of many sizes"
    assert (interior.opacities > 0.8).mean() > 0.8
    assert 0.02 < (interior.opacities < 0.4).mean() < 0.2, "some haze"
    assert (np.abs(interior.shN) < 0.05).mean() > 0.8, "mostly matt"
    assert np.abs(interior.shN).max() > 0.1, "some gloss"


@pytest.mark.parametrize(
    ("position", "target"),
    [((0.9, -1.6, 0.8), (4, -1.1, 3)), ((5.3, -1.6, 4.4), (2, -1, 1)), ((6.6, -1.6, 4), (9, -1, 0.5))],
)
def test_no_holes_from_where_people_stand(
    interior: Gaussians, position: tuple[float, float, float], target: tuple[float, float, float]
) -> None:
    rendering = choose_rasterizer("cpu").render(interior, [looking(position, target)])
    assert rendering.alpha.mean() > 0.99
    assert (rendering.alpha < 0.9).mean() < 0.01
    assert rendering.color.std() > 0.1, "a picture, not a grey wall"


def test_gloss_moves_with_the_viewer() -> None:
    normals, toward = np.array([[0.0, 0.0, 1.0]]), np.array([[0.6, 0.0, 0.8]])
    shine = highlight(normals, toward, np.ones((1, 3)))[0, :, 0]
    mirrored, elsewhere = harmonics(np.array([[0.6, 0.0, -0.8], [-0.6, 0.0, -0.8]])) @ shine
    assert mirrored == pytest.approx(1.0, abs=1e-6)
    assert elsewhere < 0.3


def test_boxes_face_outwards() -> None:
    here = Builder()
    here.at(1.0, 0.0, 2.0, 0.7).box((-1, 0, -1), (1, 1, 1), Look("wood", (0.5, 0.4, 0.3)))
    here.at(1.0, 0.0, 2.0, 0.7).pillow((0, 0.5, 0), (1, 0.5, 1), Look("wood", (0.5, 0.4, 0.3)), power=2.0)
    survey = Survey(here.batches())
    cells = survey.first_cells()
    spans, normals = survey.frames(cells)
    outwards = survey.points(cells) - np.array([1.0, 0.5, 2.0])
    assert ((normals * outwards).sum(axis=1) > 0).all()
    assert np.allclose(unit_normals(spans), normals)


def test_refine_cuts_where_the_texture_changes_and_hits_the_count() -> None:
    here = Builder()
    here.rect((0, 0, 0), (1, 0, 0), (0, 0, -1), Look("plaster", (0.5, 0.5, 0.5)))
    here.rect((2, 0, 0), (1, 0, 0), (0, 0, -1), Look("bricks", (0.7, 0.3, 0.2), (0.9, 0.9, 0.9)))
    survey = Survey(here.batches())
    cells, shades = refine(survey, survey.first_cells(), lambda places, normals: np.zeros(len(places)), 2_000)
    assert len(cells) == len(shades) == 2_000
    assert (cells.item == 1).sum() > 1.5 * (cells.item == 0).sum()
    area = np.bincount(cells.item, weights=cells.width.prod(axis=1))
    assert area == pytest.approx([1.0, 1.0])


def test_light_falls_off_and_is_blocked() -> None:
    here = Builder()
    look = Look("plaster", (0.5, 0.5, 0.5))
    here.rect((0, 0, 0), (0, 0, 4), (4, 0, 0), look)
    here.rect((0, 2.5, 0), (4, 0, 0), (0, 0, 4), look)
    here.box((1.9, 0, 0), (2.1, 2.5, 4), look)
    survey = Survey(here.batches())
    cells = survey.first_cells()
    places, (_, normals) = survey.points(cells), survey.frames(cells)
    air = Air(places, normals, np.zeros(len(places), bool), [Lamp((0.9, 1.5, 2.0), (1, 1, 1))], (0, 0, 0))
    spots = np.array([[0.9, 0, 2.0], [0.9, 0, 3.7], [3.0, 0, 2.0]])
    near, far, hidden = air.light(spots, np.tile((0.0, 1.0, 0.0), (3, 1)))[:, 0]
    assert near > 2 * far > 0
    assert hidden < 0.05 * near


def test_noise_is_fixed() -> None:
    grid = np.arange(4.0)
    assert hashed(grid, grid[::-1], 7) == pytest.approx(
        [0.586592747, 0.460927695, 0.539561163, 0.083498595], abs=1e-9
    )
    values = layered_noise(np.linspace(0, 9, 500), np.linspace(0, 5, 500))
    assert values.min() >= 0 and values.max() < 1 and values.std() > 0.1


@pytest.mark.parametrize(("seed", "count"), [(-1, 1000), (1, 0), (1, 10**9)])
def test_refuses_nonsense(seed: int, count: int) -> None:
    with pytest.raises(SceneError, match="expected seed"):
        generate_interior(seed=seed, count=count)


def test_tiny_interior() -> None:
    assert len(generate_interior(count=1)) == 1
