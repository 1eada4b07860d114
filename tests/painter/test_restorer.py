"""Gate, planes, network and recall together, on a network whose sums are known."""

import numpy as np
import pytest

from exgs.painter import Pictures, Restorer
from exgs.painter.gate import Gate
from exgs.painter.manifest import Manifest
from exgs.painter.recall import Recall
from exgs.painter.restorer import NetworkRestorer
from tests.painter.test_warping import at

RATES = np.array([0.001, 0.002])


class Brightener:
    """Adds a tenth, and counts what it is asked."""

    device = "abacus"

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def run(self, planes: np.ndarray) -> np.ndarray:
        self.asked.append(planes.shape)
        return np.concatenate([planes[:, :3] + np.float32(0.1 * len(self.asked)), planes[:, :1]], axis=1)


def pair(rates: np.ndarray = RATES, *, depth: bool = True) -> Pictures:
    cameras = tuple(at(x, width=20, height=10) for x in (0, 0.06))
    color = np.random.default_rng(1).uniform(0.2, 0.6, (2, 10, 20, 3)).astype(np.float32)
    alpha = np.ones((2, 10, 20), np.float32)
    return Pictures(color, alpha, cameras, rates, 2 * alpha if depth else None, rates if depth else None)


def broken(*, depth: bool = True) -> Pictures:
    """As ``pair``, with holes in 0.15 of both."""
    pictures = pair(depth=depth)
    pictures.alpha[:, :, :3] = 0.5
    return pictures


def restorer(network: Brightener, recall: Recall | None = None) -> NetworkRestorer:
    return NetworkRestorer(network, Manifest("tiny", {}, gate=Gate(0.1)), recall=recall)


def test_both_eyes_are_one_batch_at_their_size() -> None:
    network, pictures = Brightener(), pair()
    before = pictures.color.copy()
    painter: Restorer = restorer(network)
    found = painter.restore(pictures)
    assert network.asked == [(2, 7, 16, 32)]
    assert np.allclose(found.color, before + 0.1) and found.verdict == "restored"
    assert (pictures.color == before).all()
    assert painter.name == "tiny on abacus"


def test_rich_pictures_pass_and_the_network_is_not_asked() -> None:
    network, pictures = Brightener(), pair(np.array([0.1, 5.0]), depth=False)
    painter = restorer(network)
    assert not painter.wants_depth(pictures.splats_per_pixel)
    found = painter.restore(pictures)
    assert found.color is pictures.color and found.verdict == "rich"
    assert not network.asked


def test_whole_pictures_pass_and_where_holes_come_it_fades() -> None:
    network, pictures = Brightener(), pair()
    painter = NetworkRestorer(network, Manifest("tiny", {}, gate=Gate(0.1, holes=0.2)))
    assert painter.wants_depth(pictures.splats_per_pixel), "before it is drawn nobody knows"
    found = painter.restore(pictures)
    assert found.color is pictures.color and found.verdict == "whole"
    assert not network.asked
    pictures.alpha[0, :, :3] = 0.5  # 0.15 of the left eye
    found = painter.restore(pictures)
    assert np.allclose(found.color[0], pictures.color[0] + 0.05)
    assert np.array_equal(found.color[1], pictures.color[1])


def test_a_video_without_holes_is_drawn_without_depth_until_holes_come() -> None:
    gate = Manifest("tiny", {}, gate=Gate(0.1, holes=0.2))
    painter, still = (NetworkRestorer(Brightener(), gate, recall=r) for r in (Recall(threads=1), None))
    for one in (painter, still):
        assert one.restore(pair()).verdict == "whole"
    assert painter.restore(pair(np.ones(2), depth=False)).verdict == "rich", "whatever the last one was"
    assert still.wants_depth(RATES), "the next picture may be of anything"
    assert not painter.wants_depth(RATES)
    assert painter.restore(broken(depth=False)).verdict == "whole"
    assert painter.wants_depth(RATES)
    assert painter.restore(broken()).verdict == "restored"
    painter.restore(pair())
    assert not painter.wants_depth(RATES)
    painter.forget()
    assert painter.wants_depth(RATES)


def test_frames_may_be_drawn_ahead_of_restoring() -> None:
    """All are drawn as the last restored one had it; those without depth are left alone, none is refused."""
    gate, network = Manifest("tiny", {}, gate=Gate(0.1, holes=0.2)), Brightener()
    painter = NetworkRestorer(network, gate, recall=Recall(threads=1))
    painter.restore(pair())
    ahead = [broken(depth=painter.wants_depth(RATES)) for _ in range(3)]
    assert [painter.restore(frame).verdict for frame in ahead] == ["whole"] * 3
    assert not network.asked
    assert painter.restore(broken(depth=painter.wants_depth(RATES))).verdict == "restored"


def test_asking_for_depth_leaves_no_trace() -> None:
    gate = Manifest("tiny", {}, gate=Gate(0.1, holes=0.2))
    asked, unasked = (NetworkRestorer(Brightener(), gate, recall=Recall(threads=1)) for _ in range(2))
    for frame in (broken(), pair(), broken(depth=False), broken()):
        asked.wants_depth(np.ones(2))
        asked.wants_depth(RATES)
        found, wanted = asked.restore(frame), unasked.restore(frame)
        assert found.verdict == wanted.verdict and np.array_equal(found.color, wanted.color)


def test_between_both_it_fades() -> None:
    rates = np.array([0.1 * 2**-0.25, 0.1])
    pictures, painter = pair(rates), restorer(Brightener())
    assert painter.wants_depth(rates)
    found = painter.restore(pictures)
    assert np.allclose(found.color[0], pictures.color[0] + 0.05)
    assert np.array_equal(found.color[1], pictures.color[1])


def test_the_last_frame_is_recalled_until_a_rich_one_comes() -> None:
    painter, pictures = restorer(Brightener(), Recall(threads=1)), pair()
    added = []
    for rates in (RATES, RATES, np.ones(2), RATES):
        seen = pair(rates)
        added.append(float((painter.restore(seen).color - pictures.color)[0, 4, 4, 0]))
    assert added == pytest.approx([0.1, 0.2 - 0.75 * 0.1, 0, 0.3], abs=1e-4)


def test_pictures_that_stand_alone_need_their_depth() -> None:
    with pytest.raises(ValueError, match="depth"):
        restorer(Brightener()).restore(pair(depth=False))


def test_both_eyes_are_left_alone_where_the_network_is_not_sure() -> None:
    """The gate of this network is what is red; the eyes are judged together."""
    painter = NetworkRestorer(Brightener(), Manifest("tiny", {}, gate=Gate(0.1, confidence=0.5)))
    pictures = broken()
    pictures.color[0], pictures.color[1] = 0.1, 0.2
    found = painter.restore(pictures)
    assert found.color is pictures.color and found.verdict == "unsure" and found.asked
    pictures.color[1] = 0.8
    found = painter.restore(pictures)
    assert found.verdict == "restored"
    assert np.allclose(found.color, pictures.color + 0.5 * 0.2, atol=1e-5), "0.45 is half of the way"


def test_what_was_recalled_goes_with_a_frame_that_nothing_is_sure_of() -> None:
    gate = Manifest("tiny", {}, gate=Gate(0.1, confidence=0.5))
    painter, added = NetworkRestorer(Brightener(), gate, recall=Recall(threads=1)), []
    for red in (0.6, 0.1, 0.6):
        pictures = broken()
        pictures.color[:] = red
        added.append(float((painter.restore(pictures).color - pictures.color)[0, 4, 10, 0]))
    assert added == pytest.approx([0.1, 0, 0.3], abs=1e-4), "the third is not mixed with the first"
