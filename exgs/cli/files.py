"""Opening inputs of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.paths import is_ugc
from exgs.codec import Container, DecodeError, Preamble, Truncated, decode, open_container, parse_preamble
from exgs.scene import Gaussians, StartView, drop_non_finite, read_scene


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
