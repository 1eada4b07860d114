"""Values on the command line: what each flag takes, and that nothing else gets past any of them."""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from exgs.cli import arguments
from exgs.cli.main import COMMANDS, build_parser
from exgs.painter import ENGINES, MODES
from tests.cli.conftest import Command

ODD = ("", "-1", "-0", "nan", "inf", "-inf", "1e308", "1e-308", "0x10", "9" * 40, "9" * 400, "9" * 5000)
"""Numbers that are none, or such as nobody means."""
Found = tuple[str, argparse.ArgumentParser, argparse.Action]
ANY_TEXT = ("--token",)
"""Flags that look at their words later."""


def actions() -> Iterator[Found]:
    """Every argument of every command that takes a value, with the parser that it belongs to."""

    def of(name: str, parser: argparse.ArgumentParser) -> Iterator[Found]:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for inner, child in action.choices.items():
                    yield from of(f"{name} {inner}", child)
            elif action.nargs != 0:
                yield f"{name} {(action.option_strings or [action.dest])[0]}", parser, action

    for command in COMMANDS:
        parser, _ = build_parser([command])
        (chosen,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        yield from of(command, chosen.choices[command])


@pytest.mark.parametrize(
    ("parser", "action"), [pytest.param(*rest, id=name) for name, *rest in actions()]
)  # fmt: skip
def test_no_word_is_worse_than_wrong_usage(parser: argparse.ArgumentParser, action: argparse.Action) -> None:
    refused = []
    for word in ODD:
        try:
            parser._get_value(action, word)
        except argparse.ArgumentError:
            refused.append(word)
    assert "" in refused or action.option_strings == list(ANY_TEXT)
    if action.type not in (None, str, int, arguments.path):  # choices of int are looked at later
        assert refused == list(ODD), "a number is bounded"


@pytest.mark.parametrize(
    "words",
    [
        ("encode", "scene.ply", "null", "--views", "999999999"),
        ("encode", "scene.ply", "null", "--seed", "-1"),
        ("encode", "scene.ply", "null", "--views", "1"),
        ("encode", "scene.ply", "null", "--levels", "9"),
        ("encode", "scene.ply", "null", "--levels", "0"),
        ("encode", "scene.ply", "null", "--sh-degree", "4"),
        ("demo", "--count", "999"),
        ("demo", "--seconds", "1e9"),
        ("render", "scene.ply", "null", "--orbit", "999999999"),
        ("experiment", "x.toml", "--jobs", "999999999"),
        ("painter", "make-pairs", "out", "--size", "16"),
        ("painter", "train", "pairs", "out", "--threads", "999999999"),
        ("feedforward", "evaluate", "small", "--views", "1,2"),
    ],
)
def test_numbers_out_of_bounds_are_wrong_usage(exgs: Command, words: tuple[str, ...]) -> None:
    code, _, err = exgs(*words)
    assert code == 2
    assert "expected" in err.splitlines()[-1] or "choose from" in err


@pytest.mark.parametrize(
    "words",
    [
        ("info", ""), ("serve", ""), ("serve", "scenes", "--cache="), ("encode", "", "null"),
        ("painter", "train", "", "out"), ("play", ""),
    ],
)  # fmt: skip
def test_an_empty_name_is_not_the_current_folder(exgs: Command, words: tuple[str, ...]) -> None:
    code, _, err = exgs(*words)
    assert code == 2
    assert "expected a name, found nothing" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "value"), [("800000", 800_000), ("3.3MB", 3_300_000), ("512KiB", 1 << 19), ("1 g", 10**9)]
)
def test_sizes_have_units(text: str, value: int) -> None:
    assert arguments.byte_count(text) == value


def test_numbers_within_bounds_are_taken() -> None:
    assert [arguments.whole_between(2, 40)(text) for text in ("2", "40", "07")] == [2, 40, 7]
    assert arguments.positive_float("1e-9") == 1e-9 and arguments.positive_float("1e9") == 1e9
    assert arguments.seconds("86400") == 86400 and math.isclose(arguments.seconds(".5"), 0.5)
    assert arguments.path("a b") == Path("a b") and arguments.name(" ") == " "


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--restore", "bogus"], "bogus: expected off, auto, tiny, small, base, or a folder of weights"),
        (["--restore", "off", "--restore-engine", "torch"], "nothing is restored where --restore is off"),
    ],
)  # fmt: skip
def test_what_cannot_restore_is_refused_at_once(exgs: Command, words: list[str], says: str) -> None:
    code, _, err = exgs("render", "no-such.ply", "out", "--orbit", 1, *words)
    assert code == 2 and says in err


def test_the_modes_and_engines_of_restoring_are_those_of_the_painter() -> None:
    assert arguments.RESTORE_MODES == MODES and arguments.RESTORE_ENGINES == ENGINES
