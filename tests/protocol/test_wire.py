"""Bytes to messages and back: whole, cut short, with more behind, and damaged."""

import random
import struct

import msgpack
import pytest

from exgs.protocol import Channel, LocalProtocolError, RemoteProtocolError
from exgs.protocol import messages as m
from exgs.protocol.channels import CHANNELS, spec_of
from exgs.protocol.rules import RULES, Layout, rule_of
from exgs.protocol.vocabulary import CloseCode
from exgs.protocol.wire import parse, serialize


def home(message: m.Message) -> Channel:
    return min(rule_of(message).channels)


def test_every_message_survives_the_journey(message: m.Message) -> None:
    assert parse(serialize(message), home(message)) == message


def test_every_row_of_the_table_is_tried(one_of_each: tuple[m.Message, ...]) -> None:
    assert [type(message) for message in one_of_each] == [rule.message for rule in RULES]


def test_a_message_cut_short_is_refused_or_shorter(message: m.Message) -> None:
    data = serialize(message)
    for size in range(len(data)):
        try:
            parsed = parse(data[:size], home(message))
        except RemoteProtocolError as error:
            assert error.close_code is CloseCode.MALFORMED
        else:
            assert isinstance(message, m.ManifestFragment | m.ChunkFragment), size
            assert parsed != message


def test_bytes_behind_a_message_are_refused(message: m.Message) -> None:
    if isinstance(message, m.ManifestFragment | m.ChunkFragment):
        parsed = parse(serialize(message) + b"\x00", home(message))
        assert parsed != message
        return
    with pytest.raises(RemoteProtocolError):
        parse(serialize(message) + b"\x00", home(message))


def test_damage_never_does_worse_than_a_remote_protocol_error(message: m.Message) -> None:
    data = serialize(message)
    for bit in range(8 * min(len(data), 400)):
        damaged = bytearray(data)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        for spec in CHANNELS[:3]:
            try:
                parsed = parse(bytes(damaged), spec.channel)
            except RemoteProtocolError:
                continue
            assert parsed is None or spec.channel in rule_of(parsed).channels


def test_noise_never_does_worse_than_a_remote_protocol_error() -> None:
    noise = random.Random(7)
    numbers = [rule.number for rule in RULES]
    for _ in range(3000):
        data = bytes((noise.choice(numbers),)) + noise.randbytes(noise.randrange(80))
        for spec in CHANNELS[:3]:
            try:
                parse(data, spec.channel)
            except RemoteProtocolError as error:
                assert error.close_code in CloseCode


@pytest.mark.parametrize(
    "body", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91" * 5000]
)
def test_a_bomb_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(b"\x01" + body, Channel.CONTROL)


def test_each_channel_has_its_largest_message() -> None:
    for spec in CHANNELS:
        with pytest.raises(RemoteProtocolError) as caught:
            parse(b"\x11" * (spec.max_message_bytes + 1), spec.channel)
        assert caught.value.close_code is CloseCode.TOO_LARGE
        with pytest.raises(RemoteProtocolError, match="empty"):
            parse(b"", spec.channel)


def test_a_message_on_a_strange_channel_is_a_violation(message: m.Message) -> None:
    data = serialize(message)
    for channel in set(Channel) - rule_of(message).channels:
        if len(data) <= spec_of(channel).max_message_bytes:
            with pytest.raises(RemoteProtocolError) as caught:
                parse(data, channel)
            assert caught.value.close_code is CloseCode.VIOLATION


def test_unknown_numbers_are_refused_below_128_and_ignored_above() -> None:
    known = {rule.number for rule in RULES}
    for number in set(range(256)) - known:
        data = bytes((number, 0x90))
        if number >= 128:
            assert parse(data, Channel.CONTROL) is None
        else:
            with pytest.raises(RemoteProtocolError, match="unknown message"):
                parse(data, Channel.CONTROL)


def test_fields_of_a_later_minor_version_are_ignored(message: m.Message) -> None:
    rule = rule_of(message)
    if rule.layout is Layout.PACKED:
        return
    fields = msgpack.unpackb(serialize(message)[1:])
    longer = bytes((rule.number,)) + msgpack.packb([*fields, "later", {"a": [1]}])
    assert parse(longer, home(message)) == message
    far_too_long = bytes((rule.number,)) + msgpack.packb([*fields, *range(17)])
    with pytest.raises(RemoteProtocolError):
        parse(far_too_long, home(message))


def test_fields_with_defaults_may_be_left_out() -> None:
    assert parse(b"\x01" + msgpack.packb([[1]]), Channel.CONTROL) == m.Hello((1,))
    with pytest.raises(RemoteProtocolError, match="list of 1 to 4 fields"):
        parse(b"\x01" + msgpack.packb([]), Channel.CONTROL)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ([["1"]], "versions: item 0: expected integer"),
        ([[1], ["x" * 65]], "capabilities: item 0"),
        ([[1], [], "a" * 129], "agent: expected text"),
        ([[1], [], "a", "text"], "resume_token: expected bytes"),
        ([[True]], "found bool"),
        ([[0]], "found 0"),
        ([[1] * 17], "at most 16"),
        ({"versions": [1]}, "expected a list"),
    ],
)
def test_a_field_out_of_its_range_is_named(fields: object, complaint: str) -> None:
    with pytest.raises(RemoteProtocolError, match=complaint):
        parse(b"\x01" + msgpack.packb(fields), Channel.CONTROL)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_a_pose_that_is_no_place_is_refused(value: float) -> None:
    data = bytearray(serialize(m.ViewUpdate(1, 1, (0, 0, 0), (1, 0, 0, 0), (1, 1))))
    struct.pack_into(">f", data, 1 + 12, value)
    with pytest.raises(RemoteProtocolError, match="position"):
        parse(bytes(data), Channel.POSE)


def test_an_orientation_has_length_one() -> None:
    with pytest.raises(LocalProtocolError, match="expected length 1"):
        serialize(m.ViewUpdate(1, 1, (0, 0, 0), (0.5, 0, 0, 0), (1, 1)))


@pytest.mark.parametrize(
    "wrong",
    [
        m.OpenScene(65536),
        m.Goodbye(1, "x" * 513),
        m.Goodbye(1, "\ud800"),
        m.SceneStatus(1, 1, 1.5),
        m.SceneList((m.SceneInfo(1, "n" * 129),)),
        m.Statistics({"a": float("nan")}),
        m.Statistics({str(number): 0.0 for number in range(65)}),
        m.ChunkFragment(0, 1 << 18, 0, 1, b"x"),
        m.Receipt(0, -1),
    ],
    ids=lambda wrong: type(wrong).__name__,
)
def test_what_is_out_of_range_is_not_sent(wrong: m.Message) -> None:
    with pytest.raises(LocalProtocolError, match=type(wrong).__name__):
        serialize(wrong)


def test_what_is_no_message_is_not_sent() -> None:
    with pytest.raises(LocalProtocolError, match="is no message"):
        serialize(m.Message())
