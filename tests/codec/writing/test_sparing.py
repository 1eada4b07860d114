"""Harmonics that do not pay are left out; those that do are kept."""

from dataclasses import replace

import numpy as np
import pytest

from exgs.codec import decode
from exgs.codec.encoding.rate import BALANCED
from exgs.codec.model import BAND, CLASS, MASK, SH
from exgs.codec.prediction import band_of
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.codec.writing.serializer import Serialized, serialize_measured
from exgs.codec.writing.sparing import spare
from exgs.scene import Gaussians

STEP = 0.02


def harmonics(count: int, size: float, *, degree: int = 3) -> np.ndarray:
    """Coefficients that fall off from band to band."""
    bands = np.array([1.0, 1.0, 1.0] + [0.6] * 5 + [0.35] * 7)[: (degree + 1) ** 2 - 1]
    random = np.random.default_rng(5)
    return (random.laplace(0.0, size, (count, len(bands), 3)) * bands[:, None]).astype(np.float32)


def columns(shN: np.ndarray) -> np.ndarray:
    """Codes of the coefficients as they round, as if red, green and blue were luma, chroma o and g."""
    luma = np.array([[0.25, 0.5, 0.25], [0.5, 0.0, -0.5], [-0.25, 0.5, -0.25]])
    rounded = np.round(shN @ luma.T / (STEP * 4)).astype(np.int32)
    codes = np.zeros((SH + 3 * shN.shape[1], len(shN)), np.int32)
    codes[CLASS] = 2
    codes[SH:] = rounded.reshape(len(shN), -1).T
    for row in range(SH, len(codes)):
        codes[MASK] |= (codes[row] != 0) << (row - SH) % 3
        codes[BAND] = np.where(codes[row] != 0, band_of((row - SH) // 3), codes[BAND])
    return codes


def scene(count: int, size: float) -> Gaussians:
    random = np.random.default_rng(3)
    return Gaussians(
        random.normal(size=(count, 3)).astype(np.float32),
        random.normal(size=(count, 4)).astype(np.float32),
        random.uniform(-3.0, -2.0, (count, 3)).astype(np.float32),
        random.normal(1.0, 1.0, count).astype(np.float32),
        random.normal(0.0, 1.0, (count, 1, 3)).astype(np.float32),
        harmonics(count, size),
    )


def coded(gaussians: Gaussians, thrift: float) -> Serialized:
    level = Level(gaussians, None, np.ones(len(gaussians), np.float32))
    return serialize_measured(Pyramid((level,)), replace(BALANCED, thrift=thrift))


def test_without_thrift_nothing_changes() -> None:
    shN = harmonics(200, 0.1)
    codes = columns(shN)
    before = codes.copy()
    spare(shN, [codes], STEP, 0.0)
    np.testing.assert_array_equal(codes, before)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_coefficients_only_move_towards_zero(degree: int) -> None:
    shN = harmonics(500, 0.15, degree=degree)
    codes = columns(shN)
    before = codes[SH:].copy()
    spare(shN, [codes], STEP, 0.15)
    after = codes[SH:]
    assert (np.abs(after) <= np.abs(before)).all() and (after * before >= 0).all()
    assert 0 < (after != 0).sum() < (before != 0).sum()


def test_bands_and_channels_say_what_is_kept() -> None:
    shN = harmonics(500, 0.1)
    codes = columns(shN)
    spare(shN, [codes], STEP, 0.2)
    kept = codes[SH:].reshape(15, 3, -1) != 0
    bands = np.array([band_of(place) for place in range(15)])
    np.testing.assert_array_equal(codes[BAND], (bands[:, None] * kept.any(axis=1)).max(axis=0))
    np.testing.assert_array_equal(codes[MASK], (kept.any(axis=0) << np.arange(3)[:, None]).sum(axis=0))
    assert set(codes[BAND].tolist()) == {0, 1, 2, 3}


def test_what_is_strong_stays_and_what_is_weak_goes() -> None:
    shN = np.concatenate([harmonics(300, 0.3), harmonics(300, 0.02)])
    codes = columns(shN)
    spare(shN, [codes], STEP, 0.15)
    strong, weak = codes[SH:, :300], codes[SH:, 300:]
    assert (strong != 0).mean() > 0.3 and (weak != 0).mean() < 0.01


def test_what_shows_little_keeps_less() -> None:
    shN = harmonics(600, 0.15)
    codes = columns(shN)
    weight = np.where(np.arange(600) < 300, 10.0, 0.1).astype(np.float32)
    spare(shN, [codes], STEP, 0.1, weight)
    kept = (codes[SH:] != 0).mean(axis=0)
    assert kept[:300].mean() > 3 * kept[300:].mean() > 0


def test_parts_are_spared_as_one() -> None:
    shN = harmonics(600, 0.15)
    whole = columns(shN)
    parts = [np.ascontiguousarray(part) for part in np.split(whole, [90, 400], axis=1)]
    weight = np.linspace(0.1, 10.0, 600).astype(np.float32)
    spare(shN, [whole], STEP, 0.1, weight)
    spare(shN, parts, STEP, 0.1, weight)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_the_trade_pays_in_real_bytes() -> None:
    """Squared error in steps plus thrift times the bits of the file is less than by rounding."""
    gaussians, thrift = scene(3000, 0.15), 0.15
    costs = []
    for used in (0.0, thrift):
        file = coded(gaussians, used)
        shown = decode(file.data).shN
        order = file.places[0][1] if len(file.places) == 1 else np.concatenate([i for _, i in file.places])
        error = np.square(shown - gaussians.shN[order]).sum() / 3
        costs.append((error, 8 * file.section_bytes["SH"]))
    (rounded, more), (spared, fewer) = costs
    assert fewer < 0.8 * more
    # The typical step is that of the class of the median weight.
    assert spared + thrift * BALANCED.sh**2 * fewer < rounded + thrift * BALANCED.sh**2 * more


def test_more_thrift_makes_smaller_files() -> None:
    gaussians = scene(1000, 0.15)
    sizes = [len(coded(gaussians, thrift).data) for thrift in (0.0, 0.05, 0.15, 0.5)]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 4
