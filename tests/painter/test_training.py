import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.painter import PainterError  # noqa: E402
from exgs.painter.crops import Crops  # noqa: E402
from exgs.painter.training import Training, TrainSettings  # noqa: E402
from exgs.painter.validation import samples, validate  # noqa: E402

TINY = {"kind": "pixels", "widths": [8, 4, 4], "blocks": [1, 1, 1]}
STEPS = 40


@pytest.fixture(scope="module")
def crops(make_pairs_of) -> Crops:
    return Crops([make_pairs_of()], size_px=32)


def started(crops: Crops, **changes) -> Training:
    return Training(TrainSettings(TINY, batch=2, size_px=32, rate=1e-2, average=0.9, **changes), crops)


@pytest.fixture(scope="module")
def trained(crops) -> Training:
    training = started(crops)
    for step in range(STEPS):
        report = training.advance(step / STEPS)
    assert report.step == STEPS
    return training


def test_training_takes_damage_away(trained, make_pairs_of):
    gains = validate(trained.average, [make_pairs_of(seed=9)])
    assert set(gains) == {"object ugc-107", "object exgs-200"}
    for gain in gains.values():
        assert gain.pictures == 2
        assert gain.psnr > 0.5
        assert gain.flip > 0.05


def test_training_goes_on_as_if_it_had_never_stopped(tmp_path, crops, trained):
    first = started(crops)
    for step in range(STEPS // 2):
        first.advance(step / STEPS)
    first.save(tmp_path / "half.pt")
    second = started(crops)
    second.resume(tmp_path / "half.pt")
    assert second.progress == first.progress
    for step in range(second.step, STEPS):
        second.advance(step / STEPS)
    for whole, cut in zip(trained.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(whole, cut)
    for whole, cut in zip(trained.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(whole, cut)


def test_another_seed_is_another_training(crops):
    losses = [started(crops, seed=seed).advance(0.5).loss for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_the_loss_that_is_left_and_what_was_gained_make_what_there_was(crops):
    first = started(crops).advance(0.5)
    assert first.gain == pytest.approx(0, abs=1e-4), "a network that knows nothing changes nothing"
    training = started(crops)
    reports = [training.advance(0.3) for _ in range(STEPS)]
    assert reports[0].loss == first.loss
    assert np.mean([report.gain for report in reports[-10:]]) > 0.2


def test_harm_counts_for_more_than_help(crops):
    picture = torch.full((1, 3, 32, 32), 0.5)
    damaged, worse, better = picture + 0.1, picture + 0.2, picture + 0.05
    losses = {}
    for caution in (0.0, 3.0):
        judge = started(crops, caution=caution)._judge
        losses[caution] = [float(judge(restored, damaged, picture)[2]) for restored in (worse, better)]
    assert losses[3.0][0] == pytest.approx(4 * losses[0.0][0])
    assert losses[3.0][1] == pytest.approx(losses[0.0][1]) and losses[0.0][1] < 0


def test_a_checkpoint_of_another_network_is_refused(tmp_path, crops, trained):
    trained.save(tmp_path / "a.pt")
    other = Training(TrainSettings({**TINY, "widths": [8, 4, 8]}, size_px=32), crops)
    with pytest.raises(PainterError, match="another network"):
        other.resume(tmp_path / "a.pt")


@pytest.mark.parametrize("size", [16, 40])
def test_crops_that_no_network_takes_are_refused(crops, size):
    with pytest.raises(PainterError, match="multiple of 16"):
        Training(TrainSettings(TINY, size_px=size), crops)


def test_samples_show_clean_damaged_restored_and_gate(trained, make_pairs_of):
    pairs = make_pairs_of()
    sheet = samples(trained.average, [pairs], rows=3)
    assert len(sheet) == 3
    for row in sheet:
        assert [picture.shape for picture in row] == [(48, 48, 3)] * 4
    clean, damaged = sheet[0][:2]
    assert np.allclose(clean * 255, pairs.source[0], atol=1e-3)
    assert np.allclose(damaged * 255, pairs.color[0], atol=1e-3)
