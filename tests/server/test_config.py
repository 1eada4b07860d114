"""What no server can be made with, whoever asks for it."""

from pathlib import Path
from typing import Any

import pytest

from exgs.server.config import Limits, ServerConfig
from exgs.server.errors import UnfitSetting

SCENES, CACHE = Path("scenes"), Path("cache")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"max_bytes_per_s": 62_500.0}, "^max_bytes_per_s: an upload of 0.5 Mbit/s: .* less than 0.512$"),
        ({"max_bytes_per_s": -1.0}, "less than 0.512"),
        ({"max_bytes_per_s": float("nan")}, "less than 0.512"),
        ({"max_bytes_per_s": 1e5, "limits": Limits(min_share_bytes_per_s=2e5)}, "less than 1.6"),
        ({"tls_key": Path("key.pem")}, "^tls_key: key.pem is a key without its certificate$"),
        ({"token": ""}, "^token: expected 1 to 256"),
        ({"token": "two words"}, "token: expected"),
        ({"token": "a" * 257}, "token: expected"),
        ({"encoders": 0}, "^encoders: expected 1 or more, found 0$"),
        ({"encode_timeout_s": 0.0}, "^encode_timeout_s: expected more than 0, found 0$"),
        ({"encode_timeout_s": float("nan")}, "expected more than 0, found nan"),
    ],
)
def test_what_nobody_could_be_served_with_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnfitSetting, match=reason):
        ServerConfig(SCENES, CACHE, **values)


def test_the_least_that_one_viewer_is_let_in_for_will_do() -> None:
    least = Limits.min_share_bytes_per_s
    assert ServerConfig(SCENES, CACHE, max_bytes_per_s=least).max_bytes_per_s == least
    assert ServerConfig(SCENES, CACHE).max_bytes_per_s == 0
    assert ServerConfig(SCENES, CACHE, token="~" * 256, tls_certificate=Path("both.pem")).tls_key is None
