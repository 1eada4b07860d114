"""The rasteriser for NVIDIA GPUs: gsplat behind the same seam. The one file that imports gsplat.

gsplat composites by the same model, apart from two details that no option changes: alpha is cut at 0.999
in place of 0.99, and a pixel stops before the Gaussian that would make it opaque, not after it (docs/gpu.md).
"""

from __future__ import annotations

import importlib.util
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exgs.raster.cpu import CpuRasterizer
from exgs.raster.seam import Gradients, Pull, Rendering, Telling, checked, no_gradients, picture_size
from exgs.raster.sh import sh_basis, view_colors, view_directions
from exgs.raster.twin import LOW_PASS_PX2, NEAR
from exgs.scene import Camera, Gaussians


def cuda_problem(on_compile: Callable[[str], None] | None = None) -> str | None:
    """Why CUDA cannot be used here, with the remedy; None where a trial picture came out right."""
    for package in ("torch", "gsplat"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed (pip install 'exgs[gpu]')"
    import torch

    if not torch.cuda.is_available():
        return "torch sees no CUDA device (nvidia-smi tells whether the driver does)"
    if on_compile is not None:
        on_compile("preparing gsplat (compiled at its first use, about a minute)")
    try:
        alpha = CudaRasterizer().render(_one(), [Camera(np.eye(4), 8, 8, 4, 4, 8, 8)]).alpha
    except (ImportError, OSError, RuntimeError, AttributeError, TypeError) as error:
        return f"gsplat failed on a trial picture: {type(error).__name__}: {error}"
    if not 0.4 < float(alpha.max()) < 0.6:
        return f"gsplat drew a trial picture wrong: alpha {float(alpha.max()):.3f}, expected 0.5"
    return None


@dataclass(frozen=True, eq=False)
class Uploaded:
    """The sound Gaussians of a scene on the device."""

    kept: np.ndarray
    """[M] which Gaussians of the scene they are."""
    geometry: dict[str, Any]
    """Tensors means [M,3], quats [M,4], scales [M,3], opacities [M]."""
    harmonics: Any
    """[M,K,3] all coefficients, the constant one first."""
    sh_degree: int
    """Degree of the harmonics."""


class CudaRasterizer:
    """Rasterises with gsplat on the current CUDA device; keeps the scene that was drawn last on it."""

    name = "cuda"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[weakref.ref[Gaussians], Uploaded] | None = None
        self._cpu: CpuRasterizer | None = None

    def render(
        self, gaussians: Gaussians, cameras: Sequence[Camera], *, depth: bool = False, weights: bool = False
    ) -> Rendering:
        """Renders from every camera; all must share one picture size (ValueError otherwise).

        The largest weights are none of gsplat's outputs and no gradient of them: with ``weights`` they
        come from the CPU rasteriser.
        """
        import torch

        picture_size(cameras)
        scene = self._upload(gaussians)
        with torch.no_grad():
            mode = "RGB+ED" if depth else "RGB"
            picture, alpha = draw(scene, cameras, scene.harmonics, sh_degree=scene.sh_degree, mode=mode)
        opacity, channels = alpha[..., 0].cpu().numpy(), picture.cpu().numpy()
        depths = np.where(opacity > 0, channels[..., 3], 0) if depth else None
        total = most = None
        if weights:
            total = self._weight_sums(gaussians, scene, cameras)
            self._cpu = self._cpu or CpuRasterizer()
            most = self._cpu.render(gaussians, cameras, weights=True).weight_max
        return Rendering(np.ascontiguousarray(channels[..., :3]), opacity, depths, total, most)

    def share_out(self, gaussians: Gaussians, camera: Camera, tell: Telling) -> tuple[np.ndarray, np.ndarray]:
        """Draws ``camera``'s picture and shares out what ``tell`` makes of it, for least-squares fits.

        The parts are the gradient that autograd gives to the colours.
        """
        scene = self._upload(gaussians)
        colors = _tensor(view_colors(gaussians.select(scene.kept), camera)).requires_grad_()
        picture, _ = draw(scene, [camera], colors)
        shown = np.ascontiguousarray(picture[0].detach().cpu().numpy())
        picture.backward(_tensor(checked(tell(shown), shown.shape))[None])
        parts = _scatter(colors.grad, scene.kept, len(gaussians))
        return parts, self._weight_sums(gaussians, scene, [camera])

    def gradients(self, gaussians: Gaussians, cameras: Sequence[Camera], pull: Pull) -> Gradients:
        """Draws every camera's picture, asks ``pull`` for its gradient and carries that back; the sum."""
        import torch

        scene, total = upload(gaussians), no_gradients(gaussians)
        for tensor in (*scene.geometry.values(), scene.harmonics):
            tensor.requires_grad_()
        means = gaussians.means[scene.kept]
        for index, camera in enumerate(cameras):
            basis = _tensor(sh_basis(view_directions(means, camera), scene.sh_degree))
            colors = torch.relu(torch.einsum("nk,nkc->nc", basis, scene.harmonics) + 0.5)
            picture, _ = draw(scene, [camera], colors)
            slope = pull(index, np.ascontiguousarray(picture[0].detach().cpu().numpy()))
            picture.backward(_tensor(np.asarray(slope, np.float32))[None])
        if len(scene.kept) and len(cameras):
            _add_gradients(scene, total)
        return total

    def _weight_sums(self, gaussians: Gaussians, scene: Uploaded, cameras: Sequence[Camera]) -> np.ndarray:
        """[N] the gradient, with respect to one colour channel, of the sum of all pictures."""
        import torch

        channel = torch.zeros((len(scene.kept), 1), device="cuda", requires_grad=True)
        picture, _ = draw(scene, cameras, channel)
        picture.sum().backward()
        return _scatter(channel.grad, scene.kept, len(gaussians))[:, 0]

    def _upload(self, gaussians: Gaussians) -> Uploaded:
        with self._lock:
            if self._last is not None and self._last[0]() is gaussians:
                return self._last[1]
            uploaded = upload(gaussians)
            self._last = (weakref.ref(gaussians), uploaded)
            return uploaded


def upload(gaussians: Gaussians) -> Uploaded:
    """The Gaussians whose values are all finite, activated, on the device."""
    count = len(gaussians)
    arrays = [gaussians.means, gaussians.quats, gaussians.log_scales, gaussians.opacity_logits]
    arrays += [gaussians.sh0, gaussians.shN]
    sound = np.isfinite(np.concatenate([array.reshape(count, -1) for array in arrays], axis=1)).all(axis=1)
    kept = np.flatnonzero(sound)
    taken = gaussians.select(kept)
    geometry = {
        "means": _tensor(taken.means),
        "quats": _tensor(taken.quats),
        "scales": _tensor(taken.scales),
        "opacities": _tensor(taken.opacities),
    }
    harmonics = _tensor(np.concatenate([taken.sh0, taken.shN], axis=1))
    return Uploaded(kept, geometry, harmonics, gaussians.sh_degree)


def draw(
    scene: Uploaded,
    cameras: Sequence[Camera],
    colors: Any,
    *,
    sh_degree: int | None = None,
    mode: str = "RGB",
) -> tuple[Any, Any]:
    """Tensors [B,H,W,C] and [B,H,W,1]: the picture and its opacity, differentiable in ``colors``."""
    import torch
    from gsplat import rasterization

    width, height = picture_size(cameras)
    if not len(scene.kept):
        channels = colors.shape[-1] + (mode == "RGB+ED")
        shape = (len(cameras), height, width)
        empty = torch.zeros((*shape, channels), device="cuda") + 0 * colors.sum()
        return empty, torch.zeros((*shape, 1), device="cuda")
    picture, alpha, _ = rasterization(
        **scene.geometry,
        colors=colors,
        viewmats=_tensor(np.stack([camera.camera_from_world for camera in cameras])),
        Ks=_tensor(np.stack([_intrinsics(camera) for camera in cameras])),
        width=width,
        height=height,
        near_plane=NEAR,
        eps2d=LOW_PASS_PX2,
        sh_degree=sh_degree,
        packed=True,
        render_mode=mode,
        rasterize_mode="classic",
    )
    return picture, alpha


def _intrinsics(camera: Camera) -> np.ndarray:
    return np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])


def _tensor(array: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to("cuda")


def _scatter(gradient: Any, kept: np.ndarray, count: int) -> np.ndarray:
    """Rows of ``gradient`` at ``kept``, zeros elsewhere."""
    rows = np.zeros((count, gradient.shape[1]), np.float32)
    rows[kept] = gradient.cpu().numpy()
    return rows


def _add_gradients(scene: Uploaded, total: Gradients) -> None:
    """The gradients that autograd left, in terms of raw values: of the quaternion, turns about own axes."""
    grads = {name: tensor.grad.cpu().numpy() for name, tensor in scene.geometry.items()}
    values = {name: tensor.detach().cpu().numpy() for name, tensor in scene.geometry.items()}
    kept, opacities = scene.kept, values["opacities"]
    total.means[kept] = grads["means"]
    total.log_scales[kept] = grads["scales"] * values["scales"]
    total.opacity_logits[kept] = grads["opacities"] * opacities * (1 - opacities)
    total.harmonics[kept] = scene.harmonics.grad.cpu().numpy()
    (w, v), (gain_w, gain) = (np.split(array, [1], axis=1) for array in (values["quats"], grads["quats"]))
    total.turns[kept] = (w * gain - v * gain_w + np.cross(gain, v)) / 2


def _one() -> Gaussians:
    """One Gaussian of opacity 0.5, one unit ahead, as wide as the picture."""
    return Gaussians(
        means=np.array([[0, 0, 1]], np.float32),
        quats=np.array([[1, 0, 0, 0]], np.float32),
        log_scales=np.zeros((1, 3), np.float32),
        opacity_logits=np.zeros(1, np.float32),
        sh0=np.zeros((1, 1, 3), np.float32),
        shN=np.zeros((1, 0, 3), np.float32),
    )
