"""What a viewer says, as the scheduler reads it."""

from __future__ import annotations

import numpy as np

from exgs.codec.header import Header
from exgs.protocol import ViewUpdate
from exgs.scene.outlook import View

SUPPOSED_FOV_RAD = (1.6, 1.3)
"""What a viewer sees across and down, before it has said so."""


def view_of(update: ViewUpdate) -> View | None:
    """The scheduler's view for a head pose; None where its orientation has no length."""
    quat = np.array(update.orientation, np.float64)
    length = np.linalg.norm(quat)
    if not length > 1e-6:
        return None
    w, x, y, z = quat / length
    camera_from_world = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
            [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
            [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    fov_x, fov_y = (max(angle, 0.0) for angle in update.fov_rad)
    return View(
        np.array(update.position, np.float64),
        camera_from_world,
        fov_x,
        fov_y,
        np.array(update.linear_velocity, np.float64),
        np.array(update.angular_velocity, np.float64),
    )


def view_at_start(header: Header) -> View | None:
    """Where a viewer begins, which holds until it has said where it is; None where the file does not say."""
    if header.start is None:
        return None
    width, height = SUPPOSED_FOV_RAD
    camera = header.start.camera(header.frame.up_vector, fov_y_rad=height, size=(1, 1))
    return View(camera.position, camera.camera_from_world[:3, :3], width, height)


def display_delay_s(rtt_s: float | None, *, waiting_bytes: int, bytes_per_s: float) -> float | None:
    """From a view on the client to a chunk sent now on display; None before the first round trip.

    ``waiting_bytes`` go before the chunk, and ``bytes_per_s`` is how fast they flow.
    """
    if rtt_s is None:
        return None
    return rtt_s + (waiting_bytes / bytes_per_s if bytes_per_s > 0 else 0.0)


def held_ids(bitmap: bytes) -> np.ndarray:
    """[N] int64 ids of the set bits of OpenScene's ``have``, lowest bit of the first byte first."""
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")
    return np.flatnonzero(bits)
