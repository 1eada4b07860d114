"""Scenes written and read again, by these readers and the referee's."""

import gzip
import resource
import signal
import threading
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from exgs.scene import Frame, Gaussians, SceneError, describe, read_scene, to_frame, transform, write_scene

ARRAYS = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")


@pytest.mark.parametrize("degree", range(4))
def test_ply_round_trip_is_exact(degree: int, workshop) -> None:
    source = workshop.scene(30, degree)
    path = workshop.folder / "scene.ply"
    assert write_scene(path, source) == path.stat().st_size
    back = read_scene(path)
    assert back.frame == Frame("RDF")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(source, name), err_msg=name)


def test_ply_is_that_of_the_inria_code(workshop) -> None:
    path = workshop.folder / "scene.ply"
    write_scene(path, workshop.scene(2, 1))
    head, _, body = path.read_bytes().partition(b"end_header\n")
    names = [line.split()[2] for line in head.decode().splitlines() if line.startswith("property float")]
    assert names[:10] == ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "f_rest_0"]
    assert names[-8:] == ["opacity", *(f"scale_{i}" for i in range(3)), *(f"rot_{i}" for i in range(4))]
    table = np.frombuffer(body, "<f4").reshape(2, -1)
    assert table.shape[1] == len(names) and not table[:, 3:6].any()
    # Channel-major: all coefficients of red first.
    np.testing.assert_array_equal(table[:, 9:12], workshop.scene(2, 1).shN[:, :, 0])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["scene.ply", "scene.spz"])
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_the_referee_reads_the_same(name: str, workshop, loaders: ModuleType) -> None:
    path = workshop.folder / name
    write_scene(path, workshop.scene(50, 3))
    back, theirs = read_scene(path), loaders.load(str(path))
    np.testing.assert_array_equal(back.means, theirs["xyz"])
    np.testing.assert_array_equal(back.quats, theirs["rot"])
    np.testing.assert_array_equal(back.log_scales, theirs["scale"])
    np.testing.assert_array_equal(back.opacity_logits, theirs["op"])
    np.testing.assert_array_equal(back.sh0[:, 0], theirs["dc"])
    np.testing.assert_array_equal(back.shN, theirs["rest"].reshape(50, 3, 15).transpose(0, 2, 1))


@pytest.mark.parametrize("frame", ["RDF", "RUB", "LUF", "RUF"])
def test_spz_round_trip(frame: str, workshop) -> None:
    """Within half a step of every value, whatever the frame of the scene."""
    source = to_frame(workshop.scene(300, 3), Frame(frame))
    path = workshop.folder / "scene.spz"
    assert write_scene(path, source) == path.stat().st_size
    stored = read_scene(path)
    assert stored.frame == Frame("RUB")
    back = to_frame(stored, source.frame)
    np.testing.assert_allclose(back.means, source.means, rtol=0, atol=2**-22)
    np.testing.assert_allclose(back.log_scales, source.log_scales, rtol=0, atol=1 / 32 + 1e-6)
    np.testing.assert_allclose(back.opacities, source.opacities, rtol=0, atol=1 / 510 + 1e-6)
    np.testing.assert_allclose(back.sh0, source.sh0, rtol=0, atol=0.5 / 255 / 0.15 + 1e-6)
    np.testing.assert_allclose(back.shN, source.shN, rtol=0, atol=1 / 256 + 1e-6)
    cosines = np.abs((back.quats * source.quats).sum(1)) / np.linalg.norm(source.quats, axis=1)
    assert np.degrees(2 * np.arccos(np.minimum(cosines, 1))).max() < 0.25


def test_spz_uses_all_bits_that_the_scene_leaves(workshop) -> None:
    source = workshop.scene(50, 0)
    for scale in (1e-3, 1.0, 1e5):
        placed = transform(source, np.diag([scale, scale, scale, 1.0]))
        path = workshop.folder / "scene.spz"
        write_scene(path, placed)
        error = np.abs(to_frame(read_scene(path), placed.frame).means - placed.means).max()
        assert error <= max(6 * scale * 2**-23, 2**-25)
    with pytest.raises(SceneError, match="SPZ holds means up to"):
        write_scene(path, transform(source, np.diag([1e8, 1e8, 1e8, 1.0])))


def test_spz_moves_what_it_cannot_hold_to_the_end_of_the_range(workshop) -> None:
    source = workshop.scene(2, 1)
    source.log_scales[:] = (-30, 20, 0)
    source.shN[:] = 5
    source.opacity_logits[:] = (-200, 200)
    source.quats[0] *= 1e-20
    write_scene(workshop.folder / "scene.spz", source)
    back = read_scene(workshop.folder / "scene.spz")
    assert back.log_scales[0].tolist() == [-10, 5.9375, 0]
    assert np.isin(back.shN, (-1, 127 / 128, 1 / 128 - 1, 1)).all()
    np.testing.assert_allclose(back.opacities, [0, 1], atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(back.quats, axis=1), 1, atol=1e-5)


def test_spz_refuses_what_is_not_finite(workshop) -> None:
    source = workshop.scene(3, 1)
    source.shN[1, 2, 0] = np.nan
    path = workshop.folder / "scene.spz"
    with pytest.raises(SceneError, match="not finite"):
        write_scene(path, source)
    assert not path.exists()


def test_the_same_scene_gives_the_same_bytes(workshop) -> None:
    for suffix in (".ply", ".spz"):
        paths = [workshop.folder / f"{name}{suffix}" for name in "ab"]
        for path in paths:
            write_scene(path, workshop.scene(40, 2))
        assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("suffix", [".ply", ".spz"])
def test_an_empty_scene(suffix: str, workshop) -> None:
    path = workshop.folder / f"empty{suffix}"
    write_scene(path, Gaussians.empty(2))
    back = read_scene(path)
    assert (len(back), back.sh_degree) == (0, 2)
    assert describe(path).bounds_min is None


def test_formats_that_cannot_be_written(workshop) -> None:
    for name in ("a.splat", "a.sog", "a.compressed.ply", "a", "a.ply.txt", "a\0.ply"):
        with pytest.raises(SceneError, match=r"writable: \.ply, \.spz"):
            write_scene(workshop.folder / name, workshop.scene(1, 0))
    assert list(workshop.folder.iterdir()) == []


def test_places_that_cannot_be_written(workshop) -> None:
    scene = workshop.scene(1, 0)
    with pytest.raises(SceneError, match=r"gone.*No such file"):
        write_scene(workshop.folder / "gone" / "a.ply", scene)
    (workshop.folder / "folder.ply").mkdir()
    with pytest.raises(SceneError, match="a folder"):
        write_scene(workshop.folder / "folder.ply", scene)
    with pytest.raises(SceneError, match="File name too long"):
        write_scene(workshop.folder / f"{'a' * 300}.ply", scene)


@pytest.mark.parametrize("suffix", [".ply", ".spz"])
def test_a_full_disk_leaves_what_was_there(suffix: str, workshop) -> None:
    path = workshop.folder / f"scene{suffix}"
    path.write_bytes(b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(SceneError, match=r"cannot be written \(File too large\)"):
            write_scene(path, workshop.scene(2000, 2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"before"
    assert list(workshop.folder.iterdir()) == [path]


def test_an_interrupted_writer_leaves_nothing(workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("exgs.scene.formats.ply._records", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_scene(workshop.folder / "scene.ply", workshop.scene(5, 0))
    assert list(workshop.folder.iterdir()) == []


def test_unfinished_copies_of_others_do_not_matter(workshop) -> None:
    stale = workshop.file(".scene.ply.0.part", b"left by a crash")
    write_scene(workshop.folder / "scene.ply", workshop.scene(5, 0))
    assert len(read_scene(workshop.folder / "scene.ply")) == 5
    assert stale.read_bytes() == b"left by a crash"


def test_writers_at_the_same_time_do_not_mix(workshop) -> None:
    path = workshop.folder / "scene.ply"
    threads = [
        threading.Thread(target=write_scene, args=(path, workshop.scene(3000, 1, seed))) for seed in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read_scene(path).means
    assert any(np.array_equal(found, workshop.scene(3000, 1, seed).means) for seed in range(4))
    assert list(workshop.folder.iterdir()) == [path]


def test_other_readers_accept_the_gzip_stream(workshop) -> None:
    path = workshop.folder / "scene.spz"
    write_scene(path, workshop.scene(4, 1))
    plain = gzip.decompress(Path(path).read_bytes())
    assert len(plain) == 16 + 4 * (9 + 1 + 3 + 3 + 4 + 9)
    assert plain[:12] == b"NGSP\3\0\0\0\4\0\0\0" and plain[12] == 1
