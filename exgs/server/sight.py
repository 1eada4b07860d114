"""What each chunk is worth to viewers who stand in different places, as pictures drawn there tell.

The importance that a file gives a chunk is one number, for all of the encoder's views. Where walls stand
between, or for one who looks at the other side of an object, it misleads: much of what is sent is hidden.
A sight has that number for a few places spread through the scene (sighting.py draws them), and says by the
nearest of these what a viewer would gain where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np

from exgs.codec import Container
from exgs.codec.worth import ChunkTable
from exgs.scene.outlook import Outlook

NEIGHBOURS = 4
"""So many of the nearest places speak for a viewer."""
ELSEWHERE = 0.02
"""What counts of the worth to all places alike: viewers move, and what no near place sees comes last."""
FEWEST_BYTES, MOST_SPLATS = 100_000, 1_500_000
"""A smaller file is there in a moment; a scene of more Gaussians takes too much memory to be drawn here."""


@dataclass(frozen=True, eq=False)
class Sight:
    """What chunks save those who stand at E places of a scene of N chunks; made by ``sight_of``."""

    places: np.ndarray
    """[E,3] float32."""
    worth: np.ndarray
    """[E,N] float32 squared picture error that a byte of each chunk saves, or of the best path that it opens,
    over all directions, times the square of the chunk's distance."""

    def benefit(self, table: ChunkTable, ids: np.ndarray, outlook: Outlook) -> np.ndarray:
        """[n] float32 picture error that a byte of each of ``ids`` should save a viewer with ``outlook``."""
        return np.asarray(self._worth_at(outlook.position, ids) * table.seen(ids, outlook))

    def to_bytes(self) -> bytes:
        """For another process of this program."""
        out = BytesIO()
        for array in (self.places, self.worth):
            np.save(out, array, allow_pickle=False)
        return out.getvalue()

    @staticmethod
    def from_bytes(data: bytes, chunks: int) -> Sight:
        """The sight of ``to_bytes``, for a scene of so many chunks.

        Raises:
            ValueError: it is not one of such a scene.
        """
        source = BytesIO(data)
        places, worth = (np.load(source, allow_pickle=False) for _ in range(2))
        if places.shape[1:] != (3,) or worth.shape != (len(places), chunks):
            raise ValueError(f"a sight of {places.shape} places and {worth.shape} chunks")
        return Sight(places, worth)

    def _worth_at(self, position: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """[n] float32 worth at ``position`` [3]: the mean of the nearest places', the nearer the more."""
        away = self.places - position
        square = (away * away).sum(axis=1)
        nearest = np.argsort(square, kind="stable")[:NEIGHBOURS]
        weights = 1 / np.maximum(square[nearest], np.float32(1e-12))
        weights /= weights.sum()
        found = np.zeros(len(ids), np.float32)
        for place, weight in zip(nearest, weights, strict=True):
            found += weight * self.worth[place, ids]
        return found


def is_worth_a_look(container: Container) -> bool:
    """Whether a sight of the scene is worth what it takes."""
    splats = sum(chunk.count for chunk in container.manifest)
    return len(container.data) >= FEWEST_BYTES and splats <= MOST_SPLATS


@dataclass(eq=False)
class Scouted:
    """What is found out about a scene while it is served already."""

    sight: Sight | None = None
    """None until it is known; for good where no look is worth it."""


def sight_of(table: ChunkTable, places: np.ndarray, errors: np.ndarray) -> Sight:
    """The sight by what each chunk saves at each place.

    Args:
        table: The scene's chunks.
        places: [E,3] where pictures were drawn.
        errors: [E,N] squared error of these that each chunk removes, over all directions.
    """
    known = np.maximum(errors, 0.0)
    per_byte = np.array([table.per_byte(row) for row in known], np.float32).reshape(known.shape)
    own = per_byte * table.squares(places.astype(np.float32))
    worth = (1 - ELSEWHERE) * own + ELSEWHERE * own.mean(axis=0)
    return Sight(places.astype(np.float32), worth.astype(np.float32))
