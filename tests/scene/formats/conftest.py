"""Tiny files of every format, encoded here by other means than the readers use to decode them."""

import gzip
import importlib.util
import io
import json
import struct
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import zstandard
from PIL import Image

from exgs.scene import SH_C0, Gaussians, write_scene

PLY_TYPES = {"f4": "float", "f8": "double", "u1": "uchar", "i2": "short", "u4": "uint"}
TINY = 7


@pytest.fixture(scope="session")
def loaders(referee: Path) -> ModuleType:
    """The referee's loaders of scenes."""
    spec = importlib.util.spec_from_file_location("referee_scenes", referee / "scenes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


def scene(count: int = TINY, sh_degree: int = 3, seed: int = 0) -> Gaussians:
    """Random Gaussians whose values lie within the ranges of all formats."""
    rng = np.random.default_rng(seed)
    higher = (0, 3, 8, 15)[sh_degree]
    quats = rng.normal(size=(count, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    return Gaussians(
        means=rng.uniform(-3, 3, (count, 3)).astype(np.float32),
        quats=quats.astype(np.float32),
        log_scales=rng.uniform(-8, 1, (count, 3)).astype(np.float32),
        opacity_logits=rng.uniform(-4, 4, count).astype(np.float32),
        sh0=rng.uniform(-1.5, 1.5, (count, 1, 3)).astype(np.float32),
        shN=rng.uniform(-0.9, 0.9, (count, higher, 3)).astype(np.float32),
    )


def ply_bytes(encoding: str, elements: dict[str, np.ndarray]) -> bytes:
    """A PLY file of structured arrays."""
    lines = ["ply", f"format {encoding} 1.0", "comment made by a test"]
    body = b""
    for name, records in elements.items():
        lines.append(f"element {name} {len(records)}")
        names = records.dtype.names or ()
        lines += [f"property {PLY_TYPES[records.dtype[key].str[1:]]} {key}" for key in names]
        if encoding == "ascii":
            body += b"".join(
                " ".join(str(value) for value in row).encode() + b"\n" for row in records.tolist()
            )
        else:
            order = "<" if encoding == "binary_little_endian" else ">"
            body += records.astype(records.dtype.newbyteorder(order)).tobytes()
    return "\n".join([*lines, "end_header\n"]).encode() + body


def inria_records(gaussians: Gaussians) -> np.ndarray:
    """Records as the INRIA code writes them, without normals."""
    columns: dict[str, np.ndarray] = dict(zip("xyz", gaussians.means.T, strict=True))
    columns |= {f"f_dc_{index}": gaussians.sh0[:, 0, index] for index in range(3)}
    rest = np.transpose(gaussians.shN, (0, 2, 1)).reshape(len(gaussians), -1)
    columns |= {f"f_rest_{index}": rest[:, index] for index in range(rest.shape[1])}
    columns["opacity"] = gaussians.opacity_logits
    columns |= {f"scale_{index}": gaussians.log_scales[:, index] for index in range(3)}
    columns |= {f"rot_{index}": gaussians.quats[:, index] for index in range(4)}
    return records(columns)


def records(columns: dict[str, np.ndarray]) -> np.ndarray:
    table = np.empty(
        len(next(iter(columns.values()))), [(name, column.dtype) for name, column in columns.items()]
    )
    for name, column in columns.items():
        table[name] = column
    return table


def compressed_elements(gaussians: Gaussians, *, color_bounds: bool = True) -> dict[str, np.ndarray]:
    """The elements of a compressed PLY."""
    count, chunks = len(gaussians), -(-len(gaussians) // 256)
    colors = gaussians.sh0[:, 0] * SH_C0 + 0.5
    bounds: dict[str, np.ndarray] = {}
    places = []
    for prefix, values, letters in (
        ("", gaussians.means, "xyz"),
        ("scale_", gaussians.log_scales, "xyz"),
        ("", colors, "rgb"),
    ):
        parts = [values[256 * chunk : 256 * (chunk + 1)] for chunk in range(chunks)]
        low, high = np.array([part.min(0) for part in parts]), np.array([part.max(0) for part in parts])
        if letters == "rgb" and not color_bounds:
            low, high = np.zeros_like(low), np.ones_like(high)
        else:
            bounds |= {f"min_{prefix}{letter}": low[:, axis] for axis, letter in enumerate(letters)}
            bounds |= {f"max_{prefix}{letter}": high[:, axis] for axis, letter in enumerate(letters)}
        of = np.arange(count) // 256
        places.append(np.clip((values - low[of]) / np.maximum(high[of] - low[of], 1e-9), 0, 1))
    alphas = 1 / (1 + np.exp(-gaussians.opacity_logits))
    largest, small = smallest_three(gaussians.quats)
    rotation = np.c_[np.zeros(count), small / np.sqrt(2) + 0.5]
    vertices = {
        "packed_position": pack(places[0], (11, 10, 11)),
        "packed_rotation": pack(rotation, (2, 10, 10, 10)) | largest << 30,
        "packed_scale": pack(places[1], (11, 10, 11)),
        "packed_color": pack(np.c_[places[2], alphas], (8, 8, 8, 8)),
    }
    elements = {"chunk": records(bounds), "vertex": records(vertices)}
    if gaussians.sh_degree:
        rest = np.transpose(gaussians.shN, (0, 2, 1)).reshape(count, -1)
        symbols = np.clip((rest / 8 + 0.5) * 256, 0, 255).astype(np.uint8)
        elements["sh"] = records({f"f_rest_{index}": column for index, column in enumerate(symbols.T)})
    return elements


def pack(places: np.ndarray, widths: tuple[int, ...]) -> np.ndarray:
    """[n] uint32 of columns in [0, 1], the first in the highest bits."""
    packed = np.zeros(len(places), np.uint32)
    for column, width in zip(places.T, widths, strict=True):
        packed = packed << np.uint32(width) | np.round(column * ((1 << width) - 1)).astype(np.uint32)
    return packed


def smallest_three(quats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the largest component, and [n,3] the others where it is positive."""
    largest = np.abs(quats).argmax(axis=1)
    signed = quats * np.sign(quats[np.arange(len(quats)), largest])[:, None]
    others = np.array([np.delete(row, index) for row, index in zip(signed, largest, strict=True)])
    return largest.astype(np.uint32), others


def spz_sections(gaussians: Gaussians, version: int) -> list[bytes]:
    """The six attributes, means with 12 fractional bits."""
    fixed = np.round(gaussians.means * 4096).astype(int) & 0xFFFFFF
    means = b"".join(int(value).to_bytes(3, "little") for value in fixed.ravel())
    alphas = np.round(255 / (1 + np.exp(-gaussians.opacity_logits)))
    colors = np.clip(np.round((gaussians.sh0 * 0.15 + 0.5) * 255), 0, 255)
    scales = np.round((gaussians.log_scales + 10) * 16)
    xyzw = gaussians.quats[:, [1, 2, 3, 0]]
    if version == 2:
        xyz = xyzw[:, :3] * np.where(xyzw[:, 3:] < 0, -1, 1)
        rotations = np.round((xyz + 1) * 127.5).astype(np.uint8).tobytes()
    else:
        largest, small = smallest_three(xyzw)
        sizes = np.round(np.abs(small) * np.sqrt(2) * 511).astype(int) | (small < 0).astype(int) << 9
        words = [
            int(i) << 30 | int(a) << 20 | int(b) << 10 | int(c)
            for i, (a, b, c) in zip(largest, sizes, strict=True)
        ]
        rotations = struct.pack(f"<{len(words)}I", *words)
    harmonics = np.clip(np.round(gaussians.shN * 128 + 128), 0, 255)
    plain = [values.astype(np.uint8).tobytes() for values in (alphas, colors, scales, harmonics)]
    return [means, plain[0], plain[1], plain[2], rotations, plain[3]]


def spz_bytes(gaussians: Gaussians, version: int) -> bytes:
    sections = spz_sections(gaussians, version)
    streams = sections if gaussians.sh_degree else sections[:5]
    last = len(streams) if version == 4 else 0
    head = struct.pack("<IIIBBBB", 0x5053474E, version, len(gaussians), gaussians.sh_degree, 12, 0, last)
    if version < 4:
        return gzip.compress(head + b"".join(sections), mtime=0)
    packed = [zstandard.ZstdCompressor().compress(stream) for stream in streams]
    table = b"".join(struct.pack("<QQ", len(a), len(b)) for a, b in zip(packed, streams, strict=True))
    return head + struct.pack("<I12x", 32) + table + b"".join(packed)


def splat_bytes(gaussians: Gaussians) -> bytes:
    colors = np.clip(np.round((gaussians.sh0[:, 0] * SH_C0 + 0.5) * 255), 0, 255).astype(np.uint8)
    alphas = np.round(255 / (1 + np.exp(-gaussians.opacity_logits))).astype(np.uint8)
    quats = np.clip(np.round(gaussians.quats * 128 + 128), 0, 255).astype(np.uint8)
    floats = np.c_[gaussians.means, np.exp(gaussians.log_scales)].astype("<f4")
    return np.c_[floats.view(np.uint8), colors, alphas, quats].tobytes()


def picture(pixels: np.ndarray, *, kind: str = "WEBP") -> bytes:
    """Pixels [n,3 or 4] uint8 as a lossless picture four pixels wide; [H,W,C] as it is."""
    if pixels.ndim == 2:
        rows = -(-len(pixels) // 4)
        pixels = np.resize(pixels, (4 * rows, pixels.shape[1])).reshape(rows, 4, -1)
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    file = io.BytesIO()
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    Image.fromarray(np.ascontiguousarray(pixels), "RGBA" if pixels.shape[2] == 4 else None).save(
        file, kind, **options
    )
    return file.getvalue()


def sog_files(gaussians: Gaussians, version: int) -> dict[str, bytes]:
    """meta.json and pictures; of the 64 palette entries the first are used, one per Gaussian."""
    count = len(gaussians)
    places = np.sign(gaussians.means) * np.log1p(np.abs(gaussians.means))
    low, high = places.min(0).astype(float), places.max(0).astype(float)
    steps = np.round((places - low) / (high - low) * 65535).astype(np.uint16)
    largest, small = smallest_three(gaussians.quats)
    quats = np.c_[np.round((small * np.sqrt(2) + 1) / 2 * 255), largest + 252]
    files = {"means_l": steps & 255, "means_u": steps >> 8, "quats": quats}
    meta: dict = {
        "means": {"mins": low.tolist(), "maxs": high.tolist(), "files": ["means_l.webp", "means_u.webp"]}
    }
    meta["quats"] = {"files": ["quats.webp"]}
    book = np.linspace(-8, 2, 256)
    values = np.c_[gaussians.sh0[:, 0], gaussians.opacity_logits]
    if version == 2:
        meta |= {"version": 2, "count": count}
        meta["scales"] = {"codebook": book.tolist(), "files": ["scales.webp"]}
        meta["sh0"] = {"codebook": book.tolist(), "files": ["sh0.webp"]}
        files["scales"] = np.abs(gaussians.log_scales[..., None] - book).argmin(-1)
        colors = np.abs(gaussians.sh0[:, 0, :, None] - book).argmin(-1)
        files["sh0"] = np.c_[colors, np.round(255 / (1 + np.exp(-gaussians.opacity_logits)))]
    else:
        meta["means"]["shape"] = [count, 3]
        for name, table in (("scales", gaussians.log_scales), ("sh0", values)):
            least, most = table.min(0).astype(float), table.max(0).astype(float)
            meta[name] = {"mins": least.tolist(), "maxs": most.tolist(), "files": [f"{name}.webp"]}
            files[name] = np.round((table - least) / (most - least) * 255)
    encoded = {f"{name}.webp": picture(pixels.astype(np.uint8)) for name, pixels in files.items()}
    if gaussians.sh_degree:
        meta["shN"], more = sog_harmonics(gaussians, version)
        encoded |= more
    return {"meta.json": json.dumps(meta).encode(), **encoded}


def sog_harmonics(gaussians: Gaussians, version: int) -> tuple[dict, dict[str, bytes]]:
    count, higher = gaussians.shN.shape[:2]
    symbols = np.zeros((1, 64, higher, 3), np.uint8)
    symbols[0, :count] = np.round((gaussians.shN + 1) / 2 * 255)
    labels = np.c_[np.arange(count), np.zeros(count), np.zeros(count)].astype(np.uint8)
    meta: dict = {"files": ["shN_centroids.webp", "shN_labels.webp"]}
    if version == 2:
        book = (np.arange(256) / 255 * 2 - 1).tolist()
        meta |= {"count": count, "bands": gaussians.sh_degree, "codebook": book}
    else:
        meta |= {"mins": -1.0, "maxs": 1.0}
    centroids = picture(symbols.reshape(1, 64 * higher, 3))
    return meta, {"shN_centroids.webp": centroids, "shN_labels.webp": picture(labels)}


def zip_bytes(files: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


def streamed_files(levels: list[list[Gaussians]]) -> dict[str, bytes]:
    """A streamed SOG scene; levels[l] are the parts of level l. The names say nothing of the levels."""
    files, names, lods = {}, [], []
    for level, parts in enumerate(levels):
        for part in parts:
            names.append(f"part{len(names)}/meta.json")
            lods.append({"lods": {str(level): {"file": len(names) - 1, "offset": 0, "count": len(part)}}})
            files |= {f"part{len(names) - 1}/{name}": data for name, data in sog_files(part, 2).items()}
    document = {"version": 1, "lodLevels": len(levels), "filenames": names, "tree": {"children": lods}}
    return {"lod-meta.json": json.dumps(document).encode(), **files}


class Workshop:
    """Makes files in a folder of its own."""

    scene = staticmethod(scene)
    ply_bytes = staticmethod(ply_bytes)
    inria_records = staticmethod(inria_records)
    records = staticmethod(records)
    compressed_elements = staticmethod(compressed_elements)
    spz_sections = staticmethod(spz_sections)
    spz_bytes = staticmethod(spz_bytes)
    splat_bytes = staticmethod(splat_bytes)
    picture = staticmethod(picture)
    sog_files = staticmethod(sog_files)
    zip_bytes = staticmethod(zip_bytes)
    write_folder = staticmethod(write_folder)
    streamed_files = staticmethod(streamed_files)
    kinds = ("ply", "big-endian", "ascii", "compressed", "spz2", "spz3", "spz4", "splat", "sog1", "sog2")

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def make(self, kind: str, gaussians: Gaussians) -> Path:
        """A file of ``kind`` with ``gaussians``."""
        match kind:
            case "ply":
                write_scene(self.folder / "tiny.ply", gaussians)
                return self.folder / "tiny.ply"
            case "big-endian" | "ascii":
                encoding = "ascii" if kind == "ascii" else "binary_big_endian"
                return self.file(f"{kind}.ply", ply_bytes(encoding, {"vertex": inria_records(gaussians)}))
            case "compressed":
                data = ply_bytes("binary_little_endian", compressed_elements(gaussians))
                return self.file("tiny.compressed.ply", data)
            case "spz2" | "spz3" | "spz4":
                return self.file(f"{kind}.spz", spz_bytes(gaussians, int(kind[3:])))
            case "splat":
                return self.file("tiny.splat", splat_bytes(gaussians))
            case "sog1" | "sog2":
                return self.file(f"{kind}.sog", zip_bytes(sog_files(gaussians, int(kind[3:]))))
        raise ValueError(kind)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)
