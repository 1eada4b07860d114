"""A folder of a denoiser in diffusers' format: what it is, whether it can serve here, and its weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from exgs.painter.architecture import check_configuration
from exgs.painter.errors import PainterError
from exgs.scene.formats.bounded import read_object

CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"
HALF_WEIGHTS = "diffusion_pytorch_model.fp16.safetensors"
CLASSES = ("UNet2DModel", "UNet2DConditionModel")
PREDICTIONS = ("epsilon", "sample", "v_prediction")
STEP = 199
"""The step of the schedule that the denoiser is asked at: so little noise that the picture still decides."""
SCHEDULE: Mapping[str, Any] = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
}  # fmt: skip
"""Of noise, where no scheduler lies beside the denoiser: that of Stable Diffusion and SD-Turbo."""
MAX_CONFIG_BYTES = 1 << 20
MAX_STEPS = 10_000
"""Of a schedule of noise."""
NO_SCHEDULE = (ValueError, TypeError, RuntimeError)
"""What diffusers and torch raise of schedules that are none; a test has one for each."""
_NEEDS = {
    "addition_embed_type": "more than a text", "encoder_hid_dim_type": "another encoder's words",
    "class_embed_type": "a class", "num_class_embeds": "a class", "center_input_sample": "centred latents",
}  # fmt: skip
"""What a network with such an entry must be told besides."""


def describe_denoiser(folder: Path) -> dict[str, Any]:
    """What has to be known to build the denoiser in ``folder`` again: its class, its configuration, and the
    step at which it is asked, with the noise (``sigma``) there and what it ``predicts``.

    Raises:
        PainterError: there is none, or none that is known here.
    """
    config = _read(folder / CONFIG, folder)
    made = config.get("_class_name")
    if made not in CLASSES:
        raise PainterError(f"{folder / CONFIG}: a {str(made)[:60]}, expected {' or '.join(CLASSES)}")
    beside = folder.parent / "scheduler" / "scheduler_config.json"
    schedule = {**SCHEDULE, **(_read(beside, folder) if beside.is_file() else {})}
    if schedule["prediction_type"] not in PREDICTIONS:
        found = str(schedule["prediction_type"])[:60]
        raise PainterError(f"{beside}: predicts {found}, expected one of {', '.join(PREDICTIONS)}")
    return {
        "class": made,
        "config": {name: value for name, value in config.items() if not name.startswith("_")},
        "step": STEP,
        "sigma": _sigma(schedule, beside),
        "predicts": schedule["prediction_type"],
    }


def check_denoiser(unet: Mapping[str, Any], channels: int) -> None:
    """Whether the denoiser that ``unet`` describes can work on latents of so many channels.

    Raises:
        PainterError: it cannot; or the description is none.
    """
    config = unet.get("config")
    if unet.get("class") not in CLASSES or not isinstance(config, Mapping):
        raise PainterError(f"a denoiser of class {str(unet.get('class'))[:60]}, expected one of {CLASSES}")
    sigma, predicts = unet.get("sigma"), unet.get("predicts")
    if not isinstance(sigma, float) or not 0 < sigma < math.inf or predicts not in PREDICTIONS:
        raise PainterError(f"a denoiser with noise of {sigma} that predicts {predicts}: no such thing")
    for name, value in (
        ("in_channels", config.get("in_channels")),
        ("out_channels", config.get("out_channels")),
    ):
        if value != channels:
            raise PainterError(
                f"the denoiser has {name} {value}, the autoencoder latents of {channels} channels: they were "
                "not made for each other; choose another --vae or --unet"
            )
    for name, needed in _NEEDS.items():
        if config.get(name):
            raise PainterError(f"the denoiser needs {needed} ({name}), and there is none here")
    check_configuration(config)
    step, words = unet.get("step"), config.get("cross_attention_dim")
    if type(step) is not int or not 0 <= step < MAX_STEPS:
        raise PainterError(f"a denoiser that is asked at step {str(step)[:40]}: no such thing")
    if unet["class"] == "UNet2DConditionModel" and type(words) is not int:
        raise PainterError(f"the denoiser's cross_attention_dim is {words}, expected one number")
    if config.get("time_embedding_type", "positional") != "positional" or _skips(config):
        raise PainterError("the denoiser is of a kind that is not known here (Fourier features, or skips)")


def read_denoiser(folder: Path, unet: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights in ``folder``, in float32, under diffusers' names.

    Raises:
        PainterError: they cannot be read, or are not of the network that ``unet`` describes.
    """
    import safetensors
    import safetensors.torch

    path = check_files(folder, unet)
    try:
        return {name: value.float() for name, value in safetensors.torch.load_file(path).items()}
    except OSError as error:
        raise PainterError(f"{path}: {error.strerror or error}") from error
    except safetensors.SafetensorError as error:
        raise PainterError(f"{path}: not a file of weights ({error})") from error


def check_files(folder: Path, unet: Mapping[str, Any]) -> Path:
    """Where the weights in ``folder`` are, which are of the network that ``unet`` describes; only what the
    file says of itself is read, and nothing is allocated.

    Raises:
        PainterError: there are none, or others.
    """
    import safetensors

    path = folder / WEIGHTS
    path = path if path.is_file() else folder / HALF_WEIGHTS
    if not path.is_file():
        raise PainterError(f"{folder / WEIGHTS}: there is no such file (pickled .bin files are not read)")
    try:
        with safetensors.safe_open(path, "pt") as file:
            found = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise PainterError(f"{path}: {error.strerror or error}") from error
    except safetensors.SafetensorError as error:
        raise PainterError(f"{path}: not a file of weights ({error})") from error
    check_shapes(found, unet, path)
    return path


def check_shapes(found: Mapping[str, list[int]], unet: Mapping[str, Any], path: Path) -> None:
    """Whether tensors of these shapes are the weights of the network that ``unet`` describes.

    Raises:
        PainterError: they are not: which is the first that differs.
    """
    import torch

    from exgs.painter.foreign import skeleton

    check_configuration(unet["config"])
    with torch.device("meta"):
        wanted = {name: list(value.shape) for name, value in skeleton(unet).state_dict().items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            there, here = (shapes.get(name, "nothing") for shapes in (found, wanted))
            raise PainterError(
                f"{path}: {name} is {there}, {CONFIG} says {here}: they do not belong together"
            )


def _sigma(schedule: Mapping[str, Any], path: Path) -> float:
    """Noise over signal at ``STEP``."""
    try:
        import diffusers
    except ImportError as error:
        raise PainterError("diffusers is not installed: pip install 'exgs[train]'") from error
    names = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule")
    steps = schedule["num_train_timesteps"]
    if type(steps) is not int or not STEP < steps <= MAX_STEPS:
        raise PainterError(f"{path}: {str(steps)[:40]} steps of noise, expected {STEP + 1} to {MAX_STEPS}")
    try:
        kept = diffusers.DDPMScheduler(**{name: schedule[name] for name in names}).alphas_cumprod[STEP]
        sigma = math.sqrt(float((1 - kept) / kept))
    except NO_SCHEDULE as error:
        raise PainterError(f"{path}: no schedule of noise ({str(error)[:200]})") from error
    if not 0 < sigma < math.inf:
        raise PainterError(f"{path}: no schedule of noise ({sigma:g} of the signal at step {STEP})")
    return sigma


def _skips(config: Mapping[str, Any]) -> bool:
    names = [*config.get("down_block_types", ()), *config.get("up_block_types", ())]
    return any(isinstance(name, str) and name.startswith("Skip") for name in names)


def _read(path: Path, folder: Path) -> dict[str, Any]:
    hint = f"; there is one in {folder / 'unet'}" if (folder / "unet" / CONFIG).is_file() else ""
    if not path.is_file():
        raise PainterError(
            f"{path}: no such file; expected a folder of a denoiser in diffusers' format{hint}"
        )
    return read_object(path, MAX_CONFIG_BYTES, PainterError)
