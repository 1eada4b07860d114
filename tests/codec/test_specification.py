"""docs/bitstream.md against the code."""

import re
from pathlib import Path

from exgs.codec import ChunkInfo, entries, limits, model
from exgs.codec.coding import Coding
from exgs.codec.entropy import rans, tables
from exgs.codec.header import KNOWN_FLAGS, MAGIC, PREFIX_BYTES, VERSION

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "bitstream.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    level, name = title.split(" ", 1)
    start = TEXT.index(f"\n{level} {name}\n")
    rest = TEXT[start + len(level) + len(name) + 2 :]
    end = re.search(rf"^#{{1,{len(level)}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_limits_are_those_of_the_code() -> None:
    table = {row[0].strip("`"): float(row[1]) for row in rows("## Limits")}
    assert table == {name: float(n) for name, n in vars(limits).items() if isinstance(n, int | float)}


def test_rules_are_those_of_the_code() -> None:
    assert {row[0]: row[1] for row in rows("## Rules")} == limits.RULES


def test_every_rule_is_named_where_it_applies() -> None:
    body = TEXT[: TEXT.index("## Rules")]
    for rule in set(limits.RULES) - {"M2"}:
        assert re.search(rf"\b{rule}\b", body), rule


def test_families_and_their_contexts() -> None:
    table = [row for row in rows("### Frequency tables") if row[1].isdigit() and not row[0].startswith("`")]
    listed = tuple((row[0], int(row[1])) for row in table if ":" not in row[0])
    assert listed == model.FAMILIES


def test_sections_of_errors() -> None:
    listed = [row[1].strip("`") for row in rows("## Layout")[:7]]
    assert listed == ["prefix", "header", "coding", "tables", "manifest", "preamble", "chunk N`, `chunks"]


def test_constants() -> None:
    assert f"{VERSION[0]}; a decoder refuses any other" in TEXT
    assert MAGIC.hex(" ") in TEXT
    assert f"| Prefix | `prefix` | {PREFIX_BYTES} bytes" in TEXT
    assert KNOWN_FLAGS == 3 and "bit 0:" in TEXT and "bit 1:" in TEXT
    assert ", ".join(str(weight) for weight in tables.COARSE_WEIGHTS) in TEXT
    assert f"at most {tables.MAX_SYMBOLS - 1} (M14)" in TEXT
    assert f"add up to {tables.TOTAL}" in TEXT and f"both states are {rans.LOWEST}" in TEXT
    assert f"among the {model.WINDOW} splats before it" in TEXT
    assert f"at most {model.MAX_DROP} (M16)" in TEXT
    assert f">> 8, 0), {model.MAX_SHIFT})" in TEXT
    assert f"at most {model.TURN_THRESHOLDS} (M5)" in TEXT
    assert f"- class, -1), {model.MAX_ROTATION_BITS})" in TEXT


def test_manifest_fields_are_those_of_the_code() -> None:
    documented = {row[0].strip("`") for row in rows("### Manifest")}
    derived = {"level", "tile", "offset", "bounds_min", "bounds_max"}
    assert documented == set(ChunkInfo.__dataclass_fields__) - derived
    assert ", ".join(f"`{name}`" for name in entries.ORDERS) in section("### Manifest").replace("\n", " ")


def test_beta_tables_are_of_the_splats_that_the_document_says() -> None:
    beta = tables.Table(tables.BETA, (8,))
    splats = [len(beta.frequencies(context)) - 1 for context in range(dict(model.FAMILIES)["split"])]
    assert splats == [min(context + 2, 17) for context in range(26)]
    assert "the number of the context plus\ntwo, but at most 17" in TEXT


def test_coding_fields_are_those_of_the_code() -> None:
    documented = {name for row in rows("### Coding") for name in re.findall(r"`(\w+)`", row[0])}
    assert documented == set(Coding.__dataclass_fields__)
