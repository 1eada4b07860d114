import threading

import numpy as np
import pytest

from exgs.client.clock import WallClock
from exgs.client.decoding import MAX_CORRUPT_CHUNKS, MAX_WAITING_BYTES, Decoded, DecodeWorker
from exgs.client.errors import ClientError
from exgs.client.snapshots import Latest, Snapshot
from exgs.codec import Container, decode, open_container
from exgs.scene.outlook import View
from tests.client.stage import VirtualClock, encoded

DATA = encoded(2000)


class Notes:
    def __init__(self) -> None:
        self.chunks: list[Decoded] = []
        self.snapshots: list[Snapshot] = []
        self.gone: list[tuple[int, ...]] = []

    def decoded(self, chunk: Decoded) -> None:
        self.chunks.append(chunk)

    def forgotten(self, chunks: tuple[int, ...]) -> None:
        self.gone.append(chunks)

    def published(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)


def worker_for(container: Container, clock=None) -> tuple[DecodeWorker, Notes]:
    notes = Notes()
    return DecodeWorker(container.parsed, clock=clock or VirtualClock(), observer=notes), notes


def test_all_chunks_give_the_scene_that_the_file_holds():
    container = open_container(DATA)
    worker, notes = worker_for(container)
    for info in container.manifest:
        worker.submit(info.id, bytes(container.chunk(info.id)))
    worker.close()
    worker.run()
    snapshot = worker.snapshots.get()
    assert snapshot is notes.snapshots[-1]
    assert snapshot.complete and snapshot.base
    assert (snapshot.gaussians.means == decode(DATA).means).all()
    levels = [info.level for info in container.manifest]
    assert snapshot.chunks_by_level == tuple(levels.count(level) for level in range(3))
    assert snapshot.splats_resident == 2000 + 500 + 125
    assert snapshot.bytes_received == len(DATA)
    assert [chunk.chunk for chunk in notes.chunks] == list(range(len(container.manifest)))
    assert worker.completed_s == 1000.0


def test_the_first_complete_picture_is_published_at_once_and_later_ones_now_and_then():
    container = open_container(DATA)
    clock = VirtualClock()
    worker, notes = worker_for(container, clock)
    for chunk in (0, 1):
        worker.submit(chunk, bytes(container.chunk(chunk)))
    worker.close()
    worker.run()
    assert [snapshot.chunks_by_level for snapshot in notes.snapshots] == [(0, 0, 1), (0, 1, 1)]
    assert [snapshot.number for snapshot in notes.snapshots] == [1, 2]
    assert worker.completed_s is None


def test_a_finer_chunk_before_its_parent_shows_nothing_yet():
    container = open_container(DATA)
    worker, notes = worker_for(container)
    worker.submit(2, bytes(container.chunk(2)))
    worker.close()
    worker.run()
    (snapshot,) = notes.snapshots
    assert len(snapshot.gaussians) == 0
    assert not snapshot.base


def test_a_corrupt_chunk_is_counted_and_told_and_the_others_go_on():
    container = open_container(DATA)
    worker, notes = worker_for(container)
    broken = bytearray(container.chunk(1))
    broken[len(broken) // 2] ^= 0xFF
    for chunk, data in ((0, bytes(container.chunk(0))), (1, bytes(broken)), (1, bytes(container.chunk(1)))):
        worker.submit(chunk, data)
    worker.close()
    worker.run()
    assert worker.corrupt == 1
    assert [chunk.error is None for chunk in notes.chunks] == [True, False, True]
    assert worker.snapshots.get().chunks_by_level == (0, 1, 1)
    assert worker.snapshots.get().bytes_received == container.parsed.size_bytes + sum(
        info.size_bytes for info in container.manifest[:2]
    )


def test_a_corrupt_first_chunk_does_not_keep_the_last_snapshot_waiting():
    container = open_container(DATA)
    worker, notes = worker_for(container)
    worker.submit(0, b"rubbish")
    for chunk in range(1, len(container.manifest)):
        worker.submit(chunk, bytes(container.chunk(chunk)))
    worker.close()
    worker.run()
    assert [snapshot.last for snapshot in notes.snapshots] == [False, True]
    assert not notes.snapshots[-1].base


def test_too_many_corrupt_chunks_end_it():
    container = open_container(DATA)
    worker, _ = worker_for(container)
    for _ in range(MAX_CORRUPT_CHUNKS + 1):
        worker.submit(0, b"garbage")
    worker.close()
    with pytest.raises(ClientError, match="the stream is broken: 9 chunks"):
        worker.run()


def test_a_chunk_that_comes_twice_counts_once():
    container = open_container(DATA)
    worker, notes = worker_for(container)
    for _ in range(2):
        worker.submit(0, bytes(container.chunk(0)))
    worker.close()
    worker.run()
    assert len(notes.chunks) == 2
    assert worker.snapshots.get().splats_resident == 125


@pytest.mark.parametrize("chunk", [-1, len(open_container(DATA).manifest), 1 << 17])
def test_a_chunk_that_the_manifest_does_not_name_is_refused(chunk: int):
    worker, _ = worker_for(open_container(DATA))
    with pytest.raises(ClientError, match=r"the manifest names \d+ chunks"):
        worker.submit(chunk, b"")


def test_it_is_full_until_what_waits_is_decoded():
    container = open_container(DATA)
    worker, _ = worker_for(container)
    assert not worker.full
    worker.submit(0, bytes(MAX_WAITING_BYTES + 1))
    assert worker.full
    worker.close()
    worker.run()
    assert not worker.full
    assert worker.corrupt == 1
    assert worker.most_waiting_bytes == MAX_WAITING_BYTES + 1


def test_what_waits_to_be_published_does_not_wait_for_the_next_chunk():
    """On real time: after the second chunk nothing comes, and its snapshot appears all the same."""
    container = open_container(DATA)
    worker, notes = worker_for(container, WallClock())
    seen = threading.Event()
    publish = notes.published
    notes.published = lambda snapshot: (publish(snapshot), seen.set() if snapshot.number == 2 else None)
    thread = threading.Thread(target=worker.run)
    thread.start()
    for chunk in (0, 1):
        worker.submit(chunk, bytes(container.chunk(chunk)))
    assert seen.wait(20)
    worker.close()
    thread.join()
    assert [snapshot.chunks_by_level for snapshot in notes.snapshots] == [(0, 0, 1), (0, 1, 1)]


def test_latest_has_nothing_and_then_the_newest():
    latest: Latest[np.ndarray] = Latest()
    assert latest.get() is None
    first, second = np.zeros(1), np.ones(1)
    latest.put(first)
    latest.put(second)
    assert latest.get() is second


def test_a_budget_is_never_exceeded_and_what_goes_is_told():
    container = open_container(DATA)
    counts = {info.id: info.count for info in container.manifest}
    budget = sum(counts.values()) // 2
    notes = Notes()
    worker = DecodeWorker(container.parsed, clock=VirtualClock(), observer=notes, max_splats=budget)
    for info in container.manifest:
        worker.submit(info.id, bytes(container.chunk(info.id)))
    worker.close()
    worker.run()
    snapshot = worker.snapshots.get()
    gone = [chunk for chunks in notes.gone for chunk in chunks]
    assert gone and len(set(gone)) == len(gone)
    assert snapshot.splats_resident == sum(counts.values()) - sum(counts[chunk] for chunk in gone)
    assert snapshot.splats_resident <= budget
    assert snapshot.base and not snapshot.complete and not snapshot.last


def test_what_the_head_has_turned_from_goes_for_what_is_missing():
    container = open_container(DATA)
    fine = [info for info in container.manifest if info.parent >= 0]
    held = [info.id for info in container.manifest if info.id != fine[-1].id]
    budget = sum(container.manifest[id].count for id in held)
    notes, views = Notes(), []
    worker = DecodeWorker(container.parsed, clock=VirtualClock(), observer=notes, max_splats=budget)
    at = (fine[-1].bounds_min + fine[-1].bounds_max) / 2
    worker.look = lambda: views.append(1) or View(at.astype(float), np.eye(3), 1.0, 1.0)
    for chunk in held:
        worker.submit(chunk, bytes(container.chunk(chunk)))
    worker.close()
    worker.run()
    assert views
    assert worker.snapshots.get().splats_resident <= budget


def test_a_change_is_faded_and_then_put_away():
    container, clock = open_container(DATA), WallClock()
    notes, seen = Notes(), threading.Event()
    worker = DecodeWorker(container.parsed, clock=clock, observer=notes, fade_s=0.05)
    publish = notes.published
    notes.published = lambda shot: (publish(shot), seen.set() if shot.last and not shot.going else None)
    thread = threading.Thread(target=worker.run)
    thread.start()
    for info in container.manifest:
        worker.submit(info.id, bytes(container.chunk(info.id)))
    assert seen.wait(20)
    worker.close()
    thread.join()
    assert any(shot.going for shot in notes.snapshots)
    assert notes.snapshots[0].fades == ()
    assert worker.snapshots.get().splats == len(decode(DATA))
