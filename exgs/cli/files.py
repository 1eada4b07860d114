"""Opening inputs of any kind and checking outputs, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.folders import refuse_dash, try_folder
from exgs.codec import Container, DecodeError, Preamble, Truncated, decode, open_container, parse_preamble
from exgs.scene import Gaussians, StartView, drop_non_finite, read_scene
from exgs.scene.write import WRITABLE, can_write

UGC_SUFFIX = ".ugc"
DRY_RUN = "null"
"""The output name that means: do the work, write nothing."""


def is_ugc(path: str) -> bool:
    """Whether ``path`` is called a .ugc file."""
    return path.lower().endswith(UGC_SUFFIX)


def read_ugc(path: str) -> Container:
    """A .ugc file, its preamble checked, its chunks still coded.

    Raises:
        CommandError: it is no .ugc file, or a part of one.
    """
    with _bytes_of(path) as data:
        return open_container(data)


def read_start(path: str) -> StartView | None:
    """Where a viewer begins, if the .ugc file says so; the rest of the file may be missing.

    Raises:
        CommandError: it does not begin like a .ugc file.
    """
    with _bytes_of(path) as data:
        return parse_preamble(data).header.start


def read_any(path: str, *, max_bytes: int | None = None, drop: bool = False) -> Gaussians:
    """The Gaussians of a scene in any readable format, or of a .ugc file.

    ``max_bytes`` reads only that prefix of a .ugc file; ``drop`` leaves out Gaussians that are not finite.

    Raises:
        UsageError: a prefix of something else was asked for.
        CommandError: the .ugc file cannot be decoded.
    """
    if is_ugc(path):
        with _bytes_of(path) as data:
            if max_bytes is not None:
                _check_prefix(path, data, max_bytes)
            return decode(data, max_bytes=max_bytes)
    if max_bytes is not None:
        raise UsageError(f"--max-bytes: {path} is no .ugc file, a part of it shows no scene")
    gaussians = read_scene(path)
    return drop_non_finite(gaussians)[0] if drop else gaussians


def _check_prefix(path: str, data: bytes, max_bytes: int) -> None:
    """Refuses a prefix that ends before the first chunk does: it shows nothing."""
    least = _first_picture(parse_preamble(data))
    if max_bytes < least:
        raise UsageError(f"--max-bytes {max_bytes}: the first picture takes {least} bytes")
    if len(data) < least:
        raise CommandError(f"{path}: the first picture takes {least} bytes, the file has {len(data)}")


def _first_picture(preamble: Preamble) -> int:
    """Bytes of the file up to the end of its first chunk."""
    return preamble.chunks[0].offset + preamble.chunks[0].size_bytes


def check_output(path: str, *, overwrite: bool, suffixes: tuple[str, ...] | None = None) -> Path | None:
    """The path to write to, or None for a dry run.

    Raises:
        UsageError: the name has none of the ``suffixes`` or is the dash of standard output, the file exists
            and may not be replaced, or its folder does not exist.
        CommandError: no file can be made in that folder.
    """
    if path == DRY_RUN:
        return None
    target = Path(path)
    refuse_dash(target)
    if suffixes is not None and target.suffix.lower() not in suffixes:
        raise UsageError(f"{path or 'the output'}: expected a name that ends in {' or '.join(suffixes)}")
    if target.is_dir() and suffixes is not None:
        raise UsageError(f"{path}: is a folder")
    if target.exists() and not overwrite:
        raise UsageError(f"{path} exists; -w replaces it")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"{target.parent}: no such folder")
    try_folder(target.parent)
    return target


def check_scene_output(
    path: str, *, source: str, overwrite: bool, beside: tuple[str, ...] = ()
) -> Path | None:
    """The path to write a scene to, or None for a dry run; ``beside`` are suffixes that the caller writes.

    Raises:
        UsageError: as for ``check_output``; or the output would replace ``source``, the scene it is made of.
    """
    if path != DRY_RUN and Path(path).exists() and Path(source).exists() and Path(path).samefile(source):
        raise UsageError(f"{path} is the input too: write to another name, the original may be all there is")
    target = check_output(path, overwrite=overwrite, suffixes=(*WRITABLE, *beside))
    if target is not None and target.suffix.lower() not in beside and not can_write(target):
        raise UsageError(f"{path}: cannot write this format; writable: {', '.join(WRITABLE)}")
    return target


@contextmanager
def _bytes_of(path: str) -> Iterator[bytes]:
    """A file's bytes; errors of the decoder get its name, and a remedy where only a part of it is there."""
    data = Path(path).read_bytes()
    try:
        yield data
    except Truncated as error:
        raise CommandError(f"{path}: {_cut_short(data, error)}") from error
    except DecodeError as error:
        raise CommandError(f"{path}: {error}") from error


def _cut_short(data: bytes, error: Truncated) -> str:
    """What there is of a file that ends too early, and what can be done."""
    if not data:
        return "the file is empty; copy it again"
    try:
        preamble = parse_preamble(data)
    except Truncated:
        return f"{error}; copy the file again"
    found = f"the file has {len(data)} of its {preamble.file_bytes} bytes: copy it again"
    if len(data) < _first_picture(preamble):
        return found
    return f"{found}; 'exgs decode' and 'exgs render' show what there is with --max-bytes {len(data)}"
