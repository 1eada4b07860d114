"""A short replay of the fuzzer, the same every time."""

import importlib.util
from pathlib import Path

import numpy as np

SPEC = importlib.util.spec_from_file_location("fuzz_run", Path(__file__).with_name("run.py"))
assert SPEC is not None and SPEC.loader is not None
run = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(run)


def test_mutants_are_decoded_or_refused() -> None:
    rng = np.random.default_rng(7)
    files = run.corpus()
    assert len(files) > 20
    verdicts = [run.verdict(run.mutant(files[int(rng.integers(len(files)))], rng)) for _ in range(600)]
    assert {"decoded", "Truncated", "M2", "M8", "M14", "M16"} <= set(verdicts)


def test_what_was_found_stays_mended() -> None:
    for data in run.corpus():
        assert run.verdict(data)
