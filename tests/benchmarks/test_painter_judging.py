"""What was judged is judged once, and comes out as it was found."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks.painter_judging import Candidate, Desk, HeldOut, judged, row_of_pictures
from exgs.painter import Pictures, Restored
from exgs.raster import choose_rasterizer
from exgs.scene import generate_interior, sample_views


class Darkener:
    """Does harm, and counts how often."""

    name = "darkener"

    def __init__(self) -> None:
        self.pictures = 0

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        return False

    def restore(self, pictures: Pictures) -> Restored:
        self.pictures += 1
        return Restored(pictures.color / 2, "restored")

    def forget(self) -> None:
        raise AssertionError("nothing moves here")


@pytest.fixture
def room() -> HeldOut:
    look_from = partial(sample_views, count=2, seed=5, size=(64, 48))
    return HeldOut("interior-2", partial(generate_interior, seed=2, count=1500), look_from, 2)


def desk(folder: Path, *candidates: Candidate) -> Desk:
    def make(*asked: object) -> bytes:
        raise AssertionError("the source needs no file")

    return Desk(folder, candidates, choose_rasterizer("cpu", threads=1), make)


def test_what_was_judged_is_not_judged_again(tmp_path, room):
    first, second = Darkener(), Darkener()
    one, other = Candidate("one", "1", first), Candidate("other", "2", second)
    verdict = judged(desk(tmp_path, one), room, ["source"])["source"]["one"]
    assert verdict.before.shape == verdict.after.shape == (2, 3)
    assert (verdict.before[:, 0] > 50).all() and (verdict.after[:, 0] < 40).all()
    assert row_of_pictures(desk(tmp_path, one), room, "source").is_file()
    both = judged(desk(tmp_path, one, other), room, ["source"])["source"]
    assert (first.pictures, second.pictures) == (2, 2)
    assert np.array_equal(both["one"].after, both["other"].after)


def test_weights_are_known_by_their_bytes_and_gate():
    tiny, again, small = (Candidate.named(name, 1) for name in ("tiny", "tiny", "small"))
    assert tiny.mark == again.mark != small.mark
