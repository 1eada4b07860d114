import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.painter.losses import LossWeights, filter_matrix, flip, log_errors, look  # noqa: E402
from exgs.raster import quality  # noqa: E402


def pictures(seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture [H,W,3] and a spoilt copy, as FLIP was made for."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:72, 0:88] / 20
    clean = np.stack([np.sin(x + k) * np.cos(y * (1 + k)) for k in range(3)], 2) * 0.4 + 0.5
    spoilt = clean + 0.1 * rng.standard_normal((9, 11, 3)).repeat(8, 0).repeat(8, 1)
    return clean.astype(np.float32), np.clip(spoilt, 0, 1).astype(np.float32)


def tensor(picture: np.ndarray) -> "torch.Tensor":
    return torch.from_numpy(picture.transpose(2, 0, 1)[None].copy())


@pytest.mark.parametrize("seed", [5, 6])
def test_flip_is_that_of_the_reference_program(seed):
    clean, spoilt = pictures(seed)
    assert float(flip(tensor(spoilt), tensor(clean)).mean()) == pytest.approx(
        quality.flip(clean, spoilt), abs=1e-3
    )


def test_flip_of_equal_pictures_is_nothing():
    clean, _ = pictures()
    for soft in (0.0, 1.0):
        assert float(flip(tensor(clean), tensor(clean), soft=soft).max()) < 1e-3


def test_soft_flip_is_less_and_its_gradients_bounded():
    clean, spoilt = pictures()
    near = tensor(clean + np.float32(1e-4)).requires_grad_()
    gradients = []
    for soft in (0.0, 1.0):
        (gradient,) = torch.autograd.grad(flip(near, tensor(clean), soft=soft).mean(), near)
        assert torch.isfinite(gradient).all()
        gradients.append(float(gradient.norm()))
    assert gradients[1] < 0.2 * gradients[0]
    hard, soft = (float(flip(tensor(spoilt), tensor(clean), soft=s).mean()) for s in (0.0, 1.0))
    assert 0 < soft < hard


def test_half_the_error_is_worth_the_same_in_any_picture():
    clean, spoilt = pictures()
    weights = LossWeights(squared=1.0, flip=0.0)
    for share in (1.0, 0.5):
        far = tensor(clean + share * (spoilt - clean))
        near = tensor(clean + share / 2 * (spoilt - clean))
        gain = log_errors(far, tensor(clean), weights) - log_errors(near, tensor(clean), weights)
        assert float(gain) == pytest.approx(np.log(4), abs=0.15)


def test_errors_are_of_each_picture_by_itself():
    clean, spoilt = pictures()
    both = log_errors(
        torch.cat([tensor(spoilt), tensor(clean)]), tensor(clean).repeat(2, 1, 1, 1), LossWeights()
    )
    assert both.shape == (2,)
    assert both[1] < both[0]
    assert torch.allclose(both[:1], log_errors(tensor(spoilt), tensor(clean), LossWeights()))


def test_what_is_looked_at_once_serves_many():
    clean, spoilt = (tensor(picture) for picture in pictures())
    looked = look(clean)
    assert torch.equal(flip(spoilt, clean, looked=looked), flip(spoilt, clean))
    assert torch.equal(
        log_errors(spoilt, clean, LossWeights(), looked=looked), log_errors(spoilt, clean, LossWeights())
    )
    assert float(flip(spoilt, clean, looked=look(spoilt)).max()) < 1e-3, "it is believed"


def test_filter_matrix_repeats_the_ends():
    taps = torch.tensor([0.25, 0.5, 0.25])
    line = torch.tensor([4.0, 0.0, 0.0, 8.0])
    assert (filter_matrix(taps, 4) @ line).tolist() == [3, 1, 2, 6]
