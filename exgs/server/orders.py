"""In which order chunks are sent: strategies behind one small interface, for experiments to compare."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np

from exgs.codec.worth import ChunkTable
from exgs.scene.outlook import Outlook
from exgs.server.sight import Sight


class Order(Protocol):
    """Says how much each chunk is wanted. A chunk never goes before its parent, whatever an order says."""

    follows_head: bool
    """Whether ``wanted`` asks where the viewer looks.

    A viewer that cannot hold all chunks lets go by where it looks, and an order that does not ask sends the
    same again: it is for viewers without a budget.
    """

    def wanted(
        self, table: ChunkTable, ids: np.ndarray, outlook: Outlook | None, sight: Sight | None = None
    ) -> np.ndarray:
        """[n] numbers for the chunks ``ids``, the largest for the one to send first; of equals the first id.

        ``outlook`` is None before the viewer has said where it is, ``sight`` while it is not known.
        """


class FileOrder:
    """As the chunks stand in the file."""

    follows_head = False

    def wanted(
        self, table: ChunkTable, ids: np.ndarray, outlook: Outlook | None, sight: Sight | None = None
    ) -> np.ndarray:
        """The first in the file first."""
        return -ids


class LevelOrder:
    """Level by level, coarse to fine, each in the order of the file."""

    follows_head = False

    def wanted(
        self, table: ChunkTable, ids: np.ndarray, outlook: Outlook | None, sight: Sight | None = None
    ) -> np.ndarray:
        """The coarsest first, then the first in the file."""
        return np.asarray(table.levels[ids] * table.count - ids)


class ErrorOrder:
    """By the picture error that each byte is expected to save this viewer; as in the file before it looks."""

    follows_head = True

    def wanted(
        self, table: ChunkTable, ids: np.ndarray, outlook: Outlook | None, sight: Sight | None = None
    ) -> np.ndarray:
        """Error saved per byte."""
        if outlook is None:
            return -ids
        return table.benefit(ids, outlook) if sight is None else sight.benefit(ids, outlook)


ORDERS: Mapping[str, Order] = MappingProxyType(
    {"error": ErrorOrder(), "level": LevelOrder(), "file": FileOrder()}
)
"""Every order by its name."""
