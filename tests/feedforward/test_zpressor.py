import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.cameras import Rig  # noqa: E402
from exgs.feedforward.zpressor import Exchange, crowd, rays  # noqa: E402
from exgs.scene import Camera  # noqa: E402

UP = np.array([0.0, -1.0, 0.0])


def rig(scale: float = 1.0, shift: float = 0.0) -> Rig:
    places = [np.array([0.1 * view, 0.02 * view**2, 0.0]) * scale + shift for view in range(5)]
    ahead = np.array([0.1, 0.0, 4.0]) * scale
    cameras = [Camera.looking(p, p + ahead, UP, fov_y_rad=0.9, size=(64, 48)) for p in places]
    return Rig.of(cameras, scale, 8 * scale)


@pytest.fixture
def pressor() -> Exchange:
    torch.manual_seed(1)
    return Exchange(24, 3, 2).eval()


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randn((5, 24, 6, 8), generator=torch.Generator().manual_seed(2))


def pressed(
    pressor: Exchange, tokens: torch.Tensor, views: list[int], supports: list[tuple[int, ...]]
) -> torch.Tensor:
    with torch.no_grad():
        return pressor(rig(), views, supports, tokens[views], crowd(tokens))


def test_anchors_know_nothing_of_each_other(pressor: Exchange, tokens: torch.Tensor) -> None:
    both = pressed(pressor, tokens, [0, 3], [(1, 2), ()])
    assert torch.allclose(both[:1], pressed(pressor, tokens, [0], [(1, 2)]), atol=1e-5)
    assert torch.allclose(both[1:], pressed(pressor, tokens, [3], [()]), atol=1e-5)


def test_the_order_of_supports_does_not_matter(pressor: Exchange, tokens: torch.Tensor) -> None:
    one = pressed(pressor, tokens, [0], [(1, 2, 4)])
    assert torch.allclose(one, pressed(pressor, tokens, [0], [(4, 1, 2)]), atol=1e-5)


def test_what_supports_see_and_where_they_stand_matters(pressor: Exchange, tokens: torch.Tensor) -> None:
    one = pressed(pressor, tokens, [0], [(1,)])
    tokens[2] = tokens[1]
    assert not torch.allclose(one, pressed(pressor, tokens, [0], [(2,)]), atol=1e-5)
    tokens[1] = 0
    assert not torch.allclose(one, pressed(pressor, tokens, [0], [(1,)]), atol=1e-5)


def test_an_anchor_without_supports_passes_nearly_as_it_is(pressor: Exchange, tokens: torch.Tensor) -> None:
    alone = pressed(pressor, tokens, [3], [()])
    assert alone.isfinite().all()
    assert torch.corrcoef(torch.stack([alone.flatten(), tokens[3].flatten()]))[0, 1] > 0.8


def test_the_same_tokens_give_the_same(pressor: Exchange, tokens: torch.Tensor) -> None:
    one = pressed(pressor, tokens, [0, 4], [(1, 2), (3,)])
    assert torch.equal(one, pressed(pressor, tokens, [0, 4], [(1, 2), (3,)]))


def test_gradients_reach_supports(pressor: Exchange, tokens: torch.Tensor) -> None:
    tokens.requires_grad_()
    pressor(rig(), [0], [(1,)], tokens[:1], crowd(tokens)).square().sum().backward()
    assert tokens.grad is not None
    assert tokens.grad[1].abs().max() > 0
    assert not tokens.grad[2:].any()


def test_rays_do_not_know_the_unit_or_the_place_of_the_scene() -> None:
    like = torch.zeros(6, 8)
    one, other = rays(rig(), 0, [1, 2], 8, like), rays(rig(1000.0, 5e4), 0, [1, 2], 8, like)
    assert one.shape == (2, 48, 30)
    assert torch.allclose(one, other, atol=1e-5)


def test_own_rays_pass_through_the_own_centre() -> None:
    own = rays(rig(), 3, [3], 8, torch.zeros(6, 8))
    assert own[..., 3:6].abs().max() < 1e-6
    assert torch.allclose(own[..., :3].norm(dim=-1), torch.ones(48))
