"""What is measured: the real scenes of ../shared, a generated room, or any scene file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from exgs.scene import generate_interior, read_scene, sample_views, write_cameras, write_scene

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
FILES = {
    "st-peter": ("st-peter.sog", "playcanvas/web-components, MIT"),
    "angel": ("angel.sog", "playcanvas/web-components, MIT"),
    "angel-kneeling": ("angel-kneeling.sog", "playcanvas/web-components, MIT"),
    "massa": ("massa.sog", "playcanvas/web-components, MIT"),
    "guitar": ("guitar.compressed.ply", "playcanvas/engine, MIT"),
    "luma-seal": ("luma-seal.splat", "quadjr/aframe-gaussian-splatting, MIT"),
    "skull": ("skull.sog", "playcanvas/react, MIT"),
    "playbot": (
        "playbot/lod-meta.json",
        "PLAYBOT by Stephane Agullo, https://superspl.at/view?id=ee6d8bc4, CC-BY-4.0",
    ),
    "flowers": ("flowers/lod-meta.json", "playcanvas/engine, MIT"),
}
"""Scene: its file in ../shared/data/scenes, and whose it is."""
INTERIOR = "interior"
INTERIOR_SPLATS = 150_000
HELD_OUT_SEED = 20260101
HELD_OUT_VIEWS = 24
SIZE = (640, 360)


@dataclass(frozen=True)
class Scene:
    """A scene made ready: every system encodes the same PLY, the judge compares with the source."""

    name: str
    source: str
    """The file as it came."""
    ply: str
    """The same as an INRIA PLY, level 0 where the source has levels."""
    cameras: str
    """Views of the judge; no encoder sees them."""
    splats: int
    sh_degree: int
    float_bytes: int
    """Size as a float32 PLY of its own degree: what ratios count from."""

    def budget(self, ratio: float) -> int:
        """Bytes that are 1 / ``ratio`` of the scene."""
        return max(1, int(self.float_bytes / ratio))


def names() -> list[str]:
    """The scenes that can be had here, the generated one last."""
    return [*(FILES if (SHARED / "data" / "scenes").is_dir() else ()), INTERIOR]


def credit(name: str) -> str:
    """Whose the scene is."""
    return FILES[name][1] if name in FILES else "made by this project"


def make_ready(name: str, folder: Path) -> Scene:
    """The scene ``name``, or the file of that path, with its PLY and cameras kept in ``folder``."""
    known = folder / "scene.json"
    if known.exists():
        return Scene(**json.loads(known.read_text()))
    folder.mkdir(parents=True, exist_ok=True)
    ply, cameras = folder / "scene.ply", SHARED / "data" / "cameras" / f"{name}.json"
    if name == INTERIOR:
        source, gaussians = ply, generate_interior(count=INTERIOR_SPLATS)
    else:
        source = SHARED / "data" / "scenes" / FILES[name][0] if name in FILES else Path(name).resolve()
        gaussians = read_scene(source)
    write_scene(ply, gaussians)
    if not cameras.exists():
        cameras = folder / "cameras.json"
        write_cameras(cameras, sample_views(gaussians, HELD_OUT_VIEWS, seed=HELD_OUT_SEED, size=SIZE))
    scene = Scene(
        Path(name).name.split(".")[0], str(source), str(ply), str(cameras),
        len(gaussians), gaussians.sh_degree, gaussians.float_bytes,
    )  # fmt: skip
    known.write_text(json.dumps(asdict(scene), indent=1) + "\n")
    return scene
