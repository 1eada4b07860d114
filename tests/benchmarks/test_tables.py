"""Rows to tables, curves and marked blocks."""

from dataclasses import replace

import pytest

from benchmarks.codec import tables
from benchmarks.codec.plots import curve
from benchmarks.codec.prefixes import under_a_section
from benchmarks.codec.publish import fill
from benchmarks.codec.rows import Row

OURS = Row(
    "massa", "ugc", 1000, 100_000, ratio=100.0, bytes=990, splats=180, psnr=33.0, psnr_min=28.0, ssim=0.96,
    flip=0.03, encode_s=4.0, decode_s=0.5, peak_mib=300, judge="referee", views=24,
)  # fmt: skip
ROWS = [
    OURS,
    replace(OURS, system="exgs", bytes=980, splats=35, psnr=24.0),
    replace(OURS, system="decimate+sog", psnr=27.0),
    replace(OURS, system="decimate+spz", psnr=28.5),
]
SOG = replace(OURS, system="sog", budget=0, ratio=None, bytes=5000, splats=900, psnr=45.0)


def cells(table: str, line: int) -> list[str]:
    return [cell.strip() for cell in table.splitlines()[line].strip("|").split("|")]


def test_gains_are_over_the_published_and_the_better_peer() -> None:
    row = dict(
        zip(cells(tables.rate_distortion(ROWS), 0), cells(tables.rate_distortion(ROWS), 2), strict=True)
    )
    assert row["over ExGS, dB"] == "+9.0"
    assert row["over the better SOG or SPZ, dB"] == "+4.5"
    assert row["ours: bytes"] == "990"
    assert row["scene"] == "massa"


def test_a_stand_in_for_the_referee_is_said_plainly() -> None:
    table = tables.rate_distortion([replace(row, judge="exgs") for row in ROWS])
    assert cells(table, 2)[0] == "massa*"
    assert "product's own rasteriser" in table
    assert "product's own" not in tables.rate_distortion(ROWS)


def test_an_absent_peer_says_so() -> None:
    absent = Row("massa", "decimate+sog", 1000, 100_000, note="splat-transform is not installed", ratio=100.0)
    table = tables.rate_distortion([OURS, absent])
    assert "decimate + SOG: splat-transform is not installed (massa at 100)" in table
    assert cells(table, 2)[-1] == tables.NONE
    assert "not installed" in tables.high_rate([replace(absent, system="sog", ratio=None)])


def test_the_smallest_file_at_their_psnr_is_told() -> None:
    ours = [replace(OURS, budget=size, bytes=size, ratio=None, psnr=psnr) for size, psnr in
            ((3000, 44.0), (4000, 45.5), (5000, 47.0))]  # fmt: skip
    row = cells(tables.high_rate([SOG, *ours]), 2)
    assert row[-3:] == ["47.00", "4,000", "80 %"]
    assert cells(tables.high_rate([SOG, ours[0]]), 2)[-2:] == ["not reached", tables.NONE]


def test_bytes_per_gaussian() -> None:
    assert cells(tables.splat_bytes(ROWS), 2) == ["massa", "5.50"]


def test_effort_of_what_was_measured() -> None:
    assert cells(tables.effort(ROWS, 100.0), 2)[:2] == ["massa", "4.0 / 300 / 0.5"]


def test_a_curve_ends_where_nothing_is_left_out() -> None:
    assert curve([*ROWS, SOG], "massa", ("decimate+sog", "sog"), "psnr") == [(990, 27.0), (5000, 45.0)]


def test_a_block_is_filled_and_the_rest_left_alone() -> None:
    text = "before\n<!-- bench-codec: x -->\nold\n<!-- end: x -->\nafter\n"
    once = fill(text, "x", r"new \1")
    assert once == "before\n<!-- bench-codec: x -->\nnew \\1\n<!-- end: x -->\nafter\n"
    assert fill(once, "x", "newer").count("<!-- end: x -->") == 1
    with pytest.raises(ValueError, match="no block"):
        fill(text, "y", "")


def test_tables_of_prefixes_go_below_a_section() -> None:
    text = under_a_section(
        "## massa, 3 Gaussians\nratio 20: 9 bytes\n| bytes | share |\n|---|---|\none level: 2\n"
    )
    assert text == (
        "**massa, 3 Gaussians**\n\nratio 20: 9 bytes\n\n| bytes | share |\n|---|---|\n\none level: 2\n"
    )
