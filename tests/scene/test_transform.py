import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exgs.scene import Frame, Gaussians, SceneError, to_frame, transform
from exgs.scene.harmonics import band_turns, higher_basis

AXES = [a + b + c for a in "RL" for b in "UD" for c in "FB"] + ["FRU", "BUR", "URF", "DBL"]
ARRAYS = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")


def scene(seed: int = 0, count: int = 20, frame: Frame | None = None, higher: int = 15) -> Gaussians:
    rng = np.random.default_rng(seed)
    arrays = [
        rng.normal(size=(count, *shape)).astype(np.float32)
        for shape in ((3,), (4,), (3,), (), (1, 3), (higher, 3))
    ]
    return Gaussians(*arrays, frame or Frame())


def rotations(quats: np.ndarray) -> np.ndarray:
    """[N,3,3] rotation matrices of wxyz quaternions, by turning the axes one by one."""
    quats = quats / np.linalg.norm(quats, axis=1, keepdims=True)
    w, v = quats[:, :1], quats[:, 1:]
    columns = []
    for axis in np.eye(3):
        cross = 2 * np.cross(v, axis)
        columns.append(axis + w * cross + np.cross(v, cross))
    return np.stack(columns, axis=2)


def covariances(gaussians: Gaussians) -> np.ndarray:
    stretched = (
        rotations(gaussians.quats.astype(float)) * np.exp(gaussians.log_scales.astype(float))[:, None, :]
    )
    return stretched @ stretched.transpose(0, 2, 1)


def colors(gaussians: Gaussians, direction: np.ndarray) -> np.ndarray:
    return np.einsum(
        "k,nkc->nc", higher_basis(direction[None], gaussians.sh_degree)[0], gaussians.shN.astype(float)
    )


def random_turn(seed: int, *, mirrored: bool = False) -> np.ndarray:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return turn if (np.linalg.det(turn) < 0) == mirrored else -turn


def similarity(turn: np.ndarray, scale: float, shift: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = scale * turn, shift
    return matrix


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, mirrored=st.booleans(), scale=st.floats(1e-3, 1e3))
def test_means_and_covariances_turn(seed: int, mirrored: bool, scale: float) -> None:
    turn = random_turn(seed, mirrored=mirrored)
    before = scene(seed)
    after = transform(before, similarity(turn, scale, (1, -2, 3)))
    np.testing.assert_allclose(
        after.means, scale * before.means @ turn.T + (1, -2, 3), rtol=1e-5, atol=1e-5 * scale
    )
    wanted = scale**2 * turn @ covariances(before) @ turn.T
    largest = np.abs(wanted).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(covariances(after) / largest, wanted / largest, atol=1e-5)
    np.testing.assert_array_equal(after.opacity_logits, before.opacity_logits)
    np.testing.assert_array_equal(after.sh0, before.sh0)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, mirrored=st.booleans(), higher=st.sampled_from([3, 8, 15]))
def test_colors_turn(seed: int, mirrored: bool, higher: int) -> None:
    turn = random_turn(seed, mirrored=mirrored)
    before = scene(seed, higher=higher)
    after = transform(before, similarity(turn, 1, (0, 0, 0)))
    for direction in np.random.default_rng(seed).normal(size=(5, 3)):
        direction /= np.linalg.norm(direction)
        np.testing.assert_allclose(colors(after, turn @ direction), colors(before, direction), atol=2e-5)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, mirrored=st.booleans(), scale=st.floats(0.01, 100))
def test_there_and_back(seed: int, mirrored: bool, scale: float) -> None:
    matrix = similarity(random_turn(seed, mirrored=mirrored), scale, (5, 0, -5))
    before = scene(seed, frame=Frame("RUB", 0.5))
    back = transform(transform(before, matrix), np.linalg.inv(matrix))
    assert back.frame.metres_per_unit == pytest.approx(0.5)
    back_quats = back.quats * np.sign((back.quats * before.quats).sum(1, keepdims=True))
    np.testing.assert_allclose(back_quats, before.quats, atol=1e-5)
    for name in ("means", "log_scales", "shN"):
        np.testing.assert_allclose(getattr(back, name), getattr(before, name), atol=2e-5 + 5e-6 / scale)


@pytest.mark.parametrize("axes", AXES)
def test_frames_there_and_back(axes: str) -> None:
    before = scene(3)
    after = to_frame(before, Frame(axes))
    assert after.frame == Frame(axes)
    back = to_frame(after, before.frame)
    np.testing.assert_array_equal(back.means, before.means)
    np.testing.assert_allclose(back.shN, before.shN, atol=2e-6)
    np.testing.assert_allclose(covariances(back), covariances(before), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axes", AXES)
def test_a_frame_changes_numbers_and_not_the_scene(axes: str) -> None:
    """What is up stays up, and colours are seen from where they were seen."""
    before = scene(4, frame=Frame("RDF"))
    after = to_frame(before, Frame(axes))
    np.testing.assert_allclose(
        after.means @ after.frame.up_vector, before.means @ before.frame.up_vector, atol=1e-6
    )
    direction = np.array([0.48, -0.6, 0.64])
    there = before.frame.to(after.frame) @ direction
    np.testing.assert_allclose(colors(after, there), colors(before, direction), atol=1e-5)


def test_ply_and_spz_differ_by_signs_alone() -> None:
    before = scene(5)
    after = to_frame(before, Frame("RUB"))
    np.testing.assert_array_equal(after.means, before.means * np.float32([1, -1, -1]))
    np.testing.assert_array_equal(np.abs(after.shN), np.abs(before.shN))
    np.testing.assert_array_equal(after.quats, before.quats * np.float32([1, 1, -1, -1]))
    back = to_frame(after, before.frame)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(before, name), err_msg=name)


def test_units() -> None:
    before = scene(6, frame=Frame("RDF", 0.01))
    metres = to_frame(before, Frame("RUB", 1.0))
    assert metres.frame == Frame("RUB", 1.0)
    np.testing.assert_allclose(metres.means, before.means * [0.01, -0.01, -0.01], rtol=1e-6)
    np.testing.assert_allclose(metres.scales, before.scales * 0.01, rtol=1e-5)
    kept = to_frame(before, Frame("RUB"))
    assert kept.frame == Frame("RUB", 0.01)
    np.testing.assert_array_equal(kept.log_scales, before.log_scales)
    named = to_frame(scene(6), Frame("RDF", 2.0))
    assert named.frame == Frame("RDF", 2.0)
    np.testing.assert_array_equal(named.means, before.means)


def test_a_larger_scene_of_the_same_size_has_shorter_units() -> None:
    before = scene(7, frame=Frame("RDF", 1.0))
    assert transform(before, np.diag([4.0, 4, 4, 1])).frame == Frame("RDF", 0.25)
    assert transform(before, np.diag([4.0, 4, 4, 1]), frame=Frame("LUF")).frame == Frame("LUF")
    assert transform(scene(7), np.diag([4.0, 4, 4, 1])).frame.metres_per_unit is None


def test_the_same_frame_costs_nothing() -> None:
    before = scene(8)
    assert to_frame(before, Frame("RDF")) is before


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    before = scene(9, count=50)
    matrix = similarity(random_turn(1), 2, (1, 2, 3))
    whole = transform(before, matrix)
    monkeypatch.setattr(sys.modules["exgs.scene.transform"], "BLOCK", 7)
    parted = transform(before, matrix)
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(parted, name), getattr(whole, name), rtol=1e-6, atol=1e-6)


def test_values_that_are_not_finite_stay_in_their_gaussian() -> None:
    before = scene(10)
    for name in ("means", "quats", "shN"):
        getattr(before, name)[3] = np.nan
        getattr(before, name)[4] = np.inf
        getattr(before, name).view(np.uint32)[3, ..., 0] = 0x7F800001  # a signalling NaN
    after = to_frame(before, Frame("RUB"))
    for name in ARRAYS:
        values = getattr(after, name).reshape(20, -1)
        assert np.isfinite(np.delete(values, (3, 4), axis=0)).all()


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(3),
        np.full((4, 4), np.nan),
        np.zeros((4, 4)),
        np.diag([1.0, 2, 1, 1]),
        np.diag([1.0, 1, 1, 2]),
        np.eye(4) + np.eye(4, k=1) * 0.01,
        np.eye(4) + 0.1 * np.eye(4)[[3, 2, 1, 0]],
    ],
)
def test_matrices_that_are_no_similarity(matrix: np.ndarray) -> None:
    with pytest.raises(SceneError, match="similarity"):
        transform(scene(11), matrix)


def test_band_turns_multiply_as_turns_do() -> None:
    first, second = random_turn(1), random_turn(2, mirrored=True)
    for a, b, both in zip(
        band_turns(first, 3), band_turns(second, 3), band_turns(second @ first, 3), strict=True
    ):
        np.testing.assert_allclose(b @ a, both, atol=1e-12)
        np.testing.assert_allclose(a @ a.T, np.eye(len(a)), atol=1e-12)


def test_inversion_turns_odd_bands_over() -> None:
    for band, matrix in enumerate(band_turns(-np.eye(3), 3), start=1):
        np.testing.assert_array_equal(matrix, (-1) ** band * np.eye(2 * band + 1))
