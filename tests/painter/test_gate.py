"""Which pictures are left alone."""

import numpy as np
import pytest

from exgs.painter.gate import FADE_OCTAVES, Gate


def test_from_the_bound_on_pictures_are_left_alone() -> None:
    strength = Gate(0.25).strength(np.array([0.25, 0.3, 100, np.inf]))
    assert strength.tolist() == [0, 0, 0, 0]
    assert strength.dtype == np.float32


def test_well_below_it_they_are_restored_in_full_and_nothing_jumps_between() -> None:
    half_way = 0.25 * 2 ** (-FADE_OCTAVES / 2)
    strength = Gate(0.25).strength(np.array([0, 1e-300, 0.1, half_way]))
    assert strength[:3].tolist() == [1, 1, 1]
    assert strength[3] == pytest.approx(0.5)


def test_a_bound_of_nothing_keeps_the_network_off() -> None:
    assert Gate(0.0).strength(np.array([0, 0.1])).tolist() == [0, 0]
