"""Beats, round trips and silence."""

import pytest

from exgs.protocol import ConnectionConfig
from exgs.protocol.liveness import Liveness
from exgs.protocol.messages import Beat


def test_beats_are_rare_until_control_waits_for_its_echo() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    assert liveness.due_s() == 0.0
    liveness.beat(0.0)
    assert liveness.due_s() == 0.5
    liveness.control_said()
    assert liveness.due_s() == pytest.approx(1 / 30)
    liveness.beat_heard(Beat(1, control_heard=1), 0.01)
    assert liveness.due_s() == 0.5


def test_control_that_was_heard_is_confirmed_by_the_next_beat() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    liveness.beat(0.0)
    liveness.control_heard()
    assert liveness.due_s() == pytest.approx(1 / 30)
    assert liveness.beat(0.04).control_heard == 1
    assert liveness.due_s() == pytest.approx(0.54)


def test_a_late_beat_does_not_take_a_confirmation_back() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    for _ in range(3):
        liveness.control_said()
    liveness.beat_heard(Beat(2, control_heard=3), 0.1)
    liveness.beat_heard(Beat(1, control_heard=1), 0.2)
    liveness.beat(0.2)
    assert liveness.due_s() == pytest.approx(0.7)


def test_the_round_trip_leaves_out_what_the_peer_held() -> None:
    ours, theirs = Liveness(ConnectionConfig(), 0.0), Liveness(ConnectionConfig(), 0.0)
    theirs.beat_heard(ours.beat(1.0), 1.03)
    ours.beat_heard(theirs.beat(1.23), 1.27)
    assert ours.rtt_s == pytest.approx(0.07, abs=1e-5)
    assert theirs.rtt_s is None


@pytest.mark.parametrize("beat", [Beat(1, 5_000_000, 0, 0), Beat(1, 1, (1 << 32) - 1, 0)])
def test_an_echo_from_the_future_or_long_ago_is_no_measurement(beat: Beat) -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    liveness.beat_heard(beat, 4.0)
    assert liveness.rtt_s is None
    liveness.beat_heard(Beat(1, 1, 0, 0), 400.0)
    assert liveness.rtt_s is None


def test_silence_is_counted_from_the_last_word() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    for tenth in range(50):
        liveness.silent_s(tenth / 10)
    liveness.heard(4.9)
    assert liveness.silent_s(5.5) == pytest.approx(0.6)


def test_the_own_sleep_is_not_the_silence_of_the_peer() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    assert liveness.silent_s(0.5) == pytest.approx(0.5)
    assert liveness.silent_s(60.5) == pytest.approx(1.5)


def test_the_deadline_is_the_beat_or_the_end_of_patience() -> None:
    liveness = Liveness(ConnectionConfig(beat_s=100.0), 0.0)
    liveness.beat(0.0)
    assert liveness.deadline_s() == 3.0
    liveness.paused = True
    assert liveness.deadline_s() == 10.0


def test_beats_that_are_missing_are_the_loss() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    assert liveness.loss == 0.0
    for number in range(1, 102):
        if number % 10:
            liveness.beat_heard(Beat(number, said=number), number / 30)
    assert liveness.loss == pytest.approx(0.1)
    liveness.beat_heard(Beat(9, said=9), 4.0)
    assert liveness.loss == pytest.approx(0.1), "a late one is no gap"


def test_a_count_that_leaps_round_is_no_fault_of_this_side() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    for said in (0, 1 << 30, 1 << 31, 3 << 30, 0):
        liveness.beat_heard(Beat(1, said=said), 1.0)
        assert 0.0 <= liveness.loss < 1.0


def test_beats_are_counted_as_they_are_said() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    assert [liveness.beat(at_s).said for at_s in (0.0, 0.5, 1.0)] == [1, 2, 3]


def test_jitter_is_how_round_trips_differ() -> None:
    liveness = Liveness(ConnectionConfig(), 0.0)
    for number in range(1, 200):
        at_s = float(number)
        trip_s = 0.05 + 0.02 * (number % 2)
        liveness.beat_heard(Beat(number, int((at_s - trip_s) * 1e6), 0, said=number), at_s)
    assert liveness.jitter_s == pytest.approx(0.02, rel=0.01)


def test_the_quietest_round_trip_is_that_of_the_greeting_until_a_quieter_one() -> None:
    liveness = Liveness(ConnectionConfig(), 1.0)
    liveness.greeted(1.05)
    assert liveness.rtt_s is None, "a greeting may have waited for a repetition"
    liveness.beat_heard(Beat(1, echo_us=2_000_000), 2.3)
    assert liveness.quietest_s == pytest.approx(0.05)
    assert liveness.rtt_s == pytest.approx(0.3)
    liveness.beat_heard(Beat(2, echo_us=3_000_000), 3.02)
    assert liveness.quietest_s == pytest.approx(0.02)
