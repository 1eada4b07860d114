"""Verdicts on pictures of sessions."""

import numpy as np
import pytest

from exgs.experiments.judging import Judge, ShownFile, ShownStream
from exgs.raster import Rasterizer, Rendering, choose_rasterizer
from exgs.scene import Camera, head_camera
from tests.experiments.sessions import ball, container, path, start, timeline

TIMES = [0.5, 1.5, 2.5, 3.5]


class Counting:
    """The CPU's rasteriser, which counts pictures."""

    def __init__(self) -> None:
        self.pictures = 0
        self._inner = choose_rasterizer("cpu", threads=1)

    def render(self, *args: object, **options: object) -> Rendering:
        self.pictures += 1
        return self._inner.render(*args, **options)  # type: ignore[arg-type]


def camera_at(time_s: float) -> Camera:
    return head_camera(path().pose_at(time_s), size=(64, 48))


def judge(rasterizer: Rasterizer | Counting | None = None) -> Judge:
    return Judge(
        ball(),
        camera_at,
        rasterizer or Counting(),  # type: ignore[arg-type]
        near_units=3 * start().units_per_metre,
        jobs=2,
    )


def later(count: int) -> list[float]:
    """The coarsest after a second, then everything by and by until three seconds."""
    roots = sum(chunk.parent < 0 for chunk in container().manifest)
    return [1.0] * roots + np.linspace(1.2, 3.0, count - roots).tolist()


def test_more_chunks_make_better_pictures_and_none_make_black_ones() -> None:
    shown = ShownStream("ball", container())
    played = timeline(later(len(container().manifest)))
    verdicts = judge().judge(played, shown, TIMES)
    psnrs = [now.psnr for now, _ in verdicts]
    assert psnrs[0] < psnrs[1] < psnrs[2] < psnrs[3] + 1e-6
    assert verdicts[0][0].missing > 0.1 > verdicts[3][0].missing
    assert verdicts[3][0] == verdicts[3][1]
    assert all(final.psnr >= now.psnr for now, final in verdicts)


def test_the_source_itself_is_perfect() -> None:
    played = timeline([None] * len(container().manifest))
    ((now, final),) = judge().judge(played, ShownFile("source", ball()), [1.0])
    assert final.psnr == 100 and final.ssim == pytest.approx(1) and final.missing == 0
    assert now.psnr < 40 and now.missing > 0


def test_no_picture_is_drawn_twice() -> None:
    rasterizer = Counting()
    referee, shown = judge(rasterizer), ShownStream("ball", container())
    played = timeline(later(len(container().manifest)))
    first = referee.judge(played, shown, TIMES)
    drawn = rasterizer.pictures
    assert (
        drawn == 4 + 4 + 2
    )  # the source; the whole scene, which was on display in the end; two states before
    assert referee.judge(played, shown, TIMES) == first
    assert rasterizer.pictures == drawn


def test_another_file_of_the_same_ids_is_another_picture() -> None:
    referee = judge()
    played = timeline([0.2] * len(container().manifest))
    ((stream, _),) = referee.judge(played, ShownStream("stream", container()), [1.0])
    ((_, whole),) = referee.judge(played, ShownFile("file", ball()), [1.0])
    assert whole.psnr > stream.psnr


def test_the_moment_of_nearly_final_quality_is_found_between_frames() -> None:
    count = len(container().manifest)
    referee, shown = judge(), ShownStream("ball", container())
    at_once = timeline([1.1] * count)
    found = referee.reached_s(at_once, shown, 0.9, TIMES)
    assert found is not None and 1.1 <= found <= 1.1 + 1 / 16
    never = timeline([None] * count)
    assert referee.reached_s(never, shown, 0.9, TIMES) is None


def test_what_is_let_go_does_not_show() -> None:
    from dataclasses import replace

    shown, played = ShownStream("ball", container()), timeline([0.2] * len(container().manifest))
    finest = {chunk.id for chunk in container().manifest if chunk.level == 0}
    rows = tuple(replace(row, gone_s=2.0) if row.chunk in finest else row for row in played.chunks)
    verdicts = judge().judge(replace(played, chunks=rows), shown, TIMES)
    assert verdicts[1][0].psnr > verdicts[2][0].psnr
