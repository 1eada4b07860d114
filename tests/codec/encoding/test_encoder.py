"""The encoder from end to end, on a small scene of its own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from exgs.codec import PHASES, EncodeConfig, EncodeError, Photographs, decode, encode, open_container
from exgs.codec.encoding.analysis_cache import AnalysisCache
from exgs.codec.encoding.config import METHODS
from exgs.codec.encoding.effort import EFFORTS
from exgs.raster import Rasterizer, Rendering, choose_rasterizer, to_bytes
from exgs.raster.cpu import CpuRasterizer
from exgs.raster.quality import psnr
from exgs.scene import SH_C0, Camera, Gaussians, orbit, sample_views


def ball(count: int, *, sh_degree: int = 0, seed: int = 1) -> Gaussians:
    """A coloured ball of small flat Gaussians."""
    random = np.random.default_rng(seed)
    normal = random.normal(size=(count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    colors = 0.5 + 0.4 * np.sin(4.0 * normal)
    bands = (0, 3, 8, 15)[sh_degree]
    return Gaussians(
        np.ascontiguousarray(normal, np.float32),
        random.normal(size=(count, 4)).astype(np.float32),
        np.log(random.uniform(0.01, 0.05, (count, 3))).astype(np.float32),
        random.normal(1.0, 1.0, count).astype(np.float32),
        ((colors[:, None] - 0.5) / SH_C0).astype(np.float32),
        random.normal(0.0, 0.1, (count, bands, 3)).astype(np.float32),
    )


@pytest.fixture(scope="module")
def cpu() -> Rasterizer:
    return choose_rasterizer("cpu")


@pytest.mark.parametrize("budget", [1500, 6000, 40000])
def test_files_fill_their_budget_and_no_more(cpu: Rasterizer, budget: int) -> None:
    encoding = encode(ball(6000), EncodeConfig(effort="fast", max_bytes=budget, views=8), rasterizer=cpu)
    assert 0.98 * budget <= len(encoding.data) <= budget
    assert encoding.report.size_bytes == len(encoding.data)
    assert sum(encoding.report.section_bytes.values()) == len(encoding.data)


class Looking(CpuRasterizer):
    """Notes the sizes of the pictures that are drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: Counter[tuple[int, int]] = Counter()

    def render(
        self, gaussians: Gaussians, cameras: Sequence[Camera], *, depth: bool = False, weights: bool = False
    ) -> Rendering:
        self.sizes.update((camera.width, camera.height) for camera in cameras)
        return super().render(gaussians, cameras, depth=depth, weights=weights)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("given", ["nothing", "cameras", "photographs"])
def test_effort_says_how_large_pictures_are(effort: str, given: str) -> None:
    scene, looking = ball(60), Looking()
    cameras = sample_views(scene, 6, size=(1280, 720))
    seen = np.zeros((6, 720, 1280, 3), np.uint8)
    where = {"nothing": None, "cameras": cameras, "photographs": Photographs(tuple(cameras), seen)}[given]
    config = EncodeConfig(effort=effort, max_bytes=2000, views=6, refit=False)
    report = encode(scene, config, rasterizer=looking, cameras=where).report
    assert report.views == 6
    assert looking.sizes.most_common(1)[0][0] == EFFORTS[effort].view_px


def test_more_bytes_make_a_better_picture(cpu: Rasterizer) -> None:
    scene = ball(4000)
    small, large = (
        encode(scene, EncodeConfig(effort="fast", max_bytes=size, views=8), rasterizer=cpu).report
        for size in (3000, 20000)
    )
    assert large.psnr_db > small.psnr_db + 2.0
    assert large.splats_kept > small.splats_kept


def test_the_same_input_gives_the_same_bytes(cpu: Rasterizer) -> None:
    config = EncodeConfig(effort="fast", max_bytes=8000, views=6)
    first, second = (encode(ball(2000), config, rasterizer=cpu).data for _ in range(2))
    assert first == second


def test_merging_beats_the_published_method(cpu: Rasterizer) -> None:
    scene = ball(6000)
    ugc, exgs = (
        encode(
            scene, EncodeConfig(method=method, effort="fast", max_bytes=12000, views=8), rasterizer=cpu
        ).report
        for method in ("ugc", "exgs")
    )
    assert ugc.psnr_db > exgs.psnr_db + 3.0


def test_the_published_storage_counts_28_bytes_a_gaussian(cpu: Rasterizer) -> None:
    config = EncodeConfig(method="exgs", max_bytes=28 * 300, views=4)
    report = encode(ball(3000, sh_degree=1), config, rasterizer=cpu).report
    assert report.splats_kept == 300
    assert report.fp16_bytes == 28 * report.splats_kept
    assert report.sh_degree == 0


def test_the_published_method_may_use_the_storage_of_this_one(cpu: Rasterizer) -> None:
    scene = ball(3000)
    plain, coded = (
        encode(scene, EncodeConfig(method="exgs", max_bytes=8000, views=4, storage=storage), rasterizer=cpu)
        for storage in ("fp16", "ugc")
    )
    assert coded.report.fp16_bytes is None and len(coded.data) <= 8000
    assert coded.report.splats_kept == len(decode(coded.data)) > 2 * plain.report.splats_kept
    assert coded.report.psnr_db > plain.report.psnr_db


def test_what_no_finer_level_replaces_is_sent_once(cpu: Rasterizer) -> None:
    encoding = encode(ball(12000), EncodeConfig(effort="fast", max_bytes=120_000, views=4), rasterizer=cpu)
    levels = encoding.report.level_splats
    assert len(levels) > 1
    assert all(coarse < fine / 4 for fine, coarse in pairwise(levels))
    assert open_container(encoding.data).header.level_splats == levels
    assert len(decode(encoding.data)) == encoding.report.splats_kept == open_container(encoding.data).shown
    assert levels[0] < encoding.report.splats_kept < sum(levels)


def test_what_cannot_be_drawn_is_dropped_and_counted(cpu: Rasterizer) -> None:
    scene = ball(500)
    scene.opacity_logits[:40] = -9.0
    scene.means[40:45] = np.nan
    report = encode(scene, EncodeConfig(effort="fast", max_bytes=8000, views=4), rasterizer=cpu).report
    assert (report.invisible, report.unsound, report.splats_in) == (40, 5, 500)


def test_progress_names_the_phases_in_order(cpu: Rasterizer) -> None:
    heard: list[tuple[str, float]] = []
    config = EncodeConfig(effort="fast", max_bytes=4000, views=4)
    encode(ball(500), config, rasterizer=cpu, progress=lambda phase, share: heard.append((phase, share)))
    phases = [phase for phase, _ in heard]
    assert list(dict.fromkeys(phases)) == list(PHASES)
    shares = [share for _, share in heard]
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_hopeless_budgets_name_the_least(cpu: Rasterizer) -> None:
    with pytest.raises(EncodeError, match=r"\d+ bytes are the least"):
        encode(ball(300), EncodeConfig(effort="fast", max_bytes=100, views=4), rasterizer=cpu)


def test_budgets_below_any_file_are_refused_before_any_work(cpu: Rasterizer) -> None:
    heard: list[str] = []
    with pytest.raises(EncodeError, match="20 bytes: no file has less than"):
        encode(
            ball(300),
            EncodeConfig(max_bytes=20),
            rasterizer=cpu,
            progress=lambda phase, _: heard.append(phase),
        )
    assert not heard


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("count", "sh_degree"), [(1, 0), (50, 3)])
def test_tiny_scenes_are_encoded_without_naming_a_size(
    cpu: Rasterizer, method: Literal["ugc", "exgs"], count: int, sh_degree: int
) -> None:
    config = EncodeConfig(method=method, effort="fast", views=4)
    encoding = encode(ball(count, sh_degree=sh_degree), config, rasterizer=cpu)
    assert len(encoding.data) <= encoding.report.budget_bytes and encoding.report.floored
    assert len(decode(encoding.data)) == encoding.report.splats_kept > 0
    assert encoding.report.psnr_db > 20


def test_a_scene_of_nothing_is_refused(cpu: Rasterizer) -> None:
    with pytest.raises(EncodeError, match="nothing to encode"):
        encode(Gaussians.empty(), rasterizer=cpu)


def test_a_few_shiny_gaussians_keep_their_gloss_among_matte_ones(cpu: Rasterizer) -> None:
    """One in forty has strong harmonics of degree 2; those of the others are below any step."""
    scene = ball(2000, sh_degree=2)
    shiny = np.arange(2000) % 40 == 0
    scene.shN[~shiny] *= 0.02
    scene.shN[shiny] *= 4.0
    encoding = encode(
        scene, EncodeConfig(effort="fast", max_bytes=40_000, views=8, refit=False), rasterizer=cpu
    )
    assert encoding.report.sh_degree == 2 and encoding.report.splats_kept > 1500
    decoded = decode(encoding.data)
    nearest = np.square(decoded.means[:, None] - scene.means[shiny]).sum(axis=-1).argmin(axis=0)
    kept, source = decoded.shN[nearest], scene.shN[shiny]
    assert np.corrcoef(kept.ravel(), source.ravel())[0, 1] > 0.8
    assert decoded.shN.any(axis=(1, 2)).mean() < 0.1


def photographed(scene: Gaussians, cpu: Rasterizer, count: int) -> Photographs:
    """Pictures of ``scene`` from all around."""
    cameras = tuple(orbit(scene, count, size=(64, 48)))
    return Photographs(
        cameras, np.stack([to_bytes(cpu.render(scene, [camera]).color[0]) for camera in cameras])
    )


def seen(scene: Gaussians, truth: Gaussians, cameras: list[Camera], cpu: Rasterizer) -> float:
    """Mean PSNR of ``scene`` from cameras that nobody fitted it to."""
    pairs = (
        (cpu.render(truth, [camera]).color[0], cpu.render(scene, [camera]).color[0]) for camera in cameras
    )
    return float(np.mean([psnr(one, other) for one, other in pairs]))


def test_photographs_make_a_file_better_than_its_source(cpu: Rasterizer) -> None:
    truth = ball(800)
    darker = replace(truth, sh0=truth.sh0 - np.float32(0.1 / SH_C0))
    taken = photographed(truth, cpu, 16)
    config = EncodeConfig(max_bytes=8_000, levels=1)
    encoding = encode(darker, config, rasterizer=cpu, cameras=taken)
    between = orbit(truth, 32, size=(64, 48))[1::4]
    source = seen(darker, truth, between, cpu)
    assert seen(decode(encoding.data), truth, between, cpu) > source + 3.0
    assert (encoding.report.photographs, encoding.report.views_given) == (16, True)
    assert encoding.report.source_psnr_db == pytest.approx(source, abs=1.0)
    assert encoding.report.psnr_db > source + 3.0


def test_the_same_file_comes_out_again_with_a_cache_and_without(cpu: Rasterizer, tmp_path: Path) -> None:
    """Only other budgets take over a fit."""
    scene, cache = ball(600), AnalysisCache(tmp_path, warn=pytest.fail)
    config = EncodeConfig(max_bytes=1500, views=8)
    alone, first = (encode(scene, config, rasterizer=cpu, cache=kept).data for kept in (None, cache))
    encode(scene, replace(config, max_bytes=1000), rasterizer=cpu, cache=cache)
    again = encode(scene, config, rasterizer=cpu, cache=cache).data
    assert alone == first == again


def test_an_analysis_serves_the_photographs_that_it_was_made_with(cpu: Rasterizer, tmp_path: Path) -> None:
    scene, cache = ball(150), AnalysisCache(tmp_path, warn=pytest.fail)
    taken = photographed(scene, cpu, 8)
    others = Photographs(taken.cameras, 255 - taken.pictures)
    config = EncodeConfig(max_bytes=3000, refit=False)
    for number, cameras in enumerate((taken, others, list(taken.cameras), taken, others)):
        report = encode(scene, config, rasterizer=cpu, cameras=cameras, cache=cache).report
        assert len(list(tmp_path.iterdir())) == min(number + 1, 3)
        assert (report.source_psnr_db is None) == isinstance(cameras, list)
