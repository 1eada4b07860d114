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
from exgs.codec.worth import ChunkTable, seen_share
from exgs.scene.outlook import Outlook

NEIGHBOURS = 4
"""So many of the nearest places speak for a viewer."""
ELSEWHERE = 0.02
"""What counts of the worth to all places alike: viewers move, and what no near place sees comes last."""
FEWEST_BYTES, MOST_SPLATS = 100_000, 1_500_000
"""A smaller file is there in a moment; a scene of more Gaussians takes too much memory to be drawn here."""


@dataclass(frozen=True, eq=False)
class Sight:
    """What chunks save those who stand at E places of a scene of N chunks, in P parts of each."""

    places: np.ndarray
    """[E,3] float32."""
    centres: np.ndarray
    """[N,P,3] float32 middle of each part."""
    variances: np.ndarray
    """[N,P,3] float32 of the points of each part, by axes of the scene."""
    worth: np.ndarray
    """[E,N,P] float32 squared picture error that a byte of each chunk saves, or of the best path it opens,
    over all directions, times the square of the part's distance."""

    def benefit(self, ids: np.ndarray, outlook: Outlook) -> np.ndarray:
        """[n] float32 picture error that a byte of each of ``ids`` should save a viewer with ``outlook``."""
        shape = (len(ids), self.centres.shape[1])
        centres, variances = (
            part.take(ids, axis=0).reshape(-1, 3) for part in (self.centres, self.variances)
        )
        seen = seen_share(centres, variances, outlook).reshape(shape)
        return np.asarray((self._worth_at(outlook.position, ids) * seen).sum(axis=1))

    def to_bytes(self) -> bytes:
        """For another process of this program."""
        out = BytesIO()
        for array in (self.places, self.centres, self.variances, self.worth):
            np.save(out, array, allow_pickle=False)
        return out.getvalue()

    @staticmethod
    def from_bytes(data: bytes, chunks: int) -> Sight:
        """The sight of ``to_bytes``, for a scene of so many chunks.

        Raises:
            ValueError: it is not one of such a scene.
        """
        source = BytesIO(data)
        sight = Sight(*(np.load(source, allow_pickle=False) for _ in range(4)))
        shape = sight.worth.shape
        if (
            len(shape) != 3
            or shape[:2] != (len(sight.places), chunks)
            or sight.centres.shape[:2] != shape[1:]
        ):
            raise ValueError(f"a sight of {sight.places.shape} places and {shape} parts")
        return sight

    def _worth_at(self, position: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """[n,P] float32 worth at ``position`` [3]: the mean of the nearest places', the nearer the more."""
        away = self.places - position
        square = (away * away).sum(axis=1)
        nearest = np.argsort(square, kind="stable")[:NEIGHBOURS]
        weights = 1 / np.maximum(square[nearest], np.float32(1e-12))
        weights /= weights.sum()
        return np.asarray(
            sum(w * self.worth[k].take(ids, axis=0) for w, k in zip(weights, nearest, strict=True))
        )


def is_worth_a_look(container: Container) -> bool:
    """Whether a sight of the scene is worth what it takes."""
    splats = sum(chunk.count for chunk in container.manifest)
    return len(container.data) >= FEWEST_BYTES and splats <= MOST_SPLATS


@dataclass(eq=False)
class Scouted:
    """What is found out about a scene while it is served already."""

    sight: Sight | None = None
    """None until it is known; for good where no look is worth it."""


def sight_of(
    table: ChunkTable, places: np.ndarray, parts: tuple[np.ndarray, np.ndarray], errors: np.ndarray
) -> Sight:
    """The sight by what each part of each chunk saves at each place.

    Args:
        table: The scene's chunks.
        places: [E,3] where pictures were drawn.
        parts: Middles and variances [N,P,3] of the parts of each chunk.
        errors: [E,N,P] squared error of these pictures that each part removes, over all directions.
    """
    places, (centres, variances) = places.astype(np.float32), (part.astype(np.float32) for part in parts)
    known = np.maximum(errors, 0.0)
    total = known.sum(axis=2)
    per_byte = np.array([table.per_byte(row) for row in total]).reshape(total.shape)
    away = ((centres - places[:, None, None]) ** 2).sum(axis=3) + variances.sum(axis=2)
    own = known * (per_byte / np.maximum(total, 1e-30))[:, :, None] * away
    worth = (1 - ELSEWHERE) * own + ELSEWHERE * own.mean(axis=0)
    return Sight(places, centres, variances, worth.astype(np.float32))
