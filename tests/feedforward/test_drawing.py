from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.cloud import Cloud  # noqa: E402
from exgs.feedforward.drawing import draw  # noqa: E402
from exgs.raster import choose_rasterizer  # noqa: E402
from exgs.scene import Camera  # noqa: E402

NAMES = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")
CAMERAS = [
    Camera.looking(
        np.array([x, 0.1, 0.0]) + 50, np.array([0, 0, 3.0]) + 50, np.array([0, -1.0, 0]),
        fov_y_rad=0.8, size=(40, 32),
    )
    for x in (-0.3, 0.4)
]  # fmt: skip


def cloud(count: int = 6) -> Cloud:
    """A few large Gaussians that overlap."""
    rng = np.random.default_rng(4)

    def draws(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.normal(size=shape).astype(np.float32))

    return Cloud(
        means=0.3 * draws(count, 3) + torch.tensor([0.0, 0.0, 3.0]),
        quats=torch.nn.functional.normalize(draws(count, 4), dim=1),
        log_scales=0.3 * draws(count, 3) - 1.3,
        opacity_logits=0.5 * draws(count),
        sh0=0.5 * draws(count, 1, 3),
        shN=0.1 * draws(count, 3, 3),
        origin=np.full(3, 50.0),
        views=(0,),
        depth=torch.ones(1, 2, 3),
        confidence=torch.ones(1, 2, 3),
        log_chances=torch.zeros(1, 4, 1, 2),
        ladder=torch.ones(4),
    )


def test_pictures_are_those_of_the_rasterizer() -> None:
    rasterizer = choose_rasterizer("cpu", threads=1)
    drawn = draw(cloud(), CAMERAS, rasterizer)
    truth = rasterizer.render(cloud().gaussians(), CAMERAS).color
    assert drawn.shape == (2, 32, 40, 3)
    assert np.abs(drawn.numpy() - truth).max() < 0.01
    assert drawn.max() > 0.2


@pytest.mark.parametrize("name", ["log_scales", "opacity_logits", "sh0", "shN", "quats", "means"])
def test_gradients_agree_with_differences(name: str) -> None:
    rasterizer, rng = choose_rasterizer("cpu", threads=1), np.random.default_rng(5)
    # Smooth weights give little to the rims where faint Gaussians are cut off, which no gradient sees.
    x, y = np.meshgrid(np.linspace(0, 4, 40), np.linspace(0, 3, 32))
    waves = np.stack([np.sin(x + n) * np.cos(y - n) for n in range(6)], axis=-1).astype(np.float32)
    weights = torch.from_numpy(waves.reshape(32, 40, 2, 3)).permute(2, 0, 1, 3)

    def value(values: torch.Tensor) -> torch.Tensor:
        # Harmonics are looked at in directions that count as fixed: their gradient of means is left out.
        still = replace(cloud(), shN=torch.zeros(6, 3, 3)) if name == "means" else cloud()
        return (draw(replace(still, **{name: values}), CAMERAS, rasterizer) * weights).sum()

    values = getattr(cloud(), name).requires_grad_()
    (slope,) = torch.autograd.grad(value(values), values)
    assert slope.abs().max() > 0
    changes, expected = [], []
    for _ in range(8):
        way = torch.from_numpy(rng.normal(size=values.shape).astype(np.float32))
        step = 2e-3 * way / way.norm()
        with torch.no_grad():
            changes.append((value(values + step) - value(values - step)).item() / 2)
        expected.append((slope * step).sum().item())
    assert np.linalg.norm(np.subtract(changes, expected)) < 0.1 * np.linalg.norm(expected)


def test_only_what_is_visible_is_selected() -> None:
    whole = cloud()
    hidden = replace(whole, opacity_logits=torch.tensor([-9.0, 0, 0, 0, 0, -9.0]))
    assert len(hidden.visible()) == 4
    assert torch.equal(hidden.visible().means, whole.means[1:5])


def test_gaussians_stand_in_scene_coordinates() -> None:
    gaussians = cloud().gaussians()
    assert gaussians.sh_degree == 1
    assert gaussians.means == pytest.approx(cloud().means.numpy() + 50)
