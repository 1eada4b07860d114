"""What the tests of the protocol share."""

from collections.abc import Callable

import pytest

from exgs.protocol import Channel, Connection, ConnectionConfig, Event, Role
from exgs.protocol import messages as m
from exgs.protocol.wire import serialize

ONE_OF_EACH: tuple[m.Message, ...] = (
    m.Hello((1, 2), ("fragments", "ü"), "client/1", b"\x00token"),
    m.Welcome(1, ("fragments",), "server/1", "s-17", b"secret", True),
    m.SceneList((m.SceneInfo(0, "room", 12345, 300000, True), m.SceneInfo(65535, "garden", 0, 0, False))),
    m.OpenScene(3, b"\x81\x00", bytes(range(32))),
    m.SceneStatus(3, 1, 0.25, "encoding level 2"),
    m.Receipt(65535, 1 << 40, (0, 5, (1 << 18) - 1), (7, 1 << 50)),
    m.Goodbye(5, "enough"),
    m.ManifestFragment(1, 16200, 16203, b"abc"),
    m.ChunkFragment(1, 77, 0, 4, b"\xff\x00\x01\x02"),
    m.ViewUpdate(
        9, 1 << 50, (1.5, -2.0, 0.25), (0.5, 0.5, -0.5, 0.5), (1.5, 1.25), 2208, (0.5, 0, 0), (0, 1.0, 0)
    ),
    m.Beat(1, 2, 3, 4, 5),
    m.Statistics({"frames_shown": 90.0, "decode_ms_p95": 1.5}),
    m.Preferences(2_500_000, 1_000_000),
    m.LinkOffer(1, "v=0"),
    m.LinkAnswer(4, "v=0"),
    m.Forgotten(3, (1, (1 << 18) - 1)),
)
"""One message of every row of the table, with values away from the defaults."""


@pytest.fixture(params=ONE_OF_EACH, ids=lambda message: type(message).__name__)
def message(request: pytest.FixtureRequest) -> m.Message:
    """Each message in turn."""
    return request.param


@pytest.fixture
def events() -> Callable[[Connection, float], list[Event]]:
    """Takes every event that waits."""

    def take(connection: Connection, now_s: float = 0.0) -> list[Event]:
        taken = []
        while (event := connection.next_event(now_s)) is not None:
            taken.append(event)
        return taken

    return take


@pytest.fixture
def make_open(events: Callable[..., list[Event]]) -> Callable[..., Connection]:
    """A connection at time 0 whose greeting is over, its greeting sent and its Opened taken."""

    def make(role: Role, config: ConnectionConfig | None = None) -> Connection:
        connection = Connection(role, config)
        connection.start(0.0)
        first = m.Welcome(1) if role is Role.CLIENT else m.Hello((1,))
        connection.receive(Channel.CONTROL, serialize(first), 0.0)
        connection.messages_to_send(0.0)
        events(connection)
        return connection

    return make


@pytest.fixture
def one_of_each() -> tuple[m.Message, ...]:
    """All of them."""
    return ONE_OF_EACH
