"""How a scene is encoded, as flags that several commands take."""

from __future__ import annotations

import argparse
from typing import Any

from exgs.cli import arguments
from exgs.codec import DEFAULT_EFFORT, DEFAULT_PRESET, EFFORTS, PRESETS

SIZE_AND_EFFORT = ("max_bytes", "ratio", "preset", "effort")
"""Flags of ``add_size`` and ``add_effort``, named as fields of the configuration."""


def add_size(parser: argparse.ArgumentParser) -> None:
    """Adds the three ways to say how large the file may be."""
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--max-bytes",
        type=arguments.byte_count,
        metavar="N",
        help="largest file, such as 3.3MB; hit from below",
    )
    sizes.add_argument(
        "--ratio", type=arguments.positive_float, metavar="R",
        help="float32 PLY of the source's own SH degree over the file",
    )  # fmt: skip
    names = ", ".join(f"{name} 1/{ratio:g}" for name, ratio in PRESETS.items())
    sizes.add_argument(
        "--preset", choices=PRESETS, help=f"a named ratio: {names} (default: {DEFAULT_PRESET})"
    )


def add_effort(parser: argparse._ActionsContainer) -> None:
    """Adds ``--effort``: time for quality."""
    parser.add_argument(
        "--effort", choices=tuple(EFFORTS),
        help="how large and how many pictures everything is fitted to: fast takes about half as long as "
        f"normal, best about twice as long (default: {DEFAULT_EFFORT})",
    )  # fmt: skip


def given(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those of the flags that were said."""
    return {name: value for name in names if (value := getattr(args, name)) is not None}
