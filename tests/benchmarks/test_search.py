"""The searches for a number of Gaussians and for a number of bytes."""

from benchmarks.codec.search import CLOSE, MOST_TRIALS, TRIALS, Found, fill_budget, next_match


def found_with(size_of, budget: int, most: int = 100_000, guess: float = 20.0) -> Found[int] | None:
    tried = []

    def make(count: int) -> tuple[int, int]:
        assert 1 <= count <= most
        assert count not in tried
        tried.append(count)
        return count, size_of(count)

    found = fill_budget(make, budget, most, guess)
    assert found is None or found.trials == len(tried)
    return found


def test_a_file_just_below_the_budget_is_found_in_few_trials() -> None:
    for budget in (20_000, 90_000, 700_000):
        found = found_with(lambda count: 5000 + 14 * count, budget)
        assert found is not None
        assert CLOSE * budget <= found.size <= budget
        assert found.trials <= TRIALS
        assert found.size == 5000 + 14 * found.count


def test_a_scene_that_fits_whole_is_taken_whole() -> None:
    found = found_with(lambda count: 10 * count, 1_000_000, most=500)
    assert found is not None
    assert (found.count, found.trials) == (500, 1)


def test_sizes_that_jump_end_below_the_budget() -> None:
    found = found_with(lambda count: 14 * count + 30_000 * (count // 1024), 60_000)
    assert found is not None
    assert found.size <= 60_000


def test_nothing_fits_where_a_file_has_a_least_size() -> None:
    assert found_with(lambda count: 10_000 + count, 9_000) is None


def test_looking_goes_on_until_something_fits() -> None:
    found = found_with(lambda count: 400 * count, 40_000, guess=1.0)
    assert found is not None
    assert found.size <= 40_000
    assert found.trials <= MOST_TRIALS


def test_a_match_is_looked_for_between_too_little_and_enough() -> None:
    budget = next_match([(1000, 30.0), (4000, 42.0)], 36.0)
    assert budget is not None
    assert 1900 < budget < 2100


def test_a_match_is_found_once_the_bracket_is_narrow() -> None:
    assert next_match([(1000, 35.0), (1010, 36.0)], 35.5) is None


def test_without_a_file_that_is_good_enough_there_is_no_match() -> None:
    assert next_match([(1000, 30.0)], 36.0) is None


def test_the_first_look_below_all_files_is_at_half_the_bytes() -> None:
    assert next_match([(1000, 40.0)], 36.0) == 500
