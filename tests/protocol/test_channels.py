"""The table of channels."""

import pytest

from exgs.protocol.channels import CHANNELS, SCENE_CHANNELS, Channel, channels_of_link, spec_of
from exgs.protocol.vocabulary import FRAGMENT_BYTES, MAX_LINKS


def test_every_channel_has_its_row_in_order() -> None:
    assert [spec.channel for spec in CHANNELS] == list(Channel)
    assert all(spec_of(channel).channel is channel for channel in Channel)
    assert len({spec.label for spec in CHANNELS}) == len(CHANNELS)


def test_a_fragment_fits_its_channel() -> None:
    assert all(spec_of(channel).max_message_bytes >= FRAGMENT_BYTES + 15 for channel in SCENE_CHANNELS)


def test_every_link_carries_channels() -> None:
    carried = [spec.channel for link in range(MAX_LINKS + 1) for spec in channels_of_link(link)]
    assert sorted(carried) == list(Channel)
    with pytest.raises(ValueError, match="expected 0 to 4"):
        channels_of_link(MAX_LINKS + 1)
