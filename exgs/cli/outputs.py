"""Where rendered pictures go: one file, a video, a folder, or nowhere."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.folders import check_folder_name, try_nearest
from exgs.cli.paths import DRY_RUN, PICTURE_SUFFIX, VIDEO_SUFFIX, check_output
from exgs.cli.pictures import write_png
from exgs.raster import to_bytes
from exgs.scene import Camera, write_cameras
from exgs.scene.camera import MAX_NAME

CAMERA_FILE, EYES_FILE = "cameras.json", "eyes.json"
"""Of the two the first makes a folder of views: each of its cameras has a picture of its own."""
SIDES = ("left", "right")


class PictureOutput(Protocol):
    """Takes the pictures of all views; what it leaves on disk is whole or was there before."""

    def expect(self, names: Sequence[str]) -> None:
        """Hears the names of the views before any is drawn.

        Raises:
            UsageError: they cannot be written there.
        """

    def write(self, pictures: Iterable[np.ndarray]) -> None:
        """Writes the float [H,W,3] pictures of those views."""


def picture_output(name: str, *, overwrite: bool, fps: float) -> PictureOutput:
    """The output that ``name`` asks for by its suffix; ``fps`` is a video's.

    Raises:
        UsageError: no output has such a name, or what stands there may not be replaced.
    """
    suffix = Path(name).suffix.lower()
    if name == DRY_RUN:
        return Nowhere()
    if suffix and suffix not in (VIDEO_SUFFIX, PICTURE_SUFFIX):
        raise UsageError(f"{name}: expected a {PICTURE_SUFFIX}, an {VIDEO_SUFFIX} or a folder")
    if not suffix:
        return PictureFolder(name, overwrite=overwrite)
    target = check_output(name, overwrite=overwrite, suffixes=(suffix,))
    assert target is not None
    return Video(target, fps=fps) if suffix == VIDEO_SUFFIX else OnePicture(target)


class Nowhere:
    """Draws for nothing but the time it takes."""

    def expect(self, names: Sequence[str]) -> None:
        """Takes any."""

    def write(self, pictures: Iterable[np.ndarray]) -> None:
        """Has every picture drawn."""
        for _ in pictures:
            continue


class OnePicture:
    """A PNG file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def expect(self, names: Sequence[str]) -> None:
        """Takes one view."""
        if len(names) != 1:
            raise UsageError(
                f"{len(names)} views do not fit one {PICTURE_SUFFIX}: name a folder or an {VIDEO_SUFFIX}, "
                "or pick one with --view"
            )

    def write(self, pictures: Iterable[np.ndarray]) -> None:
        """Writes the picture."""
        for picture in pictures:
            write_png(self._path, picture)


class Video:
    """An H.264 file."""

    def __init__(self, path: Path, *, fps: float) -> None:
        self._path, self._fps = path, fps

    def expect(self, names: Sequence[str]) -> None:
        """Takes any."""

    def write(self, pictures: Iterable[np.ndarray]) -> None:
        """Encodes the pictures as they come."""
        from exgs.client.presenters import write_video

        write_video(self._path, pictures, fps=self._fps)


class PictureFolder:
    """A folder with one PNG per view, named as its camera is; all appear together, at the end.

    With their cameras beside them they can be read again, as views.
    """

    def __init__(self, name: str, *, overwrite: bool) -> None:
        self._folder, self._overwrite = Path(name), overwrite
        self._names: Sequence[str] = ()
        if not name:
            raise UsageError("the output has no name")
        check_folder_name(self._folder)
        try_nearest(self._folder)

    def expect(self, names: Sequence[str]) -> None:
        """Refuses to replace pictures unasked."""
        self._names = [f"{name}{PICTURE_SUFFIX}" for name in names]
        if not self._overwrite:
            for target in map(self._folder.joinpath, self._names):
                if target.exists():
                    raise UsageError(f"{target} exists; -w replaces it")

    def expect_cameras(self, names: Sequence[str], *, pairs: bool, source: str | None) -> None:
        """Hears whether each picture will show two eyes, and which file told the cameras, if any did.

        One camera file tells of a folder's pictures; one of the other kind, of views or of pairs, has to go.

        Raises:
            UsageError: such a file may not be removed, or is ``source``; or names of eyes would be too long
                to be read again.
        """
        if pairs:
            _check_names_of_pairs(names)
        other = self._folder / (CAMERA_FILE if pairs else EYES_FILE)
        if not other.exists():
            return
        one, both = "pictures of one eye", "pictures of both eyes"
        there, coming = (one, both) if pairs else (both, one)
        if not self._overwrite:
            raise UsageError(
                f"{other} tells of {there}, these are {coming}; -w removes it, or name another folder"
            )
        if source is not None and other.samefile(source):
            raise UsageError(f"{source} would be removed, for it tells of {there}: name another folder")

    def write(self, pictures: Iterable[np.ndarray]) -> None:
        """Collects the pictures in a folder within, and moves them out when all are there."""
        existed = self._folder.exists()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=self._folder))
            try:
                for name, picture in zip(self._names, pictures, strict=True):
                    Image.fromarray(to_bytes(picture)).save(staging / name)
                for name in self._names:
                    (staging / name).replace(self._folder / name)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
                if not existed and not any(self._folder.iterdir()):
                    self._folder.rmdir()
        except OSError as error:
            reason = error.strerror or str(error)
            raise CommandError(f"{self._folder}: pictures cannot be written ({reason})") from error

    def keep(self, cameras: Sequence[Camera], span: tuple[float, float] | None) -> None:
        """Writes the cameras beside their pictures, and how far what they see is away, where that is known.

        A file that is there stays, unless it may be replaced; then that of pairs goes too.
        """
        self._keep(CAMERA_FILE, cameras, span, instead_of=EYES_FILE)

    def keep_eyes(self, pairs: Sequence[tuple[Camera, ...]]) -> None:
        """Likewise of pictures that show a left and a right eye: NAME-left and NAME-right saw NAME."""
        eyes = [
            replace(eye, name=f"{eye.name}-{side}")
            for pair in pairs
            for eye, side in zip(pair, SIDES, strict=True)
        ]
        self._keep(EYES_FILE, eyes, None, instead_of=CAMERA_FILE)

    def _keep(
        self, name: str, cameras: Sequence[Camera], span: tuple[float, float] | None, *, instead_of: str
    ) -> None:
        target = self._folder / name
        if self._overwrite or not target.exists():
            write_cameras(target, cameras, span=span)
        if self._overwrite:  # not before: a disk that is full has lost nothing then
            (self._folder / instead_of).unlink(missing_ok=True)


def _check_names_of_pairs(names: Sequence[str]) -> None:
    longest, most = max(names, key=len), MAX_NAME - max(len(f"-{side}") for side in SIDES)
    if len(longest) > most:
        raise UsageError(
            f"camera {longest[:40]}...: a name of {len(longest)} characters; of pairs it may have "
            f"{most}, for {EYES_FILE} names each eye"
        )
