"""What ``exgs encode`` tells while it works; what it writes is tested with the files."""

import pytest
from numba import njit

from exgs.cli.encode import Phases
from exgs.cli.terminal import Reporter


def test_a_phase_that_waits_for_the_compiler_says_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    add = njit(lambda x: x + 1)
    with Reporter() as reporter, Phases(reporter) as phases:
        phases.follow("significance", 0.1)
        assert add(1) == 2
        assert add(1.5) == 2.5
        phases.follow("coding", 0.9)
        assert add(2) == 3
    assert add(1j) == 1 + 1j
    said = capsys.readouterr().err
    assert said.count("compiling") == 1 and "significance: compiling" in said
