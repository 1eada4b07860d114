"""What holds for every pyramid and every precision."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "codec"))

from random_pyramids import random_pyramid

from exgs.codec import Decoder, Precision, Pyramid, decode, parse_preamble, serialize

SETTINGS = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@st.composite
def pyramids(draw: st.DrawFn) -> Pyramid:
    counts = draw(st.lists(st.integers(1, 120), min_size=1, max_size=4))
    return random_pyramid(*counts, seed=draw(st.integers(0, 10**6)), degree=draw(st.integers(0, 3)))


precisions = st.floats(0.05, 20.0).map(lambda factor: Precision().scaled(factor))


@SETTINGS
@given(pyramids(), precisions)
def test_every_splat_without_children_shows_once(pyramid: Pyramid, precision: Precision) -> None:
    shown = len(pyramid.levels[0].gaussians)
    for finer, coarser in pairwise(pyramid.levels):
        assert finer.parents is not None
        shown += len(coarser.gaussians) - len(np.unique(finer.parents))
    decoded = decode(serialize(pyramid, precision))
    assert len(decoded) == shown
    assert all(np.isfinite(array).all() for array in decoded._arrays())


@SETTINGS
@given(pyramids(), precisions)
def test_every_prefix_shows_the_whole_scene_coarsely(pyramid: Pyramid, precision: Precision) -> None:
    data = serialize(pyramid, precision)
    preamble = parse_preamble(data)
    shown = [len(decode(data, chunk.offset + chunk.size_bytes)) for chunk in preamble.chunks]
    coarsest = sum(chunk.level == preamble.header.levels - 1 for chunk in preamble.chunks)
    assert shown[coarsest - 1] == preamble.header.level_splats[-1]
    assert all(count > 0 for count in shown)


@SETTINGS
@given(pyramids(), st.lists(st.integers(0, 20000), max_size=8))
def test_feeding_in_pieces_is_feeding_at_once(pyramid: Pyramid, places: list[int]) -> None:
    data = serialize(pyramid, Precision())
    edges = [0, *sorted(place % len(data) for place in places), len(data)]
    decoder = Decoder()
    pieces = [decoder.feed(data[a:b]) for a, b in pairwise(edges)]
    ids = [chunk.info.id for piece in pieces for chunk in piece]
    assert ids == list(range(len(parse_preamble(data).chunks)))
    assert decoder.complete


@SETTINGS
@given(pyramids())
def test_a_much_finer_step_is_never_worse(pyramid: Pyramid) -> None:
    low = np.min([level.gaussians.means.min(axis=0) for level in pyramid.levels], axis=0)
    errors = []
    for factor in (8.0, 1.0, 0.125):
        decoded = decode(serialize(pyramid, Precision().scaled(factor)))
        source = pyramid.levels[0].gaussians if len(pyramid.levels) == 1 else None
        if source is None:
            assert (decoded.means >= low - 1e-4).all()
            continue
        order = np.sort(decoded.sh0.ravel()) - np.sort(source.sh0.ravel())
        errors.append(float(np.abs(order).mean()))
    assert all(finer <= coarser + 1e-3 for coarser, finer in pairwise(errors))
