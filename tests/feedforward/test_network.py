from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.anchors import Anchors, choose_anchors  # noqa: E402
from exgs.feedforward.cloud import Cloud  # noqa: E402
from exgs.feedforward.drawing import draw  # noqa: E402
from exgs.feedforward.errors import FeedforwardError  # noqa: E402
from exgs.feedforward.network import ARCHITECTURES, Reconstructor, build  # noqa: E402
from exgs.raster.cpu import CpuRasterizer  # noqa: E402
from exgs.raster.quality import psnr  # noqa: E402
from exgs.scene import Camera  # noqa: E402
from tests.feedforward.rooms import TINY, Shots, room, wall  # noqa: E402


@pytest.fixture(scope="module")
def rasterizer() -> CpuRasterizer:
    return CpuRasterizer(threads=1)


@pytest.fixture
def network() -> Reconstructor:
    torch.manual_seed(1)
    return build(TINY).eval()


@pytest.fixture(scope="module")
def painted(rasterizer: CpuRasterizer) -> Shots:
    return wall(rasterizer)


@pytest.fixture(scope="module")
def furnished(rasterizer: CpuRasterizer) -> Shots:
    return room(rasterizer)


def clouded(
    network: Reconstructor, shots: Shots, anchors: Anchors | None = None, depths: torch.Tensor | None = None
) -> Cloud:
    pictures = torch.from_numpy(shots.pictures).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        return network(pictures, shots.cameras, shots.near, shots.far, anchors, depths=depths)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR of pictures [B,H,W,3] together."""
    return psnr(np.concatenate(one), np.concatenate(other))


def fidelity(cloud: Cloud, target: Shots, rasterizer: CpuRasterizer) -> float:
    return likeness(draw(cloud, target.cameras, rasterizer).numpy(), target.pictures)


def test_a_fresh_network_sees_new_views_of_a_room(
    network: Reconstructor, furnished: Shots, rasterizer: CpuRasterizer
) -> None:
    """Its depth is that of the raw matches: far better than a grey picture, without any training."""
    target = furnished.only([1, 3])
    grey = likeness(np.full_like(target.pictures, target.pictures.mean()), target.pictures)
    fresh = fidelity(clouded(network, furnished.only([0, 2, 4])), target, rasterizer)
    assert fresh > grey + 6


def test_true_depths_put_everything_in_its_place(
    network: Reconstructor, painted: Shots, rasterizer: CpuRasterizer
) -> None:
    ends = painted.only([0, 2])
    true = torch.full((2, 24, 32), 3.0)
    right = fidelity(clouded(network, ends, depths=true), painted.only([1]), rasterizer)
    wrong = fidelity(clouded(network, ends, depths=true * 0.5), painted.only([1]), rasterizer)
    assert right > 22
    assert right > wrong + 4


def moved(camera: Camera, scale: float, shift: np.ndarray) -> Camera:
    matrix = camera.camera_from_world.copy()
    matrix[:3, 3] = matrix[:3, 3] * scale - matrix[:3, :3] @ shift
    return replace(camera, camera_from_world=matrix)


def test_scale_and_place_of_a_scene_change_no_picture(
    network: Reconstructor, painted: Shots, rasterizer: CpuRasterizer
) -> None:
    shift = np.array([3e4, -2e4, 5e3])
    cameras = tuple(moved(camera, 1000.0, shift) for camera in painted.cameras)
    large = replace(painted, cameras=cameras, near=painted.near * 1000, far=painted.far * 1000)
    anchors = choose_anchors(np.stack([camera.position for camera in painted.cameras]), 2)
    one = draw(clouded(network, painted, anchors), painted.cameras[1:2], rasterizer)
    other = draw(clouded(network, large, anchors), large.cameras[1:2], rasterizer)
    assert (one - other).abs().mean() < 1e-3
    assert likeness(one.numpy(), other.numpy()) > 45


def test_only_anchors_bring_gaussians(network: Reconstructor, painted: Shots) -> None:
    cloud = clouded(network, painted, Anchors((1,), ((0, 2),)))
    assert len(cloud) == 24 * 32
    assert cloud.views == (1,)
    assert cloud.depth.shape == cloud.confidence.shape == (1, 24, 32)
    assert cloud.log_chances.shape == (1, 16, 12, 16)
    assert torch.allclose(cloud.log_chances.exp().sum(1), torch.ones(1, 12, 16), atol=1e-4)
    assert len(clouded(network, painted)) == 3 * 24 * 32


def test_supports_reach_what_an_anchor_gives(network: Reconstructor, painted: Shots) -> None:
    torch.nn.init.normal_(network.heads.leave.weight, std=0.1)
    with_supports = clouded(network, painted, Anchors((0, 2), ((1,), ())))
    without = clouded(network, painted, Anchors((0, 2), ((), ())))
    assert not torch.equal(with_supports.means, without.means)


def test_the_same_views_give_the_same(network: Reconstructor, painted: Shots) -> None:
    anchors = Anchors((0, 2), ((1,), ()))
    one, other = clouded(network, painted, anchors), clouded(network, painted, anchors)
    assert torch.equal(one.means, other.means)
    assert torch.equal(one.opacity_logits, other.opacity_logits)


def test_gradients_reach_all_that_is_learnt(painted: Shots, rasterizer: CpuRasterizer) -> None:
    torch.manual_seed(1)
    network = build(TINY)
    for layer in (network.heads.leave, network.depth_network.change):
        torch.nn.init.normal_(layer.weight, std=0.02)
    pictures = torch.from_numpy(painted.pictures).permute(0, 3, 1, 2)
    cloud = network(pictures, painted.cameras, painted.near, painted.far, Anchors((0, 2), ((1,), ())))
    truth = torch.from_numpy(painted.pictures[1:2])
    (draw(cloud, painted.cameras[1:2], rasterizer) - truth).square().mean().backward()
    idle = [name for name, part in network.named_parameters() if part.grad is None or not part.grad.any()]
    assert not idle


def test_sides_need_not_be_whole_strides(network: Reconstructor, rasterizer: CpuRasterizer) -> None:
    odd = wall(rasterizer, size=(70, 45))
    cloud = clouded(network, odd.only([0, 2]))
    assert cloud.depth.shape == (2, 23, 35)
    assert fidelity(cloud, odd.only([1]), rasterizer) > 15


def test_pictures_of_another_size_than_the_cameras_are_refused(
    network: Reconstructor, painted: Shots
) -> None:
    with pytest.raises(FeedforwardError, match="shape"):
        network(torch.zeros(3, 3, 48, 48), painted.cameras, 1.0, 6.0, None)


def test_an_architecture_that_there_is_not_is_refused() -> None:
    with pytest.raises(FeedforwardError, match="architecture"):
        build({"fine": 48})


def test_small_is_small() -> None:
    with torch.device("meta"):
        count = sum(part.numel() for part in build(ARCHITECTURES["small"]).parameters())
    assert 2e6 < count < 4e6
