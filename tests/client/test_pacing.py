"""When restoring is dropped and taken up again."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from exgs.client.pacing import MISSES, PAUSE_S, WINDOW, Pacer, Resting
from exgs.painter import Pictures, Restorer

BUDGET_S = 1 / 30
SECOND = 30


def play(pacer: Pacer, frames: int, cost_s: Callable[[bool], float]) -> list[bool]:
    """Frames whose cost depends on whether they are restored; which of them were."""
    restored = []
    for _ in range(frames):
        restored.append(not pacer.resting)
        pacer.note(cost_s(restored[-1]), restored=restored[-1])
    return restored


def costs(without: float, with_: float) -> Callable[[bool], float]:
    return lambda restored: (with_ if restored else without) * BUDGET_S


def test_in_time_it_never_rests() -> None:
    assert all(play(Pacer(BUDGET_S), 300, costs(0.5, 0.99)))


def test_a_slow_frame_now_and_then_is_no_reason() -> None:
    pacer = Pacer(BUDGET_S)
    for frame in range(300):
        pacer.note((3.0 if frame % 3 == 0 else 0.5) * BUDGET_S, restored=True)
        assert not pacer.resting


def test_a_budget_that_is_missed_drops_it_at_once() -> None:
    assert sum(play(Pacer(BUDGET_S), SECOND, costs(0.5, 1.2))) == MISSES
    assert sum(play(Pacer(BUDGET_S), SECOND, costs(0.5, 2.5))) == 2


def test_it_does_not_swing_where_there_is_no_room() -> None:
    restored = play(Pacer(BUDGET_S), 120 * SECOND, costs(0.5, 1.2))
    turns = sum(a != b for a, b in pairwise(restored))
    assert turns <= 13 and sum(restored) < 60
    first, last = np.flatnonzero(restored)[[MISSES, -1]]
    assert first > PAUSE_S * SECOND and last > 20 * SECOND, "it tries again, less and less often"


def test_with_room_again_it_works_again() -> None:
    pacer = Pacer(BUDGET_S)
    play(pacer, 10 * SECOND, costs(0.9, 1.4))
    assert pacer.resting
    restored = play(pacer, 5 * SECOND, costs(0.2, 0.7))
    assert not pacer.resting
    back = restored.index(True)
    assert all(restored[back:])


def test_a_machine_that_was_busy_is_tried_again() -> None:
    pacer = Pacer(BUDGET_S)
    play(pacer, SECOND, costs(0.3, 4.0))
    assert pacer.resting
    assert play(pacer, 20 * SECOND, costs(0.3, 0.6))[-1]


def test_rich_pictures_say_nothing_of_what_restoring_costs() -> None:
    pacer = Pacer(BUDGET_S)
    for _ in range(10 * WINDOW):
        pacer.note(3 * BUDGET_S, restored=False)
    assert not pacer.resting


@pytest.mark.parametrize("budget_s", [1 / 240, 1.0, 100.0])
def test_any_pace_will_do(budget_s: float) -> None:
    restored = play(Pacer(budget_s), 100, lambda restored: (3.0 if restored else 0.1) * budget_s)
    assert 0 < sum(restored) < 100


def test_what_rests_leaves_pictures_alone_and_says_why() -> None:
    resting: Restorer = Resting()
    color = np.zeros((1, 2, 2, 3), np.float32)
    found = resting.restore(Pictures(color, color[..., 0], (), np.zeros(1)))
    assert found.color is color and found.verdict == "budget"
    assert not resting.wants_depth(np.zeros(1))
