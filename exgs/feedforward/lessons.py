"""What a step of training is given: views of one scene, varied, and what is to be seen between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.sampling import SampleSettings, as_views, draw_example
from exgs.feedforward.sets import ViewSet
from exgs.feedforward.views import Views
from exgs.scene import Camera
from exgs.training.layout import kind_of

DARKEST, BRIGHTEST = 0.7, 1.15
"""Range of the factors by which all pictures of a lesson are made darker or brighter."""
NEARER, FARTHER = 0.7, 1.5
"""How far near and far may be off: nobody knows them as exactly as our sets do."""


@dataclass(frozen=True)
class LessonSettings:
    """How lessons are drawn."""

    samples: SampleSettings = field(default_factory=SampleSettings)
    """Which views."""
    many_share: float = 0.5
    """Share of the lessons that are for ZPressor."""
    anchors: tuple[int, int] = (4, 6)
    """Range of the number of anchors in these."""
    object_share: float = 0.35
    """Share of the lessons that are of objects, where there are both."""
    reduced: tuple[int, int] = (160, 96)
    """Width and height of most pictures, where they are larger: several steps then take the time of one."""
    reduced_share: float = 0.75
    """Share of the lessons in which they are so small."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """One draw."""

    context: Views
    """What to reconstruct from."""
    depths: np.ndarray
    """[V,H,W] float32 true depths of these; 0 where unknown."""
    targets: Views
    """What should then be seen."""
    many: bool
    """Whether ZPressor is to take part."""
    anchors: int
    """With so many anchors."""

    def resized(self, width: int, height: int) -> Lesson:
        """The same lesson in pictures of that size; as it is where they are no larger."""
        if width >= self.context.size[0] or height >= self.context.size[1]:
            return self
        context, targets = (views.resized(width, height) for views in (self.context, self.targets))
        return replace(self, context=context, targets=targets, depths=picked(self.depths, width, height))


class Lessons:
    """Draws lessons from view sets."""

    def __init__(self, sets: Sequence[ViewSet], settings: LessonSettings | None = None) -> None:
        """Of the scenes ``sets``.

        Raises:
            FeedforwardError: there are none.
        """
        if not sets:
            raise FeedforwardError("there are no view sets to train on")
        self._sets, self._settings = list(sets), settings or LessonSettings()
        objects = np.array([kind_of(found.scene) == "object" for found in sets])
        share = self._settings.object_share if objects.any() and not objects.all() else float(objects.all())
        self._chances = np.where(
            objects, share / max(objects.sum(), 1), (1 - share) / max((~objects).sum(), 1)
        )

    def draw(self, rng: np.random.Generator) -> Lesson:
        """What the lesson is depends on ``rng`` alone.

        Raises:
            FeedforwardError: the walks of a set are too short.
        """
        settings = self._settings
        views = self._sets[rng.choice(len(self._sets), p=self._chances)]
        many = bool(rng.random() < settings.many_share)
        example = draw_example(views, many=many, settings=settings.samples, rng=rng)
        anchors = int(rng.integers(settings.anchors[0], settings.anchors[1] + 1))
        near, far = views.near * rng.uniform(NEARER, 1), views.far * rng.uniform(1, FARTHER)
        vary = _Variation(bool(rng.random() < 0.5), rng.permutation(3), rng.uniform(DARKEST, BRIGHTEST))
        context, targets = (
            replace(vary.of(as_views(views, chosen)), near=near, far=far)
            for chosen in (example.context, example.targets)
        )
        depths = vary.flipped(views.depths[list(example.context)].astype(np.float32))
        lesson = Lesson(context, depths, targets, many, anchors)
        return lesson.resized(*settings.reduced) if rng.random() < settings.reduced_share else lesson


def picked(depths: np.ndarray, width: int, height: int) -> np.ndarray:
    """[V,height,width] of ``depths`` [V,H,W] those in the middles of the pixels of ``Views.resized``."""
    scale = max(width / depths.shape[2], height / depths.shape[1])
    rows, columns = (
        ((np.arange(count) + 0.5 - count / 2) / scale + depths.shape[axis] / 2).astype(np.int64)
        for axis, count in ((1, height), (2, width))
    )
    return np.ascontiguousarray(depths[:, rows[:, None], columns])


@dataclass(frozen=True, eq=False)
class _Variation:
    """What is done to all views of a lesson alike."""

    mirror: bool
    order: np.ndarray
    gain: float

    def of(self, views: Views) -> Views:
        scaled = views.pictures[..., self.order] * np.float32(self.gain)
        pictures = (np.minimum(scaled, 255) + np.float32(0.5)).astype(np.uint8)
        cameras = tuple(mirrored(camera) for camera in views.cameras) if self.mirror else views.cameras
        return replace(views, pictures=self.flipped(pictures), cameras=cameras)

    def flipped(self, pictures: np.ndarray) -> np.ndarray:
        """[V,H,W,...] with left and right exchanged, where they are to be."""
        return np.ascontiguousarray(pictures[:, :, ::-1] if self.mirror else pictures)


def mirrored(camera: Camera) -> Camera:
    """The camera whose picture of the mirrored scene (x and -x exchanged) is the mirrored picture."""
    mirror = np.diag([-1.0, 1, 1, 1])
    return replace(
        camera, camera_from_world=mirror @ camera.camera_from_world @ mirror, cx=camera.width - camera.cx
    )
