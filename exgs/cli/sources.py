"""Which sources a command runs from."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str:
    """The commit of the sources that this runs from; empty where that is not known."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
