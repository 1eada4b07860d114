import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from exgs.painter.calibration import BIASES, GATES, LOOKED, TRIED, calibrate, family  # noqa: E402
from exgs.painter.gate import Gate  # noqa: E402
from exgs.painter.networks import Painter, blended  # noqa: E402
from exgs.painter.validation import all_of, validate  # noqa: E402

CAST = 40 / 255
"""The damage of the pairs of these tests, in the second channel."""


class Opinionated(Painter):
    """Takes ``residual`` off the second channel, with a gate that is wide open."""

    def __init__(self, residual: float) -> None:
        super().__init__()
        self.residual = residual
        self.logit = torch.nn.Parameter(torch.tensor(3.0))

    def forward(self, planes: "torch.Tensor") -> "torch.Tensor":
        change = torch.zeros_like(planes[:, :3])
        change[:, 1] = -self.residual
        gate = torch.sigmoid(self.logit).expand_as(planes[:, 3:4])
        return blended(planes[:, :3], change, gate, clip=not self.training)

    @property
    def gate_bias(self) -> torch.nn.Parameter:
        return self.logit


def test_gates_stay_open_where_that_does_no_harm(make_pairs_of):
    network = Opinionated(CAST).eval()
    choice = calibrate(network, [make_pairs_of()])
    assert choice.harmless
    assert choice.bias == 0
    assert choice.worst_db > 5
    assert not network.training


def test_gates_are_closed_until_no_kind_loses(make_pairs_of):
    network = Opinionated(4 * CAST).eval()
    choice = calibrate(network, [make_pairs_of()])
    assert choice.harmless
    assert choice.bias > 0
    assert float(network.logit.detach()) == pytest.approx(3 - choice.bias)
    assert min(gain.psnr for gain in validate(network, [make_pairs_of()]).values()) > -0.02


def test_what_only_harms_is_closed_as_far_as_it_goes(make_pairs_of):
    network = Opinionated(-CAST).eval()
    choice = calibrate(network, [make_pairs_of()], biases=(0.0, 2.0), gates=(Gate(1.0),))
    assert not choice.harmless
    assert choice.bias == 2


def test_pictures_of_high_rates_are_left_alone_where_only_they_lose(make_pairs_of):
    """Those whose rate is above a half are clean here but for a speck, which only restoring makes visible."""
    pairs = make_pairs_of()
    color = pairs.color.copy()
    fine = pairs.rate > 0.5
    color[fine] = pairs.source[pairs.view[fine]]
    color[:, :4, :4] += 8
    choice = calibrate(Opinionated(CAST).eval(), [replace(pairs, color=color)])
    assert choice.harmless
    assert choice.bias == 0
    assert choice.gate.splats_per_pixel <= 0.12
    assert choice.mean_db > 1


@pytest.mark.parametrize("cautious", [Gate(holes=0.1), Gate(confidence=0.5)], ids=["holes", "confidence"])
def test_pictures_without_holes_are_left_alone_where_only_they_lose(make_pairs_of, cautious):
    pairs = make_pairs_of()
    color, alpha, rate = pairs.color.copy(), np.full_like(pairs.alpha, 255), np.full_like(pairs.rate, 0.2)
    whole = pairs.damage == "ugc-107"
    color[whole] = pairs.source[pairs.view[whole]]
    color[:, :4, :4] += 8
    alpha[~whole, :, :12] = 0
    harmed = [replace(pairs, color=color, alpha=alpha, rate=rate)]
    choice = calibrate(Opinionated(CAST).eval(), harmed, biases=(0.0,), gates=(Gate(), cautious))
    assert choice.harmless
    assert choice.gate == cautious
    assert choice.mean_db > 1


def test_where_nothing_was_trained_on_a_scene_all_its_views_count(make_pairs_of):
    """Only views that training would have seen lose."""
    pairs = make_pairs_of()
    color = pairs.color.copy()
    others = pairs.view % 6 != 0
    color[others] = pairs.source[pairs.view[others]]
    color[:, :4, :4] += 8
    asked = {"biases": (0.0,), "gates": (Gate(1.0),)}
    network, harmed = Opinionated(CAST).eval(), [replace(pairs, color=color)]
    assert calibrate(network, harmed, **asked).harmless
    assert not calibrate(network, harmed, chosen=all_of, **asked).harmless


def test_clean_pictures_do_not_count(make_pairs_of):
    pairs = make_pairs_of()
    kinds = pairs.damage.copy()
    kinds[pairs.view == 0] = "source"
    color = pairs.color.copy()
    color[pairs.view == 0] = pairs.source[0]
    choice = calibrate(Opinionated(CAST).eval(), [replace(pairs, damage=kinds, color=color)])
    assert choice.bias == 0


def test_kinds_are_judged_by_method_and_by_how_little_is_left():
    kinds = {"interior exgs-50": "interior exgs", "object ugc-107@0.6": "object ugc",
             "object ugc-30": "object ugc light", "interior ugc-30@0.2": "interior ugc"}  # fmt: skip
    assert {kind: family(kind) for kind in kinds} == kinds


def test_gates_close_where_the_mean_gains_but_many_pictures_lose(make_pairs_of):
    """One view in three is clean but for a speck; the others gain so much that the mean does not show it."""
    pairs = make_pairs_of(views=14, per_view=2)
    color = pairs.color.copy()
    clean = pairs.view == 6
    color[clean] = pairs.source[6]
    color[clean, :4, :4] += 8
    choice = calibrate(Opinionated(CAST).eval(), [replace(pairs, color=color)], gates=(Gate(1.0),))
    assert choice.bias > 0


@pytest.mark.parametrize("residual", [CAST, -CAST])
def test_progress_grows_to_the_end_where_one_way_is_taken_or_none_will_do(make_pairs_of, residual):
    heard: list[float] = []
    calibrate(Opinionated(residual).eval(), [make_pairs_of()], progress=heard.append)
    assert heard == sorted(heard) and 0 < heard[0] < 0.5
    assert len({share for share in heard if share <= LOOKED}) == 4, "one for each pair held back"
    assert len({share for share in heard if LOOKED < share <= TRIED}) == len(BIASES) * len(GATES)
    assert heard[-2] > TRIED and heard[-1] == 1


def test_validation_tells_of_every_pair_held_back(make_pairs_of):
    heard: list[float] = []
    validate(Opinionated(CAST).eval(), [make_pairs_of()] * 2, heard.append)
    assert heard == [number / 8 for number in range(1, 9)]
