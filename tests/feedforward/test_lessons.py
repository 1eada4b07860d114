from dataclasses import replace

import numpy as np
import pytest

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.lessons import Lessons, LessonSettings, mirrored, picked
from exgs.feedforward.sampling import SampleSettings
from exgs.scene import Camera
from tests.feedforward.conftest import MakeSet

SHORT = LessonSettings(SampleSettings(many=(8, 12)))
"""For walks of 24 views."""


def test_lessons_follow_from_their_seed_and_are_of_both_kinds(make_set: MakeSet) -> None:
    lessons = Lessons([make_set()], SHORT)
    drawn = [lessons.draw(np.random.default_rng(seed)) for seed in range(30)]
    assert {lesson.many for lesson in drawn} == {False, True}
    for lesson in drawn:
        assert len(lesson.depths) == len(lesson.context) == (len(lesson.depths))
        assert len(lesson.context) >= (6 if lesson.many else 2)  # neighbours may fall together
        assert 0.7 <= lesson.context.near <= 1.0 and 4.0 <= lesson.context.far <= 6.0
    again = lessons.draw(np.random.default_rng(3))
    assert np.array_equal(again.context.pictures, drawn[3].context.pictures)


def test_what_was_varied_is_still_one_scene(make_set: MakeSet) -> None:
    """However mirrored and recoloured, one picture of the wall is another one, shifted."""
    lessons = Lessons([make_set()], SHORT)
    mirrored_ones = 0
    for seed in range(12):
        lesson = lessons.draw(np.random.default_rng(seed))
        first, last = lesson.context.pictures[0].astype(int), lesson.context.pictures[-1].astype(int)
        shift = lesson.context.centres[-1, 0] - lesson.context.centres[0, 0]
        pixels = round(shift * 48 / 2)
        mirrored_ones += pixels < 0
        one, other = (
            (first[:, pixels:], last[:, : 48 - pixels])
            if pixels > 0
            else (first[:, :pixels], last[:, -pixels:])
        )
        assert np.abs(one - other).max() <= 1
    assert 0 < mirrored_ones < 12


def test_a_mirrored_camera_sees_the_mirrored_point_at_the_mirrored_pixel() -> None:
    camera = Camera.looking(
        np.array([1.0, 2, 3]), np.zeros(3), np.array([0.0, -1, 0]), fov_y_rad=0.9, size=(60, 40)
    )
    point = np.array([0.2, -0.1, 0.4])
    seen, other = (pixel(one, at) for one, at in ((camera, point), (mirrored(camera), point * (-1, 1, 1))))
    assert np.allclose(other, (60 - seen[0], seen[1]))


def test_a_lesson_in_small_is_the_same_lesson(make_set: MakeSet) -> None:
    lesson = Lessons([make_set()], SHORT).draw(np.random.default_rng(5))
    small = lesson.resized(30, 16)
    assert small.context.size == small.targets.size == (30, 16)
    assert small.depths.shape == (len(lesson.context), 16, 30) and (small.depths == 2).all()
    assert lesson.resized(64, 16) is lesson


def test_depths_stay_where_their_pixels_are() -> None:
    ramp = np.tile(np.arange(24, dtype=np.float32), (1, 16, 1))
    assert np.array_equal(picked(ramp, 10, 8)[0, 0], np.arange(3, 23, 2))


def pixel(camera: Camera, point: np.ndarray) -> np.ndarray:
    x, y, z = (camera.camera_from_world @ (*point, 1))[:3]
    return np.array([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy])


def test_objects_get_their_share(make_set: MakeSet) -> None:
    sets = [make_set(f"interior-{number}", size=(16, 16)) for number in range(9)] + [make_set("thing")]
    lessons = Lessons(sets, replace(SHORT, object_share=0.5))
    of_thing = [lessons.draw(np.random.default_rng(seed)).context.size == (48, 32) for seed in range(60)]
    assert 15 < sum(of_thing) < 45


def test_nothing_teaches_nothing() -> None:
    with pytest.raises(FeedforwardError, match="no view sets"):
        Lessons([])
