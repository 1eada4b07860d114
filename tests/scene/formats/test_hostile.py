"""Broken and hostile files: SceneError, and nothing large is allocated before."""

import gzip
import json
import os
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import zstandard

from exgs.scene import Gaussians, SceneError, describe, read_scene
from exgs.scene.formats import bundle, image, ply_header, scene_file, sog_meta, spz
from exgs.scene.read import open_scene

KINDS = ("ply", "big-endian", "ascii", "compressed", "spz2", "spz3", "spz4", "splat", "sog1", "sog2")
MODEST_BYTES = 4 << 20
"""More than this is a large allocation."""


def accepts_or_refuses(path: Path) -> Gaussians | None:
    """What is read, or None where a SceneError names the file; anything else fails the test."""
    try:
        gaussians = read_scene(path)
    except SceneError as error:
        assert path.name in str(error) and len(str(error)) < 600
        return None
    assert len(gaussians) < 10_000
    return gaussians


@contextmanager
def modest_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MODEST_BYTES
    finally:
        tracemalloc.stop()


def refuses(path: Path | str, *words: str) -> None:
    """A SceneError with these words, and little memory used."""
    with modest_memory(), pytest.raises(SceneError) as caught:
        read_scene(path)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_anywhere(kind: str, workshop) -> None:
    path = workshop.make(kind, workshop.scene(5, 0 if kind.startswith("sog") else 1))
    data = path.read_bytes()
    lengths = {*range(0, len(data), max(1, len(data) // 250)), *range(len(data) - 12, len(data))}
    for length in sorted(lengths):
        path.write_bytes(data[:length])
        kept = accepts_or_refuses(path)
        # A splat file cut between records is a shorter splat file, and blank space at the end may go.
        assert kept is None or kind in ("splat", "ascii")


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits(kind: str, workshop) -> None:
    path = workshop.make(kind, workshop.scene(5, 1))
    data = path.read_bytes()
    rng = np.random.default_rng(1)
    outcomes = set()
    for at in rng.choice(8 * len(data), 250, replace=False):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        path.write_bytes(flipped)
        outcomes.add(accepts_or_refuses(path) is None)
    assert True in outcomes or kind == "splat"


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_of_a_header_replaced(kind: str, workshop) -> None:
    path = workshop.make(kind, workshop.scene(5, 1))
    data = path.read_bytes()
    refused = 0
    for at in range(min(len(data), 120)):
        for value in (0x00, 0x7F, 0xFF):
            path.write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
            refused += accepts_or_refuses(path) is None
    assert refused > 0 or kind == "splat"


def test_flipped_bits_within_compressed_streams(workshop) -> None:
    """Damage that no checksum catches, because it was there before compression."""
    rng = np.random.default_rng(2)
    refused = {"spz": 0, "sog": 0}
    plain = gzip.decompress(workshop.spz_bytes(workshop.scene(5, 2), 3))
    for at in (*range(8 * 16), *rng.choice(8 * len(plain), 100)):
        flipped = bytearray(plain)
        flipped[at // 8] ^= 1 << at % 8
        path = workshop.file("flipped.spz", gzip.compress(flipped, 1))
        refused["spz"] += accepts_or_refuses(path) is None
    files = workshop.sog_files(workshop.scene(5, 1), 2)
    for name in files:
        for at in rng.choice(8 * min(len(files[name]), 200), 60):
            flipped = bytearray(files[name])
            flipped[at // 8] ^= 1 << at % 8
            path = workshop.file("flipped.sog", workshop.zip_bytes(files | {name: bytes(flipped)}))
            refused["sog"] += accepts_or_refuses(path) is None
    assert all(refused.values())


# Files that are none.


def test_what_is_no_file(workshop, tmp_path: Path) -> None:
    refuses(tmp_path / "missing.ply", "missing.ply", "No such file")
    refuses(tmp_path, str(tmp_path), "exgs reconstruct")
    (tmp_path / "folder.ply").mkdir()
    refuses(tmp_path / "folder.ply", "a folder without")
    refuses("a\0b.ply", "not a file name")
    os.mkfifo(tmp_path / "pipe.ply")
    refuses(tmp_path / "pipe.ply", "not a regular file")
    for name in ("empty.ply", "empty.spz", "empty.sog", "empty.splat", "lod-meta.json"):
        refuses(workshop.file(name, b""), "empty")


def test_unreadable_file(workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workshop.make("ply", workshop.scene(3, 0))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    refuses(path, "tiny.ply", "Permission denied")


def test_content_that_belies_the_name(workshop) -> None:
    scene = workshop.scene(3, 0)
    data = {
        kind: workshop.make(kind, scene).read_bytes() for kind in ("ply", "spz3", "spz4", "sog2", "splat")
    }
    refuses(workshop.file("a.spz", data["ply"]), "looks like a PLY file")
    refuses(workshop.file("a.ply", data["spz3"]), "looks like a gzip stream")
    refuses(workshop.file("a.sog", data["spz4"]), "looks like an SPZ v4 file")
    refuses(workshop.file("a.splat", data["sog2"]), "looks like a zip archive")
    refuses(workshop.file("a.ply", data["splat"]), "looks like nothing known")
    refuses(workshop.file("a.obj", data["ply"]), "no scene format has this name", "PLY", "readable")
    refuses(workshop.file("a.json", b"{}"), "no scene format has this name", "JSON")
    refuses(workshop.file("a.glb", b"glTF" + bytes(40)), "glTF")


def test_levels_where_there_are_none(workshop) -> None:
    path = workshop.make("ply", workshop.scene(3, 0))
    refuses(f"{path}@1", "levels are chosen in streamed SOG scenes")
    folder = workshop.write_folder(
        workshop.folder / "lods", workshop.streamed_files([[workshop.scene(3, 0)]])
    )
    refuses(f"{folder}@1", "level 1", "0 to 0")


# Counts and sizes that cannot be.


@pytest.mark.parametrize("kind", KINDS)
def test_more_gaussians_than_allowed(kind: str, workshop) -> None:
    path = workshop.make(kind, workshop.scene(9, 0))
    with pytest.raises(SceneError, match="9"):
        read_scene(path, max_gaussians=8)
    assert len(read_scene(path, max_gaussians=9)) == 9


@pytest.mark.parametrize("count", ["-1", "1e9", "999999999999", "9" * 40, "", "0x10", "nan", "60000000"])
@pytest.mark.parametrize("kind", ["ply", "ascii", "compressed"])
def test_ply_counts(kind: str, count: str, workshop) -> None:
    path = workshop.make(kind, workshop.scene(5, 1))
    data = path.read_bytes().replace(b"element vertex 5\n", f"element vertex {count}\n".encode())
    refuses(workshop.file(path.name, data), path.name)


def header(workshop, *lines: str) -> Path:
    return workshop.file("bad.ply", "\n".join(["ply", *lines]).encode())


def test_ply_headers(workshop) -> None:
    fmt = "format binary_little_endian 1.0"
    refuses(header(workshop, fmt, "element vertex 1", "property float x"), "no end_header")
    refuses(header(workshop, "format binary_middle_endian 1.0", "end_header", ""), "line 2", "middle")
    refuses(header(workshop, "format ascii 2.0", "end_header", ""), "line 2")
    refuses(header(workshop, fmt, "element face 1", "end_header", ""), "no element vertex")
    refuses(header(workshop, fmt, "property float x", "end_header", ""), "line 3")
    refuses(header(workshop, fmt, "element vertex 1", "property quaternion x", "end_header", ""), "line 4")
    refuses(header(workshop, fmt, "element vertex 1", "element vertex 1", "end_header", ""), "twice")
    double = ["property float x", "property float x"]
    refuses(header(workshop, fmt, "element vertex 1", *double, "end_header", ""), "line 5", "twice")
    refuses(header(workshop, fmt, "comment \u00e9", "end_header", ""), "ASCII")
    refuses(
        workshop.file("bad.ply", b"ply\n" + b"comment x\n" * ply_header.MAX_HEADER_BYTES), "no end_header"
    )


def test_ply_that_is_no_scene_of_gaussians(workshop) -> None:
    table = workshop.inria_records(workshop.scene(4, 1))

    def without(*names: str) -> Path:
        kept = [name for name in table.dtype.names if name not in names]
        elements = {"vertex": workshop.records({name: table[name] for name in kept})}
        return workshop.file("odd.ply", workshop.ply_bytes("binary_little_endian", elements))

    refuses(without("scale_2"), "two scales")
    refuses(without("f_dc_1"), "no property f_dc_1", "not a scene of Gaussians")
    refuses(without("f_rest_3"), "not numbered")
    refuses(without("f_rest_8"), "8 f_rest")


def test_compressed_ply_elements_that_disagree(workshop) -> None:
    good = workshop.compressed_elements(workshop.scene(300, 1))

    def changed(**elements: np.ndarray) -> Path:
        return workshop.file(
            "bad.compressed.ply", workshop.ply_bytes("binary_little_endian", good | elements)
        )

    refuses(changed(chunk=good["chunk"][:1]), "1 chunks of 256 for 300 vertices")
    refuses(changed(sh=good["sh"][:299]), "299 records")
    refuses(changed(sh=good["sh"][["f_rest_0", "f_rest_1"]].copy()), "2 coefficients")
    refuses(changed(chunk=good["chunk"][["min_x"]].copy()), "no property float min_y")
    floats = {name: good["vertex"][name].astype("f4") for name in good["vertex"].dtype.names}
    refuses(changed(vertex=workshop.records(floats)), "no property uint packed_position")
    only = {"vertex": good["vertex"]}
    path = workshop.file("bad.compressed.ply", workshop.ply_bytes("binary_little_endian", only))
    refuses(path, "no element chunk")
    path = workshop.file("bad.compressed.ply", workshop.ply_bytes("ascii", good))
    refuses(path, "as text")


def test_splat_of_broken_records(workshop) -> None:
    refuses(workshop.file("bad.splat", bytes(33)), "multiple of 32")


def spz_header(**changes: int) -> bytes:
    fields = {"magic": spz.MAGIC, "version": 3, "count": 4, "degree": 0, "bits": 12, "flags": 0, "streams": 0}
    return spz.HEADER.pack(*(fields | changes).values())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"magic": 1}, "magic"),
        ({"version": 1}, "version 1"),
        ({"version": 4}, "version 4"),
        ({"version": 77}, "version 77"),
        ({"degree": 4}, "SH degree 4"),
        ({"bits": 255}, "255 fractional bits"),
        ({"count": 0xFFFFFFFF}, "4294967295"),
        ({"count": scene_file.MAX_GAUSSIANS}, "cannot come from"),
        ({"count": 5}, "the file ends after 0 of 5 bytes"),
    ],
)
def test_spz_headers(changes: dict[str, int], words: str, workshop) -> None:
    data = spz_header(**changes) + bytes(5 * 9)
    refuses(workshop.file("bad.spz", gzip.compress(data)), "bad.spz", words)


def test_spz_bombs(workshop) -> None:
    count = scene_file.SMALL_COUNT
    bomb = gzip.compress(spz_header(count=count) + bytes(100 * count), 1)
    with pytest.raises(SceneError, match="after the harmonics"):
        read_scene(workshop.file("long.spz", bomb))
    refuses(workshop.file("none.spz", gzip.compress(b"")), "0 bytes")
    refuses(
        workshop.file("crc.spz", workshop.spz_bytes(workshop.scene(4, 0), 3)[:-8] + bytes(8)), "gzip", "CRC"
    )


def spz4(
    streams: list[tuple[bytes, int]], *, toc: int = 32, declared: int | None = None, **changes: int
) -> bytes:
    """A version 4 file of packed streams and the sizes that the table claims for them."""
    head = spz_header(version=4, streams=len(streams) if declared is None else declared, **changes)
    table = b"".join(struct.pack("<QQ", len(data), size) for data, size in streams)
    return head + struct.pack("<I12x", toc) + table + b"".join(data for data, _ in streams)


def test_spz_v4_tables(workshop) -> None:
    sections = workshop.spz_sections(workshop.scene(4, 0), 4)[:5]
    compress = zstandard.ZstdCompressor().compress
    good = [(compress(section), len(section)) for section in sections]
    assert len(read_scene(workshop.file("good.spz", spz4(good)))) == 4

    def bad(data: bytes, *words: str) -> None:
        refuses(workshop.file("bad.spz", data), "bad.spz", *words)

    bad(spz4(good, declared=255), "255 streams")
    bad(spz4(good, declared=0), "0 streams")
    bad(spz4(good, toc=8), "byte 8")
    bad(spz4(good, toc=0xFFFFFF00), "table of contents", "ends")
    bad(spz4([(good[0][0], 1 << 60), *good[1:]]), "means", "expected 36")
    bad(spz4([*good[:4], (b"", 16)]), "rotations")
    bad(spz4([(b"garbage", 36), *good[1:]]), "means")
    bad(spz4([(compress(bytes(35)), 36), *good[1:]]), "means", "35 of 36")
    bad(spz4(good).replace(struct.pack("<Q", len(good[0][0])), struct.pack("<Q", 1 << 62), 1), "the file has")


def test_spz_v4_stream_that_is_a_bomb(workshop) -> None:
    compress = zstandard.ZstdCompressor().compress
    sections = workshop.spz_sections(workshop.scene(4, 0), 4)[:5]
    streams = [(compress(section), len(section)) for section in sections]
    streams[1] = (compress(bytes(64 << 20)), 4)
    refuses(workshop.file("bomb.spz", spz4(streams)), "opacities", "longer than 4 bytes")


# SOG.


def changed_meta(workshop, version: int, change: Callable[[dict], object], degree: int = 1) -> Path:
    files = workshop.sog_files(workshop.scene(5, degree), version)
    meta = json.loads(files["meta.json"])
    change(meta)
    return workshop.file("bad.sog", workshop.zip_bytes(files | {"meta.json": json.dumps(meta).encode()}))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda meta: meta.update(version=3), "version"),
        (lambda meta: meta.update(version="two"), "version"),
        (lambda meta: meta.update(count=-1), "count"),
        (lambda meta: meta.update(count=1 << 40), "count"),
        (lambda meta: meta.update(count=1 << 26), "cannot come from"),
        (lambda meta: meta.update(count=60_000), "expected about 60000 pixels"),
        (lambda meta: meta.update(count=2.5), "count"),
        (lambda meta: meta.update(count=None), "count"),
        (lambda meta: meta.update(count=True), "count"),
        (lambda meta: meta.update(count={}), "count"),
        (lambda meta: meta.pop("means"), "means"),
        (lambda meta: meta.update(means=[]), "means"),
        (lambda meta: meta["means"].update(mins=[0, 0]), "mins"),
        (lambda meta: meta["means"].update(mins=[0, 0, "0"]), "mins"),
        (lambda meta: meta["means"].update(mins=[0, 0, float("nan")]), "finite"),
        (lambda meta: meta["means"].update(maxs=[0, 0, float("inf")]), "finite"),
        (lambda meta: meta["means"].update(maxs=[0, 0, 10**400]), "maxs"),
        (lambda meta: meta["means"].update(maxs=[0, 0, 1e300]), "finite"),
        (lambda meta: meta["quats"].update(files=["a" * 600]), "no file name within"),
        (lambda meta: meta["means"].update(maxs=7), "maxs"),
        (lambda meta: meta["means"].update(files=["means_l.webp"]), "2 file names"),
        (lambda meta: meta["means"].update(files=[1, 2]), "2 file names"),
        (lambda meta: meta["quats"].update(files=["../quats.webp"]), "no file name within"),
        (lambda meta: meta["quats"].update(files=["/etc/passwd"]), "no file name within"),
        (lambda meta: meta["quats"].update(files=[".."]), "no file name within"),
        (lambda meta: meta["quats"].update(files=["c:\\quats.webp"]), "no file name within"),
        (lambda meta: meta["quats"].update(files=["a\0"]), "no file name within"),
        (lambda meta: meta["quats"].update(files=["missing.webp"]), "no such file"),
        (lambda meta: meta["quats"].update(files=["meta.json"]), "neither WebP nor PNG"),
        (lambda meta: meta["scales"].update(codebook=[1.0] * 255), "255 numbers"),
        (lambda meta: meta["scales"].update(codebook=[1.0] * 300), "at most 256"),
        (lambda meta: meta["scales"].update(codebook=None), "codebook"),
        (lambda meta: meta["shN"].update(bands=4), "bands"),
        (lambda meta: meta["shN"].update(bands=2), "pixels wide"),
        (lambda meta: meta["shN"].update(count=0), "count"),
        (lambda meta: meta["shN"].update(count=1 << 20), "count"),
    ],
)
def test_sog_meta(change: Callable[[dict], object], word: str, workshop) -> None:
    refuses(changed_meta(workshop, 2, change), "bad.sog", word)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda meta: meta["means"].update(shape=[]), "shape"),
        (lambda meta: meta["means"].update(shape=[1 << 50, 3]), "shape"),
        (lambda meta: meta["scales"].update(mins=[0, 0]), "mins"),
        (lambda meta: meta["sh0"].update(maxs=[0, 0, 0]), "maxs"),
        (lambda meta: meta["shN"].update(mins=[0]), "mins"),
        (lambda meta: meta["shN"].update(files=["sh0.webp", "shN_labels.webp"]), "pixels wide"),
        (lambda meta: meta["shN"].update(files=["shN_centroids.webp", "sh0.webp"]), "label"),
    ],
)
def test_sog_v1_meta(change: Callable[[dict], object], word: str, workshop) -> None:
    refuses(changed_meta(workshop, 1, change), "bad.sog", word)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nothing",
        b"[]",
        b"\xff\xfe",
        b'{"count": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_json_of_the_wrong_shape(text: bytes, workshop) -> None:
    files = workshop.sog_files(workshop.scene(5, 0), 2)
    refuses(workshop.file("bad.sog", workshop.zip_bytes(files | {"meta.json": text})), "bad.sog", "meta.json")
    (workshop.folder / "lods").mkdir()
    refuses(workshop.file("lods/lod-meta.json", text), "lod-meta.json")


def test_quaternion_mode_that_is_none(workshop) -> None:
    files = workshop.sog_files(workshop.scene(5, 0), 2)
    files["quats.webp"] = workshop.picture(np.full((5, 4), 200, np.uint8))
    refuses(workshop.file("bad.sog", workshop.zip_bytes(files)), "quats.webp", "pixel 0 has alpha 200")


def vp8l_header(width: int, height: int) -> bytes:
    return struct.pack("<I", width - 1 | height - 1 << 14)


def test_pictures(workshop) -> None:
    files = workshop.sog_files(workshop.scene(5, 0), 2)
    good = files["scales.webp"]
    at = good.index(b"VP8L") + 9

    def bad(data: bytes, *words: str) -> None:
        refuses(
            workshop.file("bad.sog", workshop.zip_bytes(files | {"scales.webp": data})), "scales.webp", *words
        )

    bad(good[:at] + vp8l_header(16383, 16383) + good[at + 4 :], "16383 x 16383")
    bad(good[:at] + vp8l_header(4, 1) + good[at + 4 :], "4 x 1")
    bad(good[:at] + vp8l_header(900, 900) + good[at + 4 :], "broken picture")
    bad(good[:-20], "broken picture")
    bad(good.replace(b"VP8L", b"VP8 "), "lossy")
    bad(good.replace(b"VP8L", b"VP8K"), "sound lossless picture")
    canvas = b"VP8X" + struct.pack("<II", 10, 0) + (8191).to_bytes(3, "little") * 2
    bad(b"RIFF" + struct.pack("<I", 1000) + b"WEBP" + canvas + good[12:], "sound lossless picture")
    animated = canvas.replace(struct.pack("<II", 10, 0), struct.pack("<II", 10, 2))
    bad(b"RIFF" + struct.pack("<I", 1000) + b"WEBP" + animated + good[12:], "animated")
    bad(b"RIFF" + struct.pack("<I", 1000) + b"WEBP" + b"JUNK\0\0\0\0" * 100, "sound lossless picture")
    bad(b"GIF89a", "neither WebP nor PNG")


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_png_pictures(workshop) -> None:
    source = workshop.scene(5, 0)
    files = workshop.sog_files(source, 2)
    pixels = np.random.default_rng(0).integers(0, 255, (5, 4)).astype(np.uint8)
    files["scales.webp"] = workshop.picture(pixels, kind="PNG")
    back = read_scene(workshop.file("png.sog", workshop.zip_bytes(files)))
    book = json.loads(files["meta.json"])["scales"]["codebook"]
    np.testing.assert_array_equal(back.log_scales, np.float32(book)[pixels[:, :3]])

    def bad(data: bytes, *words: str) -> None:
        refuses(
            workshop.file("bad.sog", workshop.zip_bytes(files | {"scales.webp": data})), "scales.webp", *words
        )

    start = b"\x89PNG\r\n\x1a\n"
    bomb = zlib.compress(bytes(1 << 20))
    bad(
        start
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 6, 0, 0, 0))
        + png_chunk(b"IDAT", bomb),
        "60000",
    )
    bad(start + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 2, 16, 6, 0, 0, 0)), "16 bits")
    bad(start + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 2, 8, 3, 0, 0, 0)), "colour type 3")
    bad(start + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 2, 8, 6, 0, 0, 0)), "broken picture")
    bad(start, "without a header")


def test_codebook_that_starts_with_null(workshop) -> None:
    path = changed_meta(workshop, 2, lambda meta: meta["scales"]["codebook"].__setitem__(0, None))
    assert np.isfinite(read_scene(path).log_scales).all()


# Archives.


def test_zip_bombs(workshop) -> None:
    files = workshop.sog_files(workshop.scene(5, 0), 2)
    space = b" " * (32 << 20)
    data = workshop.zip_bytes(files | {"meta.json": space}, method=zipfile.ZIP_DEFLATED)
    refuses(workshop.file("bomb.sog", data), "meta.json", f"expected at most {sog_meta.MAX_META_BYTES}")
    data = workshop.zip_bytes(files | {"scales.webp": space}, method=zipfile.ZIP_DEFLATED)
    refuses(workshop.file("bomb.sog", data), "scales.webp", str(image.SPARE_PIXELS)[:3])


def test_zip_entry_that_lies_about_its_size(workshop) -> None:
    files = workshop.sog_files(workshop.scene(5, 0), 2)
    data = workshop.zip_bytes(
        {"meta.json": files["meta.json"] + b" " * (32 << 20)}, method=zipfile.ZIP_DEFLATED
    )
    true = struct.pack("<I", len(files["meta.json"]) + (32 << 20))
    refuses(workshop.file("lie.sog", data.replace(true, struct.pack("<I", 4096))), "meta.json")


def test_zip_archives(workshop) -> None:
    files = workshop.sog_files(workshop.scene(5, 0), 2)
    assert (
        len(read_scene(workshop.file("a.sog", workshop.zip_bytes(files, method=zipfile.ZIP_DEFLATED)))) == 5
    )
    nested = {f"folder/{name}": data for name, data in files.items()}
    assert len(read_scene(workshop.file("a.sog", workshop.zip_bytes(nested)))) == 5
    refuses(workshop.file("bad.sog", workshop.zip_bytes({"other.txt": b"x"})), "without meta.json")
    packed = workshop.zip_bytes(files, method=zipfile.ZIP_BZIP2)
    refuses(workshop.file("bad.sog", packed), "compression method 12")
    many = {f"{index}.webp": b"" for index in range(bundle.MAX_ZIP_ENTRIES + 1)}
    refuses(workshop.file("bad.sog", workshop.zip_bytes(files | many)), "too large")
    good = workshop.zip_bytes(files)
    end = good.rindex(b"PK\x05\x06")
    refuses(workshop.file("bad.sog", good[:end]), "cut off")
    refuses(workshop.file("bad.sog", good[:end] + b"PK\x06\x07" + bytes(16) + good[end:]), "zip64")
    refuses(workshop.file("bad.sog", good.replace(b"means_l.webp", b"means_X.webp", 1)), "broken zip entry")
    stored = good.index(files["quats.webp"]) + 30
    refuses(workshop.file("bad.sog", good[:stored] + b"\0\0\0\0" + good[stored + 4 :]), "quats.webp", "CRC")


# Streamed SOG.


def changed_lods(workshop, change: Callable[[dict], object]) -> Path:
    files = workshop.streamed_files(
        [[workshop.scene(5, 1), workshop.scene(3, 0, 1)], [workshop.scene(2, 0, 2)]]
    )
    document = json.loads(files["lod-meta.json"])
    change(document)
    return workshop.write_folder(
        workshop.folder / "lods", files | {"lod-meta.json": json.dumps(document).encode()}
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda meta: meta.update(version=2), "version"),
        (lambda meta: meta.update(lodLevels=0), "lodLevels"),
        (lambda meta: meta.update(lodLevels=10**9), "lodLevels"),
        (lambda meta: meta.update(filenames="meta.json"), "filenames"),
        (lambda meta: meta.update(filenames=[]), "filenames"),
        (lambda meta: meta.update(filenames=["part0/meta.json"] * 3), "twice"),
        (
            lambda meta: meta.update(filenames=["../meta.json", "part1/meta.json", "part2/meta.json"]),
            "within",
        ),
        (lambda meta: meta.update(filenames=["a/../../meta.json", "x/meta.json", "y/meta.json"]), "within"),
        (lambda meta: meta.update(filenames=["/etc/meta.json", "x/meta.json", "y/meta.json"]), "within"),
        (
            lambda meta: meta.update(filenames=["part0/x.json", "part1/meta.json", "part2/meta.json"]),
            "end in",
        ),
        (
            lambda meta: meta.update(filenames=["gone/meta.json", "part1/meta.json", "part2/meta.json"]),
            "missing",
        ),
        (lambda meta: meta.pop("tree"), "tree"),
        (lambda meta: meta["tree"].update(children=7), "children"),
        (lambda meta: meta["tree"].update(children=[7]), "object"),
        (lambda meta: meta["tree"].update(lods={"x": {"file": 0, "count": 1}}), "level 'x'"),
        (lambda meta: meta["tree"].update(lods={"2": {"file": 0, "count": 1}}), "level '2'"),
        (lambda meta: meta["tree"].update(lods={"0": {"file": 3, "count": 1}}), "file"),
        (lambda meta: meta["tree"].update(lods={"0": {"file": -1, "count": 1}}), "file"),
        (lambda meta: meta["tree"].update(lods={"0": {"file": 0, "count": -5}}), "count"),
        (lambda meta: meta["tree"].update(lods={"0": 0}), "object"),
    ],
)
def test_lod_meta(change: Callable[[dict], object], word: str, workshop) -> None:
    refuses(changed_lods(workshop, change), "lods", word)


def test_levels_of_a_streamed_scene(workshop) -> None:
    folder = changed_lods(workshop, lambda meta: None)
    finest = read_scene(folder)
    assert (len(finest), finest.sh_degree) == (8, 1)
    assert not finest.shN[5:].any() and finest.shN[:5].any()
    assert len(read_scene(f"{folder}/lod-meta.json@1")) == 2
    assert describe(folder, scan=False).level_counts == (8, 2)
    with pytest.raises(SceneError, match="level 0: 8 Gaussians"):
        read_scene(folder, max_gaussians=7)
    (folder / "part0" / "sh0.webp").unlink()
    assert len(read_scene(f"{folder}@1")) == 2
    refuses(folder, "sh0.webp", "missing")


def test_parts_that_together_are_a_bomb(workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_file, "SMALL_COUNT", 6)
    monkeypatch.setattr(scene_file, "MAX_GAUSSIANS_PER_BYTE", 0)
    refuses(changed_lods(workshop, lambda meta: None), "level 0", "8 Gaussians cannot come from")


def test_file_that_shrinks_after_it_was_opened(workshop) -> None:
    path = workshop.make("ply", workshop.scene(9, 1))
    scene = open_scene(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SceneError, match="the file ends after"):
        scene.read()
