"""The tables of the painter's benchmark, and the variants of its ablation."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from benchmarks.painter import PAGE_PX, rows, shrink, told, write_between  # noqa: E402
from benchmarks.painter_ablation import hiding, summary, variants, without_skip  # noqa: E402
from benchmarks.painter_judging import Verdict  # noqa: E402
from exgs.painter.gains import Gain  # noqa: E402
from exgs.painter.gate import Gate  # noqa: E402
from exgs.painter.networks import build  # noqa: E402

TOY = {"kind": "pixels", "planes": 7, "fill": True, "widths": [8, 4, 4], "blocks": [1, 1, 1]}


def test_rows_are_means_of_scenes_with_the_picture_that_fares_worst():
    gains = Verdict(np.array([[20, 0.5, 0.4]]), np.array([[22.5, 0.75, 0.3]]))
    mixed = Verdict(np.array([[30, 0.5, 0.4]] * 2), np.array([[29.5, 0.75, 0.3], [31.5, 0.75, 0.3]]))
    table = rows({"interior-1": {"exgs-107": gains}, "interior-2": {"exgs-107": mixed},
                  "skull": {"ugc-20": mixed}})  # fmt: skip
    _, _, rooms, objects = table
    assert rooms == (
        "| interiors | exgs-107 | 25.00 | 26.50 | -0.50 | 0.5000 | 0.7500 | 0.4000 | 0.3000 | -25.0 % |"
    )
    assert objects.startswith("| objects | ugc-20 | 30.00 | 30.50 | -0.50 |")


def test_a_gate_is_told_in_words():
    assert told(Gate(0.25)) == "closed from 0.25 splats per pixel on"
    assert told(Gate(0.12, 0.1)).endswith("on, opening from 0.05 to 0.1 of holes")
    assert told(Gate(0.12, confidence=0.7)).endswith("on, and from a confidence of 0.6 to 0.7")


def test_pages_are_sheets_one_below_the_other(tmp_path):
    sheets = [tmp_path / "one.png", tmp_path / "two.png"]
    for sheet, height in zip(sheets, (100, 50), strict=True):
        Image.new("RGB", (PAGE_PX // 2, height)).save(sheet)
    shrink(sheets, tmp_path / "page.jpg")
    with Image.open(tmp_path / "page.jpg") as page:
        assert page.size == (PAGE_PX, 300)


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
