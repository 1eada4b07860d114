"""The process that encodes one scene, or looks at it: a job in on standard input, the result out.

Of a folder of views it first makes the scene that they show.

A process of its own, so that a scene which exhausts memory or crashes a native library takes nothing with it.
It ends when its standard input does, so none outlives the server.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from exgs.codec import EncodeConfig
from exgs.server.errors import without_folder

if TYPE_CHECKING:
    from exgs.codec import Photographs
    from exgs.scene import Gaussians

PROGRESS, NOTE, WARNING, RESULT, FAILURE = b"P", b"N", b"W", b"R", b"F"
FRAME = struct.Struct("<cQ")
"""Kind and length of what follows: a number as text, a line about what came of views, one about what they
leave open, the encoded scene, or a line about what went wrong."""
READ, RECONSTRUCTED = 0.05, 0.45
"""Shares of the work that are over when pictures are read, and when they are Gaussians."""
NICENESS = 5
"""The viewers' data goes before encoding."""


@dataclass(frozen=True)
class Job:
    """One scene to encode."""

    path: Path
    """What to read: a scene, or what lists the views in its folder."""
    config: EncodeConfig
    """How."""

    def to_line(self) -> bytes:
        """One line of JSON."""
        return json.dumps({"path": str(self.path), "config": asdict(self.config)}).encode() + b"\n"

    @staticmethod
    def of(document: dict[str, Any]) -> Job:
        """The job of the line's object."""
        return Job(Path(document["path"]), EncodeConfig(**document["config"]))


@dataclass(frozen=True)
class Look:
    """One encoded scene to look at from many places."""

    data: bytes | memoryview = field(repr=False)
    """The file."""

    def to_line(self) -> bytes:
        """One line of JSON, and the file behind it."""
        return json.dumps({"look": len(self.data)}).encode() + b"\n" + self.data


def network_checksum() -> str:
    """SHA-256 of the weights that folders of views are reconstructed with; empty where none came along."""
    from exgs.feedforward.choose import SIZES, open_weights
    from exgs.weights import WeightsError

    try:
        return open_weights(SIZES[0]).manifest.sha256.get("safetensors", "")
    except WeightsError:
        return ""


def run() -> int:
    """Does the job on standard input; 0 when it reported a result or why there is none."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    output = _claim_output()
    document = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read(document.get("look", 0))
    threading.Thread(target=_end_with_input, daemon=True).start()
    from exgs.codec import CodecError
    from exgs.feedforward.errors import FeedforwardError
    from exgs.scene import SceneError
    from exgs.weights import WeightsError

    try:
        result = _look(data) if "look" in document else _encode(Job.of(document), output)
        _send(output, RESULT, result)
    except (SceneError, CodecError, FeedforwardError, WeightsError, OSError) as error:
        _send(output, FAILURE, _without_paths(str(error), Path(document.get("path", "/"))).encode())
    except MemoryError:
        _send(output, FAILURE, b"not enough memory on the server to encode it")
    return 0


def _encode(job: Job, output: BinaryIO) -> bytes:
    from exgs.codec.encoding.encoder import encode
    from exgs.feedforward.folders import INDEXES
    from exgs.raster import choose_rasterizer
    from exgs.scene import read_scene

    begin = RECONSTRUCTED if job.path.name in INDEXES else 0.0

    def report(share: float) -> None:
        _send(output, PROGRESS, f"{share:.4f}".encode())

    taken: Photographs | None = None
    if begin:

        def note(kind: bytes, text: str) -> None:
            _send(output, kind, _without_paths(text, job.path).encode())

        gaussians, taken = _reconstruct(job.path.parent, report, note)
    else:
        gaussians = read_scene(job.path)
    encoding = encode(
        gaussians, job.config, rasterizer=choose_rasterizer(), cameras=taken,
        progress=lambda phase, share: report(begin + (1 - begin) * share),
    )  # fmt: skip
    return bytes(encoding.data)


def _reconstruct(
    folder: Path, report: Callable[[float], None], note: Callable[[bytes, str], None]
) -> tuple[Gaussians, Photographs]:
    """The scene that the views in ``folder`` show, by the network that came along, and their pictures.

    ``report`` hears the share of the whole work that is done, up to ``RECONSTRUCTED``; ``note`` what had to
    be supposed and what stays empty, each a ``WARNING``, and as a ``NOTE`` what of the pictures is shown.
    """
    from exgs.codec import Photographs
    from exgs.feedforward.choose import SIZES, choose_device, load_network, open_weights
    from exgs.feedforward.read import SUITED_PIXELS, find_views, load_views
    from exgs.raster import choose_rasterizer

    found, weights, device = find_views(folder), open_weights(SIZES[0]), choose_device()
    from exgs.feedforward.reconstructing import reconstruct  # torch is here, as choosing has found

    network = load_network(weights, device)
    views = load_views(found, pixels=SUITED_PIXELS, progress=lambda share: report(READ * share))
    made = reconstruct(
        views, network, rasterizer=choose_rasterizer("cpu"),
        progress=lambda share: report(READ + (RECONSTRUCTED - READ) * share),
    )  # fmt: skip
    for supposed in views.notes:
        note(WARNING, supposed)
    note(NOTE, f"covers {made.coverage.summary(views.names)}")
    if shortage := made.coverage.shortage(made.went_on):
        note(WARNING, shortage)
    return made.gaussians, Photographs(views.cameras, views.pictures)


def _look(data: bytes) -> bytes:
    """What chunks are worth from where, as ``Sight.to_bytes``."""
    from exgs.codec import open_container
    from exgs.raster import choose_rasterizer
    from exgs.server.sighting import measure_sight

    return measure_sight(open_container(data), choose_rasterizer("cpu")).to_bytes()


def _claim_output() -> BinaryIO:
    """Standard output for frames alone: whatever a library prints goes to standard error."""
    sys.stdout.flush()
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _send(output: BinaryIO, kind: bytes, payload: bytes) -> None:
    output.write(FRAME.pack(kind, len(payload)))
    output.write(payload)
    output.flush()


def _end_with_input() -> None:
    while os.read(0, 4096):
        continue
    os._exit(1)


def _without_paths(message: str, path: Path) -> str:
    """``message`` with the server's folders taken out, for viewers' eyes."""
    from exgs.feedforward.choose import SHELF

    return without_folder(message.replace(f"{SHELF}{os.sep}", ""), path.parent)
