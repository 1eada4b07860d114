"""The error of pictures is shared out whole, among those that show where it is."""

import numpy as np
from clouds import cloud

from exgs.codec.encoding.gains import errors_to_blame
from exgs.codec.encoding.survey import survey
from exgs.raster.cpu import CpuRasterizer
from exgs.scene import sample_views


def test_who_is_wrong_is_blamed() -> None:
    scene, cpu = cloud(200, sh_degree=0), CpuRasterizer(threads=2)
    views = survey(scene, sample_views(scene, 4, size=(80, 60)), cpu)
    assert np.abs(errors_to_blame(scene, views, cpu)).max() < 1e-6
    wrong = scene.select(np.arange(200))
    seen = int(views.weight_sum.argmax())
    wrong.sh0[seen] += 3.0
    blame = errors_to_blame(wrong, views, cpu)
    assert blame.shape == (200,) and int(blame.argmax()) == seen
    pictures = [cpu.render(wrong, [camera]).color[0] for camera in views.cameras]
    whole = sum(np.square(a - b).sum() for a, b in zip(pictures, views.pictures, strict=True))
    assert 0.5 * whole < blame.sum() <= 1.01 * whole
