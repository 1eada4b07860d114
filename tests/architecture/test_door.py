"""The names at the door of the package."""

import subprocess
import sys

import exgs


def test_every_public_name_can_be_had() -> None:
    for name in exgs.__all__:
        assert getattr(exgs, name) is not None


def test_unknown_names_are_refused() -> None:
    assert not hasattr(exgs, "no_such_name")


def test_the_door_opens_without_heavy_libraries() -> None:
    code = "import sys, exgs; print(sorted({'numba', 'av', 'aiortc', 'scipy', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
