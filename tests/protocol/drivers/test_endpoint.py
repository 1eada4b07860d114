"""What the shell asks of its transport."""

from exgs.protocol import Channel, Endpoint, Role
from exgs.protocol.transport import Receiver


class Transport:
    """One that is up, with a further connection; it notes what it is asked."""

    def __init__(self) -> None:
        self.asked: set[Channel] = set()

    def attach(self, receiver: Receiver) -> None:
        receiver.transport_opened()

    def send(self, channel: Channel, data: bytes) -> None:
        """Nobody hears it."""

    def buffered_bytes(self, channel: Channel) -> int:
        self.asked.add(channel)
        return 0

    def scene_channels(self) -> tuple[Channel, ...]:
        return (Channel.SCENE_2,)

    async def close(self) -> None:
        """Nothing to let go of."""


async def test_connection_0_is_asked_for_room_though_others_carry_the_scene() -> None:
    """It takes over when they carry nothing any more, and must not be thought full then."""
    transport = Transport()
    async with Endpoint(Role.SERVER, transport):
        assert transport.asked == {Channel.CONTROL, Channel.POSE, Channel.SCENE_0, Channel.SCENE_2}
