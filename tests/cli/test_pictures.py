"""render and compare on a small scene."""

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from exgs.cli.pictures import write_sheet
from exgs.scene import Camera, read_cameras, read_scene, write_cameras, write_scene
from tests.cli.conftest import Command

Encoded = tuple[Path, dict[str, Any]]


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_render_names_pictures_as_their_cameras(
    exgs: Command, scene_path: Path, cameras_path: Path, tmp_path: Path
) -> None:
    code, out, _ = exgs("render", scene_path, tmp_path / "views", "--cameras", cameras_path, "--json")
    assert code == 0 and json.loads(out)["views"] == 3
    names = sorted(path.name for path in (tmp_path / "views").iterdir())
    assert names == ["cameras.json", "v0.png", "v1.png", "v2.png"]
    cameras = read_cameras(tmp_path / "views" / "cameras.json")
    assert [camera.name for camera in cameras] == ["v0", "v1", "v2"]
    document = json.loads((tmp_path / "views" / "cameras.json").read_text())
    away = [float(np.linalg.norm(camera.position)) for camera in cameras]
    assert 0.5 * (min(away) - 1.1) < document["near"] < min(away) < max(away) < document["far"]
    with Image.open(tmp_path / "views" / "v0.png") as opened:
        picture = np.asarray(opened)
    assert picture.shape == (64, 96, 3)
    assert picture[32, 48].max() > 40 and picture[0, 0].max() == 0


def test_render_of_one_view(exgs: Command, encoded: Encoded, cameras_path: Path, tmp_path: Path) -> None:
    target = tmp_path / "one.png"
    words = ("--cameras", cameras_path, "--size", "64x64")
    code, _, err = exgs("render", encoded[0], target, *words)
    assert code == 2 and "3 views" in err and not target.exists()
    assert exgs("render", encoded[0], target, *words, "--view", "v1", "--stereo")[0] == 0
    assert size_of(target) == (128, 64)
    assert exgs("render", encoded[0], target, *words, "--view", "v1")[0] == 2
    code, _, err = exgs("render", encoded[0], target, *words, "--view", "v9", "-w")
    assert code == 2 and "--view v9: no camera of that name; there are v0, v1, v2\n" in err
    code, _, err = exgs("render", encoded[0], "null", "--orbit", "20", "--view", "v9")
    assert code == 2 and err.splitlines()[-2].endswith(" and 12 more")


def test_render_of_an_orbit_is_a_video(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    target = tmp_path / "orbit.mp4"
    assert exgs("render", scene_path, target, "--orbit", "5", "--size", "96x64")[0] == 0
    with av.open(str(target)) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(frames) == 5 and frames[0].shape == (64, 96, 3) and frames[0].max() > 60


def test_render_along_a_head_trace(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    from exgs.scene import synthetic_head_trace, write_head_trace

    trace = tmp_path / "head.csv"
    write_head_trace(trace, synthetic_head_trace(seconds=2, rate_hz=30, seed=1))
    words = ("--head-trace", trace, "--seconds", "0.5", "--fps", "10", "--size", "64x48")
    code, out, _ = exgs("render", scene_path, tmp_path / "frames", *words, "--json")
    assert code == 0 and json.loads(out)["views"] == 5 == len(list((tmp_path / "frames").glob("*.png")))


def test_render_wants_one_kind_of_view(
    exgs: Command, scene_path: Path, cameras_path: Path, tmp_path: Path
) -> None:
    assert exgs("render", scene_path, tmp_path / "x.png")[0] == 2
    assert exgs("render", scene_path, tmp_path / "x.png", "--orbit", "1", "--cameras", cameras_path)[0] == 2
    assert exgs("render", scene_path, tmp_path / "x.jpg", "--orbit", "1")[0] == 2


def test_compare_with_itself(exgs: Command, scene_path: Path, cameras_path: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    code, out, _ = exgs(
        "compare", scene_path, scene_path, "--cameras", cameras_path, "--json", "--sheet", sheet
    )
    said = json.loads(out)
    assert (code, said["views"], said["psnr_mean"], said["ssim_mean"], said["flip_mean"]) == (
        0,
        3,
        100.0,
        1.0,
        0.0,
    )
    assert size_of(sheet) == (2 * 96 + 4, 3 * 64 + 2 * 4)


def test_compare_turns_the_test_into_the_frame_of_the_reference(
    exgs: Command, scene_path: Path, cameras_path: Path, tmp_path: Path
) -> None:
    turned = tmp_path / "turned.spz"
    assert exgs("convert", scene_path, turned)[0] == 0
    said = json.loads(
        exgs("compare", scene_path, turned, "--cameras", cameras_path, "--json", "--no-flip")[1]
    )
    assert said["psnr_mean"] > 30 and said["flip_mean"] is None


@pytest.mark.shared
def test_compare_agrees_with_the_referee(
    exgs: Command, encoded: Encoded, scene_path: Path, cameras_path: Path, tmp_path: Path, referee: Path
) -> None:
    import shutil
    import subprocess
    import sys

    if not shutil.which("g++"):
        pytest.skip("g++ is absent: the referee compiles its rasteriser")
    decoded = tmp_path / "decoded.ply"
    half = encoded[1]["bytes"] // 2  # near losslessness the two rasterisers' own rounding would show
    assert exgs("decode", encoded[0], decoded, "--max-bytes", half)[0] == 0
    ours = json.loads(exgs("compare", scene_path, decoded, "--cameras", cameras_path, "--json")[1])
    words = [sys.executable, referee / "referee.py", scene_path, decoded, cameras_path, "--json"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout)
    assert ours["psnr_mean"] == pytest.approx(theirs["psnr_mean"], abs=0.1)
    assert ours["ssim_mean"] == pytest.approx(theirs["ssim_mean"], abs=0.002)


def test_compare_without_cameras_is_wrong_usage(exgs: Command, scene_path: Path) -> None:
    assert exgs("compare", scene_path, scene_path)[0] == 2


def test_a_broken_camera_file_is_one_line(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "cameras.json"
    broken.write_text('{"cameras": [{"fx": 1}]}')
    code, _, err = exgs("render", scene_path, tmp_path / "x.png", "--cameras", broken)
    assert code == 1 and "camera 0" in err and "Traceback" not in err


def test_render_refuses_flags_that_would_be_ignored(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    for words in (
        ("--orbit", "1", "--seconds", "2"),
        ("--orbit", "1", "--camera-axes", "RDF"),
        ("--orbit", "1", "--max-bytes", "1000"),
        ("--orbit", "1", "--fps", "1e-9"),
    ):
        assert exgs("render", scene_path, "null", *words)[0] == 2, words
    code, _, err = exgs("render", scene_path, tmp_path / "folder", "--orbit", "1", "--fps", "30")
    assert code == 2 and "--fps: only for a video" in err and not list(tmp_path.iterdir())
    words = ("--orbit", "1", "--fps", "30", "--size", "32x32")
    assert exgs("render", scene_path, "null", *words)[0] == 0, "a dry run of a video"


def test_cameras_of_another_frame_show_the_same(
    exgs: Command, scene_path: Path, cameras_path: Path, tmp_path: Path
) -> None:
    turned = tmp_path / "turned.spz"
    assert exgs("convert", scene_path, turned)[0] == 0
    words = ("--cameras", cameras_path, "--view", "v1")
    assert exgs("render", scene_path, tmp_path / "a.png", *words)[0] == 0
    assert exgs("render", turned, tmp_path / "b.png", *words, "--camera-axes", "RDF")[0] == 0
    assert exgs("render", turned, tmp_path / "c.png", *words)[0] == 0
    a, b, c = (pixels(tmp_path / f"{name}.png") for name in "abc")
    assert np.abs(a - b).mean() < 2 < np.abs(a - c).mean()


def test_compare_with_cameras_of_another_frame(
    exgs: Command, scene_path: Path, cameras_path: Path, tmp_path: Path
) -> None:
    turned = tmp_path / "turned.spz"
    assert exgs("convert", scene_path, turned)[0] == 0
    words = ("--cameras", cameras_path, "--camera-axes", "RDF", "--json", "--no-flip")
    against = [json.loads(exgs("compare", turned, other, *words)[1]) for other in (scene_path, turned)]
    assert against[0]["psnr_mean"] > 30 and against[1]["psnr_mean"] == 100.0


def test_near_things_move_right_in_the_left_eye(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    ball = read_scene(scene_path)
    bright = ball.select(ball.means[:, 2] < -0.95)
    write_scene(tmp_path / "spot.ply", bright)
    cameras = tmp_path / "cameras.json"
    eye, up = np.array([0, 0, -2.0]), np.array([0, -1.0, 0])
    write_cameras(cameras, [Camera.looking(eye, np.zeros(3), up, fov_y_rad=0.9, size=(96, 64), name="a")])
    target = tmp_path / "pair.png"
    assert exgs("render", tmp_path / "spot.ply", target, "--cameras", cameras, "--stereo")[0] == 0
    light = pixels(target).sum(axis=(0, 2))
    left, right = (float((half * np.arange(96)).sum() / half.sum()) for half in (light[:96], light[96:]))
    assert right + 1 < left < right + 3


def test_both_eyes_of_a_folder_can_be_read_back(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    from exgs.scene import synthetic_head_trace, write_head_trace

    trace, pairs, eyes = tmp_path / "head.csv", tmp_path / "pairs", tmp_path / "eyes"
    write_head_trace(trace, synthetic_head_trace(seconds=1, rate_hz=30, seed=1))
    words = ("--head-trace", trace, "--seconds", "0.2", "--fps", "10", "--size", "64x48", "--stereo")
    assert exgs("render", scene_path, pairs, *words)[0] == 0
    assert sorted(path.name for path in pairs.iterdir()) == ["000.png", "001.png", "eyes.json"]
    assert exgs("render", scene_path, eyes, "--cameras", pairs / "eyes.json")[0] == 0
    for number in ("000", "001"):
        both = [pixels(eyes / f"{number}-{side}.png") for side in ("left", "right")]
        assert not np.array_equal(*both)
        assert np.abs(np.concatenate(both, axis=1) - pixels(pairs / f"{number}.png")).max() <= 1
    left, right = read_cameras(pairs / "eyes.json")[:2]
    assert (left.name, right.name) == ("000-left", "000-right")
    assert float((left.camera_from_world @ [*right.position, 1])[0]) > 0, (
        "the right eye is to the left one's right"
    )


def test_pairs_that_replace_views_leave_no_folder_of_views(
    exgs: Command, scene_path: Path, tmp_path: Path
) -> None:
    folder, orbit = tmp_path / "views", ("--orbit", "2", "--size", "32x24")
    assert exgs("render", scene_path, folder, *orbit)[0] == 0
    assert (folder / "cameras.json").exists()
    own = ("--cameras", folder / "cameras.json", "--stereo", "-w")
    code, _, error = exgs("render", scene_path, folder, *own)
    assert code == 2 and "would be removed" in error and pixels(folder / "000.png").shape[1] == 32
    assert exgs("render", scene_path, folder, *orbit, "--stereo", "-w")[0] == 0
    assert pixels(folder / "000.png").shape[1] == 64
    assert sorted(path.name for path in folder.iterdir()) == ["000.png", "001.png", "eyes.json"]


@pytest.mark.parametrize(
    ("first", "then", "kept"), [((), ("--stereo",), "eyes.json"), (("--stereo",), (), "cameras.json")]
)
def test_a_folder_holds_the_camera_file_of_its_pictures_alone(
    exgs: Command, scene_path: Path, tmp_path: Path, first: tuple[str], then: tuple[str], kept: str
) -> None:
    folder, size = tmp_path / "views", ("--size", "32x24")
    assert exgs("render", scene_path, folder, "--orbit", "2", *size, *first)[0] == 0
    (folder / "000.png").unlink()
    (before,) = folder.glob("*.json")
    words = ("render", scene_path, folder, "--orbit", "1", *size, *then)
    code, _, error = exgs(*words)
    assert code == 2 and f"{before} tells of" in error and "-w removes it" in error
    assert not (folder / "000.png").exists()
    assert exgs(*words, "-w")[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == ["000.png", "001.png", kept]


def test_a_camera_file_of_pairs_is_not_removed_while_it_is_read(
    exgs: Command, scene_path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pairs"
    assert exgs("render", scene_path, folder, "--orbit", "1", "--size", "32x24", "--stereo")[0] == 0
    code, _, error = exgs("render", scene_path, folder, "--cameras", folder / "eyes.json", "-w")
    assert code == 2 and "eyes.json would be removed" in error and (folder / "eyes.json").exists()


def test_names_that_pairs_make_too_long_are_refused(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    cameras = tmp_path / "cameras.json"

    def render(length: int, folder: Path) -> tuple[int, str, str]:
        eye, up = np.array([0, 0, -2.0]), np.array([0, -1.0, 0])
        camera = Camera.looking(eye, np.zeros(3), up, fov_y_rad=0.9, size=(32, 24), name="n" * length)
        write_cameras(cameras, [camera])
        return exgs("render", scene_path, folder, "--cameras", cameras, "--stereo")

    code, _, error = render(123, tmp_path / "long")
    assert code == 2 and "a name of 123 characters; of pairs it may have 122" in error
    assert not (tmp_path / "long").exists()
    assert render(122, tmp_path / "fits")[0] == 0
    assert len(read_cameras(tmp_path / "fits" / "eyes.json")) == 2


def test_a_sheet_holds_pictures_of_several_sizes(tmp_path: Path) -> None:
    red, blue = np.zeros((4, 6, 3), np.float32), np.zeros((8, 2, 3), np.float32)
    red[..., 0], blue[..., 2] = 1, 1
    write_sheet(tmp_path / "sheet.png", [[red, red], [blue, blue]])
    sheet = pixels(tmp_path / "sheet.png")
    assert sheet.shape == (4 + 4 + 8, 6 + 4 + 6, 3)
    assert (sheet[:4, 10:] == [255, 0, 0]).all() and (sheet[8:, 10:12] == [0, 0, 255]).all()
    assert not sheet[8:, 12:].any()


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened).astype(float)
