"""The channels of a session: their names, numbers and promises."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from exgs.protocol.vocabulary import MAX_LINKS


class Channel(enum.IntEnum):
    """A lane for messages; the number is the id of the data channel on its peer connection."""

    CONTROL = 0
    """Greetings, scenes, receipts, goodbye."""
    POSE = 1
    """View updates and beats: only the newest counts."""
    SCENE_0 = 2
    """Manifests and chunks, on the connection of the two above until a connection of its own is up."""
    SCENE_1 = 3
    """Manifests and chunks on connection 1."""
    SCENE_2 = 4
    """Manifests and chunks on connection 2."""
    SCENE_3 = 5
    """Manifests and chunks on connection 3."""
    SCENE_4 = 6
    """Manifests and chunks on connection 4."""


@dataclass(frozen=True)
class ChannelSpec:
    """What a channel promises."""

    channel: Channel
    """Its number."""
    label: str
    """Label of the data channel."""
    link: int
    """The peer connection that carries it: 0 for the first, 1 to 4 for those added for scenes."""
    reliable: bool
    """Whether what is lost is sent again."""
    ordered: bool
    """Whether messages arrive in the order they were sent."""
    max_message_bytes: int
    """A longer message ends the session."""


CHANNELS: tuple[ChannelSpec, ...] = (
    ChannelSpec(Channel.CONTROL, "exgs.control", 0, True, True, 65536),
    ChannelSpec(Channel.POSE, "exgs.pose", 0, False, False, 256),
    ChannelSpec(Channel.SCENE_0, "exgs.scene.0", 0, True, False, 16384),
    ChannelSpec(Channel.SCENE_1, "exgs.scene.1", 1, True, False, 16384),
    ChannelSpec(Channel.SCENE_2, "exgs.scene.2", 2, True, False, 16384),
    ChannelSpec(Channel.SCENE_3, "exgs.scene.3", 3, True, False, 16384),
    ChannelSpec(Channel.SCENE_4, "exgs.scene.4", 4, True, False, 16384),
)
"""Every channel, in the order of its number."""

_BY_LINK = tuple(tuple(spec for spec in CHANNELS if spec.link == link) for link in range(MAX_LINKS + 1))

SCENE_CHANNELS: tuple[Channel, ...] = tuple(
    spec.channel for spec in CHANNELS if spec.label.startswith("exgs.scene.")
)
"""The channels that carry manifests and chunks."""


def spec_of(channel: Channel) -> ChannelSpec:
    """The row of ``channel`` in the table."""
    return CHANNELS[channel]


def channels_of_link(link: int) -> tuple[ChannelSpec, ...]:
    """The channels that peer connection ``link`` (0 to MAX_LINKS) carries."""
    if not 0 <= link <= MAX_LINKS:
        raise ValueError(f"peer connection {link}: expected 0 to {MAX_LINKS}")
    return _BY_LINK[link]
