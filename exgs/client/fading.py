"""Finer splats fade in over those they replace, which then fade away: no level of detail pops.

The decoder's side notes when each run of splats came, and keeps those that go for as long as they fade. The
frame loop's side sets opacities for the moment of the picture; it touches nothing but splats that fade.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exgs.client.snapshots import Fade, Snapshot
from exgs.codec.assembly import Assembly, Piece
from exgs.scene import Gaussians

_GONE_LOGIT, _LARGEST_LOGIT = -30.0, 15.0
_NEVER_S = float("inf")


@dataclass(frozen=True, eq=False)
class _Going:
    """A run of splats that were replaced and are still to be seen."""

    piece: Piece
    splats: Gaussians
    came_s: float
    goes_s: float


class Transitions:
    """Puts scenes together in which what has just come and what goes overlap."""

    def __init__(self, fade_s: float) -> None:
        """``fade_s`` is how long a change takes; 0 for changes at once."""
        self._fade_s = fade_s
        self._came_s: dict[int, float] = {}
        self._shown: list[Piece] = []
        self._going: list[_Going] = []

    def settled_s(self) -> float:
        """When the last of what goes will be gone; infinite where nothing goes."""
        return max((going.goes_s + self._fade_s for going in self._going), default=_NEVER_S)

    def compose(self, assembly: Assembly, now_s: float) -> tuple[Gaussians, tuple[Fade, ...], int]:
        """What to draw from ``now_s`` on, its fades, and how many of the last splats are on their way out."""
        if self._fade_s <= 0:
            return assembly.gaussians(), (), 0
        shown = assembly.shown()
        self._note_going(assembly, shown, now_s)
        self._note_coming(assembly, shown, now_s)
        self._shown = shown
        fades, start = [], 0
        for piece in shown:
            came_s, stop = self._came_s[piece.chunk], start + piece.stop - piece.start
            if came_s + self._fade_s > now_s:
                fades.append(Fade(start, stop, came_s, _NEVER_S, self._fade_s))
            start = stop
        for going in self._going:
            stop = start + len(going.splats)
            fades.append(Fade(start, stop, going.came_s, going.goes_s, self._fade_s))
            start = stop
        parts = [assembly.gaussians(), *(going.splats for going in self._going)]
        whole = parts[0] if len(parts) == 1 else Gaussians.concatenate(parts)
        return whole, tuple(fades), len(whole) - len(parts[0])

    def _note_coming(self, assembly: Assembly, shown: list[Piece], now_s: float) -> None:
        """What takes the place of splats on display comes now; what comes where nothing was is there."""
        before, known = {piece.chunk for piece in self._shown}, self._came_s
        self._came_s = {}
        for chunk in {piece.chunk for piece in shown}:
            if chunk in known:
                self._came_s[chunk] = known[chunk]
            else:
                replaces = not before.isdisjoint(assembly.ancestors(chunk))
                self._came_s[chunk] = now_s if replaces else -_NEVER_S

    def _note_going(self, assembly: Assembly, shown: list[Piece], now_s: float) -> None:
        """What was replaced goes from now on; what was let go is gone, and what shows again does not go."""
        there: dict[int, list[Piece]] = {}
        for piece in shown:
            there.setdefault(piece.chunk, []).append(piece)
        going = [old for old in self._going if old.goes_s + self._fade_s > now_s]
        self._going = [old for old in going if not _meets(old.piece, there.get(old.piece.chunk, []))]
        for piece in self._shown:
            if piece.chunk not in assembly:
                continue
            came_s = self._came_s[piece.chunk]
            for run in _without(piece, there.get(piece.chunk, [])):
                self._going.append(_Going(run, assembly.splats(run), came_s, now_s))


class Fader:
    """Opacities of a snapshot at a moment. Belongs to the thread that draws."""

    def __init__(self) -> None:
        self._number = 0
        self._logits = np.zeros(0, np.float32)

    def at(self, snapshot: Snapshot, now_s: float) -> Gaussians:
        """The splats of ``snapshot`` as they are to be drawn at ``now_s``; good until the next call."""
        if not snapshot.fades:
            return snapshot.gaussians
        logits = snapshot.gaussians.opacity_logits
        if snapshot.number != self._number:
            self._number, self._logits = snapshot.number, logits.copy()
        for fade in snapshot.fades:
            run = slice(fade.start, fade.stop)
            self._logits[run] = _dimmed(logits[run], fade.strength(now_s))
        return replace(snapshot.gaussians, opacity_logits=self._logits)


def _dimmed(logits: np.ndarray, strength: float) -> np.ndarray:
    """Logits of opacities times ``strength`` in [0, 1]."""
    if strength >= 1:
        return logits
    if strength <= 0:
        return np.full_like(logits, _GONE_LOGIT)
    opacity = np.float32(strength) / (1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    return np.asarray(np.log(opacity / (1 - opacity)))


def _meets(piece: Piece, others: list[Piece]) -> bool:
    return any(piece.start < other.stop and other.start < piece.stop for other in others)


def _without(piece: Piece, others: list[Piece]) -> list[Piece]:
    """The runs of ``piece`` that are in none of ``others``, which are in order and apart."""
    runs, start = [], piece.start
    for other in others:
        if other.stop <= start or other.start >= piece.stop:
            continue
        if other.start > start:
            runs.append(Piece(piece.chunk, start, other.start))
        start = max(start, other.stop)
    if start < piece.stop:
        runs.append(Piece(piece.chunk, start, piece.stop))
    return runs
