from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.losses import depth_errors, empty_errors, halved, picture_errors  # noqa: E402


def test_the_same_pictures_differ_by_nothing_and_blur_costs_structure() -> None:
    truth = torch.rand(2, 32, 48, 3, generator=torch.Generator().manual_seed(1))
    squared, structure = picture_errors(truth, truth)
    assert float(squared) == 0 and float(structure) == pytest.approx(0, abs=1e-5)
    blurred = truth.mean(dim=(1, 2), keepdim=True).expand_as(truth)
    shifted = (truth + 0.05).clamp(0, 1)
    assert float(picture_errors(blurred, truth)[1]) > 0.8 > 0.2 > float(picture_errors(shifted, truth)[1])


def test_at_edges_the_nearest_counts() -> None:
    inverse = torch.tensor([[[1.0, 1.0, 0.5, 1.0], [1.02, 1.02, 0.5, 0.0]]])
    assert torch.allclose(halved(inverse), torch.tensor([[[1.01, 1.0]]]))


def cloud(depth: float, step: int) -> SimpleNamespace:
    """What matters here of a cloud that is sure of one step of its ladder."""
    chances = torch.full((1, 5, 4, 6), 1e-3)
    chances[:, step] = 1 - 4e-3
    ladder = torch.linspace(0.25, 1.25, 5)
    return SimpleNamespace(depth=torch.full((1, 8, 12), depth), log_chances=chances.log(), ladder=ladder)


def test_true_depths_cost_nothing_and_others_do() -> None:
    truth = torch.full((1, 16, 24), 2.0)
    chances, depth = depth_errors(cloud(2.0, 1), truth, near=0.8, far=4.0)
    assert float(depth) == pytest.approx(0, abs=1e-6) and float(chances) < 0.01
    chances, depth = depth_errors(cloud(4.0, 3), truth, near=0.8, far=4.0)
    assert float(depth) == pytest.approx(0.25) and float(chances) > 5


def test_what_is_opaque_where_nothing_is_costs() -> None:
    depths = torch.zeros(1, 16, 24)
    depths[:, :, :12] = 2.0
    here = torch.zeros(1, 8, 12, dtype=torch.bool)
    here[:, :, :6] = True
    costs = []
    for opaque in (here, ~here):
        logits = torch.where(opaque, 5.0, -5.0).flatten()
        costs.append(
            float(empty_errors(SimpleNamespace(depth=cloud(2.0, 1).depth, opacity_logits=logits), depths))
        )
    assert costs[0] < 0.01 and costs[1] == pytest.approx(5, abs=0.01)


def test_where_nothing_is_known_nothing_is_asked() -> None:
    chances, depth = depth_errors(cloud(3.0, 4), torch.zeros(1, 16, 24), near=0.8, far=4.0)
    assert float(chances) == float(depth) == 0
