"""COLMAP models: text and binary say the same, and hostile files are refused."""

from __future__ import annotations

import io
import shutil
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exgs.feedforward import colmap_binary, colmap_text
from exgs.feedforward.colmap import read_colmap
from exgs.feedforward.colmap_model import MODELS, STRAIGHT, Lens, pinhole
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.folders import find_model
from exgs.feedforward.span import MARGIN
from tests.feedforward.captures import (
    assert_same_cameras,
    cameras_around,
    points_around,
    write_binary,
    write_pictures,
    write_text,
)

Parse = Callable[[bytes, str], object]


def of_bytes(parse: Callable[[BinaryIO, str], object]) -> Parse:
    """What parses a stream, given bytes."""
    return lambda data, where: parse(io.BytesIO(data), where)


CAMERAS, POINTS = cameras_around(), points_around()
NAMES = [f"im {number}.png" for number in range(len(CAMERAS))]
WRITERS = [write_text, write_binary]
PARSERS: dict[str, tuple[Parse, Parse]] = {
    "cameras": (colmap_binary.parse_lenses, of_bytes(colmap_text.parse_lenses)),
    "images": (colmap_binary.parse_images, of_bytes(colmap_text.parse_images)),
    "points3D": (colmap_binary.parse_points, of_bytes(colmap_text.parse_points)),
}


def project(
    folder: Path, write: Callable[..., None] = write_text, place: str = "sparse/0", **more: object
) -> Path:
    write(folder / place, CAMERAS, POINTS, **more)
    write_pictures(folder / "images", NAMES)
    return folder


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("place", ["sparse/0", "sparse", ""])
def test_cameras_and_pictures_are_found(tmp_path: Path, write: Callable[..., None], place: str) -> None:
    found = read_colmap(project(tmp_path, write, place))
    assert_same_cameras(found.cameras, CAMERAS)
    assert [path.name for path in found.pictures] == NAMES
    assert found.frame.axes == "RDF"
    assert found.notes == ()


def test_the_models_own_folder_finds_pictures_above_it(tmp_path: Path) -> None:
    project(tmp_path)
    assert read_colmap(tmp_path / "sparse" / "0").pictures[0] == tmp_path / "images" / NAMES[0]


@pytest.mark.parametrize("write", WRITERS)
def test_near_and_far_come_from_the_points(tmp_path: Path, write: Callable[..., None]) -> None:
    found = read_colmap(project(tmp_path, write))
    depths = [(camera.camera_from_world[:3, :3] @ POINTS.T).T[:, 2] + camera.camera_from_world[2, 3]
              for camera in CAMERAS]  # fmt: skip
    np.testing.assert_allclose(
        (found.near * 1.25, found.far * MARGIN), np.percentile(np.concatenate(depths), (1, 99))
    )


def test_where_images_name_no_points_those_in_the_picture_count(tmp_path: Path) -> None:
    found = read_colmap(project(tmp_path, seen=False))
    assert 1 < found.near < 3 < found.far < 6
    assert found.notes == ()


@pytest.mark.parametrize("points", [np.zeros((0, 3)), POINTS[:1]])
def test_without_points_the_cameras_tell_and_it_is_said(tmp_path: Path, points: np.ndarray) -> None:
    write_text(tmp_path, CAMERAS, points)
    write_pictures(tmp_path / "images", NAMES)
    found = read_colmap(tmp_path)
    assert found.near < 3 < found.far
    assert "guessed" in found.notes[0]


def test_a_model_may_lack_its_points(tmp_path: Path) -> None:
    for write, kind in ((write_text, "txt"), (write_binary, "bin")):
        project(tmp_path / kind, write)
        (tmp_path / kind / "sparse" / "0" / f"points3D.{kind}").unlink()
        assert "guessed" in read_colmap(tmp_path / kind).notes[0]


def test_views_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    write_text(tmp_path / "sparse", CAMERAS, POINTS)
    path = tmp_path / "sparse" / "images.txt"
    path.write_text(path.read_text().replace("im 0.png", "z.png"))
    write_pictures(tmp_path / "images", [*NAMES[1:], "z.png"])
    assert [camera.name for camera in read_colmap(tmp_path).cameras] == [*NAMES[1:], "z.png"]


@pytest.mark.parametrize(
    ("lens", "said"),
    [
        ("SIMPLE_PINHOLE 24 16 20 12 8", None),
        ("SIMPLE_RADIAL 24 16 20 12 8 0", None),
        ("OPENCV 24 16 20 20 12 8 0 0 0 0", None),
        ("SIMPLE_RADIAL 24 16 20 12 8 0.01", "distorted .k 0.01.*image_undistorter"),
        ("OPENCV 24 16 20 20 12 8 0 0 0.1 0", "distorted .p1 0.1.*image_undistorter"),
        ("OPENCV_FISHEYE 24 16 20 20 12 8 0 0 0 0", "no pinhole.*image_undistorter"),
        ("LYTRO 24 16 20", "line 2: unknown camera model 'LYTRO'"),
        ("PINHOLE 24 16 20", "1 parameters, PINHOLE has 4"),
        ("PINHOLE 0 16 20 20 12 8", "0 x 16"),
        ("PINHOLE 99999999 16 20 20 12 8", "99999999 x 16"),
        ("PINHOLE -1 16 20 20 12 8", "whole number"),
        ("PINHOLE 24 16 nan 20 12 8", "focal"),
        ("PINHOLE 24 16 -3 20 12 8", "focal"),
    ],
)
def test_lenses_are_pinholes_or_refused(tmp_path: Path, lens: str, said: str | None) -> None:
    project(tmp_path, lens=lens)
    if said is None:
        assert read_colmap(tmp_path).cameras[0].fy == 20
        return
    with pytest.raises(FeedforwardError, match=said):
        read_colmap(tmp_path)


def test_binary_lenses_know_every_model(tmp_path: Path) -> None:
    project(tmp_path, write_binary, model=4, extra=[0.0, 0.0, 0.0, 0.25])
    with pytest.raises(FeedforwardError, match=r"OPENCV .*p2 0.25"):
        read_colmap(tmp_path)
    project(tmp_path, write_binary, model=99)
    with pytest.raises(FeedforwardError, match="unknown model 99"):
        read_colmap(tmp_path)


def test_only_pinholes_pass_without_distortion() -> None:
    for name, (_, parameters) in MODELS.items():
        lens = Lens(name, 24, 16, tuple(0.0 if p[0] in "kps" else 9.0 for p in parameters.split()))
        if name in STRAIGHT:
            assert pinhole(lens, "here") == (9.0, 9.0, 9.0, 9.0)
        else:
            with pytest.raises(FeedforwardError, match=f"{name} is no pinhole"):
                pinhole(lens, "here")


def test_missing_pictures_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    project(tmp_path)
    for name in NAMES[1:3]:
        (tmp_path / "images" / name).unlink()
    with pytest.raises(FeedforwardError, match=r"im 1\.png: there is no such picture \(2 of 5"):
        read_colmap(tmp_path)
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(FeedforwardError, match=r"images/im 0\.png.*5 of 5"):
        read_colmap(tmp_path)


@pytest.mark.parametrize("name", ["../x.png", "/etc/x.png", "a/../../x.png", "C:/x.png", "a\\..\\..\\x.png"])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    project(tmp_path)
    path = tmp_path / "sparse" / "0" / "images.txt"
    path.write_text(path.read_text().replace("im 0.png", name))
    with pytest.raises(FeedforwardError, match="not named by a path within the folder"):
        read_colmap(tmp_path)


def test_cameras_at_one_place_are_refused(tmp_path: Path) -> None:
    write_text(tmp_path, [CAMERAS[0]] * len(CAMERAS), POINTS)
    write_pictures(tmp_path / "images", NAMES)
    with pytest.raises(FeedforwardError, match="at one place"):
        read_colmap(tmp_path)


@pytest.mark.parametrize("quat", ["0 0 0 0", "2 0 0 0", "nan 0 0 0", "1e300 1e300 0 0"])
def test_a_pose_that_is_no_rotation_is_refused(tmp_path: Path, quat: str) -> None:
    project(tmp_path)
    path = tmp_path / "sparse" / "0" / "images.txt"
    lines = path.read_text().splitlines()
    words = lines[1].split()
    path.write_text("\n".join([lines[0], " ".join([words[0], quat, *words[5:]]), *lines[2:]]))
    with pytest.raises(FeedforwardError, match="no rotation"):
        read_colmap(tmp_path)


def test_too_few_views_are_refused(tmp_path: Path) -> None:
    write_text(tmp_path, CAMERAS[:1], POINTS)
    write_pictures(tmp_path / "images", NAMES)
    with pytest.raises(FeedforwardError, match="1 views, at least 2"):
        read_colmap(tmp_path)


def test_an_image_of_no_camera_and_a_name_twice_are_refused(tmp_path: Path) -> None:
    project(tmp_path)
    path = tmp_path / "sparse" / "0" / "images.txt"
    text = path.read_text()
    path.write_text(text.replace(" 1 im 2.png", " 7 im 2.png"))
    with pytest.raises(FeedforwardError, match="camera 7, which is not there"):
        read_colmap(tmp_path)
    path.write_text(text.replace("im 2.png", "im 1.png"))
    with pytest.raises(FeedforwardError, match="share a name"):
        read_colmap(tmp_path)


@pytest.mark.parametrize("place", ["sparse/0", "sparse"])
def test_pictures_above_a_named_folder_are_not_its_own(tmp_path: Path, place: str) -> None:
    project(tmp_path)
    write_text(tmp_path / "other" / place, CAMERAS, POINTS)
    with pytest.raises(FeedforwardError, match="5 of 5 are missing"):
        read_colmap(tmp_path / "other")


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path) -> None:
    assert find_model(tmp_path) is None
    with pytest.raises(FeedforwardError, match="no COLMAP model"):
        read_colmap(tmp_path)


@pytest.mark.parametrize("kind", PARSERS)
def test_every_truncation_of_a_binary_file_is_refused(tmp_path: Path, kind: str) -> None:
    write_binary(tmp_path, CAMERAS[:2], POINTS[:4])
    data = (tmp_path / f"{kind}.bin").read_bytes()
    parse = PARSERS[kind][0]
    parse(data, "here")
    for end in range(len(data)):
        with pytest.raises(FeedforwardError, match="here"):
            parse(data[:end], "here")
    with pytest.raises(FeedforwardError, match="here: 1 bytes follow"):
        parse(data + b"\0", "here")


@pytest.mark.parametrize("kind", PARSERS)
def test_every_flipped_bit_is_read_or_refused(tmp_path: Path, kind: str) -> None:
    for write, suffix, parse in zip((write_binary, write_text), ("bin", "txt"), PARSERS[kind], strict=True):
        write(tmp_path, CAMERAS[:2], POINTS[:2])
        data = bytearray((tmp_path / f"{kind}.{suffix}").read_bytes())
        refused = 0
        for bit in range(8 * len(data)):
            data[bit // 8] ^= 1 << bit % 8
            try:
                parse(bytes(data), "here")
            except FeedforwardError:
                refused += 1
            data[bit // 8] ^= 1 << bit % 8
        assert 0 < refused < 8 * len(data)


@pytest.mark.parametrize("kind", PARSERS)
@given(data=st.binary(max_size=200))
def test_noise_is_refused_or_read(kind: str, data: bytes) -> None:
    for parse in PARSERS[kind]:
        try:
            parse(data, "here")
        except FeedforwardError as error:
            assert str(error).startswith("here")


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize("count", [2**32, 2**63, 2**64 - 1])
def test_a_count_beyond_the_file_allocates_nothing(kind: str, count: int) -> None:
    with pytest.raises(FeedforwardError, match="cannot come from"):
        PARSERS[kind][0](struct.pack("<Q", count) + bytes(100), "here")


def test_counts_within_a_file_are_bounded_too(tmp_path: Path) -> None:
    write_binary(tmp_path, CAMERAS[:2], POINTS[:2])
    images = bytearray((tmp_path / "images.bin").read_bytes())
    at = images.index(b"im 0.png\0") + 9
    images[at : at + 8] = struct.pack("<Q", 2**60)
    with pytest.raises(FeedforwardError, match=f"{2**60} points of 'im 0.png' cannot come from"):
        colmap_binary.parse_images(bytes(images), "here")
    points = bytearray((tmp_path / "points3D.bin").read_bytes())
    points[8 + 43 : 8 + 51] = struct.pack("<Q", 2**61)
    with pytest.raises(FeedforwardError, match="the track of point 1 takes"):
        colmap_binary.parse_points(bytes(points), "here")


def test_a_name_without_an_end_is_refused(tmp_path: Path) -> None:
    write_binary(tmp_path, CAMERAS[:2], POINTS[:2])
    data = (tmp_path / "images.bin").read_bytes()
    with pytest.raises(FeedforwardError, match="does not end"):
        colmap_binary.parse_images(data.replace(b"im 0.png\0", b"x" * 2000), "here")
    with pytest.raises(FeedforwardError, match="not UTF-8"):
        colmap_binary.parse_images(data.replace(b"im 0.png\0", b"\xff\xfe.png\0"), "here")


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("images", "1 1 0 0 0 0 0 0 1", "line 1: expected an id"),
        ("images", "1 x 0 0 0 0 0 0 1 a.png\n", "line 1: could not convert"),
        ("images", "1 1 0 0 0 0 0 0 1 a.png\n1 2\n", "2 words, no points of three"),
        ("images", "1 1 0 0 0 0 0 0 1 a.png\n1 2 -7\n", "'-7' is no whole number"),
        ("points3D", "1 0 0\n", "line 1: 3 words"),
        ("points3D", "99999999999999999999999 0 0 0 1 2 3 0\n", "no whole number"),
        ("cameras", "1 PINHOLE\n", "line 1: 2 words"),
        ("cameras", "\xff", "line 1: not UTF-8"),
        ("cameras", "1 PINHOLE 24 16" + 99 * " 1", "17 parameters, PINHOLE has 4"),
    ],
)
def test_lines_that_make_no_sense_are_named(kind: str, text: str, said: str) -> None:
    with pytest.raises(FeedforwardError, match=said):
        PARSERS[kind][1](text.encode("latin-1"), "here")


def test_a_missing_file_of_the_model_is_named(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "sparse" / "0" / "cameras.txt").unlink()
    with pytest.raises(FeedforwardError, match=r"cameras\.txt: No such file"):
        read_colmap(tmp_path)


@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
def test_long_lines_say_the_same_piece_by_piece(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(colmap_text, "PIECE_BYTES", piece)
    found = " ".join(f"{n}.5  -2.25\t{n if n % 5 else -1}" for n in range(1, 200))
    text = f"1 1 0 0 0 0 0 0 1 a.png\n{found}\n2 1 0 0 0 0 0 0 1 b.png\n\n"
    one, other = colmap_text.parse_images(io.BytesIO(text.encode()), "here")
    assert one.seen.tolist() == [n for n in range(1, 200) if n % 5] and one.seen.dtype == np.int64
    assert len(other.seen) == 0 and other.name == "b.png"


def test_lines_without_an_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colmap_text, "MAX_LINE_BYTES", 1000)
    for parse in (colmap_text.parse_lenses, colmap_text.parse_images, colmap_text.parse_points):
        with pytest.raises(FeedforwardError, match="here, line 2: more than 1000 bytes"):
            parse(io.BytesIO(b"# remarks\n" + 1001 * b" "), "here")


@pytest.mark.parametrize(
    ("kind", "limit", "line"),
    [
        ("cameras", "MAX_IMAGES", "{} PINHOLE 24 16 1 1 1 1"),
        ("points3D", "MAX_POINTS", "{} 0 0 0 1 2 3 0.5"),
        ("images", "MAX_IMAGES", "{0} 1 0 0 0 0 0 0 1 {0}.png\n"),
    ],
)
def test_lists_have_an_end(monkeypatch: pytest.MonkeyPatch, kind: str, limit: str, line: str) -> None:
    monkeypatch.setattr(colmap_text, limit, 3)
    parse = PARSERS[kind][1]
    parse("\n".join(map(line.format, range(3))).encode(), "here")
    with pytest.raises(FeedforwardError, match="here: more than 3"):
        parse("\n".join(map(line.format, range(4))).encode(), "here")


def test_points_take_little_more_than_their_numbers(tmp_path: Path) -> None:
    """32 bytes a point and what growing takes besides; as lists of lists they would take 200."""
    path = tmp_path / "points3D.txt"
    path.write_text("".join(f"{n} {n}.5 2.25 1 9 9 9 0.5{40 * ' 1 2'}\n" for n in range(20_000)))
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            ids, points = colmap_text.parse_points(file, "here")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (ids == np.arange(20_000)).all() and (points[:, 0] == ids + 0.5).all()
    assert peak < 80 * len(ids)
