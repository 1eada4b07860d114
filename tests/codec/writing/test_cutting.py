"""Cutting levels into chunks."""

from dataclasses import replace

import numpy as np
import pytest
from random_pyramids import random_pyramid

from exgs.codec import EncodeError, Level, Pyramid
from exgs.codec.writing.cutting import LEAST_SPLATS, USUAL_CHUNKS, check_pyramid, cut
from exgs.codec.writing.stages import stages


def lattices(pyramid: Pyramid) -> list[np.ndarray]:
    low = np.min([level.gaussians.means.min(axis=0) for level in pyramid.levels], axis=0)
    return [np.floor((level.gaussians.means - low) / 0.01).astype(np.int64) for level in pyramid.levels]


def test_every_splat_is_in_one_chunk_and_ranges_hold_exactly_the_parents() -> None:
    pyramid = random_pyramid(3000, 500, 60, seed=4)
    cuts = cut(pyramid, lattices(pyramid), 200)
    for number, level in enumerate(pyramid.levels):
        here = [piece for piece in cuts if piece.level == number]
        index = np.concatenate([piece.index for piece in here])
        assert sorted(index) == list(range(len(level.gaussians)))
        for piece in here if level.parents is not None else []:
            parent = cuts[piece.parent]
            replaced = parent.index[piece.first : piece.first + piece.replaced]
            assert level.parents is not None
            assert set(replaced) == set(level.parents[piece.index])
            assert piece.first + piece.replaced <= len(parent.index)


def test_chunks_of_a_level_are_of_like_size() -> None:
    pyramid = random_pyramid(5000, seed=4)
    sizes = [len(piece.index) for piece in cut(pyramid, lattices(pyramid), 480)]
    assert len(sizes) == 5000 // LEAST_SPLATS and max(sizes) - min(sizes) <= 1
    assert len(cut(pyramid, lattices(pyramid), 100)) == 50


def test_large_files_have_about_as_many_chunks_as_is_usual() -> None:
    pyramid = random_pyramid(40_000, seed=4)
    assert len(cut(pyramid, lattices(pyramid), 6000)) == USUAL_CHUNKS


def test_runs_are_of_one_stage_and_chunks_refine_one_run() -> None:
    pyramid = random_pyramid(9000, 1500, 200, seed=4)
    cuts = cut(pyramid, lattices(pyramid), 6000)
    wanted = stages(pyramid)
    for piece in cuts:
        assert sum(piece.runs) == len(piece.index) and list(piece.stages) == sorted(set(piece.stages))
        found = np.repeat(piece.stages, piece.runs)
        np.testing.assert_array_equal(found, wanted[piece.level][piece.index])
        if piece.parent >= 0:
            parent = cuts[piece.parent]
            refined = np.repeat(parent.stages, parent.runs)[piece.first : piece.first + piece.replaced]
            assert len(set(refined)) == 1
    assert max(len(piece.runs) for piece in cuts) > 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parents": None}, "expected 40 parents"),
        ({"parents": np.full(40, 9, np.int32)}, "not among the 8"),
        ({"importance": np.full(40, -1, np.float32)}, "importance"),
        ({"importance": np.ones(3, np.float32)}, "importance"),
    ],
)
def test_what_is_no_pyramid_is_refused(change: dict[str, object], message: str) -> None:
    finest, coarsest = random_pyramid(40, 8, seed=5).levels
    with pytest.raises(EncodeError, match=message):
        check_pyramid(Pyramid((replace(finest, **change), coarsest)))


def test_levels_must_agree_and_hold_something() -> None:
    finest, _ = random_pyramid(40, 8, seed=5).levels
    other = random_pyramid(40, 8, seed=5, degree=1).levels[1]
    with pytest.raises(EncodeError, match="differ"):
        check_pyramid(Pyramid((finest, other)))
    with pytest.raises(EncodeError, match="0 levels"):
        check_pyramid(Pyramid(()))
    nothing = finest.gaussians.select(slice(0, 0))
    with pytest.raises(EncodeError, match="no Gaussians"):
        check_pyramid(Pyramid((Level(nothing, None, np.zeros(0, np.float32)),)))


@pytest.mark.parametrize(
    ("name", "said"), [("means", "a mean is not finite"), ("log_scales", "log_scales"), ("sh0", "sh0 has")]
)
def test_values_must_be_finite(name: str, said: str) -> None:
    (level,) = random_pyramid(40, seed=5).levels
    values = getattr(level.gaussians, name).copy()
    values[3, ..., 0] = np.nan
    broken = replace(level, gaussians=replace(level.gaussians, **{name: values}))
    with pytest.raises(EncodeError, match=said):
        check_pyramid(Pyramid((broken,)))
