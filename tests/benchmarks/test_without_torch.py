"""Benchmarks of networks, on a machine without torch: they say how they are used, and what is missing."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import contextlib, io, json, runpy, sys

sys.modules["torch"] = None
said = {}
for name, *words in json.loads(sys.argv[1]):
    sys.argv, out = [name, *words], io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            said[" ".join([name, *words])] = [end.code, out.getvalue()]
print(json.dumps(said))
"""
NAMES = {"feedforward": [], "coverage": [], "scene_tuning": ["1"], "painter_gate": ["pairs", "tiny"]}


def test_help_needs_no_torch_and_running_says_that_it_is_missing() -> None:
    calls = [[f"benchmarks.{name}", *words] for name in NAMES for words in (["--help"], NAMES[name])]
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(calls)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert len(said) == len(calls) == 8
    for call, (code, out) in said.items():
        if call.endswith("--help"):
            assert code == 0 and "usage:" in out
        else:
            assert code == "torch: not installed: pip install 'exgs[train]'" and out == "", call
