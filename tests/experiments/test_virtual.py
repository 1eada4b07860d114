import numpy as np
import pytest

from exgs.experiments.errors import ExperimentError
from exgs.experiments.link import BurstLoss, LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.timeline import Blob, Timeline, Trial
from exgs.experiments.virtual import play_virtual
from tests.experiments.trials import container, link, path, trial

CHUNKS = len(container().manifest)
FILE_BYTES = len(container().data)


def late_mbps(timeline: Timeline) -> float:
    """Megabits per second of chunks in the second half of the time of loading."""
    times = [(row.received_s, row.size_bytes) for row in timeline.chunks if row.received_s is not None]
    middle_s = (times[0][0] + times[-1][0]) / 2
    return sum(size for at_s, size in times if at_s > middle_s) * 8 / 1e6 / (times[-1][0] - middle_s)


def outage(mbps: float, start_s: float, end_s: float) -> Rate:
    """A rate that is nothing for a while."""
    carried = mbps * 1e6 / 8
    return Rate(
        (0.0, start_s, end_s, end_s + 100),
        (0.0, carried * start_s, carried * start_s, carried * (start_s + 100)),
    )


@pytest.mark.parametrize("system", ["error", "download"])
def test_the_same_seed_gives_the_same_timeline(system: str) -> None:
    lossy = trial(link(loss=0.02), system=system, seed=4)
    first, second = play_virtual(lossy), play_virtual(lossy)
    other = play_virtual(trial(link(loss=0.02), system=system, seed=5))
    assert first.chunks == second.chunks
    assert (first.wire_bytes_down, first.wire_bytes_up) == (second.wire_bytes_down, second.wire_bytes_up)
    assert [frame.limiter for frame in first.frames] == [frame.limiter for frame in second.frames]
    poses = [np.stack([frame.world_from_head for frame in line.frames]) for line in (first, second)]
    assert (poses[0] == poses[1]).all()
    assert first.chunks != other.chunks, "another seed, other losses"


@pytest.mark.parametrize("system", ["error", "level", "file", "download"])
def test_bytes_are_conserved(system: str) -> None:
    timeline = play_virtual(trial(link(loss=0.01), system=system))
    assert timeline.complete_s is not None
    assert sorted(row.chunk for row in timeline.chunks) == list(range(CHUNKS)), "each was sent once"
    assert timeline.bytes_sent == timeline.bytes_received == FILE_BYTES
    assert timeline.redundant_bytes == 0
    assert timeline.wire_bytes_down > FILE_BYTES
    assert timeline.frames[-1].bytes_received == FILE_BYTES
    for row in timeline.chunks:
        assert row.received_s is not None and row.shown_s is not None
        assert row.chosen_s < row.received_s <= row.shown_s


@pytest.mark.parametrize(("mbps", "delay_s"), [(2, 0.005), (5, 0.025)])
def test_a_link_without_loss_is_filled(mbps: float, delay_s: float) -> None:
    down = LinkSettings(Rate.constant(mbps), delay_s, queue_bytes=1 << 21)
    timeline = play_virtual(trial(down, seconds=30))
    assert timeline.packets_lost == 0
    assert 0.84 * mbps < late_mbps(timeline) < mbps, "of half a megabyte, the last round trip counts"


def test_a_link_with_loss_never_carries_more_than_its_rate() -> None:
    timeline = play_virtual(trial(link(5, loss=0.05), seconds=60))
    sound = play_virtual(trial(link(5), seconds=60))
    assert timeline.packets_lost > 0
    assert late_mbps(timeline) < 5
    assert timeline.complete_s is not None and sound.complete_s is not None
    assert timeline.complete_s > sound.complete_s
    assert timeline.wire_bytes_down * 8 / 1e6 <= 5 * timeline.complete_s


def test_a_frame_comes_before_everything_does() -> None:
    timeline = play_virtual(trial())
    assert timeline.opened_s is not None and timeline.first_frame_s is not None
    assert timeline.complete_s is not None
    assert 0 < timeline.opened_s < timeline.first_frame_s < timeline.complete_s
    roots = [chunk.id for chunk in container().manifest if chunk.parent < 0]
    assert set(roots) <= set(timeline.shown_at(timeline.first_frame_s))
    assert timeline.shown_at(timeline.first_frame_s - 0.001) == []
    assert len(timeline.shown_at(timeline.complete_s)) == CHUNKS


def test_round_trips_of_the_handshake_count() -> None:
    """Six until the association is up, one for the greeting."""
    links = (LinkSettings(None, delay_s) for delay_s in (0.01, 0.11))
    near, far = (play_virtual(trial(both, up=both, early=False)) for both in links)
    assert near.opened_s is not None and far.opened_s is not None
    assert far.opened_s - near.opened_s == pytest.approx(7 * 0.2)


def test_the_beginning_comes_before_the_connection() -> None:
    links = (LinkSettings(None, delay_s) for delay_s in (0.01, 0.11))
    near, far = (play_virtual(trial(both, up=both)) for both in links)
    late = play_virtual(trial(LinkSettings(None, 0.11), up=LinkSettings(None, 0.11), early=False))
    assert near.first_frame_s is not None and far.first_frame_s is not None
    assert far.first_frame_s - near.first_frame_s == pytest.approx(3 * 0.2), (
        "connect, ask, and one more flight"
    )
    assert late.first_frame_s is not None and late.first_frame_s > far.first_frame_s + 5 * 0.2
    assert far.complete_s is not None and late.complete_s is not None and far.complete_s < late.complete_s
    assert far.bytes_received == late.bytes_received and far.redundant_bytes == 0, "nothing came twice"


def test_a_beginning_that_is_late_is_given_up() -> None:
    """Where a packet is lost the request may wait for a timer longer than the connection takes."""
    lossy = link(20, loss=0.1)
    lines = [play_virtual(trial(lossy, up=lossy, seed=seed, seconds=2)) for seed in range(8)]
    opened = [line.opened_s for line in lines if line.opened_s is not None]
    assert min(opened) < 0.1 and max(opened) > 0.3, "some by HTTP, some by the session"
    assert all(line.redundant_bytes == 0 for line in lines), "and none by both"


def test_orders_send_the_same_bytes_in_another_order() -> None:
    error, level = play_virtual(trial(system="error")), play_virtual(trial(system="level"))
    assert error.bytes_received == level.bytes_received
    assert {row.chunk for row in error.chunks} == {row.chunk for row in level.chunks}
    levels = [row.level for row in sorted(level.chunks, key=lambda row: row.chosen_s)]
    assert levels == sorted(levels, reverse=True)
    assert [row.chunk for row in error.chunks] != [row.chunk for row in level.chunks]


def test_a_download_shows_nothing_before_its_end() -> None:
    timeline = play_virtual(trial(link(5), system="download"))
    assert timeline.first_frame_s == timeline.complete_s
    assert timeline.complete_s is not None and timeline.complete_s > FILE_BYTES * 8 / 5e6
    assert all(frame.chunks == 0 for frame in timeline.frames if frame.time_s < timeline.complete_s)
    received = [row.received_s for row in timeline.chunks]
    assert [row.chunk for row in timeline.chunks] == list(range(CHUNKS)), "in the order of the file"
    assert received[0] is not None and received[0] < timeline.complete_s


def test_any_file_can_be_downloaded() -> None:
    blob = Blob("scene.sog", 1_000_000, 50_000)
    timeline = play_virtual(Trial(blob, path(), link(10), link(), "download", decode_splats_per_s=1e6))
    assert timeline.first_frame_s is not None
    assert timeline.first_frame_s > 1_000_000 * 8 / 10e6 + 0.05, "the link, then the decoder"
    assert timeline.shown_at(timeline.first_frame_s) == [0]
    assert timeline.bytes_received == 1_000_000
    with pytest.raises(ExperimentError, match=r"scene\.sog"):
        Trial(blob, path(), system="error")


def test_losses_in_bursts_are_survived() -> None:
    bursts = LinkSettings(Rate.constant(5), 0.02, burst_loss=BurstLoss(0.002, 0.2), queue_bytes=65536)
    timeline = play_virtual(trial(bursts, seconds=60))
    assert timeline.packets_lost > 5
    assert timeline.complete_s is not None
    assert timeline.bytes_received == FILE_BYTES + timeline.redundant_bytes


def test_a_short_outage_is_waited_for() -> None:
    gap = LinkSettings(outage(2, 1.0, 3.0), 0.02, queue_bytes=65536)
    timeline = play_virtual(trial(gap, seconds=60))
    assert timeline.complete_s is not None and timeline.reconnects == 0
    assert not [row for row in timeline.chunks if 1.5 < (row.received_s or 0) < 3.0]
    assert timeline.redundant_bytes == 0


def test_after_a_long_outage_the_session_goes_on_where_it_was() -> None:
    gap = LinkSettings(outage(2, 1.0, 16.0), 0.02, queue_bytes=65536)
    timeline = play_virtual(trial(gap, seconds=60))
    assert timeline.reconnects == 1
    assert timeline.complete_s is not None and timeline.complete_s > 16
    shown = [row.chunk for row in timeline.chunks if row.received_s is not None and row.received_s < 2]
    again = [row.chunk for row in timeline.chunks if row.received_s is not None and row.received_s > 16]
    assert shown and not set(shown) & set(again), "nothing that had arrived is sent twice"
    assert len(timeline.shown_at(8.0)) == len(shown), "what was there stays on display"


def test_the_users_cap_is_kept() -> None:
    timeline = play_virtual(trial(link(20), max_mbps=2.0, seconds=30, early=False))
    assert 0.85 * 2 < late_mbps(timeline) < 1.05 * 2
    assert "cap" in {frame.limiter for frame in timeline.frames}


def test_a_cap_however_small_is_no_freedom() -> None:
    free = play_virtual(trial(link(20), seconds=3, early=False))
    held = play_virtual(trial(link(20), max_mbps=1e-6, seconds=3, early=False))
    assert held.complete_s is None
    assert held.bytes_received < free.bytes_received / 4


def test_a_budget_of_splats_is_kept() -> None:
    timeline = play_virtual(trial(max_splats=20_000, seconds=5))
    assert timeline.complete_s is None
    assert timeline.first_frame_s is not None
    assert max(frame.splats for frame in timeline.frames) <= 20_000
    assert max(frame.splats for frame in timeline.frames) > 15_000


def test_a_slow_decoder_is_waited_for() -> None:
    fast, slow = play_virtual(trial()), play_virtual(trial(decode_splats_per_s=20_000.0))
    assert fast.complete_s is not None and slow.complete_s is not None
    assert slow.complete_s > (80_000 + 4_000) / 20_000 > fast.complete_s


def test_frames_follow_the_head_at_their_rate() -> None:
    timeline = play_virtual(trial(seconds=2.0, fps=25.0))
    assert len(timeline.frames) == 51
    assert np.allclose(timeline.frames[25].world_from_head, path().pose_at(1.0))
    assert timeline.frames[0].limiter == "handshake"
