"""What a scene is: Gaussians, cameras, frames of reference, the file formats of the world."""

from exgs.scene.camera import Camera, read_cameras, write_cameras
from exgs.scene.errors import SceneError
from exgs.scene.finite import drop_non_finite
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_C0, SH_COEFFICIENTS, Gaussians
from exgs.scene.interior import generate_interior
from exgs.scene.orbit import orbit
from exgs.scene.read import SceneDescription, describe, read_scene
from exgs.scene.transform import to_frame, transform
from exgs.scene.views import sample_views
from exgs.scene.write import write_scene

__all__ = [
    "SH_C0",
    "SH_COEFFICIENTS",
    "Camera",
    "Frame",
    "Gaussians",
    "SceneDescription",
    "SceneError",
    "describe",
    "drop_non_finite",
    "generate_interior",
    "orbit",
    "read_cameras",
    "read_scene",
    "sample_views",
    "to_frame",
    "transform",
    "write_cameras",
    "write_scene",
]
