"""Writing files: what comes back, and at which cost."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_pyramids import random_gaussians, random_pyramid

from exgs.codec import (
    EncodeError,
    Level,
    Precision,
    Pyramid,
    decode,
    parse_preamble,
    serialize,
    serialize_measured,
)
from exgs.scene import Gaussians


def one_level(gaussians: Gaussians) -> Pyramid:
    return Pyramid((Level(gaussians, None, np.ones(len(gaussians), np.float32)),))


def matched(source: Gaussians, decoded: Gaussians) -> Gaussians:
    """``source`` in the order of ``decoded``: each splat is the nearest of those left."""
    gap = np.linalg.norm(source.means[None] - decoded.means[:, None], axis=2)
    gap = gap + 0.1 * np.linalg.norm(source.sh0[None, :, 0] - decoded.sh0[:, None, 0], axis=2)
    index = gap.argmin(axis=1)
    assert len(set(index)) == len(index)
    return source.select(index)


def covariances(gaussians: Gaussians) -> np.ndarray:
    w, x, y, z = (gaussians.quats / np.linalg.norm(gaussians.quats, axis=1, keepdims=True)).T.astype(
        np.float64
    )
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    scales = np.exp(gaussians.log_scales.astype(np.float64))
    return np.einsum("nij,nj,nkj->nik", turn, scales**2, turn)


@pytest.mark.parametrize("degree", [0, 3])
def test_fine_steps_bring_everything_back(degree: int) -> None:
    source = random_gaussians(250, seed=7, degree=degree)
    precision = replace(Precision().scaled(1 / 16), flattest=20.0, steepest=1e4)
    decoded = decode(serialize(one_level(source), precision))
    source = matched(source, decoded)
    assert np.abs(decoded.means - source.means).max() < 0.02
    shapes, wanted = covariances(decoded), covariances(source)
    error = np.linalg.norm(shapes - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert np.median(error) < 0.02 and error.max() < 0.3
    assert np.abs(decoded.opacities - source.opacities).max() < 0.01
    assert np.abs(decoded.sh0 - source.sh0).max() < 0.2
    assert np.abs(decoded.shN - source.shN).max(initial=0) < 0.5
    assert np.abs(np.linalg.norm(decoded.quats, axis=1) - 1).max() < 1e-6


def test_steps_bound_the_errors() -> None:
    source = random_gaussians(300, seed=8)
    precision = replace(Precision(), weighting=0.0, flattest=30.0)
    data = serialize(one_level(source), precision)
    coding = parse_preamble(data).header.coding
    decoded = decode(data)
    source = matched(source, decoded)
    ours, theirs = np.sort(decoded.log_scales, axis=1), np.sort(source.log_scales, axis=1)
    assert np.abs(ours - theirs).max() <= 0.51 * precision.scale
    step = 1 / (coding.opacity_levels - 1)
    assert np.abs(decoded.opacities - source.opacities).max() <= 0.51 * step + 1 / 256
    assert np.abs(decoded.sh0 - source.sh0).max() <= 1.51 * precision.colour / 0.28
    small = decoded.log_scales.max(axis=1) < np.log(coding.position_steps[0] / precision.position)
    assert np.abs(decoded.means - source.means)[small].max() <= 0.51 * coding.position_steps[0]


def test_a_finer_step_costs_more_and_is_nearer() -> None:
    source = random_gaussians(400, seed=9, degree=1)
    sizes, errors = [], []
    for factor in (4.0, 2.0, 1.0, 0.5, 0.25):
        data = serialize(one_level(source), Precision().scaled(factor))
        decoded = decode(data)
        sizes.append(len(data))
        errors.append(float(np.square(np.sort(decoded.sh0.ravel()) - np.sort(source.sh0.ravel())).mean()))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


def test_writing_is_deterministic_and_decoding_needs_nothing_but_the_bytes(tmp_path: Path) -> None:
    data = serialize(random_pyramid(500, 80, seed=10, degree=1), Precision())
    assert serialize(random_pyramid(500, 80, seed=10, degree=1), Precision()) == data
    path = tmp_path / "scene.ugc"
    path.write_bytes(data)
    code = (
        "import sys, hashlib; from exgs.codec import decode; g = decode(open(sys.argv[1], 'rb').read());"
        "print(hashlib.sha256(b''.join(a.tobytes() for a in g._arrays())).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    here = hashlib.sha256(b"".join(array.tobytes() for array in decode(data)._arrays())).hexdigest()
    assert done.stdout.strip() == here


def test_sections_add_up_to_the_file() -> None:
    for degree in (0, 2):
        measured = serialize_measured(random_pyramid(800, 90, seed=11, degree=degree), Precision())
        names = ["header", "manifest", "positions", "scales", "rotations", "opacity", "colour", "SH"]
        assert list(measured.section_bytes) == names
        assert sum(measured.section_bytes.values()) == len(measured.data)
        assert (measured.section_bytes["SH"] > 0) == (degree > 0)


def test_a_splat_costs_about_five_bytes() -> None:
    data = serialize(one_level(random_gaussians(20000, seed=12)), Precision())
    assert len(data) < 6 * 20000


def test_extreme_values_are_clipped_not_wrapped() -> None:
    source = random_gaussians(50, seed=13, degree=1)
    wild = Gaussians(
        means=source.means,
        quats=np.zeros_like(source.quats),
        log_scales=np.where(np.arange(50)[:, None] % 2 == 0, np.float32(80), np.float32(-80))
        + source.log_scales,
        opacity_logits=source.opacity_logits * np.float32(1e30),
        sh0=source.sh0 * np.float32(1e6),
        shN=source.shN * np.float32(1e30),
    )
    decoded = decode(serialize(one_level(wild), Precision()))
    assert len(decoded) == 50
    for array in decoded._arrays():
        assert np.isfinite(array).all()


def test_identical_splats_survive() -> None:
    source = random_gaussians(1, seed=14).select(np.zeros(500, np.int64))
    data = serialize(one_level(source), Precision())
    assert len(data) < 500
    decoded = decode(data)
    assert len(decoded) == 500 and len(np.unique(decoded.means, axis=0)) == 1


@pytest.mark.parametrize("name", ["quats", "log_scales", "opacity_logits", "sh0"])
def test_values_that_are_not_finite_are_refused_by_name(name: str) -> None:
    source = random_gaussians(20, seed=15)
    array = getattr(source, name).copy()
    array[7] = np.inf
    with pytest.raises(EncodeError, match=name):
        serialize(one_level(replace(source, **{name: array})), Precision())


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_steps_must_be_positive(value: float) -> None:
    with pytest.raises(EncodeError, match="positive"):
        serialize(random_pyramid(5, seed=1), replace(Precision(), colour=value))


def test_all_steps_are_scaled_and_nothing_else() -> None:
    half = Precision().scaled(0.5)
    assert half.colour == pytest.approx(Precision().colour / 2)
    assert half.position == pytest.approx(Precision().position / 2)
    assert half.weighting == Precision().weighting and half.fine_below == Precision().fine_below


def test_every_level_fits_its_lattice_where_splats_are_tiny_and_far_apart() -> None:
    pyramid = random_pyramid(60, 6, seed=4)
    fine, coarse = (np.abs(level.gaussians.means) * 1e6 for level in pyramid.levels)
    fine[0], coarse[:] = 0.0, coarse + 4e6
    levels = tuple(
        replace(level, gaussians=replace(level.gaussians, means=means.astype(np.float32)))
        for level, means in zip(pyramid.levels, (fine, coarse), strict=True)
    )
    data = serialize(replace(pyramid, levels=levels), Precision())
    assert sum(chunk.count for chunk in parse_preamble(data).chunks) == 66
    assert np.isfinite(decode(data).means).all()


def test_threads_that_share_out_the_chunks_change_no_byte() -> None:
    pyramid = random_pyramid(4000, 500, 60, seed=6, degree=1)
    with ThreadPoolExecutor(3) as pool:

        def spread(function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]]) -> list[Any]:
            return [future.result() for future in [pool.submit(function, *job) for job in jobs]]

        shared = serialize_measured(pyramid, Precision(), spread)
    alone = serialize_measured(pyramid, Precision())
    assert shared.data == alone.data and shared.section_bytes == alone.section_bytes
