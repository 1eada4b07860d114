"""SOG files of a scene, made by splat-transform where that program is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

TIMEOUT_S = 1800.0


def make_sog(ply: Path, program: str, say: Callable[[str], None]) -> Path | str:
    """The SOG file that ``program`` makes beside ``ply``; or, in a line, why there is none."""
    found = shutil.which(program)
    if found is None:
        return f"{program} is not installed (npm install -g @playcanvas/splat-transform)"
    target = ply.with_suffix(".sog")
    say("making the SOG file (splat-transform)")
    try:
        done = subprocess.run(
            [found, "-g", "cpu", "-w", "-q", str(ply), str(target)],
            capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{program} failed: {str(error)[:120]}"
    if done.returncode or not target.exists():
        lines = (done.stderr or done.stdout).strip().splitlines()
        return f"{program} failed: {lines[-1][:120] if lines else 'without a word'}"
    return target
