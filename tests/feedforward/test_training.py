from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.errors import FeedforwardError  # noqa: E402
from exgs.feedforward.lessons import Lessons, LessonSettings  # noqa: E402
from exgs.feedforward.sampling import SampleSettings  # noqa: E402
from exgs.feedforward.training import Training, TrainSettings  # noqa: E402
from exgs.feedforward.validation import samples, validate  # noqa: E402
from exgs.raster import choose_rasterizer  # noqa: E402
from tests.feedforward.conftest import MakeSet  # noqa: E402

TINY = {"fine": 8, "wide": 24, "steps": 8, "quarter": 8, "deep": 16, "heads": 2, "blocks": 1}
LESSONS = LessonSettings(SampleSettings(few=(2, 2), many=(4, 4), few_apart=(3, 4), many_apart=(2, 2)))
RASTERIZER = choose_rasterizer("cpu", threads=1)


@pytest.fixture
def start(make_set: MakeSet):
    torch.set_num_threads(1)
    lessons = Lessons([make_set()], LESSONS)
    return lambda seed=0: Training(TrainSettings(TINY, seed=seed, warmup=0.0, rate=2e-3), lessons, RASTERIZER)


def test_it_learns_with_and_without_compression(start) -> None:
    training = start()
    reports = [training.advance(0.1) for _ in range(24)]
    assert {report.many for report in reports} == {False, True}
    first, last = (np.mean([report.loss for report in part]) for part in (reports[:8], reports[-8:]))
    assert last < 0.95 * first


def test_a_run_cut_in_two_goes_the_way_of_one_in_a_piece(start, tmp_path: Path) -> None:
    whole, part, rest = start(), start(), start(1)
    for _ in range(4):
        whole.advance(0.2)
    for _ in range(2):
        part.advance(0.2)
    part.save(tmp_path / "checkpoint.pt")
    rest.resume(tmp_path / "checkpoint.pt")
    assert rest.step == 2
    for _ in range(2):
        rest.settings = whole.settings
        report = rest.advance(0.2)
    assert report.step == 4
    for one, other in zip(whole.average.parameters(), rest.average.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_checkpoints_of_another_network_are_refused(start, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    training = start()
    training.save(path)
    other = Training(TrainSettings(TINY | {"fine": 16}), training._lessons, RASTERIZER)
    with pytest.raises(FeedforwardError, match="another network"):
        other.resume(path)


def test_scores_and_samples_are_of_both_kinds(start, make_set: MakeSet) -> None:
    views = make_set(views=40)
    heard: list[float] = []
    scores = validate(start().average, [views], RASTERIZER, heard.append)
    assert heard == [0.5, 1.0]
    assert set(scores) == {"object with", "object without"} and min(scores.values()) > 5
    assert scores == validate(start().average, [views], RASTERIZER)
    sheet = samples(start().average, [views], RASTERIZER)
    assert len(sheet) == 2 and all(picture.shape == (32, 48, 3) for row in sheet for picture in row)
