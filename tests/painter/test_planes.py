import numpy as np
import pytest

from exgs.painter.planes import PLANES, layer_plane, planes, rate, relative_disparity, unplanes


def pictures(count: int = 2, height: int = 5, width: int = 19) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    color = rng.uniform(-0.2, 1.2, (count, height, width, 3)).astype(np.float32)
    alpha = rng.random((count, height, width), np.float32)
    return color, alpha, rng.uniform(1, 9, (count, height, width)).astype(np.float32)


def test_planes_hold_what_their_names_say():
    color, alpha, depth = pictures()
    seen = planes(color, alpha, depth, np.array([2.0**-7, 1.0]), np.array([2.0, 64.0]))
    assert seen.shape == (2, len(PLANES), 16, 32)
    assert seen.dtype == np.float32
    assert np.array_equal(seen[:, :3, :5, :19], np.clip(color, 0, 1).transpose(0, 3, 1, 2))
    assert np.array_equal(seen[:, 3, :5, :19], alpha)
    assert np.array_equal(seen[1, 4, :5, :19], relative_disparity(depth[1], alpha[1]))
    assert (seen[0, 5] == 0.5).all()
    assert (seen[1, 5] == 1).all()
    assert (seen[0, 6] == 0.5).all()
    assert (seen[1, 6] == 1).all()


def test_padding_repeats_the_last_row_and_column():
    color, alpha, depth = pictures()
    seen = planes(color, alpha, depth, np.ones(2), np.ones(2))
    assert (seen[:, :, 5:] == seen[:, :, 4:5]).all()
    assert (seen[:, :, :, 19:] == seen[:, :, :, 18:19]).all()


def test_pictures_come_back_at_their_size():
    color, alpha, depth = pictures()
    restored = planes(color, alpha, depth, np.ones(2), np.ones(2))[:, :4]
    back, gate = unplanes(restored, (19, 5))
    assert np.array_equal(back, np.clip(color, 0, 1))
    assert back.flags.c_contiguous
    assert np.array_equal(gate, alpha)


def test_disparity_does_not_know_the_unit_of_the_scene():
    _, alpha, depth = pictures(1)
    near, far = (relative_disparity(depth[0] * scale, alpha[0]) for scale in (1, 1000))
    assert np.allclose(near, far, atol=1e-6)
    assert (relative_disparity(depth[0], np.zeros_like(alpha[0])) == 0).all()
    assert relative_disparity(np.array([[1.0, 1, 0.01]]), np.ones((1, 3)))[0].tolist() == [0.25, 0.25, 1]


def test_disparity_is_nothing_where_nothing_is():
    alpha = np.array([[0, 1 / 255, 1]], np.float32)
    assert relative_disparity(np.array([[0, 5, 5]], np.float32), alpha).tolist() == [[0, 0, 0.25]]


def test_rates_are_counted_in_octaves_and_held_within_bounds():
    assert [rate(x) for x in (0, 2.0**-20, 2.0**-14, 2.0**-7, 1, 8)] == [0, 0, 0, 0.5, 1, 1]


def test_layers_are_counted_in_octaves_and_held_within_bounds():
    assert [layer_plane(x) for x in (0, 0.01, 0.125, 2, 32, 99)] == [0, 0, 0, 0.5, 1, 1]


@pytest.mark.parametrize("wrong", ["color", "alpha", "depth", "rates", "layers"])
def test_shapes_that_do_not_belong_together_are_refused(wrong):
    color, alpha, depth = pictures()
    rates, layers = np.ones(2), np.ones(2)
    if wrong == "color":
        color = color[0]
    elif wrong == "alpha":
        alpha = alpha[:1]
    elif wrong == "depth":
        depth = depth[:, 1:]
    elif wrong == "rates":
        rates = np.ones(3)
    else:
        layers = np.ones(1)
    with pytest.raises(ValueError, match="expected"):
        planes(color, alpha, depth, rates, layers)
