"""The search for a precision that fits, on made-up sizes."""

import pytest

from exgs.codec.encoding.rate import COARSEST, FINEST, MOST_TRIALS, search
from exgs.codec.writing.serializer import Serialized


def sizes(scale: float, power: float, seen: list[float] | None = None):  # type: ignore[no-untyped-def]
    """Files whose size falls with a power of the factor."""

    def write(factor: float) -> Serialized:
        if seen is not None:
            seen.append(factor)
        return Serialized(bytes(round(scale * factor**-power)), {}, ())

    return write


@pytest.mark.parametrize("power", [0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("start", [0.5, 1.0, 2.0])
def test_sizes_come_close_from_below(power: float, start: float) -> None:
    fit = search(sizes(10_000, power), 11_000, start)
    assert fit.fits and 0.98 * 11_000 <= len(fit.file.data) <= 11_000


def test_trials_are_few_and_within_bounds() -> None:
    seen: list[float] = []
    search(sizes(10_000, 0.4, seen), 10_500, 1.0)
    assert len(seen) <= MOST_TRIALS
    assert all(FINEST * 0.999 <= factor <= COARSEST * 1.001 for factor in seen)


def test_what_never_fits_is_the_smallest_and_says_so() -> None:
    fit = search(sizes(10_000, 0.1), 5_000, 1.0)
    assert not fit.fits and fit.factor == pytest.approx(COARSEST)


def test_what_always_fits_is_as_fine_as_allowed() -> None:
    fit = search(sizes(1_000, 0.1), 50_000, 1.0, 0.25)
    assert fit.fits and fit.factor == pytest.approx(0.25)


def test_sizes_that_ignore_the_factor_end() -> None:
    assert search(sizes(1_000, 0.0), 2_000, 1.0).fits
    assert not search(sizes(1_000, 0.0), 900, 1.0).fits


def test_a_size_that_hardly_falls_at_first_does_not_lead_astray() -> None:
    def write(factor: float) -> Serialized:
        size = 10_000 * (1 - 0.0125 * (factor - 1)) if factor < 1.03 else 10_000 * factor**-0.55
        return Serialized(bytes(round(size)), {}, ())

    fit = search(write, 9_990, 1.0)
    assert fit.fits and len(fit.file.data) > 0.98 * 9_990


def test_a_jump_across_the_budget_is_not_looked_into_for_long() -> None:
    seen: list[float] = []

    def write(factor: float) -> Serialized:
        seen.append(factor)
        size = 10_000 * factor**-0.3
        return Serialized(bytes(round(size if factor < 1.0132 else 0.99 * size)), {}, ())

    fit = search(write, 9_950, 1.0)
    assert fit.fits and len(fit.file.data) > 0.985 * 9_950
    assert len(seen) <= 6
