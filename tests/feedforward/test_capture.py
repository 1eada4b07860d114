"""Pictures on disk: which are read, how, and what is said of the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from exgs.feedforward import capture as captures
from exgs.feedforward.capture import Capture, inside, load, picture_size, read_picture
from exgs.feedforward.errors import FeedforwardError
from exgs.scene import Camera, Frame
from tests.feedforward.captures import HEIGHT, WIDTH, cameras_around, write_pictures

CAMERAS = tuple(cameras_around(4))


def capture(folder: Path) -> Capture:
    names = [f"{number}.png" for number in range(4)]
    write_pictures(folder, names)
    return Capture(CAMERAS, tuple(folder / name for name in names), 1.0, 5.0, Frame())


def test_pictures_come_as_they_are(tmp_path: Path) -> None:
    shares: list[float] = []
    made = capture(tmp_path)
    views = load(made, None, shares.append)
    for picture, path in zip(views.pictures, made.pictures, strict=True):
        np.testing.assert_array_equal(picture, np.asarray(Image.open(path)))
    assert views.cameras[2].fx == CAMERAS[2].fx
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_pictures_are_fitted_as_they_are_read(tmp_path: Path) -> None:
    made = capture(tmp_path)
    views, whole = load(made, (8, 8)), load(made, None)
    np.testing.assert_array_equal(views.pictures, whole.resized(8, 8).pictures)
    assert views.size == (8, 8)


def test_pictures_of_several_sizes_need_a_size(tmp_path: Path) -> None:
    made = capture(tmp_path)
    Image.new("RGB", (30, 20)).save(made.pictures[1])
    other = replace(CAMERAS[1], width=30, height=20)
    made = replace(made, cameras=(CAMERAS[0], other, *CAMERAS[2:]))
    with pytest.raises(FeedforwardError, match="2 sizes, from 24 x 16 to 30 x 20"):
        load(made, None)
    assert load(made, (16, 12)).size == (16, 12)


def test_fewer_are_spread_over_the_order(tmp_path: Path) -> None:
    made = capture(tmp_path).thinned(2)
    assert [path.name for path in made.pictures] == ["0.png", "3.png"]
    assert made.notes == ("2 of 4 views are used",)
    assert made.thinned(5) is made


def test_a_picture_of_another_size_than_its_camera_is_refused(tmp_path: Path) -> None:
    made = capture(tmp_path)
    Image.new("RGB", (WIDTH // 2, HEIGHT // 2)).save(made.pictures[3])
    with pytest.raises(FeedforwardError, match=r"3\.png: 12 x 8 pixels, but its camera takes 24 x 16"):
        load(made, None)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"not a picture"])
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    made = capture(tmp_path)
    made.pictures[2].write_bytes(data)
    with pytest.raises(FeedforwardError, match=r"2\.png: not a picture"):
        load(made, None)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
def test_a_picture_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(noise).save(path)
    assert read_picture(path, CAMERAS[0]).size == (WIDTH, HEIGHT)
    data = path.read_bytes()
    for end in range(0, len(data) - 12, max(1, len(data) // 40)):
        path.write_bytes(data[:end])
        with pytest.raises(FeedforwardError, match="picture"):
            read_picture(path, CAMERAS[0])


def test_transparent_pictures_stand_over_black(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    pixels = np.full((HEIGHT, WIDTH, 4), 200, np.uint8)
    pixels[..., 3] = 51
    Image.fromarray(pixels).save(path)
    assert set(np.asarray(read_picture(path, CAMERAS[0])).ravel()) == {40}


def test_grey_pictures_become_colour_and_deep_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (WIDTH, HEIGHT), 77).save(path)
    assert np.asarray(read_picture(path, CAMERAS[0])).tolist()[3][4] == [77, 77, 77]
    Image.fromarray(np.full((HEIGHT, WIDTH), 30_000, np.uint16)).save(path)
    with pytest.raises(FeedforwardError, match="more than 8 bits"):
        read_picture(path, CAMERAS[0])


def test_no_huge_picture_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for width in (9500, 20000):
        header = b"\x00\x00\x00\rIHDR" + width.to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + b"\0\0\0\0" + bytes(100))
        with pytest.raises(FeedforwardError, match=r"more than 89,000,000 pixels|not a picture"):
            picture_size(path)


def test_pictures_that_fill_the_memory_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = capture(tmp_path)
    monkeypatch.setattr(captures, "MAX_BYTES", 3 * WIDTH * HEIGHT * 3)
    with pytest.raises(FeedforwardError, match=r"4 pictures of 24 x 16 .* or at most 3"):
        load(made, None)


@pytest.mark.parametrize(
    "name", ["", ".", "/a", "..", "a/../b", "c:\\a", "a\0b", "x" * 300, "a/" * 600 + "b"]
)
def test_names_of_pictures_stay_below_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(FeedforwardError, match="within the folder"):
        inside(tmp_path, name, "here")


@pytest.mark.parametrize("name", ["a.png", "./a.png", "b/c d/a.png", "b\\a.png", "..a.png"])
def test_other_names_are_taken(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name, "here").resolve().is_relative_to(tmp_path.resolve())


def test_a_camera_is_kept_with_its_picture(tmp_path: Path) -> None:
    made: Camera = load(capture(tmp_path), (12, 8)).cameras[1]
    np.testing.assert_array_equal(made.camera_from_world, CAMERAS[1].camera_from_world)
    np.testing.assert_allclose((made.fx, made.cx), (CAMERAS[1].fx / 2, CAMERAS[1].cx / 2))
