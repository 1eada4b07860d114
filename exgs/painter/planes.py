"""What the network sees of a picture, and the way back: the planes of its ONNX graph."""

from __future__ import annotations

import numpy as np

PLANES = ("red", "green", "blue", "alpha", "disparity", "rate", "layers")
"""The planes in order, each float32 in [0, 1]; a network takes all of them, or the first six."""
FEWEST = 6
"""So many planes the networks of old take."""
MULTIPLE = 16
"""Height and width of what the network sees are multiples of this."""
COVERED = 1 / 255
"""Alpha above which a pixel shows a surface and has a depth."""
NEAREST = 4.0
"""How many times nearer than the median the nearest surface is that disparity tells apart."""
RATE_OCTAVES = 14.0
"""Rates from 2^-14 splats per pixel to 1 fill the rate plane."""
LAYER_OCTAVES = (-3.0, 5.0)
"""Layers of splats from an eighth to 32 fill the layers plane."""
_SMALLEST_DEPTH = 1e-6


def planes(
    color: np.ndarray,
    alpha: np.ndarray,
    depth: np.ndarray,
    splats_per_pixel: np.ndarray,
    layers: np.ndarray,
) -> np.ndarray:
    """[B,7,H',W'] float32 in [0, 1], H' and W' the next multiples of 16; the last rows and columns repeat.

    ``color`` [B,H,W,3], ``alpha`` [B,H,W] and ``depth`` [B,H,W] are those of ``Rendering``;
    ``splats_per_pixel`` [B] is the number of splats in each camera's view over its pixels, ``layers`` [B] how
    many of them lie over one another in the mean.
    Disparity is relative to the picture's median depth, so that the unit of the scene does not matter.

    Raises:
        ValueError: the shapes do not belong together.
    """
    count, height, width = _shape(color, alpha, depth, splats_per_pixel)
    if np.shape(layers) != (count,):
        raise ValueError(f"expected {count} numbers of layers, found {list(np.shape(layers))}")
    padded = np.empty((count, len(PLANES), _up(height), _up(width)), np.float32)
    seen = padded[:, :, :height, :width]
    np.clip(np.moveaxis(color, 3, 1), 0, 1, out=seen[:, :3])
    np.clip(alpha, 0, 1, out=seen[:, 3])
    for picture in range(count):
        seen[picture, 4] = relative_disparity(depth[picture], alpha[picture])
        seen[picture, 5] = rate(float(splats_per_pixel[picture]))
        seen[picture, 6] = layer_plane(float(layers[picture]))
    padded[:, :, height:, :width] = seen[:, :, -1:]
    padded[:, :, :, width:] = padded[:, :, :, width - 1 : width]
    return padded


def unplanes(restored: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [B,H,W,3] and gates [B,H,W] of what the network gives, [B,4,H',W'].

    ``size`` is (width, height) of the pictures that went in; the padding is cut off. The pictures are
    contiguous, the gates a view into ``restored``.
    """
    width, height = size
    color = np.ascontiguousarray(np.moveaxis(restored[:, :3, :height, :width], 1, 3))
    return color, restored[:, 3, :height, :width]


def relative_disparity(depth: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """[H,W] median depth over depth, a quarter of it and at most 1; 0 where nothing covers the pixel."""
    covered = alpha > COVERED
    disparity = np.zeros(depth.shape, np.float32)
    if covered.any():
        found = np.maximum(depth[covered], np.float32(_SMALLEST_DEPTH))
        disparity[covered] = np.clip(np.median(found) / found / NEAREST, 0, 1)
    return disparity


def rate(splats_per_pixel: float) -> float:
    """The value in [0, 1] of the rate plane: octaves above 2^-14 splats per pixel, of 14."""
    if splats_per_pixel <= 0:
        return 0.0
    return float(np.clip((np.log2(splats_per_pixel) + RATE_OCTAVES) / RATE_OCTAVES, 0, 1))


def layer_plane(layers: float) -> float:
    """The value in [0, 1] of the layers plane: octaves from an eighth of a layer to 32."""
    least, most = LAYER_OCTAVES
    if layers <= 0:
        return 0.0
    return float(np.clip((np.log2(layers) - least) / (most - least), 0, 1))


def _shape(
    color: np.ndarray, alpha: np.ndarray, depth: np.ndarray, splats_per_pixel: np.ndarray
) -> tuple[int, int, int]:
    if color.ndim != 4 or color.shape[3] != 3 or 0 in color.shape:
        raise ValueError(f"expected colours [B,H,W,3], found {list(color.shape)}")
    shape = color.shape[:3]
    if alpha.shape != shape or depth.shape != shape:
        raise ValueError(
            f"expected alpha and depth {list(shape)}, found {list(alpha.shape)}, {list(depth.shape)}"
        )
    if np.shape(splats_per_pixel) != shape[:1]:
        raise ValueError(f"expected {shape[0]} rates, found {list(np.shape(splats_per_pixel))}")
    return shape[0], shape[1], shape[2]


def _up(length: int) -> int:
    return -(-length // MULTIPLE) * MULTIPLE
