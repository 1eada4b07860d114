"""What is never drawn is dropped; so is what hangs alone and hardly shows."""

import numpy as np
import pytest
from clouds import cloud

from exgs.codec import EncodeError
from exgs.codec.encoding.prepare import prepare, without_floaters
from exgs.codec.encoding.survey import Survey
from exgs.scene import Camera

CAMERA = Camera(np.eye(4), 8, 8, 4, 4, 8, 8)


def test_what_is_kept_has_the_order_of_the_source() -> None:
    scene = cloud(50)
    scene.opacity_logits[[3, 20]] = -9.0
    scene.quats[7] = np.nan
    prepared = prepare(scene)
    assert (prepared.splats_in, prepared.invisible, prepared.unsound) == (50, 2, 1)
    assert prepared.float_bytes == scene.float_bytes
    np.testing.assert_array_equal(prepared.gaussians.means, np.delete(scene.means, [3, 7, 20], axis=0))


def test_nothing_to_see_is_refused() -> None:
    scene = cloud(5)
    scene.opacity_logits[:] = -9.0
    with pytest.raises(EncodeError, match="none of the scene's 5"):
        prepare(scene)


def test_what_is_beyond_all_measure_is_left_out_and_told() -> None:
    scene = cloud(5)
    scene.means[2] = 1e12
    prepared = prepare(scene)
    assert (len(prepared.gaussians), prepared.unsound) == (4, 1)
    scene.means[:] = 1e30
    with pytest.raises(
        EncodeError, match=r"all 5 Gaussians have .* no rotation, or a place beyond 1e\+09 units"
    ):
        prepare(scene)


def test_only_what_is_alone_and_faint_is_a_floater() -> None:
    scene = cloud(400)
    scene.means[:] *= 0.1
    scene.log_scales[:] = -5.0
    scene.means[:2] = [[50, 0, 0], [0, 50, 0]]
    weight = np.full(400, 1.0, np.float32)
    weight[0] = weight[5] = 0.0
    views = Survey((CAMERA,), np.zeros((1, 8, 8, 3), np.float32), weight, weight)
    np.testing.assert_array_equal(np.flatnonzero(~without_floaters(scene, views)), [0])
