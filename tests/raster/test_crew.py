"""Threads that share out ranges."""

import threading

import pytest

from exgs.raster.crew import PARTS_PER_THREAD, Crew, ranges


def test_results_come_in_the_order_of_the_jobs() -> None:
    assert Crew(3).share(lambda a, b: a * 10 + b, [(i, 1) for i in range(20)]) == [
        10 * i + 1 for i in range(20)
    ]


def test_no_jobs_give_no_results() -> None:
    assert Crew(2).share(print, []) == []


def test_one_thread_is_the_caller() -> None:
    assert Crew(1).share(threading.current_thread, [()] * 5) == [threading.current_thread()] * 5


def test_an_error_in_a_job_reaches_the_caller() -> None:
    def fail(index: int) -> None:
        raise ZeroDivisionError(index)

    crew = Crew(2)
    with pytest.raises(ZeroDivisionError):
        crew.share(fail, [(1,), (2,)])
    assert crew.share(abs, [(-1,), (-2,)]) == [1, 2]


@pytest.mark.parametrize(("count", "parts"), [(0, 3), (1, 3), (10, 3), (7, 7), (100, 1)])
def test_ranges_cover_everything_once(count: int, parts: int) -> None:
    found = ranges(count, parts)
    assert [i for begin, end in found for i in range(begin, end)] == list(range(count))
    assert 1 <= len(found) <= parts


def test_every_thread_has_several_parts_where_there_is_enough_to_do() -> None:
    assert Crew(3).parts(10_000) == ranges(10_000, 3 * PARTS_PER_THREAD)
    assert len(Crew(3).parts(10_000)) > 3 and Crew(3).parts(2) == [(0, 1), (1, 2)]
