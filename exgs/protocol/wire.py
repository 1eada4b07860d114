"""Messages as bytes: one byte of number, then the fields as the table of rules says."""

from __future__ import annotations

import dataclasses
import functools
import struct
from typing import Any

import msgpack

from exgs.protocol.channels import Channel, spec_of
from exgs.protocol.errors import LocalProtocolError, RemoteProtocolError
from exgs.protocol.fields import (
    Blob,
    Kind,
    Listing,
    Number,
    Quaternion,
    Record,
    Vector,
    complaint_about,
    kinds_of,
)
from exgs.protocol.messages import Message
from exgs.protocol.rules import FIRST_IGNORABLE, Layout, Rule, rule_numbered, rule_of
from exgs.protocol.vocabulary import MAX_EXTRA_FIELDS, CloseCode


def serialize(message: Message) -> bytes:
    """The bytes of ``message``.

    Raises:
        LocalProtocolError: a field is out of its range.
    """
    rule = rule_of(message)
    wrong = complaint_about(message)
    if wrong is not None:
        raise LocalProtocolError(f"{type(message).__name__}.{wrong}")
    body = _pack(rule, message) if rule.layout is Layout.PACKED else msgpack.packb(_bare(message))
    return bytes((rule.number,)) + body


def parse(data: bytes, channel: Channel) -> Message | None:
    """The message that ``data`` is; None for an unknown one that may be ignored.

    Raises:
        RemoteProtocolError: the bytes are no message, or it does not belong on ``channel``.
    """
    limit = spec_of(channel).max_message_bytes
    if len(data) > limit:
        raise RemoteProtocolError(
            f"{len(data)} bytes on channel {channel.name}, expected at most {limit}",
            close_code=CloseCode.TOO_LARGE,
        )
    if not data:
        raise RemoteProtocolError(f"empty message on channel {channel.name}", close_code=CloseCode.MALFORMED)
    rule = rule_numbered(data[0])
    if rule is None:
        if data[0] >= FIRST_IGNORABLE:
            return None
        raise RemoteProtocolError(f"unknown message number {data[0]}", close_code=CloseCode.MALFORMED)
    if channel not in rule.channels:
        raise RemoteProtocolError(
            f"{rule.message.__name__} on channel {channel.name}", close_code=CloseCode.VIOLATION
        )
    message = _unpack(rule, data) if rule.layout is Layout.PACKED else _read(rule, data)
    wrong = complaint_about(message)
    if wrong is not None:
        raise _malformed(rule, wrong)
    return message


def _malformed(rule: Rule, wrong: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"{rule.message.__name__}: {wrong}", close_code=CloseCode.MALFORMED)


def _pack(rule: Rule, message: Message) -> bytes:
    numbers: list[float] = []
    payload = b""
    for name, kind in kinds_of(type(message)):
        value = getattr(message, name)
        if isinstance(kind, Blob):
            payload = value
        elif isinstance(kind, Vector | Quaternion):
            numbers.extend(value)
        else:
            numbers.append(value)
    return _packing(rule.widths).pack(*numbers) + payload


@functools.cache
def _packing(widths: str) -> struct.Struct:
    return struct.Struct(">" + widths)


def _unpack(rule: Rule, data: bytes) -> Message:
    layout = _packing(rule.widths)
    if len(data) < 1 + layout.size:
        raise _malformed(rule, f"{len(data)} bytes, expected at least {1 + layout.size}")
    numbers = layout.unpack_from(data, 1)
    rest = data[1 + layout.size :]
    values: list[Any] = []
    place = 0
    for _, kind in kinds_of(rule.message):
        if isinstance(kind, Blob):
            values.append(rest)
            rest = b""
        elif isinstance(kind, (Vector, Quaternion)):
            values.append(numbers[place : place + kind.size])
            place += kind.size
        else:
            values.append(numbers[place])
            place += 1
    if rest:
        raise _malformed(rule, f"{len(rest)} bytes after its end")
    return rule.message(*values)


def _bare(record: object) -> list[Any]:
    """The fields of ``record`` as msgpack knows them."""
    return [_bare_value(getattr(record, name)) for name, _ in kinds_of(type(record))]


def _bare_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_bare_value(item) for item in value]
    return _bare(value) if dataclasses.is_dataclass(value) else value


def _read(rule: Rule, data: bytes) -> Message:
    try:
        raw = msgpack.unpackb(memoryview(data)[1:], use_list=True, raw=False, strict_map_key=True)
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        raise _malformed(rule, f"not one msgpack value ({str(error)[:80]})") from error
    record = _record(rule.message, raw)
    if isinstance(record, str):
        raise _malformed(rule, record)
    assert isinstance(record, Message)
    return record


def _record(of: type, raw: object) -> object:
    """An instance of ``of`` from a list of its fields, not checked yet; a complaint (str) where it fails."""
    kinds = kinds_of(of)
    required = sum(field.default is dataclasses.MISSING for field in dataclasses.fields(of))
    if not isinstance(raw, list) or not required <= len(raw) <= len(kinds) + MAX_EXTRA_FIELDS:
        return f"expected a list of {required} to {len(kinds)} fields"
    return of(*(_value(kind, item) for (_, kind), item in zip(kinds, raw, strict=False)))


def _value(kind: Kind, raw: Any) -> Any:
    """``raw`` as ``kind`` holds it; unchanged where it does not fit, for the check to name."""
    if isinstance(kind, Listing) and isinstance(raw, list):
        return tuple(_value(kind.item, item) for item in raw[: kind.max_items + 1])
    if isinstance(kind, Record):
        return _record(kind.of, raw)
    if isinstance(kind, Number) and type(raw) is int:
        return float(raw)
    return raw
