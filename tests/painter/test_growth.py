import pytest

torch = pytest.importorskip("torch")

from exgs.painter import PainterError  # noqa: E402
from exgs.painter.growth import grown  # noqa: E402
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
    large = grown(LITTLE, little, LARGE).eval()
    seen = torch.rand(2, 7, 64, 48)
    with torch.no_grad():
        before, after = little(seen), large(seen)
    assert not torch.allclose(before[:, :3], seen[:, :3], atol=1e-2)
    assert torch.allclose(before, after, atol=1e-5)


def test_what_is_new_learns():
    little = trained(LITTLE)
    large = grown(LITTLE, little, LARGE).train()
    begun = {name: value.clone() for name, value in large.state_dict().items()}
    optimiser = torch.optim.SGD(large.parameters(), lr=0.1)
    for _ in range(3):
        given, own = large.learn(torch.rand(2, 7, 64, 64), torch.rand(2, 3, 64, 64))
        optimiser.zero_grad()
        (given[:, :3].square().mean() + own).backward()
        optimiser.step()
    new = large.stages[2][2].around.weight
    wide = large.pixels.weight[LITTLE["widths"][0] :]
    assert new.detach().abs().max() > 0
    assert not torch.equal(wide.detach(), begun["pixels.weight"][LITTLE["widths"][0] :])


def test_base_grows_of_small():
    small = build(ARCHITECTURES["small"])
    base = grown(ARCHITECTURES["small"], small, ARCHITECTURES["base"])
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
        grown(LITTLE, build(LITTLE), {**LARGE, **changes})
