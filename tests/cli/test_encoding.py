"""The words of the command line for encoding, which are the codec's."""

import pytest

from exgs import codec
from exgs.cli import encoding


@pytest.mark.parametrize(
    "name",
    ["METHODS", "STORAGES", "DEFAULT_EFFORT", "DEFAULT_PRESET", "FEWEST_VIEWS", "MOST_VIEWS", "MOST_LEVELS"],
)
def test_words_are_those_of_the_codec(name: str) -> None:
    assert getattr(encoding, name) == getattr(codec, name)


def test_presets_and_efforts_are_those_of_the_codec() -> None:
    assert dict(codec.PRESETS) == encoding.PRESETS
    assert tuple(codec.EFFORTS) == encoding.EFFORTS
