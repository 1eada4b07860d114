"""docs/protocol.md against the code."""

import ast
import inspect
from itertools import pairwise
from pathlib import Path

import pytest

from exgs.protocol import CloseCode, ConnectionConfig, SceneState, config, vocabulary
from exgs.protocol import messages as m
from exgs.protocol.channels import CHANNELS
from exgs.protocol.fields import kinds_of
from exgs.protocol.rules import RULES, Layout
from exgs.protocol.vocabulary import FRAGMENT_BYTES, MAX_HELD_BYTES, MAX_OPEN_CHUNKS, MAX_SDP_BYTES

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def table_under(head: str, text: str = TEXT) -> list[list[str]]:
    """The cells of the table whose first line begins with ``head``."""
    lines = text[text.index(head) :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def meanings(module: object, of: str) -> dict[str, str]:
    """The literal under each field of class ``of``, in one line."""
    tree = ast.parse(inspect.getsource(module))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == of).body
    found = {}
    for field, literal in pairwise(body):
        target = getattr(field, "target", None) or next(iter(getattr(field, "targets", [])), None)
        if isinstance(target, ast.Name) and isinstance(literal, ast.Expr):
            found[target.id] = " ".join(ast.literal_eval(literal.value).split())
    return found


def test_the_channels() -> None:
    assert table_under("| channel |") == [
        [
            f"{spec.channel.name} ({int(spec.channel)})",
            f"`{spec.label}`",
            str(spec.link),
            "yes" if spec.reliable else "no",
            "yes" if spec.ordered else "no",
            str(spec.max_message_bytes),
        ]
        for spec in CHANNELS
    ]


def test_the_rules() -> None:
    assert table_under("| number |") == [
        [
            str(rule.number),
            rule.message.__name__,
            "both" if len(rule.senders) == 2 else min(sender.value for sender in rule.senders),
            ", ".join(sorted(state.value for state in rule.states)),
            "scene" if len(rule.channels) > 1 else min(channel.name.lower() for channel in rule.channels),
            f"packed `{rule.widths}`" if rule.layout is Layout.PACKED else "msgpack",
        ]
        for rule in RULES
    ]


@pytest.mark.parametrize("of", [*(rule.message for rule in RULES), m.SceneInfo], ids=lambda of: of.__name__)
def test_each_message_field_by_field(of: type) -> None:
    section = TEXT[TEXT.index(f"#### {of.__name__}\n") :]
    meaning = meanings(m, of.__name__)
    assert " ".join((of.__doc__ or "").split()) in " ".join(section.split())
    assert table_under("| field |", section) == [
        [f"`{name}`", kind.describe(), meaning[name]] for name, kind in kinds_of(of)
    ]


def test_every_message_of_the_code_is_in_the_table() -> None:
    spoken = {rule.message for rule in RULES}
    assert {of for of in vars(m).values() if isinstance(of, type) and issubclass(of, m.Message)} - {
        m.Message
    } == spoken


def test_the_close_codes() -> None:
    meaning = meanings(vocabulary, "CloseCode")
    assert table_under("| code |") == [[str(int(code)), code.name, meaning[code.name]] for code in CloseCode]


def test_the_states_of_a_scene() -> None:
    meaning = meanings(vocabulary, "SceneState")
    text = TEXT[TEXT.index("SceneStatus tells one of these states") :]
    assert table_under("| state |", text) == [
        [str(int(state)), state.name, meaning[state.name]] for state in SceneState
    ]


def test_the_settings() -> None:
    meaning = meanings(config, "ConnectionConfig")
    shown = {name: getattr(ConnectionConfig(), name) for name in meaning}
    assert table_under("| setting |") == [
        [f"`{name}`", f"{value:.6g}" if isinstance(value, float) else str(value), meaning[name]]
        for name, value in shown.items()
        if isinstance(value, int | float)
    ]


def test_the_limits_in_the_prose() -> None:
    assert f"multiples of {FRAGMENT_BYTES:,} bytes" in TEXT
    assert f"{MAX_SDP_BYTES:,} bytes of ASCII" in TEXT
    assert f"at most {MAX_OPEN_CHUNKS:,} chunks under way" in TEXT
    assert f"more than {MAX_HELD_BYTES >> 20} MiB beyond its receipts" in TEXT
