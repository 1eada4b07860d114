"""The two directions of a viewer's access line, on virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from exgs.experiments.link import EmulatedLink
from exgs.experiments.peering import Lines, Parcel
from exgs.experiments.timeline import Trial
from exgs.protocol import Role
from exgs.protocol.channels import Channel


def lines_of(trial: Trial) -> Lines:
    """The links of a trial, each with a seed of its own."""
    return {
        Role.CLIENT: EmulatedLink(replace(trial.up, seed=2 * trial.seed + 1)),
        Role.SERVER: EmulatedLink(replace(trial.down, seed=2 * trial.seed)),
    }


def carry(lines: Lines, now_s: float) -> Iterator[tuple[Parcel, list[tuple[Channel, bytes]]]]:
    """Hands over what has arrived by now; gives each parcel with the messages that are whole with it."""
    for line in lines.values():
        for parcel in line.pop(now_s):
            yield parcel, parcel.peering.arrive(parcel, now_s)
