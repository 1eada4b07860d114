"""What nothing can be shown with, whoever asks for it."""

from typing import Any

import pytest

from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"fps": 0.0}, "0 frames per second: expected more than 0"),
        ({"fps": float("nan")}, "nan frames per second"),
        ({"fps": float("inf")}, "inf frames per second"),
        ({"seconds": 0.0}, "0 s to play: expected more than 0"),
        ({"seconds": float("nan")}, "nan s to play"),
        ({"size": (0, 360)}, "pictures of 0 x 360 pixels"),
        ({"max_splats": -1}, "at most -1 splats"),
        ({"max_bytes_per_s": -1}, "at most -1 bytes per second"),
    ],
)
def test_what_nothing_could_be_shown_with_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        PlayConfig("http://nowhere", **values)


def test_what_says_nothing_has_no_bounds() -> None:
    config = PlayConfig("http://nowhere")
    assert (config.seconds, config.max_splats, config.max_bytes_per_s) == (None, 0, 0)
