"""What every test may ask for."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


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
