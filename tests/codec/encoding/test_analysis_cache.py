"""What encoding found out about a scene is found again, and what is no such thing is not."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exgs.codec import EncodeConfig, encode
from exgs.codec.encoding.analysis import Analysis, scene_key
from exgs.codec.encoding.analysis_cache import SUFFIX, AnalysisCache
from exgs.codec.encoding.carrying import carry, likely_count, remember
from exgs.codec.encoding.effort import EFFORTS
from exgs.codec.encoding.leaves import leaves_of
from exgs.codec.encoding.merge_tree import plan_merges
from exgs.codec.encoding.merging import Clusters, reduce, to_gaussians
from exgs.codec.encoding.rate import BALANCED
from exgs.codec.encoding.survey import Survey
from exgs.raster import choose_rasterizer
from exgs.raster.crew import Crew
from exgs.scene import Camera, Gaussians, StartView

CAMERA = Camera.looking(
    np.array([0.0, 0.0, -4.0]), np.zeros(3), np.array([0.0, -1.0, 0.0]), fov_y_rad=1.0, size=(16, 8)
)


def cloud(count: int = 400, seed: int = 5) -> Gaussians:
    random = np.random.default_rng(seed)
    return Gaussians(
        random.normal(0.0, 1.0, (count, 3)).astype(np.float32),
        random.normal(size=(count, 4)).astype(np.float32),
        random.uniform(-3.5, -2.0, (count, 3)).astype(np.float32),
        random.normal(1.0, 1.0, count).astype(np.float32),
        random.normal(size=(count, 1, 3)).astype(np.float32),
        random.normal(0.0, 0.1, (count, 3, 3)).astype(np.float32),
    )


def analysis_of(scene: Gaussians) -> Analysis:
    """An analysis in which every third Gaussian is a floater."""
    keep = np.arange(len(scene)) % 3 > 0
    kept = scene.select(keep)
    ones = np.ones(len(kept), np.float32)
    views = Survey((CAMERA,), np.full((1, 8, 16, 3), 0.25, np.float32), ones, 1e4 * ones)
    tree = plan_merges(leaves_of(kept, views), Crew(1))
    clusters = Clusters.whole(tree)
    reduce(clusters, 50)
    start = StartView(np.zeros(3), np.ones(3), 1.0)
    fitted = remember(
        clusters, brighter(to_gaussians(clusters)), (1004, 1000), replace(BALANCED, colour=0.02), 0.9
    )
    return Analysis(keep, views, tree, start, fitted)


def brighter(gaussians: Gaussians) -> Gaussians:
    return Gaussians(
        gaussians.means, gaussians.quats, gaussians.log_scales, gaussians.opacity_logits,
        gaussians.sh0 + np.float32(0.5), gaussians.shN, gaussians.frame,
    )  # fmt: skip


class Heard(list[str]):
    """The lines that a cache had to say."""


def cache_in(folder: Path, heard: Heard, max_bytes: int = 1 << 30) -> AnalysisCache:
    return AnalysisCache(folder, max_bytes=max_bytes, warn=heard.append)


def test_what_was_put_is_got(tmp_path: Path) -> None:
    heard, scene = Heard(), cloud()
    before = analysis_of(scene)
    cache_in(tmp_path / "new" / "folder", heard).put("key", before)
    after = cache_in(tmp_path / "new" / "folder", heard).get("key", scene)
    assert after is not None and after.fitted is not None and before.fitted is not None
    np.testing.assert_array_equal(after.keep, before.keep)
    np.testing.assert_array_equal(after.tree.merges, before.tree.merges)
    np.testing.assert_array_equal(after.tree.leaves.index, before.tree.leaves.index)
    np.testing.assert_array_equal(after.views.pictures, before.views.pictures)
    np.testing.assert_array_equal(after.fitted.fitted.sh0, before.fitted.fitted.sh0)
    assert after.fitted.precision == before.fitted.precision != BALANCED
    np.testing.assert_array_equal(after.views.cameras[0].camera_from_world, CAMERA.camera_from_world)
    assert heard == []


class Kept(dict[str, Analysis]):
    """Analyses in memory."""

    def get(self, key: str, prepared: Gaussians) -> Analysis | None:  # type: ignore[override]
        return super().get(key)

    def put(self, key: str, analysis: Analysis) -> None:
        self[key] = analysis


def test_what_keeps_analyses_may_be_empty_and_false() -> None:
    kept, config = Kept(), EncodeConfig(max_bytes=4000, views=2, refit=False)
    encode(cloud(), config, rasterizer=choose_rasterizer("cpu", threads=1), cache=kept)
    assert len(kept) == 1


def test_what_is_not_there_is_made_without_a_word(tmp_path: Path) -> None:
    heard = Heard()
    assert cache_in(tmp_path, heard).get("key", cloud()) is None
    assert heard == []


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
def test_damage_is_told_in_one_line(tmp_path: Path, damage: str) -> None:
    heard, scene = Heard(), cloud()
    cache = cache_in(tmp_path, heard)
    cache.put("key", analysis_of(scene))
    path = tmp_path / f"key{SUFFIX}"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x55
    path.write_bytes({"cut": data[:-90], "flip": data, "empty": b"", "text": b"no archive"}[damage])
    assert cache.get("key", scene) is None
    assert len(heard) == 1 and "made anew" in heard[0] and "\n" not in heard[0]


def test_the_analysis_of_another_scene_is_foreign(tmp_path: Path) -> None:
    heard = Heard()
    cache = cache_in(tmp_path, heard)
    cache.put("key", analysis_of(cloud()))
    assert cache.get("key", cloud(401)) is None
    assert len(heard) == 1


def test_a_folder_that_cannot_be_costs_nothing_but_a_line(tmp_path: Path) -> None:
    heard = Heard()
    (tmp_path / "file").write_bytes(b"")
    cache_in(tmp_path / "file" / "below", heard).put("key", analysis_of(cloud()))
    assert len(heard) == 1 and "not kept" in heard[0]


def test_the_oldest_make_room(tmp_path: Path) -> None:
    heard, scene = Heard(), cloud()
    analysis = analysis_of(scene)
    cache_in(tmp_path, heard).put("first", analysis)
    size = (tmp_path / f"first{SUFFIX}").stat().st_size
    cache_in(tmp_path, heard, max_bytes=int(1.5 * size)).put("second", analysis)
    assert [path.stem for path in tmp_path.iterdir()] == ["second"]


def test_a_full_disk_costs_nothing_but_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    heard = Heard()
    monkeypatch.setattr(os, "fsync", full)
    cache_in(tmp_path, heard).put("key", analysis_of(cloud()))
    assert len(heard) == 1 and "No space left" in heard[0]
    assert list(tmp_path.iterdir()) == []


def test_several_may_write_and_evict_at_once(tmp_path: Path) -> None:
    heard, scene = Heard(), cloud()
    analysis = analysis_of(scene)
    cache_in(tmp_path, heard).put("0", analysis)
    size = (tmp_path / f"0{SUFFIX}").stat().st_size

    def work(number: int) -> Analysis | None:
        cache = cache_in(tmp_path, heard, max_bytes=int(2.5 * size))
        for turn in range(6):
            cache.put(str((number + turn) % 3), analysis)
        cache.put("same", analysis)
        return cache.get("same", scene)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    assert heard == []
    assert any(entry is not None for entry in found)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2.5 * size


def test_what_was_never_finished_goes_after_a_day(tmp_path: Path) -> None:
    heard = Heard()
    fresh, stale = (tmp_path / f".{name}{SUFFIX}.0.part" for name in ("fresh", "stale"))
    for path in (fresh, stale):
        path.write_bytes(b"begun")
    os.utime(stale, (1e9, 1e9))
    cache_in(tmp_path, heard).put("key", analysis_of(cloud()))
    assert fresh.exists() and not stale.exists()


def test_every_value_is_in_the_key() -> None:
    scene, other = cloud(), cloud()
    cpu = ("cpu", EFFORTS["fast"])
    assert scene_key(scene, [CAMERA], *cpu) == scene_key(other, [CAMERA], *cpu)
    other.shN[7, 2, 1] += np.float32(0.01)
    keys = {
        scene_key(scene, [CAMERA], *cpu), scene_key(other, [CAMERA], *cpu),
        scene_key(scene, [CAMERA, CAMERA], *cpu), scene_key(scene, (2, 0), *cpu),
        scene_key(scene, (2, 1), *cpu), scene_key(scene, [CAMERA], "cuda", EFFORTS["fast"]),
        scene_key(scene, [CAMERA], "cpu", EFFORTS["best"]),
    }  # fmt: skip
    assert len(keys) == 7


@pytest.mark.parametrize("count", [20, 50, 120])
def test_a_fit_is_carried_to_other_counts(count: int) -> None:
    known = analysis_of(cloud()).fitted
    tree = analysis_of(cloud()).tree
    assert known is not None
    clusters = Clusters.whole(tree)
    reduce(clusters, count)
    merged = to_gaussians(clusters)
    carried = carry(known, clusters, merged)
    np.testing.assert_allclose(carried.sh0 - merged.sh0, 0.5, atol=1e-5)
    np.testing.assert_allclose(carried.means, merged.means, atol=1e-4)


def test_a_budget_tells_the_count() -> None:
    known = analysis_of(cloud()).fitted
    assert known is not None and known.factor < 1
    same = likely_count(known, known.size_bytes)
    assert 0.9 * len(known.first) < same < 1.1 * len(known.first)
    assert likely_count(known, known.size_bytes // 2) < 0.52 * same
    assert likely_count(known, 1) == 1


def test_another_budget_of_a_known_scene_comes_without_a_look_at_it(tmp_path: Path) -> None:
    heard, scene, cpu = Heard(), cloud(3000), choose_rasterizer("cpu")
    cache = cache_in(tmp_path, heard)
    first = encode(scene, EncodeConfig(effort="fast", max_bytes=9000, views=6), rasterizer=cpu, cache=cache)
    fresh = encode(scene, EncodeConfig(effort="fast", max_bytes=9000, views=6), rasterizer=cpu)
    assert first.data == fresh.data
    second = encode(scene, EncodeConfig(effort="fast", max_bytes=6000, views=6), rasterizer=cpu, cache=cache)
    assert 0.9 * 6000 < len(second.data) <= 6000
    alone = encode(scene, EncodeConfig(effort="fast", max_bytes=6000, views=6), rasterizer=cpu)
    assert second.report.psnr_db > alone.report.psnr_db - 1.0
    again = encode(scene, EncodeConfig(effort="fast", max_bytes=9000, views=6), rasterizer=cpu, cache=cache)
    told = [encoding.report.taken_over for encoding in (first, second, again)]
    assert told == ["", "fit", "analysis"] and again.data == first.data
    assert heard == []
