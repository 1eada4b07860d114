"""What goes wrong besides the link, on virtual time."""

from __future__ import annotations

import pytest

from exgs.experiments.errors import ExperimentError
from exgs.experiments.real import play_real
from exgs.experiments.timeline import Mishap, Timeline
from exgs.experiments.virtual import play_virtual
from tests.experiments.trials import container, link, trial

FILE_BYTES = len(container().data)
SILENT_S = 5.0
"""After this long without a word the viewer looks for the server anew."""


def play(*mishaps: Mishap, mbps: float = 1.5) -> Timeline:
    return play_virtual(trial(link(mbps), seconds=30, mishaps=mishaps))


def received(timeline: Timeline, since_s: float, until_s: float) -> list[int]:
    return [row.chunk for row in timeline.chunks if since_s < (row.received_s or -1.0) <= until_s]


@pytest.mark.parametrize("kind", ["move", "restart"])
def test_the_session_goes_on_where_it_was(kind: str) -> None:
    timeline = play(Mishap(kind, 1.5))  # type: ignore[arg-type]
    before, after = received(timeline, 0, 1.7), received(timeline, 1.7, 30)
    assert before and after and not set(before) & set(after), "nothing that had arrived comes again"
    assert sorted(before + after) == list(range(len(container().manifest)))
    assert timeline.reconnects == 1
    first_s = min(row.received_s for row in timeline.chunks if (row.received_s or 0) > 1.7)
    assert 1.5 + SILENT_S - 1 < first_s < 1.5 + SILENT_S + 1.5, (
        "silence is waited for, then a new offer is made"
    )
    whole = play()
    assert timeline.complete_s is not None and whole.complete_s is not None
    assert timeline.complete_s < whole.complete_s + SILENT_S + 1.5
    assert timeline.bytes_received == FILE_BYTES + timeline.redundant_bytes
    assert timeline.redundant_bytes < 64 << 10, "chunks of which only a part was here"


@pytest.mark.parametrize(("for_s", "reconnects"), [(2.0, 0), (25.0, 1)])
def test_a_viewer_that_sleeps_goes_on(for_s: float, reconnects: int) -> None:
    timeline = play_virtual(trial(link(1.5), seconds=60, mishaps=(Mishap("sleep", 1.5, for_s),)))
    assert timeline.reconnects == reconnects, "the server waits for ten seconds"
    before, after = received(timeline, 0, 1.5), received(timeline, 1.5, 60)
    assert before and after and not set(before) & set(after)
    assert sorted(before + after) == list(range(len(container().manifest)))
    assert not received(timeline, 1.5, 1.5 + for_s)
    whole = play()
    assert timeline.complete_s is not None and whole.complete_s is not None
    assert timeline.complete_s < whole.complete_s + for_s + 3


def test_it_may_happen_again_and_again() -> None:
    timeline = play(Mishap("move", 1.0), Mishap("restart", 8.0), Mishap("move", 9.0), mbps=0.5)
    assert timeline.reconnects == 2, "the last while no connection was there"
    assert timeline.complete_s is not None
    assert sorted({row.chunk for row in timeline.chunks}) == list(range(len(container().manifest)))


def test_a_further_connection_that_is_lost_holds_nothing_up() -> None:
    lossy = trial(link(5, loss=0.01), seconds=30)
    sound = play_virtual(lossy)
    assert sound.links >= 1
    cut = play_virtual(trial(link(5, loss=0.01), seconds=30, mishaps=(Mishap("cut", 1.6),)))
    assert cut.reconnects == 0 and cut.chunks != sound.chunks
    assert cut.complete_s is not None and sound.complete_s is not None
    assert cut.complete_s < sound.complete_s + 2.0
    assert cut.bytes_received == FILE_BYTES + cut.redundant_bytes


def test_where_there_is_no_further_connection_none_is_lost() -> None:
    assert play(Mishap("cut", 0.3)).chunks == play().chunks


def test_the_same_mishaps_give_the_same_timeline() -> None:
    one, other = play(Mishap("restart", 1.2)), play(Mishap("restart", 1.2))
    assert one.chunks == other.chunks


def test_they_are_not_played_for_real() -> None:
    with pytest.raises(ExperimentError, match="virtual time"):
        play_real(trial(mishaps=(Mishap("move", 1.0),)))
