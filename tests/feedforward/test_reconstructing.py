from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward import coverage, reconstructing  # noqa: E402
from exgs.feedforward.anchors import LEAST, choose_anchors  # noqa: E402
from exgs.feedforward.choose import load_network, open_weights  # noqa: E402
from exgs.feedforward.coverage import Coverage  # noqa: E402
from exgs.feedforward.errors import FeedforwardError  # noqa: E402
from exgs.feedforward.memory import TensorMeter, foretold_bytes  # noqa: E402
from exgs.feedforward.network import Reconstructor, build  # noqa: E402
from exgs.feedforward.one_pass import as_pictures  # noqa: E402
from exgs.feedforward.reconstructing import reconstruct  # noqa: E402
from exgs.feedforward.sets import depth_range, look  # noqa: E402
from exgs.feedforward.views import Views  # noqa: E402
from exgs.raster.cpu import CpuRasterizer  # noqa: E402
from exgs.scene import Frame, generate_interior, orbit  # noqa: E402
from tests.feedforward.rooms import TINY, wall  # noqa: E402

CPU = CpuRasterizer(threads=1)


@pytest.fixture(scope="module")
def network() -> Reconstructor:
    torch.manual_seed(1)
    return build(TINY).eval()


@pytest.fixture(scope="module")
def views() -> Views:
    shots = wall(CPU, count=10, size=(50, 30))
    pictures = (255 * shots.pictures).astype(np.uint8)
    return Views(pictures, shots.cameras, shots.near, shots.far, Frame("RUB"))


@pytest.mark.parametrize("anchors", [None, 2, "auto"])
def test_it_is_the_network_one_view_after_the_other(
    network: Reconstructor, views: Views, anchors: int | None
) -> None:
    made = reconstruct(views, network, rasterizer=CPU, anchors=anchors)
    with torch.inference_mode():
        cloud = network(as_pictures(views.pictures), views.cameras, views.near, views.far, made.anchors)
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
        peaks[count] = reconstruct(few, network, rasterizer=CPU, anchors=2).peak_bytes
        assert peaks[count] <= foretold_bytes(network, views.size, views=count, anchors=2)
        assert peaks[count] > 0.3 * foretold_bytes(network, views.size, views=count, anchors=2)
    all_on = reconstruct(views, network, rasterizer=CPU, anchors=None).peak_bytes
    assert all_on <= foretold_bytes(network, views.size, views=10, anchors=10)
    weights = sum(part.nbytes for part in network.parameters())
    assert peaks[10] - weights < 1.25 * (peaks[4] - weights)
    assert all_on - weights > 1.5 * (peaks[4] - weights)


def test_views_that_look_different_ways_need_more_memory_than_foretold_never(
    network: Reconstructor, views: Views
) -> None:
    near = replace(views, near=views.near / 20)  # steps of the ladder are cut into parts
    assert reconstruct(near, network, rasterizer=CPU, anchors=2).peak_bytes <= foretold_bytes(
        network, views.size, views=10, anchors=2
    )


@pytest.mark.parametrize("small_pixels", [24 * 16, 10_000])
def test_auto_lets_more_go_on_until_nothing_is_missing(
    network: Reconstructor, views: Views, monkeypatch: pytest.MonkeyPatch, small_pixels: int
) -> None:
    begun = choose_anchors(views.centres, LEAST).indices
    others = [view for view in range(len(views)) if view not in begun]
    answers, heard, told = [others[:2], others[2:3], []], [], list[float]()

    def more(found: Coverage, tried: Views, anchors: Sequence[int]) -> list[int]:
        heard.append((tried.size, tuple(anchors)))
        assert len(found.shares) == len(tried) == len(views)
        return answers.pop(0)

    monkeypatch.setattr(coverage, "SMALL_PIXELS", small_pixels)
    monkeypatch.setattr(reconstructing, "more_anchors", more)
    made = reconstruct(views, network, rasterizer=CPU, progress=told.append)
    assert made.anchors is not None
    assert made.anchors.indices == (*begun, *others[:3])
    assert [anchors for _, anchors in heard] == [begun, (*begun, *others[:2]), made.anchors.indices]
    assert {size[0] * size[1] < 50 * 30 for size, _ in heard} == {small_pixels < 50 * 30}
    assert len(made.gaussians) > 8 * 25 * 15 > 0.5 * len(made.gaussians)  # all of the pictures' own size
    assert told == sorted(told)
    assert told[-1] == 1


def test_all_around_a_room_auto_covers_what_four_anchors_do_not() -> None:
    scene = generate_interior(seed=101, count=60_000)
    cameras = tuple(orbit(scene, 12, size=(112, 64)))
    pictures, depths = look(scene, cameras, rasterizer=CPU)
    views = Views(pictures, cameras, *depth_range(depths), scene.frame)
    shipped = load_network(open_weights("small"))
    few, enough = (reconstruct(views, shipped, rasterizer=CPU, anchors=anchors) for anchors in (4, "auto"))
    assert few.anchors and enough.anchors
    assert len(few.coverage.short(few.anchors.indices)) > 3
    assert enough.coverage.short(enough.anchors.indices) == []
    assert enough.coverage.shares.mean() < few.coverage.shares.mean() / 5


@pytest.mark.parametrize("anchors", [2, None])
def test_progress_and_time_are_told(network: Reconstructor, views: Views, anchors: int | None) -> None:
    told: list[float] = []
    ticks = iter((5.0, 7.5))
    made = reconstruct(
        views.select(range(3)),
        network,
        rasterizer=CPU,
        anchors=anchors,
        progress=told.append,
        clock=lambda: next(ticks),
    )
    assert told == sorted(told)
    assert told[-1] == 1
    assert made.seconds == 2.5


def test_too_few_views_or_anchors_are_refused(network: Reconstructor, views: Views) -> None:
    with pytest.raises(FeedforwardError, match="2 views"):
        reconstruct(views.select([0]), network, rasterizer=CPU)
    with pytest.raises(FeedforwardError):
        reconstruct(views, network, rasterizer=CPU, anchors=0)


def test_the_meter_counts_what_is_held_at_one_time() -> None:
    with torch.inference_mode(), TensorMeter(1000) as meter:
        for _ in range(4):
            kept = torch.zeros(500)
            view = kept[10:]
            del kept
            more = view + 1
            del view, more
    assert meter.peak_bytes == 1000 + 4 * (500 + 490)
