"""What kind of place a scene is, which decides where a viewer can be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from exgs.scene.frame import Frame
from exgs.scene.gaussians import Gaussians
from exgs.scene.inside import is_room, standing_places
from exgs.scene.occupancy import Occupancy, measure_occupancy
from exgs.scene.outdoors import is_outdoors, near_core, walkable

Kind = Literal["room", "outdoors", "object"]


@dataclass(frozen=True, eq=False)
class Site:
    """A scene, measured."""

    kind: Kind
    """Rooms and the outdoors are seen from amid them, an object from around it."""
    grid: Occupancy
    """Of what was captured from near; of an object, of all of it."""
    frame: Frame
    """The scene's."""

    @property
    def up(self) -> np.ndarray:
        """[3] the unit vector upwards."""
        return self.frame.up_vector

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """[n,3] where a head can be amid the scene, and [n] how much room each of these cells stands for."""
        if self.kind == "outdoors":
            places, heights = walkable(self.grid, self.up, self.frame.metres_per_unit)
            return places, 1 / heights
        places = standing_places(self.grid, self.frame)
        return places, np.ones(len(places))


def measure_site(gaussians: Gaussians) -> Site:
    """Measures a scene and tells rooms, the outdoors and objects apart.

    What many small Gaussians are of was captured from near; a room or a garden is looked for there first,
    so that neither a distant background nor what has leaked through its walls hides it.
    """
    near, frame = measure_occupancy(gaussians, core=near_core(gaussians)), gaussians.frame
    if is_room(near):
        return Site("room", near, frame)
    whole = measure_occupancy(gaussians)
    if is_room(whole):
        return Site("room", whole, frame)
    if is_outdoors(gaussians, near, frame.up_vector):
        return Site("outdoors", near, frame)
    return Site("object", whole, frame)
