"""Views looked at at once come back in their order, on threads only where the rasteriser bears it."""

import threading
from collections.abc import Sequence

import pytest

from exgs.codec.encoding.at_once import BATCH, MOST_AT_ONCE, batches, each
from exgs.raster.cpu import CpuRasterizer
from exgs.raster.seam import Rasterizer


class Lonely(CpuRasterizer):
    """A rasteriser that makes no promises about threads."""

    name = "lonely"


@pytest.mark.parametrize("rasterizer", [CpuRasterizer(threads=1), Lonely(threads=1)])
@pytest.mark.parametrize("views", [(), (3,), tuple(range(5, 5 + 2 * MOST_AT_ONCE + 1))])
def test_each_view_comes_in_its_turn(rasterizer: Rasterizer, views: Sequence[int]) -> None:
    assert list(each(rasterizer, lambda view: 10 * view, views)) == [10 * view for view in views]


def test_no_more_are_begun_than_are_held() -> None:
    begun: list[int] = []
    looked = each(CpuRasterizer(threads=1), begun.append, range(100))
    next(looked)
    assert sorted(begun) == list(range(MOST_AT_ONCE))


def test_a_rasteriser_without_promises_is_called_by_the_caller_alone() -> None:
    threads = set(each(Lonely(threads=1), lambda view: threading.get_ident(), range(40)))
    assert threads == {threading.get_ident()}


def test_what_goes_wrong_with_a_view_is_told() -> None:
    with pytest.raises(ZeroDivisionError):
        list(each(CpuRasterizer(threads=1), lambda view: 1 // (view - 2), range(4)))


@pytest.mark.parametrize(("count", "number"), [(0, 1), (1, 1), (BATCH, 1), (BATCH + 1, 2), (5 * BATCH, 5)])
def test_batches_follow_one_another_and_are_no_larger_than_they_may(count: int, number: int) -> None:
    parts = batches(count)
    assert len(parts) == number and all(end - begin <= BATCH for begin, end in parts)
    assert [index for begin, end in parts for index in (begin, end)][1:-1:2] == [
        begin for begin, _ in parts[1:]
    ]
    assert (parts[0][0], parts[-1][1]) == (0, count)
