import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.encoder import MATCHED, Encoder, appearance, padded  # noqa: E402


def pictures(count: int = 2, height: int = 32, width: int = 48) -> torch.Tensor:
    return torch.rand((count, 3, height, width), generator=torch.Generator().manual_seed(3))


def test_features_stand_at_a_quarter_and_an_eighth() -> None:
    encoded = Encoder(16, 24, 1)(pictures())
    assert encoded.matching.shape == (2, MATCHED, 8, 12)
    assert encoded.fine.shape == (2, 16, 8, 12)
    assert encoded.wide.shape == (2, 24, 4, 6)


def test_views_are_encoded_each_by_itself() -> None:
    encoder, both = Encoder(16, 24, 1), pictures()
    together, alone = encoder(both), encoder(both[1:])
    assert torch.allclose(together.matching[1:], alone.matching, atol=1e-5)
    assert torch.allclose(together.wide[1:], alone.wide, atol=1e-4)


def test_padding_repeats_the_edge_up_to_whole_strides() -> None:
    odd = pictures(1, 30, 42)
    wide = padded(odd)
    assert wide.shape == (1, 3, 32, 48)
    assert torch.equal(wide[..., :30, :42], odd)
    assert torch.equal(wide[..., 31, 47], odd[..., 29, 41])
    assert padded(wide) is wide


def test_appearance_tells_slopes_from_flats() -> None:
    ramp = torch.linspace(0, 1, 48).expand(1, 3, 32, 48)
    found = appearance(ramp)
    assert found.shape == (1, 9, 8, 12)
    assert (found[:, 3:6, :, 1:-1] > 0.5).all()
    assert found[:, 6:].abs().max() < 1e-6
