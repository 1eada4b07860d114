"""Every format against the referee's loaders, value for value, and against what was encoded."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from exgs.scene import Gaussians, read_scene, to_frame, write_scene

# The referee leaves files open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

REAL = (
    "angel-kneeling.sog",
    "angel.sog",
    "massa.sog",
    "skull.sog",
    "st-peter.sog",
    "guitar.compressed.ply",
    "luma-seal.splat",
    *(f"flowers/lod-meta.json@{level}" for level in range(4)),
    *(f"playbot@{level}" for level in range(7)),
)
LEVELS = {
    "flowers": [542104, 210422, 92802, 26895],
    "playbot": [500000, 250000, 125000, 31000, 8406, 3000, 1873],
}
KINDS = ("ply", "compressed", "spz2", "spz3", "spz4", "splat", "sog1", "sog2")


def assert_same(gaussians: Gaussians, loaded: dict) -> None:
    """All values agree with the referee's, to the bit."""
    rest = loaded["rest"]
    count = len(gaussians)
    shN = (
        np.empty((count, 0, 3), np.float32) if rest is None else rest.reshape(count, 3, -1).transpose(0, 2, 1)
    )
    for name, wanted in (
        ("means", loaded["xyz"]),
        ("quats", loaded["rot"]),
        ("log_scales", loaded["scale"]),
        ("opacity_logits", loaded["op"]),
        ("sh0", loaded["dc"][:, None]),
        ("shN", shN),
    ):
        np.testing.assert_array_equal(getattr(gaussians, name), wanted, err_msg=name)


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_real_scene_agrees_with_the_referee(name: str, shared_data: Path, loaders: ModuleType) -> None:
    file, _, level = name.partition("@")
    path = shared_data / "scenes" / file
    theirs = path / "lod-meta.json" if path.is_dir() else path
    gaussians = read_scene(f"{path}@{level}" if level else path)
    assert_same(gaussians, loaders.load(str(theirs), int(level or 0)))
    if level:
        assert len(gaussians) == LEVELS[file.split("/")[0]][int(level)]
        assert gaussians.sh_degree == 2


@pytest.mark.shared
@pytest.mark.parametrize("degree", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_tiny_file_agrees_with_the_referee(kind: str, degree: int, workshop, loaders: ModuleType) -> None:
    path = workshop.make(kind, workshop.scene(9, degree))
    assert_same(read_scene(path), loaders.load(str(path)))


@pytest.mark.shared
@pytest.mark.parametrize("color_bounds", [True, False])
def test_compressed_ply_of_several_blocks_agrees(color_bounds: bool, workshop, loaders: ModuleType) -> None:
    elements = workshop.compressed_elements(workshop.scene(70_000, 1), color_bounds=color_bounds)
    path = workshop.file("large.compressed.ply", workshop.ply_bytes("binary_little_endian", elements))
    assert_same(read_scene(path), loaders.load(str(path)))


TOLERANCES = {
    "ply": (0, 0, 0, 0, 0, 0),
    "big-endian": (0, 0, 0, 0, 0, 0),
    "ascii": (1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6),
    "compressed": (6e-3, 2e-3, 1e-2, 3e-3, 0.02, 0.02),
    "spz2": (2e-4, 0.1, 0.04, 3e-3, 0.02, 5e-3),
    "spz3": (2e-4, 4e-3, 0.04, 3e-3, 0.02, 5e-3),
    "spz4": (2e-4, 4e-3, 0.04, 3e-3, 0.02, 5e-3),
    "splat": (0, 2e-2, 1e-6, 3e-3, 0.01, 0),
    "sog1": (2e-4, 1e-2, 0.04, 0.02, 0.02, 5e-3),
    "sog2": (2e-4, 1e-2, 0.04, 3e-3, 0.04, 5e-3),
}
"""Largest error of means, quaternions, log scales, opacities, sh0 and shN that a format's steps allow."""


@pytest.mark.parametrize("kind", TOLERANCES)
def test_values_come_back_within_the_steps_of_the_format(kind: str, workshop) -> None:
    degree = 0 if kind == "splat" else 3
    source = workshop.scene(40, degree)
    back = read_scene(workshop.make(kind, source))
    assert back.frame.axes == ("RUB" if kind.startswith("spz") else "RDF")
    # Quaternions of either sign mean the same, and formats choose.
    upright = source.quats * np.where((source.quats * back.quats).sum(1, keepdims=True) < 0, -1, 1)
    pairs = [
        (getattr(source, name), getattr(back, name))
        for name in ("means", "log_scales", "opacities", "sh0", "shN")
    ]
    pairs.insert(1, (upright, back.quats))
    for (wanted, found), tolerance in zip(pairs, TOLERANCES[kind], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


def test_blocks_leave_no_seam(workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    source = workshop.scene(600, 1)
    for kind in ("ply", "ascii", "compressed", "spz2", "spz4", "splat"):
        path = workshop.make(kind, source)
        whole = read_scene(path)
        with monkeypatch.context() as patch:
            patch.setattr("exgs.scene.formats.scene_file.BLOCK", 256)
            parted = read_scene(path)
        for name in ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN"):
            np.testing.assert_array_equal(
                getattr(whole, name), getattr(parted, name), err_msg=f"{kind} {name}"
            )


def test_an_spz_of_a_scene_is_the_scene_turned(workshop) -> None:
    source = workshop.scene(20, 3)
    path = workshop.folder / "turned.spz"
    write_scene(path, source)
    np.testing.assert_allclose(read_scene(path).means, source.means * np.float32([1, -1, -1]), atol=1e-6)
    np.testing.assert_allclose(to_frame(read_scene(path), source.frame).shN, source.shN, atol=4e-3)
