"""What a scene is: Gaussians, cameras, frames of reference, the file formats of the world."""

from exgs.scene.camera import Camera, read_cameras, write_cameras
from exgs.scene.errors import SceneError
from exgs.scene.finite import drop_non_finite
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_C0, SH_COEFFICIENTS, Gaussians
from exgs.scene.head_trace import (
    HeadPath,
    HeadTrace,
    head_camera,
    head_cameras,
    stereo_cameras,
    stereo_pair,
    synthetic_head_trace,
)
from exgs.scene.head_trace_file import read_head_trace, write_head_trace
from exgs.scene.interior import generate_interior
from exgs.scene.orbit import orbit, starting_view
from exgs.scene.read import SceneDescription, describe, read_scene
from exgs.scene.start import StartView
from exgs.scene.transform import to_frame, transform
from exgs.scene.views import sample_views
from exgs.scene.write import write_scene

__all__ = [
    "SH_C0",
    "SH_COEFFICIENTS",
    "Camera",
    "Frame",
    "Gaussians",
    "HeadPath",
    "HeadTrace",
    "SceneDescription",
    "SceneError",
    "StartView",
    "describe",
    "drop_non_finite",
    "generate_interior",
    "head_camera",
    "head_cameras",
    "orbit",
    "read_cameras",
    "read_head_trace",
    "read_scene",
    "sample_views",
    "starting_view",
    "stereo_cameras",
    "stereo_pair",
    "synthetic_head_trace",
    "to_frame",
    "transform",
    "write_cameras",
    "write_head_trace",
    "write_scene",
]
