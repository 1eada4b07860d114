from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.errors import FeedforwardError  # noqa: E402
from exgs.feedforward.memory import TensorMeter, foretold_bytes  # noqa: E402
from exgs.feedforward.network import Reconstructor, build  # noqa: E402
from exgs.feedforward.reconstructing import as_pictures, pick_anchors, reconstruct  # noqa: E402
from exgs.feedforward.views import Views  # noqa: E402
from exgs.raster.cpu import CpuRasterizer  # noqa: E402
from exgs.scene import Frame  # noqa: E402
from tests.feedforward.rooms import TINY, wall  # noqa: E402


@pytest.fixture(scope="module")
def network() -> Reconstructor:
    torch.manual_seed(1)
    return build(TINY).eval()


@pytest.fixture(scope="module")
def views() -> Views:
    shots = wall(CpuRasterizer(threads=1), count=10, size=(50, 30))
    pictures = (255 * shots.pictures).astype(np.uint8)
    return Views(pictures, shots.cameras, shots.near, shots.far, Frame("RUB"))


@pytest.mark.parametrize("anchors", [None, 2, "auto"])
def test_it_is_the_network_one_view_after_the_other(
    network: Reconstructor, views: Views, anchors: int | None
) -> None:
    made = reconstruct(views, network, anchors=anchors)
    chosen = pick_anchors(views, anchors)
    with torch.inference_mode():
        cloud = network(as_pictures(views.pictures), views.cameras, views.near, views.far, chosen)
    whole = cloud.visible().gaussians(views.frame)
    assert len(made.gaussians) == len(whole) == len(cloud)
    assert made.gaussians.frame == views.frame
    apart = np.linalg.norm(made.gaussians.means - whole.means, axis=1)
    assert np.median(apart) < 1e-3  # features are kept in half precision
    assert np.quantile(apart, 0.97) < 0.1


def test_memory_hardly_grows_with_views_and_as_foretold(network: Reconstructor, views: Views) -> None:
    peaks = {}
    for count in (4, 10):
        few = views.select(range(count))
        peaks[count] = reconstruct(few, network, anchors=2).peak_bytes
        assert peaks[count] <= foretold_bytes(network, views.size, views=count, anchors=2)
        assert peaks[count] > 0.3 * foretold_bytes(network, views.size, views=count, anchors=2)
    all_on = reconstruct(views, network, anchors=None).peak_bytes
    assert all_on <= foretold_bytes(network, views.size, views=10, anchors=10)
    weights = sum(part.nbytes for part in network.parameters())
    assert peaks[10] - weights < 1.25 * (peaks[4] - weights)
    assert all_on - weights > 1.5 * (peaks[4] - weights)


def test_views_that_look_different_ways_need_more_memory_than_foretold_never(
    network: Reconstructor, views: Views
) -> None:
    near = replace(views, near=views.near / 20)  # steps of the ladder are cut into parts
    assert reconstruct(near, network, anchors=2).peak_bytes <= foretold_bytes(
        network, views.size, views=10, anchors=2
    )


@pytest.mark.parametrize("anchors", [2, None])
def test_progress_and_time_are_told(network: Reconstructor, views: Views, anchors: int | None) -> None:
    told: list[float] = []
    ticks = iter((5.0, 7.5))
    made = reconstruct(
        views.select(range(3)), network, anchors=anchors, progress=told.append, clock=lambda: next(ticks)
    )
    assert told == sorted(told)
    assert told[-1] == 1
    assert made.seconds == 2.5


def test_too_few_views_or_anchors_are_refused(network: Reconstructor, views: Views) -> None:
    with pytest.raises(FeedforwardError, match="2 views"):
        reconstruct(views.select([0]), network)
    with pytest.raises(FeedforwardError):
        reconstruct(views, network, anchors=0)


def test_the_meter_counts_what_is_held_at_one_time() -> None:
    with torch.inference_mode(), TensorMeter(1000) as meter:
        for _ in range(4):
            kept = torch.zeros(500)
            view = kept[10:]
            del kept
            more = view + 1
            del view, more
    assert meter.peak_bytes == 1000 + 4 * (500 + 490)
