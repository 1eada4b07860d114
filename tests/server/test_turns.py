"""Shares of one upload, on virtual time: viewers behind links of their own, and one server."""

import heapq
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exgs.server.turns import RECENT_S, SLACK_S, Turns

CHUNK = 40_000
AHEAD_S = 2.0
"""What a viewer's link may have waiting: enough to bridge the time until its next turn."""


@dataclass
class Viewer:
    """Asks for its next chunk when its own link has little left to carry."""

    link_bytes_per_s: float = float("inf")
    chunk_bytes: int = CHUNK
    wants_bytes: float = float("inf")
    starts_s: float = 0.0


def _play(viewers: list[Viewer], bytes_per_s: float, end_s: float) -> list[list[tuple[float, int]]]:
    """When each viewer was sent what, up to ``end_s``."""
    turns, sent = Turns(bytes_per_s), [[] for _ in viewers]  # type: list[list[tuple[float, int]]]
    left = [viewer.wants_bytes for viewer in viewers]
    asks = [(viewer.starts_s, index) for index, viewer in enumerate(viewers)]
    heapq.heapify(asks)
    now_s, free_s = 0.0, [0.0] * len(viewers)
    while now_s <= end_s:
        while asks and asks[0][0] <= now_s:
            turns.ask(heapq.heappop(asks)[1])
        index = turns.next(now_s)
        if index is None:
            times = [at_s for at_s, _ in asks[:1]]
            if (wait_s := turns.wait_s(now_s)) is not None:
                times.append(now_s + max(wait_s, 1e-6))
            if not times:
                break
            now_s = min(times)
            continue
        assert isinstance(index, int)
        viewer = viewers[index]
        turns.spend(index, viewer.chunk_bytes, now_s)
        sent[index].append((now_s, viewer.chunk_bytes))
        left[index] -= viewer.chunk_bytes
        if left[index] > 0:
            free_s[index] = max(free_s[index], now_s) + viewer.chunk_bytes / viewer.link_bytes_per_s
            heapq.heappush(asks, (max(now_s, free_s[index] - AHEAD_S), index))
    return sent


def _total(sent: list[tuple[float, int]]) -> int:
    return sum(size for _, size in sent)


def test_equal_viewers_get_equal_shares_whatever_their_chunks_weigh() -> None:
    sent = _play([Viewer(), Viewer(chunk_bytes=5_000), Viewer(chunk_bytes=64_000)], 1e6, 10)
    totals = [_total(one) for one in sent]
    assert max(totals) - min(totals) <= 2 * 64_000
    assert sum(totals) == pytest.approx(10e6, rel=0.02)


def test_what_a_slow_viewer_leaves_goes_to_the_others() -> None:
    sent = _play([Viewer(link_bytes_per_s=1e5), Viewer(), Viewer()], 1e6, 20)
    slow, *fast = [_total([entry for entry in one if entry[0] > AHEAD_S]) / (20 - AHEAD_S) for one in sent]
    assert slow == pytest.approx(1e5, rel=0.05)
    assert fast == pytest.approx([4.5e5, 4.5e5], rel=0.05)


def test_a_late_viewer_starts_at_once_and_takes_no_more_than_its_share() -> None:
    viewers = [Viewer() for _ in range(9)] + [Viewer(starts_s=10.0)]
    late = _play(viewers, 1e6, 20)[-1]
    assert late[0][0] - 10 < 2 * CHUNK / 1e6, "a chunk under way, and none before it"
    assert _total(late) == pytest.approx(1e6, rel=0.1)


def test_twenty_first_loads_end_together_and_none_waits_for_its_first_chunk() -> None:
    scene, rate = 2_000_000, 2.5e6
    sent = _play([Viewer(wants_bytes=scene) for _ in range(20)], rate, 1000)
    ends = [one[-1][0] for one in sent]
    firsts = [one[0][0] for one in sent]
    assert [_total(one) for one in sent] == [scene] * 20
    assert max(ends) / min(ends) < 1.1
    assert max(firsts) <= 20 * CHUNK / rate
    assert max(ends) == pytest.approx(20 * scene / rate, rel=0.02)
    for one in sent:
        assert max(after - before for (before, _), (after, _) in pairwise(one)) <= 1.1 * 20 * CHUNK / rate


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(4_000, 40_000), st.sampled_from([5e4, 2e5, 1e9])), min_size=2, max_size=5),
    st.sampled_from([1e5, 1e6]),
)
def test_shares_are_max_min_and_the_rate_is_kept(kinds: list[tuple[int, float]], rate: float) -> None:
    seconds = 20.0
    viewers = [Viewer(link, size) for size, link in kinds]
    totals = [_total(one) for one in _play(viewers, rate, seconds)]
    heaviest = max(viewer.chunk_bytes for viewer in viewers)
    assert sum(totals) <= rate * (seconds + SLACK_S) + heaviest
    ahead = AHEAD_S * sum(viewer.link_bytes_per_s for viewer in viewers if viewer.link_bytes_per_s < rate)
    fair, left, open_links = 0.0, rate, sorted(viewer.link_bytes_per_s for viewer in viewers)
    for count, link in zip(range(len(viewers), 0, -1), open_links, strict=True):
        fair = left / count
        if link > fair:
            break
        left -= link
    for viewer, total in zip(viewers, totals, strict=True):
        due = min(viewer.link_bytes_per_s, fair) * seconds
        assert total >= due - 2 * heaviest * len(viewers) - ahead


def test_without_a_rate_turns_go_round() -> None:
    turns, order = Turns(), []
    for key in "abc":
        turns.ask(key)
    for _ in range(9):
        key = turns.next(0.0)
        assert isinstance(key, str)
        order.append(key)
        turns.spend(key, CHUNK, 0.0)
        turns.ask(key)
    assert "".join(order) == "abcabcabc"


def test_who_was_away_does_not_save_up() -> None:
    turns = Turns()
    turns.ask("away")
    assert turns.next(0.0) == "away"
    for _ in range(50):
        turns.ask("busy")
        assert turns.next(0.0) == "busy"
        turns.spend("busy", CHUNK, 0.0)
    for key in ("away", "busy"):
        turns.ask(key)
    order = []
    for _ in range(4):
        key = turns.next(0.0)
        assert isinstance(key, str)
        order.append(key)
        turns.spend(key, CHUNK, 0.0)
        turns.ask(key)
    assert order.count("away") <= 3


def test_a_rate_may_change_and_debts_stay_bytes() -> None:
    turns = Turns(1e3)
    turns.spend("a", 10_000, 0.0)
    turns.ask("b")
    assert turns.next(0.0) is None and turns.wait_s(0.0) == pytest.approx(10)
    turns.bytes_per_s = 1e5
    assert turns.wait_s(0.0) == pytest.approx(0.1)
    turns.bytes_per_s = 0
    assert turns.next(0.0) == "b"


def test_who_leaves_is_forgotten() -> None:
    turns = Turns(1e6)
    for key in ("a", "b"):
        turns.ask(key)
        turns.spend(key, 1, 0.0)
    assert turns.active(1.0) == 2 and turns.active(RECENT_S + 1) == 0
    turns.leave("a")
    assert turns.active(1.0) == 1
    turns.leave("b")
    assert turns.next(1.0) is None and turns.wait_s(1.0) is None and not turns._tags
