import asyncio

import pytest

from exgs.experiments.errors import ExperimentError
from exgs.experiments.link import LinkSettings
from exgs.experiments.real import play_on_loop
from exgs.experiments.timeline import Blob, Timeline, Trial
from exgs.experiments.virtual import play_virtual
from tests.experiments.trials import container, link, path, trial

pytestmark = pytest.mark.end_to_end
CHUNKS = len(container().manifest)


def near(**settings: object) -> Trial:
    return trial(LinkSettings(None, 0.01), up=LinkSettings(None, 0.01), **settings)


@pytest.fixture(scope="module")
def real() -> Timeline:
    return asyncio.run(play_on_loop(near(system="level", seconds=20.0)))


def test_a_real_session_gives_a_timeline_like_a_virtual_one(real: Timeline) -> None:
    virtual = play_virtual(near(system="level"))
    assert (real.mode, virtual.mode) == ("real", "virtual")
    assert real.bytes_received - real.redundant_bytes == virtual.bytes_received == len(container().data)
    assert real.bytes_sent == real.bytes_received
    assert {row.chunk for row in real.chunks} == {row.chunk for row in virtual.chunks}
    assert len(real.frames) == 201
    assert real.frames[-1].limiter == "complete"


def test_a_real_session_happens_in_order(real: Timeline) -> None:
    assert real.opened_s is not None and real.first_frame_s is not None and real.complete_s is not None
    assert 3 * 0.01 < real.opened_s < real.first_frame_s <= real.complete_s < 20
    session_s = min(row.chosen_s for row in real.chunks if row.level == 0)
    coarsest = max(row.level for row in real.chunks)
    here_s = [row.received_s for row in real.chunks if row.level == coarsest]
    assert here_s and all(at_s is not None and at_s < session_s for at_s in here_s), "it comes first"
    for row in real.chunks:
        assert row.received_s is not None and row.shown_s is not None
        assert row.chosen_s < row.received_s < row.shown_s


def test_the_server_sends_in_the_order_that_the_trial_asks_for(real: Timeline) -> None:
    first: dict[int, int] = {}
    for row in sorted(real.chunks, key=lambda row: row.chosen_s):
        first.setdefault(row.chunk, row.level)
    levels = list(first.values())
    assert levels == sorted(levels, reverse=True)


async def test_a_real_cap_however_small_is_no_freedom() -> None:
    timeline = await play_on_loop(near(max_mbps=1e-6, seconds=3.0, early=False))
    assert timeline.complete_s is None
    assert 0 < timeline.bytes_received < len(container().data) / 4


async def test_a_download_is_not_played_for_real() -> None:
    with pytest.raises(ExperimentError, match="virtual time"):
        await play_on_loop(Trial(Blob("scene.sog", 1000, 10), path(), link(), link(), "download"))
