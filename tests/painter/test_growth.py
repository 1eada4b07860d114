import pytest

torch = pytest.importorskip("torch")

from exgs.painter import PainterError  # noqa: E402
from exgs.painter.growth import check_growth, grown  # noqa: E402
from exgs.painter.networks import ARCHITECTURES, build  # noqa: E402

LITTLE = {
    "kind": "pixels", "planes": 7, "fill": True, "widths": [6, 4, 4], "blocks": [1, 1, 2], "reaches": [1, 2],
}  # fmt: skip
LARGE = {**LITTLE, "widths": [8, 4, 12], "blocks": [2, 1, 3], "reaches": [1, 2, 4]}


def trained(architecture):
    """A network that does something: heads begin at nothing."""
    torch.manual_seed(3)
    network = build(architecture).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.1 * torch.randn_like(weights))
    return network


def test_a_network_that_has_grown_gives_what_the_smaller_one_gave():
    little = trained(LITTLE)
    large = grown(LITTLE, little, LARGE, seed=5).eval()
    seen = torch.rand(2, 7, 64, 48)
    with torch.no_grad():
        before, after = little(seen), large(seen)
    assert not torch.allclose(before[:, :3], seen[:, :3], atol=1e-2)
    assert torch.allclose(before, after, atol=1e-5)


def test_what_is_new_learns():
    large = grown(LITTLE, trained(LITTLE), LARGE, seed=5).train()
    optimiser, rng = torch.optim.SGD(large.parameters(), lr=0.1), torch.Generator().manual_seed(0)
    for _ in range(3):
        planes, source = (torch.rand(2, count, 64, 64, generator=rng) for count in (7, 3))
        given, own = large.learn(planes, source)
        optimiser.zero_grad()
        ((given[:, :3] - source).square().mean() + own).backward()
        optimiser.step()
    assert large.stages[2][2].around.weight.detach().abs().max() > 0, "a new block"
    assert large.pixels.weight.grad[LITTLE["widths"][0] :].abs().max() > 0, "new channels"


def test_the_seed_is_that_of_what_is_new():
    little = trained(LITTLE)
    first, again, other = (grown(LITTLE, little, LARGE, seed=seed).pixels.weight for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_what_is_as_large_already_stays_as_it_is():
    for architecture in (
        LITTLE,
        {"kind": "latent", "vae_widths": [4] * 4, "unet_widths": [8, 8], "blocks": 1},
    ):
        network = build(architecture)
        assert grown(architecture, network, architecture, seed=0) is network


def test_base_grows_of_small():
    small = build(ARCHITECTURES["small"])
    base = grown(ARCHITECTURES["small"], small, ARCHITECTURES["base"], seed=0)
    assert base.state_dict().keys() > small.state_dict().keys()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "latent"}, "only networks of pixels"),
        ({"planes": 6}, "planes 6: expected 7"),
        ({"widths": [4, 4, 4]}, "none smaller"),
        ({"widths": [8, 4]}, "as many numbers"),
        ({"blocks": [0, 1, 2]}, "none smaller"),
        ({"reaches": [2, 1, 4]}, r"expected \[1, 2\] first"),
    ],
)
def test_what_does_not_hold_the_other_is_refused(changes, says):
    with pytest.raises(PainterError, match=says):
        check_growth(LITTLE, {**LARGE, **changes})


def test_weights_that_say_nothing_of_themselves_do_not_grow():
    for nothing, says in ((None, "nothing of their architecture"), ({"kind": "words"}, "words")):
        with pytest.raises(PainterError, match=says):
            check_growth(nothing, LARGE)
    spare = {name: value for name, value in LITTLE.items() if name not in ("planes", "fill")}
    check_growth(spare, {**LARGE, "planes": 6, "fill": False})
