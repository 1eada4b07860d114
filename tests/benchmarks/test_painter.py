"""The tables of the painter's benchmark, and the variants of its ablation."""

import pytest

torch = pytest.importorskip("torch")

from benchmarks.painter import rows, write_between  # noqa: E402
from benchmarks.painter_ablation import hiding, summary, variants, without_skip  # noqa: E402
from exgs.painter.gains import Gain  # noqa: E402
from exgs.painter.networks import build  # noqa: E402

TOY = {"kind": "pixels", "planes": 7, "fill": True, "widths": [8, 4, 4], "blocks": [1, 1, 1]}


def test_rows_say_how_much_less_error_there_is():
    gain = {"psnr_before": 20, "psnr_after": 22.5, "ssim_before": 0.5, "ssim_after": 0.75,
            "flip_before": 0.4, "flip_after": 0.3}  # fmt: skip
    *_, line = rows({"interior": {"exgs-107": gain}})
    assert line == "| interiors | exgs-107 | 20.00 | 22.50 | 0.5000 | 0.7500 | 0.4000 | 0.3000 | -25.0 % |"


def test_each_part_of_the_document_is_written_between_its_own_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "a\n<!-- scores: begin -->\nold\n<!-- scores: end -->\n"
        "b <!-- ablation: begin --><!-- ablation: end -->"
    )
    write_between(page, "ablation", ["new"])
    write_between(page, "scores", ["newer"])
    text = page.read_text()
    assert "old" not in text and text.startswith("a\n") and "newer\n" in text.split("b ")[0]
    assert "\nnew\n" in text.split("b ")[1]
    with pytest.raises(SystemExit, match="nothing: begin"):
        write_between(page, "nothing", [])


def test_a_hidden_plane_is_not_seen():
    network = build(TOY)
    hiding(3, 1.0, 5)(network)
    seen = network.taken(torch.rand(1, 7, 16, 16))
    assert (seen[:, 3] == 1).all() and (seen[:, 5] == 1).all()
    assert seen[:, 4].std() > 0.1


def test_without_the_skip_the_picture_itself_is_drawn():
    network = build(TOY).eval()
    without_skip(network)
    with torch.no_grad():
        assert float(network(torch.rand(1, 7, 32, 32))[:, :3].max()) == 0


def test_every_variant_can_be_built_and_means_are_taken_of_its_kind():
    assert len({variant.name for variant in variants()}) == len(variants())
    for variant in variants():
        with torch.device("meta"):
            build(variant.architecture)
    gains = {"interior exgs-50": Gain(1, 20, 22, 0.4, 0.2), "interior exgs-107": Gain(1, 20, 21, 0.4, 0.4),
             "object ugc-30": Gain(1, 20, 10, 0.1, 0.2)}  # fmt: skip
    assert summary(gains, "interior exgs") == "+1.50 dB, -25.0 %"
    assert summary(gains, "object exgs") == ""
