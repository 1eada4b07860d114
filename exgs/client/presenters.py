"""Where pictures go: a video file, a folder of PNGs, or nowhere.

A presenter is told which tick of the schedule a picture belongs to. A video repeats the picture before it for
every tick between, so that a minute of video is a minute of the session, whatever was missed.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from PIL import Image

from exgs.client.errors import ClientError
from exgs.raster import to_bytes

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov")
PENDING_PICTURES = 4
"""Pictures that may wait for a slow encoder or disk before the frame loop waits too."""
MAX_REPEATS = 1 << 16
"""Longest standstill a video repeats one picture for, in ticks."""
_PICTURE_NAME = re.compile(r"frame_\d{6,}\.png")


class Presenter(Protocol):
    """Shows pictures. Every call comes from the frame loop's thread."""

    def present(self, pictures: np.ndarray, tick: int) -> None:
        """Shows ``pictures`` [B,H,W,3] float32 (one, or left and right eye) from ``tick`` on; ticks grow.

        The array belongs to the presenter from then on.

        Raises:
            ClientError: the pictures cannot be written.
        """

    def finish(self, ticks: int) -> None:
        """Ends after ``ticks`` ticks in all and puts the output in place."""

    def abandon(self) -> None:
        """Ends without an output; also after a failure."""


class Null:
    """Shows nothing."""

    def present(self, pictures: np.ndarray, tick: int) -> None:
        """Does nothing."""

    def finish(self, ticks: int) -> None:
        """Does nothing."""

    def abandon(self) -> None:
        """Does nothing."""


class VideoFile:
    """An H.264 file, both eyes side by side."""

    def __init__(self, path: Path, *, fps: float) -> None:
        self._path, self._partial = path, path.with_name(f".{path.stem}.partial{path.suffix}")
        self._rate = Fraction(fps).limit_denominator(1001)
        self._container: Any = None
        self._stream: Any = None
        self._next, self._shown = 0, np.zeros(0, np.uint8)

    def present(self, pictures: np.ndarray, tick: int) -> None:
        """Encodes the picture; ticks missed since the one before repeat that one."""
        picture = even(side_by_side(pictures))
        with self._errors():
            if self._container is None:
                self._open(picture)
            self._repeat(tick)
            self._encode(picture, tick)
        self._shown, self._next = picture, tick + 1

    def finish(self, ticks: int) -> None:
        """Closes the file and gives it its name; a session without pictures leaves no file."""
        if self._container is None:
            return
        with self._errors():
            self._repeat(ticks)
            self._container.mux(self._stream.encode())
            self._container.close()
            self._partial.replace(self._path)

    def abandon(self) -> None:
        """Removes what was written."""
        if self._container is not None:
            with contextlib.suppress(av.FFmpegError, OSError):  # it may be why we abandon it
                self._container.close()
        self._partial.unlink(missing_ok=True)

    def _open(self, picture: np.ndarray) -> None:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._partial.touch()  # what cannot be written is known now, not when the encoder's delay is over
        self._container = av.open(str(self._partial), "w")
        self._stream = self._container.add_stream(codec, rate=self._rate)
        self._stream.height, self._stream.width = picture.shape[:2]
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": "superfast", "crf": "20"} if codec == "libx264" else {"q": "3"}
        self._shown = picture

    def _repeat(self, until: int) -> None:
        for tick in range(max(self._next, until - MAX_REPEATS), until):
            self._encode(self._shown, tick)

    def _encode(self, picture: np.ndarray, tick: int) -> None:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = tick, 1 / self._rate
        self._container.mux(self._stream.encode(frame))

    @contextlib.contextmanager
    def _errors(self) -> Any:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            raise ClientError(f"{self._path}: cannot write video ({error.strerror or error})") from error


class PictureFolder:
    """One PNG per picture shown, named after its tick, both eyes side by side."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(f".{path.name}.partial")

    def present(self, pictures: np.ndarray, tick: int) -> None:
        """Writes one picture."""
        with self._errors():
            self._partial.mkdir(parents=True, exist_ok=True)
            Image.fromarray(side_by_side(pictures)).save(
                self._partial / f"frame_{tick:06d}.png", compress_level=1
            )

    def finish(self, ticks: int) -> None:
        """Puts the pictures in place; those of an earlier session go, other files stay."""
        if not self._partial.is_dir():
            return
        with self._errors():
            if not self._path.exists():
                self._partial.replace(self._path)
                return
            for old in self._path.iterdir():
                if _PICTURE_NAME.fullmatch(old.name):
                    old.unlink()
            for new in sorted(self._partial.iterdir()):
                new.replace(self._path / new.name)
            self._partial.rmdir()

    def abandon(self) -> None:
        """Removes what was written."""
        shutil.rmtree(self._partial, ignore_errors=True)

    @contextlib.contextmanager
    def _errors(self) -> Any:
        try:
            yield
        except OSError as error:
            raise ClientError(f"{self._path}: cannot write pictures ({error.strerror or error})") from error


class InBackground:
    """Hands pictures to another presenter in a thread of its own, a few at a time."""

    def __init__(self, presenter: Presenter) -> None:
        self._presenter = presenter
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="exgs-presenter")
        self._pending: deque[Future[None]] = deque()

    def present(self, pictures: np.ndarray, tick: int) -> None:
        """Returns at once unless ``PENDING_PICTURES`` wait; raises what an earlier picture ran into."""
        while self._pending and (len(self._pending) >= PENDING_PICTURES or self._pending[0].done()):
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(self._presenter.present, pictures, tick))

    def finish(self, ticks: int) -> None:
        """Waits for every picture."""
        while self._pending:
            self._pending.popleft().result()
        self._thread.submit(self._presenter.finish, ticks).result()
        self._thread.shutdown()

    def abandon(self) -> None:
        """Drops what waits."""
        self._thread.shutdown(cancel_futures=True)
        self._presenter.abandon()


def open_presenter(path: Path | None, *, fps: float) -> Presenter:
    """The presenter for an output's name: a video by its suffix, else a folder; None for nowhere.

    Raises:
        ClientError: the suffix is that of some other kind of file.
    """
    if path is None:
        return Null()
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return InBackground(VideoFile(path, fps=fps))
    if suffix and not path.is_dir():
        raise ClientError(f"{path}: expected a video ({', '.join(VIDEO_SUFFIXES)}) or the name of a folder")
    return InBackground(PictureFolder(path))


def write_video(path: Path, pictures: Iterable[np.ndarray], *, fps: float) -> None:
    """Writes float [H,W,3] ``pictures`` as a video; leaves nothing behind on failure."""
    video = VideoFile(path, fps=fps)
    count = 0
    try:
        for count, picture in enumerate(pictures, start=1):
            video.present(picture[None], count - 1)
        video.finish(count)
    except BaseException:
        video.abandon()
        raise


def side_by_side(pictures: np.ndarray) -> np.ndarray:
    """[H,B*W,3] uint8 of float ``pictures`` [B,H,W,3], clipped to [0, 1]; not-a-number is black."""
    return to_bytes(np.concatenate(list(pictures), axis=1))


def even(picture: np.ndarray) -> np.ndarray:
    """``picture`` [H,W,3] with its last row and column repeated where H or W is odd, as 4:2:0 video needs."""
    height, width = picture.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return picture
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
