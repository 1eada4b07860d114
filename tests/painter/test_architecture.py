import pytest

from exgs.painter import PainterError
from exgs.painter.architecture import RANGES, Range, check_architecture, check_configuration

PIXELS = {"kind": "pixels", "widths": [40, 32, 32], "blocks": [2, 1, 0]}


def test_a_range_is_of_numbers_or_of_lists_of_them():
    assert Range(1, 3).holds(3) and Range(1, 3, 2).holds([1, 3]) and Range(1, 3, 2).holds((2,))
    for value in (0, 4, 2.0, True, "2", None, [2]):
        assert not Range(1, 3).holds(value)
    for value in ([], [1, 2, 3], [4], [True], "12", 2, None):
        assert not Range(1, 3, 2).holds(value)


@pytest.mark.parametrize(
    "architecture",
    [
        PIXELS, {**PIXELS, "reaches": [1, 64], "planes": 7}, {"kind": "latent", "unet_widths": [192, 320]},
        {"kind": "foreign", "channels": 32, "unet": {}},
    ],
)  # fmt: skip
def test_what_can_be_made_passes(architecture):
    ranges = RANGES[architecture["kind"]]
    looked_at = {name: allowed for name, allowed in ranges.items() if name in architecture}
    assert looked_at and all(allowed.holds(architecture[name]) for name, allowed in looked_at.items())
    assert check_architecture(architecture) is None
    for name, allowed in looked_at.items():
        beyond = [allowed.most + 1] if allowed.longest else allowed.most + 1
        with pytest.raises(PainterError, match=name):
            check_architecture({**architecture, name: beyond})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": None}, "expected pixels, latent, foreign"),
        ({"kind": ["pixels"]}, "expected pixels"),
        ({"widths": [1 << 20, 8]}, "widths .*expected a list of at most 8 numbers from 1 to 4096"),
        ({"widths": [-8, 8]}, "widths"),
        ({"widths": [8.0]}, "widths"),
        ({"widths": "wide"}, "widths"),
        ({"blocks": [10**9]}, "blocks .*from 0 to 64"),
        ({"planes": 10**9}, "planes 1000000000, expected 6 to 7"),
        ({"reaches": [1] * 65}, "reaches"),
        ({"kind": "latent", "blocks": [1]}, "blocks .*expected 1 to 16"),
        ({"kind": "foreign", "vae_widths": [1 << 15] * 4, "blocks": 1}, "vae_widths"),
    ],
)
def test_numbers_that_no_module_is_made_of_are_refused(changes, says):
    with pytest.raises(PainterError, match=says):
        check_architecture({**PIXELS, **changes})


def test_every_kind_has_its_ranges():
    assert set(RANGES) == {"pixels", "latent", "foreign"}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"block_out_channels": [320, 1 << 20]}, "block_out_channels is 1048576, expected 65536"),
        ({"layers_per_block": 10**9}, "layers_per_block is 1000000000, expected 32"),
        ({"transformer_layers_per_block": [1, [2, 10**6]]}, "transformer_layers_per_block"),
        ({"down_block_types": ["DownBlock2D"] * 33}, "down_block_types lists 33"),
        ({"norm_eps": float("nan")}, "norm_eps is nan"),
    ],
)
def test_configurations_that_no_module_is_made_of_are_refused(config, says):
    known = {
        "sample_size": 64,
        "act_fn": "silu",
        "norm_eps": 1e-5,
        "freq_shift": 0,
        "block_out_channels": [8],
    }
    check_configuration(known)
    with pytest.raises(PainterError, match=says):
        check_configuration(known | config)
