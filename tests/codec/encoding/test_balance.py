"""Bits divided on equal slopes."""

from dataclasses import replace

import numpy as np
import pytest

from exgs.codec.encoding.balance import FARTHEST, Merging, Slopes, Step, balanced, between
from exgs.codec.encoding.rate import BALANCED

POSITION, COLOUR = Step("position", 1e-5, 1.5, 3.0), Step("colour", 2e-5, 2.0, 2.0)
SLOPES = Slopes((POSITION, COLOUR), 40.0, Merging(100_000, 1.0, 1.0))
BUDGET = 40.0 * 10_000


def factors(slopes: Slopes, budget: float = BUDGET, most: int = 100_000) -> tuple[dict[str, float], int]:
    found, count = balanced(BALANCED, slopes, budget, most)
    return {
        step.name: getattr(found, step.name) / getattr(BALANCED, step.name) for step in slopes.steps
    }, count


def saved_by_a_bit(step: Step, factor: float) -> float:
    return step.error * factor**step.power * step.power * np.log(2.0) / step.octave


def test_a_bit_saves_the_same_error_wherever_it_goes() -> None:
    by, count = factors(SLOPES)
    assert all(FARTHEST[0] < factor < FARTHEST[1] for factor in by.values())
    slopes = [saved_by_a_bit(step, by[step.name]) for step in SLOPES.steps]
    assert slopes[0] == pytest.approx(slopes[1])
    merging = SLOPES.merging
    saved_by_counts = (merging.error(count) - merging.error(int(count * 1.01))) * count / (0.01 * BUDGET)
    assert saved_by_counts == pytest.approx(slopes[0], rel=0.1)


def test_the_budget_holds_the_gaussians_at_their_new_bits() -> None:
    by, count = factors(SLOPES)
    bits = SLOPES.bits - sum(step.octave * np.log2(by[step.name]) for step in SLOPES.steps)
    assert 0.999 * BUDGET <= count * bits <= BUDGET


def test_where_merging_costs_much_there_are_more_gaussians_and_longer_steps() -> None:
    dear, many = factors(replace(SLOPES, merging=Merging(100_000, 10.0, 1.0)))
    cheap, few = factors(replace(SLOPES, merging=Merging(100_000, 0.1, 1.0)))
    assert many > few and all(dear[name] > cheap[name] for name in dear)


def test_where_no_step_does_anything_none_changes() -> None:
    found, count = balanced(BALANCED, replace(SLOPES, steps=()), BUDGET, 100_000)
    assert found == BALANCED and count == 10_000


def test_a_budget_for_no_gaussian_still_means_one() -> None:
    assert factors(SLOPES, budget=5.0)[1] == 1


def test_steps_that_are_named_are_stretched_and_no_others() -> None:
    found = BALANCED.stretched({"colour": 2.0, "sh": 0.5})
    assert found == replace(BALANCED, colour=2 * BALANCED.colour, sh=0.5 * BALANCED.sh)


def test_steps_in_between_lie_there_by_their_logarithms() -> None:
    other = replace(BALANCED.scaled(4.0), thrift=0.7)
    assert between(BALANCED, other, 0.0).scale == pytest.approx(BALANCED.scale)
    half = between(BALANCED, other, 0.5)
    assert half.colour == pytest.approx(2 * BALANCED.colour) and half.thrift == BALANCED.thrift


def test_a_budget_beyond_all_gaussians_keeps_the_relation_of_the_steps() -> None:
    by, count = factors(SLOPES, most=8_000)
    assert count == 8_000 and FARTHEST[0] < min(by.values()) < 1 < 1 / min(by.values()) < 3
    slopes = [saved_by_a_bit(step, by[step.name]) for step in SLOPES.steps]
    assert slopes[0] == pytest.approx(slopes[1])
