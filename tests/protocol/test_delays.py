"""How long fragments take."""

import pytest

from exgs.protocol.channels import Channel
from exgs.protocol.delays import _MOST_UNDER_WAY, Delays


def test_each_connection_has_its_own() -> None:
    delays = Delays()
    assert delays.known() == (None,) * 5
    delays.sent(Channel.SCENE_0, 100, 1.0)
    delays.sent(Channel.SCENE_2, 100, 1.0)
    delays.arrived((100, 0, 0), 1.05)
    assert delays.known() == (pytest.approx(0.05), None, None, None, None)
    delays.arrived((100, 0, 100), 1.3)
    assert delays.known() == (pytest.approx(0.05), None, pytest.approx(0.3), None, None)


def test_the_newest_that_arrived_counts_and_is_smoothed() -> None:
    delays = Delays()
    for number in range(4):
        delays.sent(Channel.SCENE_0, 10, float(number))
    delays.arrived((25,), 3.5)
    assert delays.known()[0] == pytest.approx(2.5), "the second; the third is not whole"
    delays.arrived((40,), 4.1)
    assert delays.known()[0] == pytest.approx(2.5 + (1.1 - 2.5) / 8)
    delays.arrived((40,), 9.0)
    assert delays.known()[0] == pytest.approx(2.5 + (1.1 - 2.5) / 8), "nothing new arrived"


def test_what_never_arrives_is_not_kept_for_ever() -> None:
    delays = Delays()
    for _ in range(2 * _MOST_UNDER_WAY):
        delays.sent(Channel.SCENE_1, 1, 0.0)
    assert len(delays._sent[Channel.SCENE_1]) == _MOST_UNDER_WAY
