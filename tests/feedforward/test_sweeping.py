import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.sweeping import Plan, Sweep, sampled_scores, scores  # noqa: E402

POSE = np.array([[1.02, 0.03, 0.4, -6.0], [-0.02, 0.98, 0.3, 1.5], [0.001, 0.002, 0.97, 0.2]])
BEHIND = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0.5]])
PLAN = Plan(
    (Sweep(0, 1, POSE), Sweep(1, 0, POSE), Sweep(0, 2, BEHIND)),
    np.linspace(0.1, 1.0, 5),
    (9.5, 6.0),
)


def features(seed: int, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((count, 6, 8, 11), generator=generator).requires_grad_()


def test_kernels_agree_with_sampling() -> None:
    queries, keys = features(1, 2), features(2, 3)
    fast, seen = scores(queries, keys, PLAN)
    slow, seen_slowly = sampled_scores(queries, keys, PLAN)
    assert torch.equal(seen, seen_slowly)
    assert 0.2 < seen[:2].float().mean() < 0.95
    assert not seen[2].any()
    assert torch.allclose(fast, slow, atol=1e-4)


def test_gradients_agree_with_sampling() -> None:
    found = []
    for way in (scores, sampled_scores):
        queries, keys = features(1, 2), features(2, 3)
        score, _ = way(queries, keys, PLAN)
        (score * torch.linspace(-1, 1, score.numel()).view_as(score)).sum().backward()
        found.append((queries.grad, keys.grad))
    for fast, slow in zip(*found, strict=True):
        assert slow.abs().max() > 1
        assert torch.allclose(fast, slow, atol=2e-3)


def test_threads_change_nothing() -> None:
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(scores(features(1, 2), features(2, 3), PLAN)[0])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_padding_is_not_seen() -> None:
    still = np.eye(3, 4)
    plan = Plan((Sweep(0, 0, still),), np.array([0.5]), (7.5, 5.5))
    _, seen = scores(features(1, 1), features(2, 1), plan)
    assert seen[0, 0, :6, :8].all()
    assert not seen[0, 0, 6:].any()
    assert not seen[0, 0, :, 8:].any()
