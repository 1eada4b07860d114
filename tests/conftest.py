"""What every test may ask for."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


@pytest.fixture(scope="session", autouse=True)
def usual_signals() -> Iterator[None]:
    """Signals do here, and in what tests start, what they do in a terminal: whoever began may ignore some."""
    usual = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}
    numbers = {getattr(signal, name): action for name, action in usual.items() if hasattr(signal, name)}
    before = {number: signal.signal(number, action) for number, action in numbers.items()}
    yield
    for number, action in before.items():
        signal.signal(number, action)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scenes, cameras and traces; skips where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("../shared/data is absent: this test needs the real scenes")
    return SHARED / "data"


@pytest.fixture(scope="session")
def referee() -> Path:
    """The folder of the independent referee; skips where it is absent."""
    if not (SHARED / "referee").is_dir():
        pytest.skip("../shared/referee is absent: this test needs the independent referee")
    return SHARED / "referee"
