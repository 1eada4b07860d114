"""The tables of benchmarks/progressive.py, kept and put into the document.

    python -m benchmarks.codec.prefixes [SCENE ...] [--out bench-out] [--document FILE]

A scene whose table is in OUT/prefixes already is not measured again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.codec.processes import CommandError, run
from benchmarks.codec.publish import fill_in
from benchmarks.codec.scenes import INTERIOR, make_ready, names

SCENES = ("massa", "skull", INTERIOR)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", metavar="SCENE")
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--document", type=Path, help="Markdown file that has a mark for the tables")
    args = parser.parse_args()
    wanted = [name for name in args.scenes or SCENES if name in names() or Path(name).is_file()]
    try:
        tables = [_table(name, args.out) for name in wanted]
    except CommandError as error:
        sys.exit(f"the prefixes could not be measured: {error}")
    fill_in({"progressive": "\n\n".join(tables)}, args.out, args.document)


def _table(name: str, out: Path) -> str:
    """The tables of one scene."""
    kept = out / "prefixes" / f"{Path(name).stem}.md"
    if not kept.exists():
        source = name if name == INTERIOR else make_ready(name, out / "scenes" / Path(name).name).source
        done = run([sys.executable, "-m", "benchmarks.progressive", source])
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(under_a_section(done.output))
    return kept.read_text().strip()


def under_a_section(output: str) -> str:
    """Headings as bold lines, and tables set off from what stands above them."""
    lines = []
    for line in output.splitlines():
        if line.startswith("## "):
            line = f"**{line.removeprefix('## ')}**\n"
        if line.startswith("| bytes") or line.startswith("one level"):
            lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
