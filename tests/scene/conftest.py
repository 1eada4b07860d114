"""Scenes that several tests look at."""

import pytest

from exgs.scene import Gaussians, generate_interior


@pytest.fixture(scope="session")
def interior() -> Gaussians:
    """A small version of the generated interior."""
    return generate_interior(seed=1, count=120_000)
