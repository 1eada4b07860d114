"""encode, decode, info and convert on a small scene."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exgs.cli.encode import user_cache
from exgs.codec import open_container
from exgs.scene import read_scene, write_scene
from tests.cli.conftest import Command

QUICK = ("--views", 6, "--effort", "fast")
Encoded = tuple[Path, dict[str, Any]]


def test_encode_reports_what_it_wrote(encoded: Encoded, scene_path: Path) -> None:
    path, said = encoded
    source = read_scene(scene_path)
    assert said["bytes"] == path.stat().st_size == sum(said["section_bytes"].values())
    assert said["float_bytes"] == source.float_bytes == 4000 * 4 * 26
    assert 0.98 * source.float_bytes / 10 <= said["bytes"] <= source.float_bytes / 10
    assert said["splats_in"] == 4000 and 0 < said["splats_kept"] <= 4000
    assert said["ratio"] == pytest.approx(source.float_bytes / said["bytes"], abs=1e-3)
    assert said["psnr"] > 20 and said["views"] == 12 and not said["views_given"]
    assert all(phase["seconds"] >= 0 and phase["peak_bytes"] > 1e6 for phase in said["phases"])


def test_encode_prints_a_table(exgs: Command, scene_path: Path, cameras_path: Path) -> None:
    code, out, err = exgs("encode", scene_path, "null", "--cameras", cameras_path, "--max-bytes", "20kB")
    assert code == 0
    for word in ("splats", "sections", "ratio", "PSNR", "peak memory", "own views (3)"):
        assert word in out
    assert "refit:" in err or "coding:" in err


def test_encode_says_when_a_ratio_would_allow_too_little(
    exgs: Command, scene_path: Path, tmp_path: Path
) -> None:
    write_scene(tiny := tmp_path / "tiny.ply", read_scene(scene_path).select(slice(0, 3)))
    code, out, _ = exgs("encode", tiny, "null", *QUICK)
    assert code == 0 and " of 512 B allowed at any ratio" in out
    code, out, _ = exgs("encode", tiny, "null", *QUICK, "--method", "exgs")
    assert code == 0 and "84 B at 28 bytes a splat (the file here: " in out
    assert " of 512 B allowed at any ratio), ratio" in out
    assert json.loads(exgs("encode", tiny, "null", *QUICK, "--json")[1])["floored"] is True
    code, out, err = exgs("encode", tiny, "null", *QUICK, "--max-bytes", "60")
    assert code == 1 and "60 bytes: no file has less than" in err and out == ""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that takes no file")
def test_encode_tries_the_folder_before_it_works(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    code, _, err = exgs("encode", scene_path, "/proc/x.ugc", "--views", "4")
    assert code == 1 and "/proc: no file can be made there" in err and "read:" not in err
    exgs("encode", "missing.ply", tmp_path / "x.ugc")
    assert not list(tmp_path.iterdir())


def test_encode_refuses_what_exists(exgs: Command, scene_path: Path, encoded: Encoded) -> None:
    before = encoded[0].read_bytes()
    code, out, err = exgs("encode", scene_path, encoded[0])
    assert code == 2 and "exists" in err and "-w" in err and out == ""
    assert encoded[0].read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--ratio", "0"), ("--ratio", "ten"), ("--max-bytes", "-5"), ("--preset", "huge"),
        ("--method", "magic"), ("--ratio", "10", "--max-bytes", "1000"), ("--sh-degree", "4"),
        ("--views", "0"),
    ],
)  # fmt: skip
def test_encode_refuses_wrong_values(
    exgs: Command, scene_path: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    code, _, err = exgs("encode", scene_path, tmp_path / "x.ugc", *words)
    assert code == 2 and "usage" in err
    assert not list(tmp_path.iterdir())


def test_encode_says_which_budget_would_work(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    code, _, err = exgs("encode", scene_path, tmp_path / "x.ugc", "--max-bytes", "20", "--quiet")
    assert code == 1 and "bytes" in err and len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_encode_wants_its_own_extension(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    code, _, err = exgs("encode", scene_path, tmp_path / "x.zip")
    assert code == 2 and ".ugc" in err


def test_decode_gives_the_finest_level(exgs: Command, encoded: Encoded, tmp_path: Path) -> None:
    target = tmp_path / "ball.ply"
    code, out, _ = exgs("decode", encoded[0], target, "--json")
    assert code == 0
    said = json.loads(out)
    assert said["splats"] == len(read_scene(target)) == encoded[1]["splats_kept"]
    assert said["output_bytes"] == target.stat().st_size


def test_decode_of_a_prefix_is_a_smaller_scene(exgs: Command, encoded: Encoded, tmp_path: Path) -> None:
    code, out, _ = exgs("decode", encoded[0], "null", "--max-bytes", encoded[1]["bytes"] * 3 // 4, "--json")
    assert code == 0
    assert json.loads(out)["splats"] < encoded[1]["splats_kept"]


@pytest.mark.parametrize("words", [("info",), ("decode", "null"), ("convert", "null")])
def test_a_file_cut_short_is_named_with_what_helps(
    exgs: Command, encoded: Encoded, tmp_path: Path, words: tuple[str, ...]
) -> None:
    whole, cut = encoded[0].read_bytes(), tmp_path / "cut.ugc"
    first = open_container(whole).manifest[0]
    for size in (len(whole) - 7, first.offset + 1, 100):
        cut.write_bytes(whole[:size])
        code, _, err = exgs(words[0], cut, *words[1:])
        assert code == 1 and f"{cut}: " in err and "again" in err and len(err.splitlines()) == 1
        assert (f"the file has {size} of its {len(whole)} bytes" in err) == (size > 100)
        assert (f"--max-bytes {size}" in err) == (size > first.offset + first.size_bytes)


def test_what_there_is_of_a_file_cut_short_is_decoded_when_asked_for(
    exgs: Command, encoded: Encoded, tmp_path: Path
) -> None:
    whole, cut = encoded[0].read_bytes(), tmp_path / "cut.ugc"
    cut.write_bytes(whole[:-7])
    assert exgs("decode", cut, "null", "--max-bytes", len(whole) - 7)[0] == 0
    cut.write_bytes(whole[: open_container(whole).manifest[0].offset + 1])
    code, _, err = exgs("decode", cut, "null", "--max-bytes", "10MB")
    assert code == 1 and f"{cut}: the first picture takes" in err


def test_decode_of_something_else_is_refused(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    assert exgs("decode", scene_path, tmp_path / "x.ply")[0] == 2
    broken = tmp_path / "broken.ugc"
    broken.write_bytes(b"not a bitstream at all")
    code, _, err = exgs("decode", broken, tmp_path / "x.ply")
    assert code == 1 and "not a .ugc file" in err and "Traceback" not in err
    assert not (tmp_path / "x.ply").exists()


def test_info_of_a_bitstream(exgs: Command, encoded: Encoded) -> None:
    code, out, _ = exgs("info", encoded[0], "--json", "--chunks")
    assert code == 0
    said = json.loads(out)
    assert said["size_bytes"] == encoded[1]["bytes"]
    assert [level["splats"] for level in said["levels"]] == list(encoded[1]["level_splats"])
    assert said["preamble_bytes"] + sum(level["bytes"] for level in said["levels"]) == said["size_bytes"]
    assert len(said["chunk_list"]) == said["chunks"]
    assert exgs("info", encoded[0])[1].startswith("file")


def test_info_refuses_to_list_chunks_of_what_has_none(exgs: Command, scene_path: Path) -> None:
    code, out, err = exgs("info", scene_path, "--chunks")
    assert code == 2 and out == "" and "--chunks" in err and "no .ugc file" in err


def test_info_of_a_scene(exgs: Command, scene_path: Path) -> None:
    code, out, _ = exgs("info", scene_path, "--json")
    said = json.loads(out)
    assert (code, said["count"], said["sh_degree"], said["frame"]["axes"], said["up"]) == (
        0,
        4000,
        1,
        "RDF",
        "-y",
    )


def test_convert_filters_and_turns(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    target = tmp_path / "half.spz"
    code, out, _ = exgs("convert", scene_path, target, "--bbox", "0,-,-,-,-,-", "--sh-degree", "0", "--json")
    source, half = read_scene(scene_path), read_scene(target)
    assert code == 0 and json.loads(out)["splats_out"] == len(half) == int((source.means[:, 0] >= 0).sum())
    assert half.frame.axes == "RUB" and half.sh_degree == 0
    kept = source.means[source.means[:, 0] >= 0]
    assert np.abs(half.means - kept * [1, -1, -1]).max() < 1e-3


def test_convert_says_what_nobody_can_draw(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    scene, odd = read_scene(scene_path), tmp_path / "odd.ply"
    scene.means[:2], scene.quats[2] = np.nan, 0.0
    write_scene(odd, scene)
    code, out, err = exgs("convert", odd, tmp_path / "same.ply", "--json")
    assert code == 0 and json.loads(out)["non_finite"] == 3
    assert "note: 3 Gaussians have a value that is not finite, or no rotation; --drop-non-finite" in err
    assert exgs("convert", odd, tmp_path / "quiet.ply", "--quiet")[1:] == ("", "")
    code, _, err = exgs("convert", odd, tmp_path / "out.spz")
    assert code == 1 and "SPZ cannot hold what 3 of" in err and "--drop-non-finite leaves them out" in err
    code, _, err = exgs("convert", odd, tmp_path / "out.spz", "--drop-non-finite")
    assert code == 0 and "note" not in err
    assert "unsound     3 Gaussians with a value that is not finite, or no rotation" in exgs("info", odd)[1]


def test_convert_to_an_unknown_format_is_wrong_usage(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    code, _, err = exgs("convert", scene_path, tmp_path / "x.obj")
    assert code == 2 and ".ply or .spz" in err


def test_convert_that_leaves_nothing_fails(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    code, _, err = exgs("convert", scene_path, tmp_path / "x.ply", "--bbox", "5,5,5,6,6,6")
    assert code == 1 and "no Gaussian" in err
    assert not (tmp_path / "x.ply").exists()


def test_convert_never_replaces_its_input(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    only = tmp_path / "only.ply"
    only.write_bytes(scene_path.read_bytes())
    (tmp_path / "link.ply").symlink_to(only)
    for name in ("only.ply", "link.ply"):
        code, _, err = exgs("convert", only, tmp_path / name, "-w", "--sh-degree", "0")
        assert code == 2 and "input" in err
    assert only.read_bytes() == scene_path.read_bytes()


def test_convert_takes_the_axes_that_are_said(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.ply"
    assert exgs("convert", scene_path, turned, "--axes", "rub")[0] == 0
    np.testing.assert_array_equal(read_scene(turned).means, read_scene(scene_path).means * [1, -1, -1])


@pytest.mark.parametrize(
    "words",
    [("x.ply", "--axes", "RRR"), ("x.ply", "--bbox", "nan,-,-,-,-,-"), ("x.ply", "--bbox", "1,-,-,0,-,-"),
     ("x.compressed.ply",), ("",), ("gone/x.ply",)],
)  # fmt: skip
def test_convert_refuses_before_it_reads(exgs: Command, tmp_path: Path, words: tuple[str, ...]) -> None:
    target = tmp_path / words[0] if words[0] else ""
    code, out, err = exgs("convert", tmp_path / "absent.ply", target, *words[1:])
    assert code == 2 and out == "" and "absent" not in err


def test_an_empty_scene_can_be_converted_but_neither_encoded_nor_drawn(
    exgs: Command, scene_path: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.ply"
    write_scene(empty, read_scene(scene_path).select(slice(0, 0)))
    assert exgs("convert", empty, tmp_path / "still.spz")[0] == 0
    assert len(read_scene(tmp_path / "still.spz")) == 0
    for words in (("encode", empty, "null"), ("render", empty, tmp_path / "pictures", "--orbit", 2)):
        code, _, err = exgs(*words)
        assert code == 1 and "a scene without Gaussians: nothing to" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.ply", "still.spz"]


def test_a_file_of_no_bytes_is_called_empty(exgs: Command, tmp_path: Path) -> None:
    (tmp_path / "room.ugc").touch()
    for words in (("info", tmp_path / "room.ugc"), ("decode", tmp_path / "room.ugc", "null")):
        code, _, err = exgs(*words)
        assert code == 1 and err.endswith("room.ugc: the file is empty; copy it again\n")


@pytest.mark.parametrize(
    "words",
    [("decode", "room.ugc", "-"), ("render", "room.ugc", "-", "--orbit", "2"), ("demo", "--out", "-")],
)
def test_nothing_is_written_to_standard_output(
    exgs: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = exgs(*words)
    assert code == 2 and "-: nothing is written to standard output" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["convert", "decode", "encode"])
def test_json_is_all_that_is_printed(exgs: Command, command: str, scene_path: Path, encoded: Encoded) -> None:
    source = encoded[0] if command == "decode" else scene_path
    few = ("--max-bytes", "20kB", "--views", "2") if command == "encode" else ()
    code, out, err = exgs(command, source, "null", "--json", *few)
    assert code == 0 and isinstance(json.loads(out), dict) and err == ""


def test_faults_of_a_bitstream_name_the_file(exgs: Command, encoded: Encoded, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ugc"
    cut.write_bytes(encoded[0].read_bytes()[:-100])
    for words in (("info", cut), ("decode", cut, "null"), ("render", cut, "null", "--orbit", "1")):
        code, _, err = exgs(*words)
        assert code == 1 and err.splitlines()[-1].startswith(f"exgs: {cut}: ")


def test_both_kinds_of_file_are_described_alike(exgs: Command, scene_path: Path, encoded: Encoded) -> None:
    scene, stream = (json.loads(exgs("info", path, "--json")[1]) for path in (scene_path, encoded[0]))
    shared = ("path", "format", "version", "count", "sh_degree", "frame", "up", "size_bytes", "bounds_min")
    assert [type(scene[key]) for key in shared] == [type(stream[key]) for key in shared]
    assert scene["frame"] == stream["frame"]


def test_a_prefix_without_a_picture_is_refused(exgs: Command, encoded: Encoded, tmp_path: Path) -> None:
    code, _, err = exgs("decode", encoded[0], tmp_path / "x.ply", "--max-bytes", "60")
    assert code == 2 and "first picture takes" in err
    assert not list(tmp_path.iterdir())


def test_encode_keeps_what_it_found_out(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    for size in ("20kB", "15kB"):
        code, out, err = exgs(
            "encode", scene_path, "null", "--max-bytes", size, *QUICK, "--cache", folder, "--quiet"
        )
        assert (code, out, err) == (0, "", "")
    (kept,) = folder.iterdir()
    kept.write_bytes(b"")
    code, out, err = exgs(
        "encode", scene_path, "null", "--max-bytes", "15kB", *QUICK, "--cache", folder, "--json", "--quiet"
    )
    assert code == 0 and json.loads(out)["taken_over"] == "" and "damaged or foreign" in err


def test_encode_finds_out_before_it_works_that_it_cannot_keep_it(
    exgs: Command, scene_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    code, _, err = exgs("encode", scene_path, "null", "--cache", tmp_path / "file")
    assert code == 2 and f"{tmp_path / 'file'} exists and is no folder" in err and "read:" not in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--no-amplify",), "--no-amplify: only with --method exgs"),
        (("--storage", "fp16"), "--storage: only with --method exgs"),
        (("--method", "exgs", "--no-refit"), "--no-refit: only with --method ugc"),
        (("--method", "exgs", "--levels", "3"), "--levels: only with --method ugc"),
        (("--method", "exgs", "--sh-degree", "0"), "--sh-degree: only with --method ugc"),
        (("--method", "exgs", "--cache", "user"), "--cache: only with --method ugc"),
    ],
)
def test_encode_refuses_flags_of_the_other_method(
    exgs: Command, scene_path: Path, words: tuple[str, ...], says: str
) -> None:
    code, _, err = exgs("encode", scene_path, "null", *words)
    assert code == 2 and says in err


def test_encode_takes_the_flags_of_its_own_method(exgs: Command, scene_path: Path) -> None:
    words = ("--method", "exgs", "--storage", "ugc", "--no-amplify", "--max-bytes", "30kB", *QUICK)
    code, out, _ = exgs("encode", scene_path, "null", *words, "--json")
    assert code == 0 and json.loads(out)["fp16_bytes"] is None


def test_encode_says_aloud_that_most_of_a_scene_is_left_out(
    exgs: Command, scene_path: Path, tmp_path: Path
) -> None:
    scene, far = read_scene(scene_path), tmp_path / "far.ply"
    scene.means[:3000] *= 1e12
    write_scene(far, scene)
    code, out, err = exgs("encode", far, "null", "--max-bytes", "15kB", *QUICK)
    unsound = "a value that is not finite, no rotation, or a place beyond 1e+09 units"
    assert code == 0 and f"3,000 unsound ({unsound})" in out
    assert "warning: 3,000 of the scene's 4,000 Gaussians were left out: 3,000 of them have a value" in err
    code, out, err = exgs("encode", scene_path, "null", "--max-bytes", "15kB", *QUICK)
    assert code == 0 and "0 unsound" in out and unsound not in out and "warning" not in err


def test_the_user_cache_is_where_the_platform_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "exgs" / "analyses"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert user_cache() == Path.home() / ".cache" / "exgs" / "analyses"
