"""Denoisers of diffusers, random and tiny: they are asked as diffusers asks them, or refused."""

import hashlib
import json
import math
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("safetensors")
import safetensors.torch  # noqa: E402

from exgs.painter import PainterError  # noqa: E402
from exgs.painter.choose import choose_network  # noqa: E402
from exgs.painter.crops import Crops  # noqa: E402
from exgs.painter.diffusers_folder import NO_SCHEDULE, check_files, describe_denoiser  # noqa: E402
from exgs.painter.export import export  # noqa: E402
from exgs.painter.foreign import NO_NETWORK, ForeignDenoiser, padded  # noqa: E402
from exgs.painter.manifest import Manifest  # noqa: E402
from exgs.painter.networks import build  # noqa: E402
from exgs.painter.planes import PLANES  # noqa: E402
from exgs.painter.shelf import Weights  # noqa: E402
from exgs.painter.torch_network import TorchNetwork  # noqa: E402
from exgs.painter.training import Training, TrainSettings  # noqa: E402

WORDS = 8
SHAPE = {
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
}
TEXTUAL = {
    **SHAPE, "block_out_channels": (8, 8, 8), "cross_attention_dim": WORDS,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"),
}  # fmt: skip
PLAIN = {
    **SHAPE, "block_out_channels": (8, 8), "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}  # fmt: skip


ILL_CONFIGURATIONS = {
    ValueError: {"down_block_types": ["NoSuchBlock"] * 3},
    TypeError: {"layers_per_block": None},
    AttributeError: {"down_block_types": [4, 4, 4]},
    IndexError: {"transformer_layers_per_block": [1]},
    KeyError: {"transformer_layers_per_block": {"first": 1}},
    RuntimeError: {"block_out_channels": [-8, -8, -8]},
    ZeroDivisionError: {"norm_num_groups": 0},
}
"""What is raised within diffusers, and of what."""
ILL_SCHEDULES = {
    ValueError: {"beta_start": 3},
    TypeError: {"beta_start": None},
    RuntimeError: {"beta_start": -1.0, "beta_end": -1.0},
    NotImplementedError: {"beta_schedule": "as you like it"},
}


def saved(folder: Path, kind: str, **changes) -> "torch.nn.Module":
    """A random U-Net of diffusers, written to ``folder`` as diffusers does."""
    torch.manual_seed(1)
    made = {"UNet2DConditionModel": TEXTUAL, "UNet2DModel": PLAIN}[kind]
    unet = getattr(diffusers, kind)(**{**made, **changes}).eval()
    unet.save_pretrained(folder)
    return unet


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("foreign") / "unet"
    saved(folder, "UNet2DConditionModel")
    return folder


def architecture(folder: Path, **changes) -> dict:
    return {
        "kind": "foreign", "vae_widths": [4] * 4, "blocks": 1, "unet": describe_denoiser(folder), **changes
    }  # fmt: skip


def noise(*shape: int) -> "torch.Tensor":
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("kind", ["UNet2DConditionModel", "UNet2DModel"])
def test_a_denoiser_is_asked_as_diffusers_asks_it(tmp_path, kind):
    own = saved(tmp_path / "unet", kind)
    network = build(architecture(tmp_path / "unet")).eval()
    network.use_denoiser(tmp_path / "unet")
    sigma = network.denoiser._config["sigma"]
    latent, context = noise(2, 4, 8, 12), torch.rand(2, len(PLANES) - 3, 8, 12)
    with torch.no_grad():
        assert (network.denoiser(latent, context)[0] == 0).all(), "it begins with nothing"
        network.denoiser.share.fill_(1)
        found, features = network.denoiser(latent, context)
        words = (torch.zeros(2, 77, WORDS),) if kind == "UNet2DConditionModel" else ()
        expected = own(latent / math.sqrt(1 + sigma**2), 199, *words).sample
    assert features.shape == (2, 8, 8, 12)
    assert torch.allclose(found, sigma * expected, atol=1e-5)


@pytest.mark.parametrize("predicts", ["epsilon", "sample", "v_prediction"])
def test_what_is_predicted_leads_to_the_same_clean_latent(tmp_path, folder, predicts):
    """Of a latent whose noise is known, whatever the network says it by."""
    from exgs.painter.foreign import noise as found_noise

    pipeline = tmp_path / "pipeline"
    shutil.copytree(folder, pipeline / "unet")
    (pipeline / "scheduler").mkdir()
    (pipeline / "scheduler" / "scheduler_config.json").write_text(json.dumps({"prediction_type": predicts}))
    described = describe_denoiser(pipeline / "unet")
    sigma = described["sigma"]
    assert described["predicts"] == predicts
    assert sigma == pytest.approx(0.5693, abs=1e-4), "of Stable Diffusion's schedule at step 199"
    clean, grain = noise(1, 4, 4, 4), noise(1, 4, 4, 4).flip(3)
    a, s = 1 / math.sqrt(1 + sigma**2), sigma / math.sqrt(1 + sigma**2)
    said = {"epsilon": grain, "sample": clean, "v_prediction": a * grain - s * clean}[predicts]
    noisy = a * clean + s * grain
    taken = found_noise(said, noisy, sigma, predicts)
    assert torch.allclose(noisy / a - taken, clean, atol=1e-5)


def test_the_mask_reaches_a_denoiser_that_knew_none(folder):
    network = build(architecture(folder)).eval()
    network.use_denoiser(folder)
    latent, context = noise(1, 4, 8, 8), torch.rand(1, len(PLANES) - 3, 8, 8)
    with torch.no_grad():
        network.denoiser.share.fill_(1)
        before = network.denoiser(latent, context)[0]
        assert torch.equal(before, network.denoiser(latent, 0 * context)[0])
        network.denoiser.unet.conv_in.beside.weight.fill_(0.1)
        assert not torch.allclose(before, network.denoiser(latent, context)[0])


def test_any_size_is_filled_up_and_cut_again():
    x = noise(1, 2, 6, 9)
    filled = padded(x, 4)
    assert filled.shape == (1, 2, 8, 12)
    assert torch.equal(filled[..., :6, :9], x)
    assert torch.equal(filled[..., 7, 11], x[..., 5, 8])


@pytest.mark.parametrize("train_unet", [True, False])
def test_training_touches_it_up_or_leaves_it(folder, make_pairs_of, train_unet):
    settings = TrainSettings(architecture(folder, train_unet=train_unet), batch=2, size_px=32)
    training = Training(settings, Crops([make_pairs_of()], size_px=32))
    training.use_denoiser(folder)
    unet, share = training.network.denoiser.unet, training.network.denoiser.share
    known, new = unet.conv_in.known.weight.clone(), unet.conv_in.beside.weight.clone()
    for step in range(3):
        training.advance(0.02 + step / 100)
    moved = (unet.conv_in.known.weight - known).abs().max()
    assert (moved > 0) == train_unet
    assert share.abs().max() > 0
    assert (unet.conv_in.beside.weight - new).abs().max() > moved, "what is new learns faster"


def test_a_network_knows_its_denoiser_again_without_the_folder(folder):
    made = json.loads(json.dumps(architecture(folder)))
    one, two = build(made).eval(), build(made).eval()
    one.use_denoiser(folder)
    two.load_state_dict(one.state_dict())
    seen = torch.rand(1, len(PLANES), 32, 48)
    with torch.no_grad():
        for network in (one, two):
            network.denoiser.share.fill_(0.5)
        assert torch.equal(one(seen), two(seen))
        assert not torch.allclose(one(seen)[:, :3], seen[:, :3], atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"in_channels": 9}, "9, the autoencoder latents of 4"),
        ({"out_channels": 8}, "8, the autoencoder latents of 4"),
        ({"num_class_embeds": 3}, "needs a class"),
        ({"addition_embed_type": "text_time"}, "more than a text"),
        ({"cross_attention_dim": [8, 8, 8]}, "expected one number"),
        ({"block_out_channels": [8, 8, 12]}, "do not belong together"),
        ({"down_block_types": ["NoSuchBlock"] * 3}, "diffusers makes no"),
        ({"_class_name": "AutoencoderKL"}, "AutoencoderKL, expected UNet2D"),
    ],
)  # fmt: skip
def test_a_denoiser_that_cannot_serve_is_refused(tmp_path, folder, changes, says):
    other = tmp_path / "unet"
    shutil.copytree(folder, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | changes))
    with pytest.raises(PainterError, match=says):
        build(architecture(other)).use_denoiser(other)


@pytest.mark.parametrize(("kind", "changes"), ILL_CONFIGURATIONS.items())
def test_whatever_diffusers_raises_of_a_configuration_is_one_line(folder, kind, changes):
    described = describe_denoiser(folder)
    with pytest.raises(PainterError, match="diffusers makes no UNet2DConditionModel of this") as caught:
        build(architecture(folder, unet={**described, "config": described["config"] | changes}))
    assert type(caught.value.__cause__) is kind and "\n" not in str(caught.value)


def test_no_kind_of_error_is_expected_that_nothing_raises():
    assert set(ILL_CONFIGURATIONS) == set(NO_NETWORK)
    assert set(ILL_SCHEDULES) == {*NO_SCHEDULE, NotImplementedError}, "the last is a RuntimeError"


def test_what_the_file_says_of_itself_is_looked_at_before_anything_is_built(tmp_path, folder):
    described = describe_denoiser(folder)
    assert check_files(folder, described).is_file()
    wide = {**described, "config": {**described["config"], "block_out_channels": [1 << 16] * 3}}
    with pytest.raises(PainterError, match="do not belong together"):
        check_files(folder, wide)
    wider = {**described, "config": {**described["config"], "block_out_channels": [1 << 20] * 3}}
    with pytest.raises(PainterError, match="block_out_channels is 1048576"):
        check_files(folder, wider)
    document = {"architecture": architecture(folder) | {"unet": wide}}
    data = safetensors.torch.save({"a": torch.zeros(1)})
    (tmp_path / "model.safetensors").write_bytes(data)
    sums = {"safetensors": hashlib.sha256(data).hexdigest()}
    with pytest.raises(PainterError, match="its architecture says"):
        TorchNetwork(Weights(tmp_path, Manifest("wide", sums, document=document)))


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        (None, {"num_train_timesteps": 10**12}, "steps of noise, expected 200 to"),
        (None, {"num_train_timesteps": 100}, "steps of noise, expected 200 to"),
        *((kind, changes, "no schedule of noise") for kind, changes in ILL_SCHEDULES.items()),
    ],
)
def test_schedules_that_make_no_sense_are_refused(tmp_path, folder, kind, changes, says):
    shutil.copytree(folder, tmp_path / "unet")
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "scheduler_config.json").write_text(json.dumps(changes))
    with pytest.raises(PainterError, match=says) as caught:
        describe_denoiser(tmp_path / "unet")
    assert type(caught.value.__cause__) is (kind or type(None))


def test_what_a_configuration_leaves_out_is_as_diffusers_has_it():
    config = {"in_channels": 4, "out_channels": 4, "cross_attention_dim": WORDS}
    described = {"class": "UNet2DModel", "config": config, "step": 199, "sigma": 0.5, "predicts": "epsilon"}
    with torch.device("meta"):
        network = ForeignDenoiser(described, 4, context=4)
    assert network.words is None
    assert network._divisor == 2 ** (len(network.unet.config["block_out_channels"]) - 1)


def test_folders_that_hold_no_denoiser_are_refused(tmp_path, folder):
    with pytest.raises(PainterError, match=r"there is one in .*unet"):
        describe_denoiser(folder.parent)
    with pytest.raises(PainterError, match="diffusers' format"):
        describe_denoiser(tmp_path)
    shutil.copy(folder / "config.json", tmp_path)
    network = build(architecture(tmp_path))
    with pytest.raises(PainterError, match="no such file"):
        network.use_denoiser(tmp_path)
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(PainterError, match="not a file of weights"):
        network.use_denoiser(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(PainterError, match="expected a JSON object"):
        describe_denoiser(tmp_path)


def test_networks_without_a_place_for_it_say_so(folder):
    with pytest.raises(PainterError, match="no place"):
        build({"kind": "pixels", "widths": [8, 4, 4], "blocks": [1, 1, 1]}).use_denoiser(folder)


def test_what_is_too_large_for_onnx_is_run_by_torch(tmp_path, folder, monkeypatch):
    made = architecture(folder)
    network = build(made).eval()
    network.use_denoiser(folder)
    with torch.no_grad():
        network.denoiser.share.fill_(0.5)
    monkeypatch.setattr("exgs.painter.export.MOST_IN_ONNX", 1000)
    document = export(network, tmp_path / "weights", {"name": "foreign", "architecture": made})
    assert set(document["sha256"]) == {"safetensors"}
    _, engine = choose_network(str(tmp_path / "weights"))
    assert engine.device.startswith("torch")
    seen = torch.rand(1, len(PLANES), 32, 48)
    with torch.no_grad():
        expected = network(seen).numpy()
    assert abs(engine.run(seen.numpy()) - expected).max() < 0.02, "float16 is all that was lost"


@pytest.mark.shared
def test_a_denoiser_works_among_the_latents_of_a_real_autoencoder(shared_data, tmp_path):
    from exgs.painter.autoencoder import read_autoencoder

    files = [shared_data / "weights" / f"taef2_{side}coder.pth" for side in ("en", "de")]
    channels = read_autoencoder(*files).channels
    saved(tmp_path / "unet", "UNet2DConditionModel", in_channels=channels, out_channels=channels)
    network = build(architecture(tmp_path / "unet", **read_autoencoder(*files).shape)).eval()
    network.use_autoencoder(*files)
    network.use_denoiser(tmp_path / "unet")
    y, x = torch.meshgrid(torch.linspace(0, 6, 64), torch.linspace(0, 6, 80), indexing="ij")
    picture = torch.stack([0.5 + 0.4 * torch.sin(x + k) * torch.cos(y) for k in range(3)])
    seen = torch.cat([picture, torch.ones(len(PLANES) - 3, 64, 80)])[None]
    with torch.no_grad():
        assert torch.allclose(network(seen)[:, :3], seen[:, :3], atol=1e-5)
        network.denoiser.share.fill_(0.05)
        given = network(seen)
    apart = (given[:, :3] - seen[:, :3]).abs().mean()
    assert 1e-4 < apart < 0.2
