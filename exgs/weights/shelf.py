"""Folders of weights: found by size or by path, taken whole or not at all, and written so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from exgs.scene import SceneError
from exgs.scene.formats.atomic import write_bytes
from exgs.scene.formats.bounded import read_bytes
from exgs.weights.errors import WeightsError
from exgs.weights.manifest import MAX_MANIFEST_BYTES, VERSION, Manifest

MANIFEST = "manifest.json"
FILES = {"onnx": "model.onnx", "graph": "graph.onnx", "safetensors": "model.safetensors"}
"""What the files of each kind are called. A graph is an ONNX model whose tensors lie in the safetensors."""
MAX_MODEL_BYTES = 4 << 30
Kind = TypeVar("Kind", bound=Manifest)


@dataclass(frozen=True)
class Weights(Generic[Kind]):
    """A folder of weights whose manifest was read."""

    folder: Path
    """Where they are."""
    manifest: Kind
    """What they are."""

    def read(self, kind: str) -> bytes:
        """The bytes of the file of a kind of ``FILES``, checked against the manifest.

        Raises:
            WeightsError: there is no such file, or it is not the one that the manifest names.
        """
        path = self.folder / FILES[kind]
        if kind not in self.manifest.sha256:
            raise WeightsError(f"{self.folder / MANIFEST}: names no {FILES[kind]}")
        data = read_bytes(path, MAX_MODEL_BYTES, WeightsError)
        if hashlib.sha256(data).hexdigest() != self.manifest.sha256[kind]:
            raise WeightsError(f"{path}: not the file that {MANIFEST} names (sha256 differs); copy it again")
        return data


def shipped(shelf: Path, sizes: Sequence[str]) -> tuple[str, ...]:
    """Those of ``sizes`` of which weights lie on the ``shelf``, a folder with a folder for each."""
    return tuple(size for size in sizes if (shelf / size / MANIFEST).is_file())


def open_weights(
    name: str, shelf: Path, sizes: Sequence[str], parse: Callable[[bytes, str], Kind]
) -> Weights[Kind]:
    """The weights of one of ``sizes`` from the ``shelf``, or of any folder of that path.

    Raises:
        WeightsError: there are none.
    """
    folder = shelf / name if name in sizes else Path(name)
    here = shipped(shelf, sizes)
    if name in sizes and name not in here:
        raise WeightsError(
            f"no weights of size {name} came with this package (there are: {', '.join(here) or 'none'})"
        )
    if not folder.is_dir():
        raise WeightsError(f"{name}: expected one of {', '.join(sizes)}, or a folder with {MANIFEST}")
    path = folder / MANIFEST
    return Weights(folder, parse(read_bytes(path, MAX_MANIFEST_BYTES, WeightsError), str(path)))


def write_weights(folder: Path, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Writes ``files``, by kind, and a manifest that says ``facts`` and their sums; gives the manifest.

    Files of other kinds do not stay where the manifest that lay there named them.

    Raises:
        SceneError: a file cannot be written, or not be taken away.
    """
    outdated = _named(folder) & FILES.keys() - files.keys()
    sums = {kind: hashlib.sha256(data).hexdigest() for kind, data in files.items()}
    document = {**facts, "version": VERSION, "sha256": sums}
    for kind, data in files.items():
        write_bytes(folder / FILES[kind], data)
    write_bytes(folder / MANIFEST, (json.dumps(document, indent=1) + "\n").encode())
    for kind in outdated:
        try:
            (folder / FILES[kind]).unlink(missing_ok=True)
        except OSError as error:
            raise SceneError(f"{folder / FILES[kind]}: {error.strerror or error}") from error
    return document


def _named(folder: Path) -> set[str]:
    """The kinds of files that the manifest in ``folder`` names; none where there is none that can be read."""
    path = folder / MANIFEST
    try:
        return set(Manifest.parse(read_bytes(path, MAX_MANIFEST_BYTES, WeightsError), str(path)).sha256)
    except WeightsError:
        return set()
