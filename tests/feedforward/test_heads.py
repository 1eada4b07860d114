import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.cameras import Rig  # noqa: E402
from exgs.feedforward.heads import CHECKS, Heads, cross_check, finer, to_cloud  # noqa: E402
from exgs.feedforward.matching import Depths  # noqa: E402
from exgs.raster.sh import view_colors  # noqa: E402
from exgs.scene import Camera  # noqa: E402

UP = np.array([0.0, -1.0, 0.0])
SIZE = (42, 30)


def camera(x: float) -> Camera:
    return Camera.looking(np.array([x, 0.2, 0.1]), np.array([0.0, 0, 4]), UP, fov_y_rad=0.9, size=SIZE)


def depths(inverse: torch.Tensor) -> Depths:
    count, _, height, width = inverse.shape
    flat = torch.ones(count, 1, height, width)
    return Depths(
        inverse,
        0.5 * flat,
        flat.expand(-1, 8, -1, -1),
        flat.expand(-1, 16, -1, -1),
        flat.expand(-1, 2, -1, -1),
    )


def placed(colours: torch.Tensor | None = None) -> tuple[Rig, torch.Tensor, object]:
    """Gaussians of a fresh head for two views of 42 x 30 pixels, padded to 48 x 32."""
    torch.manual_seed(1)
    rig, heads = Rig.of([camera(-0.4), camera(0.5)], 1.0, 10.0), Heads(16, 16, 1)
    pictures = torch.rand((2, 3, 32, 48)) if colours is None else colours
    inverse = torch.rand((2, 1, 8, 12)) * 0.5 + 0.2
    found = depths(inverse)
    with torch.no_grad():
        fine, values = heads(pictures, found, torch.zeros(2, CHECKS, 8, 12))
        values["harmonics"] = torch.randn_like(values["harmonics"])
        return rig, pictures, to_cloud(rig, [0, 1], fine, values, found)


def test_gaussians_stand_behind_their_pixels_at_their_depth() -> None:
    _, _, cloud = placed()
    assert cloud.depth.shape == (2, 15, 21)
    means = cloud.gaussians().means.reshape(2, 15, 21, 3)
    for view, shot in enumerate((camera(-0.4), camera(0.5))):
        x, y, z = shot.camera_from_world[:3, :3] @ means[view, 4, 7] + shot.camera_from_world[:3, 3]
        assert [shot.fx * x / z + shot.cx, shot.fy * y / z + shot.cy] == pytest.approx([15, 9], abs=1e-3)
        assert z == pytest.approx(cloud.depth[view, 4, 7].item(), rel=1e-4)


def test_fresh_colours_are_the_pixels_own() -> None:
    _, pictures, cloud = placed()
    constant = (0.5 + 0.28209479 * cloud.sh0[:, 0]).reshape(2, 15, 21, 3)
    mean = pictures[1, :, 8:10, 14:16].mean(dim=(1, 2))
    assert constant[1, 4, 7].tolist() == pytest.approx(mean.tolist(), abs=1e-5)


def test_harmonics_grow_along_the_cameras_axes() -> None:
    rig, _, cloud = placed()
    gaussians = cloud.gaussians()
    shown = view_colors(gaussians, camera(0.5)) - (0.5 + 0.28209479 * gaussians.sh0[:, 0])
    turn = rig.from_world[1, :3, :3]
    coefficients = gaussians.shN[-1]
    vector = turn @ np.stack([-coefficients[2], -coefficients[0], coefficients[1]])
    toward = turn @ (gaussians.means[-1] - camera(0.5).position)
    expected = 0.48860251 * (toward / np.linalg.norm(toward)) @ vector
    black = (0.5 + 0.28209479 * gaussians.sh0[-1, 0]) + expected < 0
    assert shown[-1][~black] == pytest.approx(expected[~black], abs=1e-4)


def test_sizes_are_those_of_the_pixels() -> None:
    rig, _, cloud = placed()
    footprint = cloud.depth.reshape(-1) * 2 / rig.lenses[0, 0]
    assert torch.allclose(cloud.log_scales.exp(), 0.55 * footprint[:, None].float().expand(-1, 3), rtol=1e-4)
    assert torch.allclose(cloud.quats.norm(dim=1), torch.ones(len(cloud)), atol=1e-5)


def test_depth_follows_the_edges_of_colours() -> None:
    pictures = torch.zeros(1, 3, 32, 32)
    pictures[..., 18:] = 1.0  # between two positions at a quarter of the size
    coarse = torch.full((1, 1, 8, 8), 0.2)
    coarse[..., 4:] = 0.8
    found = finer(coarse, pictures, torch.zeros(1, 36, 8, 8))[0, 0, 8]
    assert found[:8] == pytest.approx(np.full(8, 0.2), abs=0.02)
    assert found[10:] == pytest.approx(np.full(6, 0.8), abs=0.02)
    flat = finer(torch.full((1, 1, 8, 8), 0.3), torch.rand(1, 3, 32, 32), torch.randn(1, 36, 8, 8))
    assert torch.allclose(flat, torch.full_like(flat, 0.3))


def test_others_tell_whether_a_depth_hides_what_they_see() -> None:
    shots = [Camera(np.eye(4), 40, 40, 24, 16, 48, 32), Camera(np.eye(4), 40, 40, 24, 16, 48, 32)]
    rig = Rig.of(shots, 1.0, 10.0)
    inverse = torch.full((2, 1, 8, 12), 0.5)
    inverse[0, 0, 0], inverse[0, 0, 1] = 0.9, 0.1
    agreed, hides, hidden, looks = cross_check(rig, [0, 1], inverse, 16, [0])[0]
    assert agreed[3].min() > 0.99 > 0.01 > agreed[:2].max()
    assert hides[0].min() == 1 and not hides[1:].any()
    assert hidden[1].min() == 1 and not hidden[[0, 3]].any()
    assert looks.min() == 1
