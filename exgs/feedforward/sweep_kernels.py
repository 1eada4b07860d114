"""The plane sweep on the CPU: scores of matches without the sampled features ever being stored.

Features are rows of channels, so that the inner loops run over memory in order. What a kernel takes:
``query`` [h*w,C] features of the picture that is swept, ``key`` [h*w,C] of the picture that it is matched
with, ``pose`` [3,4] that takes (x, y, 1, inverse depth) of a position in the first to homogeneous coordinates
in the second, ``ladder`` [D] the inverse depths, and ``size`` (w, h, largest x, largest y), where the last
two say how far the second picture goes without its padding.
"""

from __future__ import annotations

import numpy as np

from exgs.raster.kernel import inlined, kernel

Range = tuple[int, int]
Size = tuple[int, int, np.float32, np.float32]
Tap = tuple[int, np.float32, np.float32]

_F = np.float32
_ZERO, _HALF, _ONE = _F(0), _F(0.5), _F(1)
_AHEAD = _F(1e-3)
"""Depth along the second view, over that along the first, below which a point is behind its camera."""


@inlined
def _tap(x: np.float32, y: np.float32, size: Size) -> Tap:
    """The first of the four rows around a position, and how far it is to the next ones."""
    x, y = min(max(x, _ZERO), _F(size[0] - 1)), min(max(y, _ZERO), _F(size[1] - 1))
    left, top = min(int(x), size[0] - 2), min(int(y), size[1] - 2)
    return top * size[0] + left, x - _F(left), y - _F(top)


@kernel
def sweep(
    span: Range,
    features: tuple[np.ndarray, np.ndarray],
    pose: np.ndarray,
    ladder: np.ndarray,
    size: Size,
    out: tuple[np.ndarray, np.ndarray],
) -> None:
    """Fills ``out``, scores [h*w,D] and whether they are seen, for the positions of ``span``.

    A score is the negative squared distance of a query from the key where it comes to lie, a mean of four
    neighbours; it is 0, and not seen, where that is outside of the picture.
    """
    query, key = features
    scores, seen = out
    channels = query.shape[1]
    for i in range(span[0], span[1]):
        x, y = _F(i % size[0]), _F(i // size[0])
        hx = pose[0, 0] * x + pose[0, 1] * y + pose[0, 2]
        hy = pose[1, 0] * x + pose[1, 1] * y + pose[1, 2]
        hz = pose[2, 0] * x + pose[2, 1] * y + pose[2, 2]
        for d in range(len(ladder)):
            z = hz + pose[2, 3] * ladder[d]
            near = _ONE / max(z, _AHEAD)
            u, v = (hx + pose[0, 3] * ladder[d]) * near, (hy + pose[1, 3] * ladder[d]) * near
            inside = z > _AHEAD and -_HALF <= u <= size[2] and -_HALF <= v <= size[3]
            seen[i, d] = inside
            if not inside:
                scores[i, d] = _ZERO
                continue
            at, right, down = _tap(u, v, size)
            below = at + size[0]
            w0, w1 = (_ONE - right) * (_ONE - down), right * (_ONE - down)
            w2, w3 = (_ONE - right) * down, right * down
            total = _ZERO
            for c in range(channels):
                apart = query[i, c] - (
                    w0 * key[at, c] + w1 * key[at + 1, c] + w2 * key[below, c] + w3 * key[below + 1, c]
                )
                total -= apart * apart
            scores[i, d] = total


@kernel
def sweep_back(
    features: tuple[np.ndarray, np.ndarray],
    pose: np.ndarray,
    ladder: np.ndarray,
    size: Size,
    slope: np.ndarray,
    out: tuple[np.ndarray, np.ndarray],
) -> None:
    """Adds to ``out``, of query and key, the gradient that follows from ``slope`` [h*w,D], the scores'."""
    query, key = features
    to_query, to_key = out
    channels = query.shape[1]
    pull = np.empty(channels, np.float32)
    for i in range(len(query)):
        x, y = _F(i % size[0]), _F(i // size[0])
        hx = pose[0, 0] * x + pose[0, 1] * y + pose[0, 2]
        hy = pose[1, 0] * x + pose[1, 1] * y + pose[1, 2]
        hz = pose[2, 0] * x + pose[2, 1] * y + pose[2, 2]
        for d in range(len(ladder)):
            g = _F(2) * slope[i, d]
            z = hz + pose[2, 3] * ladder[d]
            near = _ONE / max(z, _AHEAD)
            u, v = (hx + pose[0, 3] * ladder[d]) * near, (hy + pose[1, 3] * ladder[d]) * near
            inside = z > _AHEAD and -_HALF <= u <= size[2] and -_HALF <= v <= size[3]
            if not inside or g == _ZERO:
                continue
            at, right, down = _tap(u, v, size)
            below = at + size[0]
            w0, w1 = (_ONE - right) * (_ONE - down), right * (_ONE - down)
            w2, w3 = (_ONE - right) * down, right * down
            for c in range(channels):
                found = w0 * key[at, c] + w1 * key[at + 1, c] + w2 * key[below, c] + w3 * key[below + 1, c]
                pull[c] = g * (query[i, c] - found)
            for c in range(channels):
                to_query[i, c] -= pull[c]
            for c in range(channels):
                to_key[at, c] += w0 * pull[c]
            for c in range(channels):
                to_key[at + 1, c] += w1 * pull[c]
            for c in range(channels):
                to_key[below, c] += w2 * pull[c]
            for c in range(channels):
                to_key[below + 1, c] += w3 * pull[c]
