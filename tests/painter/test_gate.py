"""Which pictures are left alone."""

import numpy as np
import pytest

from exgs.painter.gate import DOUBT, FADE_OCTAVES, Gate, confidence, hole_share


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


def test_where_little_is_missing_nothing_is_filled_in_and_nothing_jumps_between() -> None:
    need = Gate(holes=0.1).need(np.array([0, 0.05, 0.075, 0.1, 1]))
    assert need.tolist() == pytest.approx([0, 0, 0.5, 1, 1])
    assert need.dtype == np.float32


def test_who_asks_for_no_holes_goes_by_the_rate_alone() -> None:
    assert Gate().need(np.array([0, 0.5])).tolist() == [1, 1]


def test_holes_are_where_one_sees_through() -> None:
    alpha = np.ones((2, 4, 5), np.float32)
    alpha[1, :2] = 0.8
    alpha[1, 3] = 0.95
    assert hole_share(alpha).tolist() == [0, 0.5]


def test_a_network_that_is_not_sure_is_not_believed_and_nothing_jumps_between() -> None:
    gate = Gate(confidence=0.7)
    assert [gate.trust(sure) for sure in (0, 0.7 - DOUBT, 0.7, 1)] == [0, pytest.approx(0, abs=1e-9), 1, 1]
    assert gate.trust(0.7 - DOUBT / 2) == pytest.approx(0.5)
    assert Gate().trust(0) == 1, "who asks for no confidence goes by the rate and the holes"


def test_confidence_is_how_far_gates_are_open_over_the_holes_of_both_eyes() -> None:
    alpha, gate = np.ones((2, 4, 5), np.float32), np.full((2, 4, 5), 0.9, np.float32)
    assert confidence(gate, alpha) == 0, "without a hole there is nothing to be sure of"
    alpha[0, 0], gate[0, 0] = 0.5, 0.2
    alpha[1, 0], gate[1, 0] = 0.0, 0.6
    assert confidence(gate, alpha) == pytest.approx(0.4)
