import pytest

torch = pytest.importorskip("torch")

from exgs.painter import PainterError  # noqa: E402
from exgs.painter.autoencoder import TinyAutoencoder, read_autoencoder  # noqa: E402
from exgs.painter.networks import ARCHITECTURES, build, parameters, surfaces  # noqa: E402

TINY = {"kind": "pixels", "widths": [8, 4, 4], "blocks": [1, 1, 1]}
FILL = {**TINY, "planes": 7, "fill": True, "blocks": [1, 1, 2], "reaches": [1, 2]}
LATENT = {"kind": "latent", "vae_widths": [4, 4, 4, 4], "unet_widths": [8, 8], "blocks": 1}
KINDS = pytest.mark.parametrize("architecture", [TINY, FILL, LATENT], ids=["pixels", "fill", "latent"])


def planes(*shape: int, seed: int = 0) -> "torch.Tensor":
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@KINDS
def test_a_network_that_knows_nothing_leaves_what_is_covered_as_it_is(architecture):
    network = build(architecture).eval()
    seen = planes(2, 7, 32, 48)
    seen[:, 3] = 1
    with torch.no_grad():
        given = network(seen)
    assert given.shape == (2, 4, 32, 48)
    assert torch.allclose(given[:, :3], seen[:, :3], atol=1e-6)
    assert ((given[:, 3] >= 0) & (given[:, 3] <= 1)).all()


@KINDS
def test_pictures_do_not_depend_on_their_batch_and_are_clipped(architecture):
    network = build(architecture).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(0.4 * (planes(*weights.shape, seed=weights.numel()) - 0.5))
        seen = planes(3, 7, 32, 32)
        together = network(seen)
        alone = network(seen[1:2])
    assert torch.allclose(together[1:2], alone, atol=1e-3)
    assert together.min() >= 0
    assert together.max() <= 1
    assert not torch.allclose(together[:, :3], seen[:, :3], atol=1e-4)


def test_the_sizes_are_as_small_as_they_are_said_to_be():
    with torch.device("meta"):
        counts = {size: parameters(build(architecture)) for size, architecture in ARCHITECTURES.items()}
    assert counts["tiny"] <= 100_000
    assert 1_000_000 < counts["small"] <= 5_000_000
    assert counts["small"] < counts["base"] <= 20_000_000
    assert counts["latent"] <= 20_000_000


@pytest.mark.parametrize(
    "architecture",
    [
        {},
        {"kind": "words"},
        {"kind": "pixels"},
        {**TINY, "depth": 3},
        {**FILL, "reaches": [1]},
        {"kind": "latent", "a": 1},
    ],
)
def test_what_no_network_is_described_by_is_refused(architecture):
    with pytest.raises(PainterError, match="architecture"):
        build(architecture)


def test_the_surface_around_shows_in_a_hole():
    """A red wall with a hole in it, and a network that fills in everything through gates half open."""
    seen = torch.zeros(1, 7, 128, 256)
    seen[:, 0], seen[:, 3] = 0.8, 1
    seen[:, :, 56:64, 56:64] = 0
    surface, near = surfaces(seen)
    assert torch.allclose(surface[0, 0], torch.tensor(0.8), atol=0.05)
    assert float(surface[0, 1:].max()) < 1e-6
    assert (near == 1).all()
    network = build(FILL).eval()
    with torch.no_grad():
        network.fill.bias.fill_(1)
        given = network(seen)
    assert torch.allclose(given[0, 0, 58:62, 58:62], torch.tensor(0.4), atol=0.03)


def test_residuals_learn_behind_gates_that_are_closed():
    torch.manual_seed(0)
    network = build(FILL).train()
    with torch.no_grad():
        network.gate.bias.fill_(-80)
    seen = planes(2, 7, 32, 32)
    given, own = network.learn(seen, planes(2, 3, 32, 32, seed=1))
    assert torch.allclose(given[:, :3], seen[:, :3])
    own.backward()
    assert network.residual.weight.grad.abs().sum() > 0


def test_other_planes_are_refused():
    with pytest.raises(ValueError, match="6 planes"):
        build(TINY)(planes(1, 5, 16, 16))


def test_latents_are_supervised_and_a_foreign_autoencoder_is_kept():
    torch.manual_seed(0)
    own = build(LATENT).train()
    _, loss = own.learn(planes(1, 7, 32, 32), planes(1, 3, 32, 32, seed=1))
    assert float(loss.detach()) > 0
    loss.backward()
    assert own.vae.encoder[0].weight.grad is not None
    foreign = build({**LATENT, "train_vae": False}).train()
    _, loss = foreign.learn(planes(1, 7, 32, 32), planes(1, 3, 32, 32, seed=1))
    loss.backward()
    assert foreign.vae.encoder[0].weight.grad is None
    assert foreign.denoiser.noise.weight.grad.abs().sum() > 0


def test_pixels_have_no_autoencoder_to_replace(tmp_path):
    with pytest.raises(PainterError, match="no autoencoder"):
        build(TINY).use_autoencoder(tmp_path)


def test_the_autoencoder_is_that_of_diffusers(tmp_path):
    """The same layout: weights of diffusers load, and compute the same."""
    pytest.importorskip("safetensors")
    from safetensors.torch import save_file

    network = TinyAutoencoder([4] * 4, middle=False).eval()
    named = {}
    for name, value in network.state_dict().items():
        side, number, rest = name.split(".", 2)
        named[f"{side}.layers.{int(number) - (side == 'decoder')}.{rest}"] = value.contiguous()
    save_file(named, tmp_path / "diffusion_pytorch_model.safetensors")
    found = read_autoencoder(tmp_path)
    assert found.shape == network.shape
    picture = planes(1, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(found.decode(found.encode(picture)), network.decode(network.encode(picture)))
    with pytest.raises(PainterError, match="another shape"):
        build({**LATENT, "vae_widths": [8] * 4, "blocks": 3}).use_autoencoder(tmp_path)
    painter = build({**LATENT, "blocks": 3})
    painter.use_autoencoder(tmp_path)
    assert torch.equal(painter.vae.encoder[0].weight, network.encoder[0].weight)


def test_files_that_hold_no_autoencoder_are_refused(tmp_path):
    with pytest.raises(PainterError):
        read_autoencoder(tmp_path)
    (tmp_path / "a.pth").write_bytes(b"nothing of the kind")
    with pytest.raises(PainterError, match=r"a\.pth"):
        read_autoencoder(tmp_path / "a.pth", tmp_path / "a.pth")
    torch.save({"0.weight": planes(2, 2)}, tmp_path / "b.pth")
    with pytest.raises(PainterError, match="tiny autoencoder"):
        read_autoencoder(tmp_path / "b.pth", tmp_path / "b.pth")


@pytest.mark.shared
def test_a_real_autoencoder_brings_pictures_back(shared_data):
    folder = shared_data / "weights"
    network = read_autoencoder(folder / "taef2_encoder.pth", folder / "taef2_decoder.pth")
    assert network.channels == 32
    y, x = torch.meshgrid(torch.linspace(0, 6, 64), torch.linspace(0, 6, 64), indexing="ij")
    picture = torch.stack([0.5 + 0.4 * torch.sin(x + k) * torch.cos(y) for k in range(3)])[None]
    with torch.no_grad():
        back = network.decode(network.encode(picture))
    assert -10 * torch.log10((back - picture).square().mean()) > 30


@KINDS
def test_nothing_is_filled_in_where_a_picture_shows_little(architecture):
    network = build(architecture).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(0.4 * (planes(*weights.shape, seed=weights.numel()) - 0.5))
        seen = planes(1, 7, 32, 32)
        seen[:, 3] = 0.29
        assert torch.equal(network(seen)[:, :3], seen[:, :3])
        assert (network(seen)[:, 3] == 0).all()
        seen[:, 3] = 0.5
        assert not torch.equal(network(seen)[:, :3], seen[:, :3])


def test_objects_are_left_alone():
    """The same edge of a wall: in a room, and with nothing at all beside it."""
    wall = torch.zeros(1, 7, 64, 256)
    wall[:, :4, :, :96] = 0.8
    room = wall.clone()
    room[:, :4, :, 96:] = 0.3
    assert float(surfaces(room)[1][0, 0, :, :24].min()) == 1
    assert float(surfaces(wall)[1].max()) == 0
