"""What a scene is: Gaussians, cameras, frames of reference, the file formats of the world."""

from exgs.scene.camera import Camera, read_cameras, write_cameras
from exgs.scene.errors import SceneError
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_C0, SH_COEFFICIENTS, Gaussians
from exgs.scene.orbit import orbit
from exgs.scene.views import sample_views

__all__ = [
    "SH_C0",
    "SH_COEFFICIENTS",
    "Camera",
    "Frame",
    "Gaussians",
    "SceneError",
    "orbit",
    "read_cameras",
    "sample_views",
    "write_cameras",
]
