import threading
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from exgs.client.errors import ClientError
from exgs.client.presenters import (
    PENDING_PICTURES,
    InBackground,
    Null,
    PictureFolder,
    VideoFile,
    even,
    open_presenter,
    side_by_side,
    write_video,
)

FULL_DISK = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk"
)


def grey(value: float, *, eyes: int = 1, height: int = 36, width: int = 64) -> np.ndarray:
    return np.full((eyes, height, width, 3), value, np.float32)


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_video_has_every_picture_in_place(tmp_path: Path):
    video = VideoFile(tmp_path / "a.mp4", fps=30)
    values = (0.1, 0.5, 0.9)
    for tick, value in enumerate(values):
        video.present(grey(value), tick)
    video.finish(3)
    frames = frames_of(tmp_path / "a.mp4")
    assert [frame.shape for frame in frames] == [(36, 64, 3)] * 3
    assert [frame.mean() / 255 for frame in frames] == pytest.approx(values, abs=0.02)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4"]


def test_missed_ticks_repeat_the_picture_before_so_that_time_is_kept(tmp_path: Path):
    video = VideoFile(tmp_path / "a.mp4", fps=30)
    video.present(grey(0.2), 0)
    video.present(grey(0.8), 4)
    video.finish(6)
    means = [frame.mean() / 255 for frame in frames_of(tmp_path / "a.mp4")]
    assert means == pytest.approx([0.2, 0.2, 0.2, 0.2, 0.8, 0.8], abs=0.02)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert float(container.duration) / av.time_base == pytest.approx(6 / 30, abs=0.01)


def test_a_late_first_picture_stands_in_for_the_ticks_before_it(tmp_path: Path):
    video = VideoFile(tmp_path / "a.mp4", fps=30)
    video.present(grey(0.5), 2)
    video.finish(3)
    assert len(frames_of(tmp_path / "a.mp4")) == 3


def test_stereo_is_side_by_side_and_sizes_become_even(tmp_path: Path):
    pictures = grey(0.0, eyes=2, height=35, width=33)
    pictures[1] = 1.0
    video = VideoFile(tmp_path / "a.mp4", fps=72)
    video.present(pictures, 0)
    video.finish(1)
    (frame,) = frames_of(tmp_path / "a.mp4")
    assert frame.shape == (36, 66, 3)
    assert frame[:, :30].mean() < 5
    assert frame[:, 36:].mean() > 250


def test_a_session_without_pictures_leaves_no_video(tmp_path: Path):
    VideoFile(tmp_path / "a.mp4", fps=30).finish(10)
    assert not list(tmp_path.iterdir())


def test_an_abandoned_video_leaves_nothing(tmp_path: Path):
    video = VideoFile(tmp_path / "a.mp4", fps=30)
    video.present(grey(0.5), 0)
    video.abandon()
    assert not list(tmp_path.iterdir())


@FULL_DISK
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path):
    (tmp_path / ".a.partial.mp4").symlink_to("/dev/full")
    video = VideoFile(tmp_path / "a.mp4", fps=30)
    noise = np.random.default_rng(1)
    with pytest.raises(ClientError, match=r"a\.mp4: cannot write video"):
        for tick in range(60):
            video.present(noise.random((1, 120, 160, 3), np.float32), tick)
        video.finish(60)
    video.abandon()
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_an_error(tmp_path: Path):
    video = VideoFile(tmp_path / "nowhere" / "a.mp4", fps=30)
    with pytest.raises(ClientError, match="nowhere"):
        video.present(grey(0.5), 0)


def test_a_folder_has_one_picture_per_tick_shown(tmp_path: Path):
    folder = PictureFolder(tmp_path / "out")
    folder.present(grey(0.25, eyes=2), 0)
    folder.present(grey(0.75, eyes=2), 3)
    assert not (tmp_path / "out").exists()
    folder.finish(5)
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == [
        "frame_000000.png",
        "frame_000003.png",
    ]
    with Image.open(tmp_path / "out" / "frame_000003.png") as image:
        assert image.size == (128, 36)
        assert image.getpixel((5, 5)) == (191, 191, 191)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_exists_loses_only_the_pictures_of_before(tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "frame_000009.png").write_bytes(b"of before")
    (out / "notes.txt").write_text("mine")
    folder = PictureFolder(out)
    folder.present(grey(0.5), 0)
    folder.finish(1)
    assert sorted(entry.name for entry in out.iterdir()) == ["frame_000000.png", "notes.txt"]


def test_an_abandoned_folder_leaves_nothing(tmp_path: Path):
    folder = PictureFolder(tmp_path / "out")
    folder.present(grey(0.5), 0)
    folder.abandon()
    assert not list(tmp_path.iterdir())


class Gate:
    """A presenter that waits at a gate and notes what passed."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()
        self.passed: list[int] = []
        self.finished: int | None = None
        self.abandoned = False

    def present(self, pictures: np.ndarray, tick: int) -> None:
        self.entered.set()
        self.open.wait()
        if tick == 99:
            raise ClientError("the disk is full")
        self.passed.append(tick)

    def finish(self, ticks: int) -> None:
        self.finished = ticks

    def abandon(self) -> None:
        self.abandoned = True


def test_the_background_takes_pictures_at_once_and_shows_them_in_order():
    gate = Gate()
    background = InBackground(gate)
    for tick in range(PENDING_PICTURES):
        background.present(grey(0.5), tick)
    assert gate.passed == []
    gate.open.set()
    background.finish(9)
    assert gate.passed == list(range(PENDING_PICTURES))
    assert gate.finished == 9


def test_an_error_in_the_background_comes_out_at_the_end():
    gate = Gate()
    gate.open.set()
    background = InBackground(gate)
    background.present(grey(0.5), 99)
    with pytest.raises(ClientError, match="full"):
        background.finish(1)
    background.abandon()
    assert gate.abandoned
    assert gate.finished is None


def test_the_presenter_follows_from_the_name(tmp_path: Path):
    assert isinstance(open_presenter(None, fps=30), Null)
    with pytest.raises(ClientError, match="expected a video"):
        open_presenter(tmp_path / "a.gif", fps=30)
    for name, made in (("a.mp4", "a.mp4"), ("pictures", "pictures")):
        presenter = open_presenter(tmp_path / name, fps=30)
        presenter.present(grey(0.5), 0)
        presenter.finish(1)
        assert (tmp_path / made).exists()


def test_write_video_leaves_nothing_when_a_picture_fails(tmp_path: Path):
    def pictures():
        yield grey(0.5)[0]
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_video(tmp_path / "a.mp4", pictures(), fps=30)
    assert not list(tmp_path.iterdir())
    write_video(tmp_path / "a.mp4", iter([grey(0.5)[0]] * 2), fps=29.97)
    assert len(frames_of(tmp_path / "a.mp4")) == 2


def test_pictures_are_clipped_and_rounded_and_nothing_odd_gets_through():
    values = np.array([-1.0, 0.0, 0.5, 1.0, 7.0, np.nan, np.inf, -np.inf], np.float32)
    picture = side_by_side(np.broadcast_to(values[None, None, :, None], (1, 1, 8, 3)))
    assert picture[0, :, 0].tolist() == [0, 0, 128, 255, 255, 0, 255, 0]


def test_even_repeats_the_last_row_and_column():
    picture = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    assert even(picture).shape == (4, 4, 3)
    assert (even(picture)[3, 3] == picture[2, 2]).all()
    assert even(picture[:2, :2]).shape == (2, 2, 3)
