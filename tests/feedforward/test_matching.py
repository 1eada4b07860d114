import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.cameras import Rig  # noqa: E402
from exgs.feedforward.encoder import appearance  # noqa: E402
from exgs.feedforward.matching import (  # noqa: E402
    MOST_PARTS,
    around_likeliest,
    calm,
    match,
    plan_sweeps,
)
from exgs.raster import choose_rasterizer  # noqa: E402
from exgs.scene import Camera  # noqa: E402
from tests.feedforward.rooms import wall  # noqa: E402


def shots(*places: float) -> list[Camera]:
    return [Camera(shifted(place), 64, 64, 32, 24, 64, 48) for place in places]


def shifted(x: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = -x
    return matrix


def test_a_wall_is_found_where_it_stands() -> None:
    scene = wall(choose_rasterizer("cpu", threads=1))
    seen = appearance(torch.from_numpy(scene.pictures).permute(0, 3, 1, 2))
    rig = Rig.of(scene.cameras, scene.near, scene.far)
    matches, ladder = match(seen[1:2], seen, plan_sweeps(rig, [1], 16), 16)
    inverse, sure, _ = around_likeliest((40 * calm(matches[:, :16])).softmax(1), ladder)
    apart = (inverse[0, 0, 2:-2, 2:-2] - scene.near / 3).abs()
    assert apart.median() < 0.02
    assert sure.median() > 0.9


def test_wide_baselines_cut_steps_into_parts() -> None:
    near = plan_sweeps(Rig.of(shots(0, 0.01), 1.0, 8.0), [0], 16)
    far = plan_sweeps(Rig.of(shots(0, 2.0), 1.0, 8.0), [0], 16)
    assert len(near.ladder) == 16
    assert 16 < len(far.ladder) <= 16 * MOST_PARTS


def test_parts_of_a_step_leave_the_steps_in_place() -> None:
    rig = Rig.of(shots(0, 2.0), 1.0, 8.0)
    plan = plan_sweeps(rig, [0], 16)
    seen = torch.rand((2, 9, 12, 16), generator=torch.Generator().manual_seed(1))
    matches, ladder = match(seen[:1], seen, plan, 16)
    assert matches.shape == (1, 33, 12, 16)
    assert ((ladder[0] - torch.from_numpy(rig.ladder(16)).float()[:, None, None]).abs() < 0.5 / 16).all()


def test_a_view_alone_says_nothing() -> None:
    rig = Rig.of(shots(0), 1.0, 8.0)
    seen = torch.rand((1, 9, 12, 16))
    matches, ladder = match(seen, seen, plan_sweeps(rig, [0], 8), 8)
    assert not matches.any()
    assert torch.allclose(ladder[0, :, 0, 0], torch.from_numpy(rig.ladder(8)).float())


def test_depth_is_a_mean_around_the_likeliest_step() -> None:
    chances = torch.zeros(1, 12, 1, 1)
    chances[0, [0, 7, 8], 0, 0] = torch.tensor([0.3, 0.35, 0.35])
    ladder = torch.arange(12.0)[None, :, None, None]
    value, mass, step = around_likeliest(chances, ladder)
    assert value.item() == pytest.approx(7.5)
    assert mass.item() == pytest.approx(0.7)
    assert step.item() == 7
