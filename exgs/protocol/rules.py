"""The table of a session: which message may be said by whom, when, on which channel, in which layout."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from exgs.protocol import messages as m
from exgs.protocol.channels import SCENE_CHANNELS, Channel
from exgs.protocol.errors import LocalProtocolError, RemoteProtocolError
from exgs.protocol.vocabulary import CloseCode, Role, State

FIRST_IGNORABLE = 128
"""An unknown message with this number or a higher one is ignored; a lower one ends the session."""


class Layout(enum.Enum):
    """How the fields of a message stand behind its number."""

    MSGPACK = "msgpack"
    """One msgpack array of the fields in order. Fields may be appended in later minor versions."""
    PACKED = "packed"
    """Big-endian numbers of fixed width; a payload takes the rest."""


@dataclass(frozen=True)
class Rule:
    """One row of the table."""

    number: int
    """The first byte of the message."""
    message: type[m.Message]
    """Its class."""
    senders: frozenset[Role]
    """Who may say it."""
    states: frozenset[State]
    """When the receiver may hear it."""
    channels: frozenset[Channel]
    """Where it may be said."""
    by_owner: bool
    """Whether the owner of the connection says it; else the connection itself does."""
    layout: Layout = Layout.MSGPACK
    """How it is coded."""
    widths: str = ""
    """Struct letters of the packed fields."""


_CLIENT, _SERVER = frozenset({Role.CLIENT}), frozenset({Role.SERVER})
_BOTH = _CLIENT | _SERVER
_GREETING, _OPEN = frozenset({State.GREETING}), frozenset({State.OPEN})
_EITHER = _GREETING | _OPEN
_CONTROL, _POSE = frozenset({Channel.CONTROL}), frozenset({Channel.POSE})
_SCENE = frozenset(SCENE_CHANNELS)

RULES: tuple[Rule, ...] = (
    Rule(1, m.Hello, _CLIENT, _GREETING, _CONTROL, False),
    Rule(2, m.Welcome, _SERVER, _GREETING, _CONTROL, False),
    Rule(3, m.SceneList, _SERVER, _OPEN, _CONTROL, True),
    Rule(4, m.OpenScene, _CLIENT, _OPEN, _CONTROL, True),
    Rule(5, m.SceneStatus, _SERVER, _OPEN, _CONTROL, True),
    Rule(6, m.Receipt, _CLIENT, _OPEN, _CONTROL, False),
    Rule(7, m.Goodbye, _BOTH, _EITHER, _CONTROL, False),
    Rule(16, m.ManifestFragment, _SERVER, _OPEN, _SCENE, False, Layout.PACKED, "HII"),
    Rule(17, m.ChunkFragment, _SERVER, _OPEN, _SCENE, False, Layout.PACKED, "HIII"),
    Rule(24, m.ViewUpdate, _CLIENT, _OPEN, _POSE, True, Layout.PACKED, "IQ3f4f2fH3f3f"),
    Rule(25, m.Beat, _BOTH, _EITHER, _POSE, False, Layout.PACKED, "QQIII"),
    Rule(128, m.Statistics, _CLIENT, _OPEN, _CONTROL, True),
    Rule(129, m.Preferences, _CLIENT, _OPEN, _CONTROL, True),
    Rule(130, m.LinkOffer, _CLIENT, _OPEN, _CONTROL, True),
    Rule(131, m.LinkAnswer, _SERVER, _OPEN, _CONTROL, True),
    Rule(132, m.Forgotten, _CLIENT, _OPEN, _CONTROL, True),
)
"""Every message of version 1."""

_BY_NUMBER = {rule.number: rule for rule in RULES}
_BY_CLASS = {rule.message: rule for rule in RULES}


def rule_numbered(number: int) -> Rule | None:
    """The row of message ``number``; None where there is none."""
    return _BY_NUMBER.get(number)


def rule_of(message: m.Message) -> Rule:
    """The row of ``message``.

    Raises:
        LocalProtocolError: it is no message of the table.
    """
    rule = _BY_CLASS.get(type(message))
    if rule is None:
        raise LocalProtocolError(f"{type(message).__name__} is no message")
    return rule


def check_heard(message: m.Message, *, sender: Role, state: State) -> None:
    """Holds a message of ``sender`` against the table.

    Raises:
        RemoteProtocolError: it may not be said by that side, or not in ``state``.
    """
    rule = rule_of(message)
    name = type(message).__name__
    if sender not in rule.senders:
        raise RemoteProtocolError(f"{name} from the {sender.value}", close_code=CloseCode.VIOLATION)
    if state not in rule.states:
        raise RemoteProtocolError(f"{name} in state {state.value}", close_code=CloseCode.VIOLATION)


def check_said(message: m.Message, *, sender: Role, state: State) -> None:
    """Holds a message that the owner wants to say against the table.

    Raises:
        LocalProtocolError: it is not for the owner to say, not by this side, or not in ``state``.
    """
    rule = rule_of(message)
    if not rule.by_owner or sender not in rule.senders or state not in rule.states:
        name = type(message).__name__
        raise LocalProtocolError(f"{name} may not be sent by the {sender.value} in state {state.value}")
