"""What is carried over from frame to frame: against its readable twin, and on planes with known answers."""

import numpy as np
import pytest

from exgs.painter.recall import Recall
from exgs.painter.recall_kernel import CHANGE, MOST
from exgs.painter.seam import Pictures
from exgs.painter.warping import one_surface, reproject, sample
from exgs.scene import Camera
from tests.painter.test_warping import at

WIDTH, HEIGHT = 40, 24


def pictures(color: np.ndarray, depth: np.ndarray, *cameras: Camera) -> Pictures:
    shape = (len(cameras), HEIGHT, WIDTH)
    return Pictures(
        np.broadcast_to(np.float32(color), (*shape, 3)),
        np.ones(shape, np.float32),
        cameras,
        np.zeros(len(cameras)),
        np.broadcast_to(np.float32(depth), shape),
    )


def here(x: float = 0.0) -> Camera:
    return at(x, width=WIDTH, height=HEIGHT, focal=20.0)


def turned(x: float) -> Camera:
    """Turned a little, so that no pixel lies right on another one's row."""
    matrix = here(x).camera_from_world.copy()
    matrix[:2, :2] = [[np.cos(0.02), -np.sin(0.02)], [np.sin(0.02), np.cos(0.02)]]
    return Camera(matrix, 20, 20, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)


def grey(value: float) -> np.ndarray:
    return np.full((1, HEIGHT, WIDTH, 3), value, np.float32)


def twin(
    before: Pictures, earlier: np.ndarray, now: Pictures, restored: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Colours and residuals of one eye, written to be read; ``earlier`` is the residual of ``before``."""
    assert before.depth is not None and now.depth is not None
    u, v, z = reproject(now.depth[0], now.cameras[0], before.cameras[0])
    same = one_surface(before.depth[0], u, v, z)
    drawn = np.clip(now.color[0], 0, 1)
    change = np.abs(sample(np.clip(before.color[0], 0, 1), u, v) - drawn).max(2)
    share = np.where(same, MOST * np.clip(1 - change / CHANGE, 0, 1), 0)[..., None]
    residual = restored[0] - drawn
    residual = residual + share * (np.where(same[..., None], sample(earlier, u, v), 0) - residual)
    return np.clip(drawn + residual, 0, 1), residual


def test_the_first_frame_stands_for_itself() -> None:
    restored = np.random.default_rng(1).random((1, HEIGHT, WIDTH, 3), np.float32)
    assert np.allclose(Recall().steady(pictures(0.3, 2.0, here()), restored), restored, atol=1e-6)


def test_where_nothing_changed_most_of_the_residual_stays() -> None:
    recall, frame = Recall(threads=1), pictures(0.3, 2.0, here())
    recall.steady(frame, grey(0.5))
    found = recall.steady(frame, grey(0.4))
    assert np.allclose(found[0, :-1, :-1], 0.4 + MOST * 0.1)
    again = recall.steady(frame, grey(0.4))
    assert np.allclose(again[0, :-1, :-1], 0.4 + MOST * MOST * 0.1)


def test_what_was_forgotten_is_gone() -> None:
    recall, frame = Recall(), pictures(0.3, 2.0, here())
    recall.steady(frame, grey(0.5))
    recall.forget()
    assert np.allclose(recall.steady(frame, grey(0.4)), 0.4)


@pytest.mark.parametrize(
    ("color", "depth"),
    [(0.3 + 1.01 * float(CHANGE), 2.0), (0.3, 2.1), (0.3, 0.0)],
    ids=["colour", "depth", "hole"],
)
def test_what_shows_something_else_gets_nothing_of_the_past(color: float, depth: float) -> None:
    recall = Recall()
    recall.steady(pictures(0.3, 2.0, here()), grey(0.9))
    assert np.allclose(recall.steady(pictures(color, depth, here()), grey(0.6)), 0.6)


def test_the_residual_moves_with_the_surface() -> None:
    """A step of 0.2 aside at depth 2 and focal length 20 is two pixels."""
    recall, mark = Recall(), grey(0.3)
    mark[0, 10, 20] = 0.9
    recall.steady(pictures(0.3, 2.0, here()), mark)
    found = recall.steady(pictures(0.3, 2.0, here(0.2)), grey(0.3))[0, ..., 0]
    places = np.argwhere(found > 0.31)
    assert found[10, 18] == pytest.approx(0.3 + MOST * 0.6, abs=1e-4)
    assert (np.abs(places - (10, 18)).max(1) <= 1).all()


def test_it_is_what_its_twin_says() -> None:
    rng = np.random.default_rng(4)
    depth = 2 + 0.3 * rng.random((HEIGHT, WIDTH)).cumsum(1) / WIDTH
    depth[5:9] = 0
    depth[12:15, 10:20] = 1.0
    color = 0.5 + 0.3 * rng.random((2, HEIGHT, WIDTH, 3)) ** 4
    before, now = pictures(color[0], depth, here()), pictures(color[0] * 1.01, depth, turned(0.05))
    restored = rng.random((2, 1, HEIGHT, WIDTH, 3)).astype(np.float32)
    recall = Recall(threads=2)
    recall.steady(before, restored[0])
    found = recall.steady(now, restored[1])
    expected, _ = twin(before, restored[0, 0] - before.color[0], now, restored[1])
    carried = np.abs(expected - restored[1, 0]).max(2) > 1e-3
    assert 0.2 < carried.mean() < 0.9
    assert np.abs(found[0] - expected).max() < 1e-3


def test_the_left_eye_knows_nothing_of_the_right_one() -> None:
    restored = np.random.default_rng(5).random((3, 2, HEIGHT, WIDTH, 3)).astype(np.float32)
    both, alone = Recall(), Recall()
    for step, colors in enumerate(restored):
        eyes = (here(0.1 * step), here(0.1 * step + 0.06))
        pair = both.steady(pictures(0.3, 2.0, *eyes), colors)
        assert np.array_equal(pair[0], alone.steady(pictures(0.3, 2.0, eyes[0]), colors[:1])[0])


def test_the_right_eye_takes_over_what_the_left_one_got() -> None:
    """Eyes 0.2 apart at depth 2 and focal length 20 see a surface two pixels apart."""
    mark = np.full((2, HEIGHT, WIDTH, 3), 0.3, np.float32)
    mark[0, 10, 20] = 0.9
    recall, eyes = Recall(threads=1), pictures(0.3, 2.0, here(), here(0.2))
    found = recall.steady(eyes, mark)
    assert found[0, 10, 20] == pytest.approx(0.9)
    assert found[1, 10, 18] == pytest.approx(0.3 + MOST * 0.6, abs=1e-4)
    again = recall.steady(eyes, mark)
    assert (again[1, 10, 18] > found[1, 10, 18]).all(), "and keeps it"


def test_the_right_eye_is_what_its_twin_says() -> None:
    rng = np.random.default_rng(6)
    depth = 2 + 0.3 * rng.random((HEIGHT, WIDTH)).cumsum(1) / WIDTH
    depth[12:15, 10:20] = 1.0
    color = 0.5 + 0.3 * rng.random((HEIGHT, WIDTH, 3)) ** 4
    eyes, restored = (here(), turned(0.03)), rng.random((2, HEIGHT, WIDTH, 3)).astype(np.float32)
    found = Recall(threads=2).steady(pictures(color, depth, *eyes), restored)
    left, right = (pictures(color, depth, eye) for eye in eyes)
    expected, _ = twin(left, restored[0] - left.color[0], right, restored[1:])
    assert 0.2 < (np.abs(expected - restored[1]).max(2) > 1e-3).mean() < 1
    assert np.abs(found[1] - expected).max() < 1e-3


def test_another_size_begins_anew() -> None:
    recall = Recall()
    recall.steady(pictures(0.3, 2.0, here(), here()), np.concatenate([grey(0.5), grey(0.5)]))
    assert np.allclose(recall.steady(pictures(0.3, 2.0, here()), grey(0.4)), 0.4)
    with pytest.raises(ValueError, match="depth"):
        recall.steady(Pictures(grey(0), grey(0)[..., 0], (here(),), np.zeros(1)), grey(0))
