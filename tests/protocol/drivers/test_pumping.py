"""When a connection is to be looked after again. What is moved then is tested with the endpoints."""

from typing import Any

import pytest

from exgs.protocol.drivers.pumping import POLL_S, next_pump_s


class Waiting:
    """As much of a connection as is asked."""

    def __init__(self, deadline_s: float | None, unacknowledged_bytes: int) -> None:
        self.deadline_s, self.unacknowledged_bytes = deadline_s, unacknowledged_bytes

    def next_deadline(self) -> float | None:
        return self.deadline_s


@pytest.mark.parametrize(
    ("deadline_s", "unacknowledged_bytes", "expected_s"),
    [(None, 0, None), (None, 9, None), (7.0, 0, 7.0), (7.0, 9, 5.0 + POLL_S), (5.01, 9, 5.01), (4.0, 0, 5.0)],
)
def test_it_is_polled_while_data_is_under_way(
    deadline_s: float | None, unacknowledged_bytes: int, expected_s: float | None
) -> None:
    connection: Any = Waiting(deadline_s, unacknowledged_bytes)
    assert next_pump_s(connection, 5.0) == expected_s
