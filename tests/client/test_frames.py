from dataclasses import replace

import numpy as np
import pytest

from exgs.client.errors import ClientError
from exgs.client.frames import Easel, FrameLoop, Schedule
from exgs.client.optics import Optics
from exgs.client.pacing import Pacer
from exgs.client.snapshots import Latest, Snapshot
from exgs.client.statistics import STAGES, FrameRecord
from exgs.painter import Identity, Pictures, Restored
from tests.client.stage import PaintedRasterizer, VirtualClock, snapshot

FPS = 10.0
OPTICS = Optics((16, 8), 1.0)


class Paper:
    """A presenter that notes everything, and takes as long as it is told."""

    def __init__(self, clock: VirtualClock, seconds: float = 0.0) -> None:
        self.clock, self.seconds = clock, seconds
        self.ticks: list[int] = []
        self.shapes: list[tuple[int, ...]] = []
        self.finished: int | None = None
        self.abandoned = False

    def present(self, pictures: np.ndarray, tick: int) -> None:
        self.clock.work(self.seconds)
        self.ticks.append(tick)
        self.shapes.append(pictures.shape)

    def finish(self, ticks: int) -> None:
        self.finished = ticks

    def abandon(self) -> None:
        self.abandoned = True


class Stage:
    """A frame loop on virtual time; picture k takes ``costs[k]`` seconds to draw, the last one for ever."""

    def __init__(self, *costs: float, optics: Optics = OPTICS) -> None:
        self.clock = VirtualClock()
        self.costs = list(costs)
        self.snapshots: Latest[Snapshot] = Latest()
        self.snapshots.put(snapshot(1))
        self.asked: list[float] = []
        self.paper = Paper(self.clock)
        self.raster = PaintedRasterizer(self.draw)
        self.during = lambda picture: None
        self.records: list[FrameRecord] = []
        self.loop = FrameLoop(
            self,
            self.snapshots,
            Easel(self.raster, Identity(), self.paper),
            eyes=optics.eyes,
            clock=self.clock,
            on_frame=self.records.append,
        )

    def draw(self) -> None:
        picture = len(self.raster.splats)
        self.clock.work(self.costs[min(picture, len(self.costs) - 1)])
        self.during(picture)

    def pose_at(self, time_s: float) -> np.ndarray:
        self.asked.append(time_s)
        pose = np.eye(4)
        pose[0, 3] = time_s
        return pose

    def run(self, ticks: int) -> list[FrameRecord]:
        self.loop.run(Schedule(self.clock.now(), FPS, ticks))
        return self.records


def shown(records: list[FrameRecord]) -> list[int]:
    return [record.tick for record in records if not record.dropped]


def test_every_tick_in_time_gets_a_picture():
    stage = Stage(0.04)
    records = stage.run(5)
    assert shown(records) == [0, 1, 2, 3, 4]
    assert not any(record.late or record.stale for record in records)
    assert stage.asked == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert stage.paper.ticks == [0, 1, 2, 3, 4]
    assert stage.paper.finished == 5


def test_a_slow_picture_is_late_and_the_ticks_under_it_are_dropped_without_drift():
    stage = Stage(0.04, 0.25, 0.04)
    records = stage.run(6)
    assert [(record.tick, record.late, record.dropped) for record in records] == [
        (0, False, False),
        (1, True, False),
        (2, False, True),
        (3, False, True),
        (4, False, False),
        (5, False, False),
    ]
    assert stage.asked == pytest.approx([0.0, 0.1, 0.4, 0.5])
    assert [record.due_s for record in records] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_a_late_picture_is_on_display_from_the_tick_in_which_it_was_ready():
    stage = Stage(0.04, 0.25, 0.04)
    stage.run(6)
    assert stage.paper.ticks == [0, 3, 4, 5]


def test_a_picture_that_is_barely_late_leaves_the_next_tick_its_turn():
    stage = Stage(0.11, 0.05)
    records = stage.run(4)
    assert shown(records) == [0, 1, 2, 3]
    assert [record.late for record in records] == [True, False, False, False]
    assert stage.paper.ticks == [0, 1, 2, 3]


def test_every_tick_is_accounted_for_when_nothing_is_in_time():
    stage = Stage(0.37)
    records = stage.run(20)
    assert [record.tick for record in records] == list(range(20))
    assert stage.paper.ticks == sorted(set(stage.paper.ticks))
    assert max(stage.paper.ticks) < 20
    assert stage.paper.finished == 20
    assert all(record.late for record in records if not record.dropped)
    assert len(shown(records)) == 5


def test_the_newest_pose_and_snapshot_at_the_tick_win():
    stage = Stage(0.04)
    stage.during = lambda picture: stage.snapshots.put(snapshot(picture + 2, splats=20 + picture))
    stage.run(3)
    assert stage.raster.splats == [10, 20, 21]
    positions = [cameras[0].position[0] for cameras in stage.raster.cameras]
    assert positions == pytest.approx([0.0, 0.1, 0.2])


def test_a_picture_overtaken_by_a_newer_snapshot_is_stale():
    stage = Stage(0.04)
    stage.during = lambda picture: stage.snapshots.put(snapshot(2)) if picture == 1 else None
    assert [record.stale for record in stage.run(4)] == [False, True, False, False]


def test_nothing_new_from_the_network_changes_nothing_in_the_pace():
    stage = Stage(0.04)
    records = stage.run(50)
    assert shown(records) == list(range(50))
    assert {record.bytes_received for record in records} == {100}
    assert stage.clock.now() == pytest.approx(1000.0 + 4.9 + 0.04)


def test_stages_add_up_to_the_time_from_pose_to_display():
    stage = Stage(0.04)
    stage.paper.seconds = 0.01
    for record in stage.run(3):
        assert record.total_ms == pytest.approx(50.0)
        by_name = dict(zip(STAGES, record.stages_ms, strict=True))
        assert by_name["sort_and_raster"] == pytest.approx(40.0)
        assert by_name["present"] == pytest.approx(10.0)


def test_what_the_snapshot_says_is_in_the_record():
    stage = Stage(0.04)
    (record,) = stage.run(1)
    assert record.splats_drawn == 10
    assert record.splats_resident == 15
    assert 0 <= record.splats_visible <= 10
    assert record.chunks_by_level == (0, 1)


def test_stop_ends_after_the_picture_under_way_and_finishes_the_output():
    stage = Stage(0.04)
    stage.during = lambda picture: stage.loop.stop() if picture == 2 else None
    assert shown(stage.run(100)) == [0, 1, 2]
    assert stage.paper.finished == 3


def test_stereo_draws_both_eyes_apart():
    stage = Stage(0.04, optics=Optics((16, 8), 1.0, ipd=0.06))
    stage.run(1)
    left, right = stage.raster.cameras[0]
    assert right.position - left.position == pytest.approx([0.06, 0, 0])
    assert stage.paper.shapes == [(2, 8, 16, 3)]


def test_an_output_that_fails_is_abandoned():
    stage = Stage(0.04)

    def fail(pictures: np.ndarray, tick: int) -> None:
        raise ClientError("the disk is full")

    stage.paper.present = fail  # type: ignore[method-assign]
    with pytest.raises(ClientError, match="full"):
        stage.run(3)
    assert stage.paper.abandoned
    assert stage.paper.finished is None


def test_the_restorer_gets_what_was_drawn_and_has_the_last_word():
    stage = Stage(0.04)

    class Negative:
        name = "negative"

        def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
            return False

        def restore(self, pictures: Pictures) -> Restored:
            stage.clock.work(0.02)
            assert pictures.alpha.shape == pictures.color.shape[:3]
            assert pictures.depth is None
            return Restored(1.25 - pictures.color, "restored")

        def forget(self) -> None:
            raise AssertionError("the frames of a video belong together")

    seen: list[float] = []
    stage.paper.present = lambda pictures, tick: seen.append(float(pictures.mean()))  # type: ignore[method-assign]
    stage.loop._easel = replace(stage.loop._easel, restorer=Negative())
    (record,) = stage.run(1)
    assert seen == pytest.approx([0.75])
    assert dict(zip(STAGES, record.stages_ms, strict=True))["restore"] == pytest.approx(20.0)
    assert record.restoration == "restored"


def test_without_time_for_it_pictures_are_left_as_they_are():
    stage = Stage(0.02)

    class Slow:
        name = "slow"

        def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
            return False

        def restore(self, pictures: Pictures) -> Restored:
            stage.clock.work(0.2)
            return Restored(pictures.color, "restored")

        def forget(self) -> None:
            raise AssertionError("the frames of a video belong together")

    stage.loop._easel = replace(stage.loop._easel, restorer=Slow(), pacer=Pacer(1 / FPS))
    records = stage.run(60)
    drawn = [record for record in records if not record.dropped]
    assert [record.restoration for record in drawn[:4]] == ["budget", "restored", "restored", "budget"], (
        "the first picture does not wait"
    )
    assert sum(record.restoration == "restored" for record in drawn) <= 4
    assert {record.restoration for record in records if record.dropped} == {None}
