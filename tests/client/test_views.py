import asyncio
import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from exgs.client.clock import WallClock
from exgs.client.optics import Optics
from exgs.client.poses import HEAD_AXES, Fixed
from exgs.client.views import WHOLE_UPDATES_HZ, head_view, send_views, view_update

OPTICS = Optics((640, 360), 1.0)


class Walk:
    """Goes to +x at 2 units a second and turns about y at 0.5 radians a second."""

    def pose_at(self, time_s: float) -> np.ndarray:
        cos, sin = math.cos(0.5 * time_s), math.sin(0.5 * time_s)
        pose = np.eye(4)
        pose[:3, :3] = [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
        pose[0, 3] = 2 * time_s
        return pose


def test_the_message_has_the_axes_of_a_camera():
    update = view_update(Fixed(HEAD_AXES), OPTICS, 1.0, sequence=7, now_s=12.5)
    assert update.orientation == pytest.approx((1, 0, 0, 0)) or update.orientation == pytest.approx(
        (-1, 0, 0, 0)
    )
    assert (update.sequence, update.client_time_us, update.height_px) == (7, 12_500_000, 360)
    assert update.fov_rad == OPTICS.fov_rad
    assert update.linear_velocity == update.angular_velocity == (0, 0, 0)


@pytest.mark.parametrize("time_s", [0.005, 1.0, 100.0])
def test_velocities_are_those_of_the_head(time_s: float):
    update = view_update(Walk(), OPTICS, time_s, sequence=0, now_s=0.0)
    assert update.position == pytest.approx((2 * time_s, 0, 0))
    assert update.linear_velocity == pytest.approx((2, 0, 0), abs=1e-6)
    assert update.angular_velocity == pytest.approx((0, 0.5, 0), abs=1e-6)


def test_at_the_very_start_the_head_rests():
    update = view_update(Walk(), OPTICS, 0.0, sequence=0, now_s=0.0)
    assert update.linear_velocity == (0, 0, 0)


def test_the_sequence_wraps():
    assert view_update(Walk(), OPTICS, 1.0, sequence=1 << 32, now_s=0.0).sequence == 0


def test_the_client_sees_itself_as_the_server_does():
    update = view_update(Walk(), OPTICS, 1.5, sequence=0, now_s=0.0)
    view = head_view(Walk(), OPTICS, 1.5)
    assert view.position == pytest.approx(update.position)
    world_from_camera = Rotation.from_quat(update.orientation, scalar_first=True).as_matrix()
    assert view.camera_from_world == pytest.approx(world_from_camera.T)
    assert (view.fov_x_rad, view.fov_y_rad) == update.fov_rad
    assert view.velocity == pytest.approx(update.linear_velocity)
    assert view.turn_rate == pytest.approx(update.angular_velocity)


async def test_a_viewer_that_has_all_tells_seldom_where_it_is(monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 4:
            raise asyncio.CancelledError

    monkeypatch.setattr("exgs.client.views.asyncio.sleep", sleep)
    said: list[int] = []
    with pytest.raises(asyncio.CancelledError):
        await send_views(
            lambda update: said.append(update.sequence), Walk(), OPTICS,
            start_s=0.0, rate_hz=90.0, clock=WallClock(), whole=lambda: len(said) > 2,
        )  # fmt: skip
    assert said == [0, 1, 2, 3]
    assert waits == [1 / 90, 1 / 90, 1 / WHOLE_UPDATES_HZ, 1 / WHOLE_UPDATES_HZ]
