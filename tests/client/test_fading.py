import numpy as np
import pytest

from exgs.client.fading import Fader, Transitions
from exgs.client.snapshots import Fade, Snapshot
from exgs.codec import Assembly, Container, decode_chunk, open_container
from exgs.scene import Gaussians
from tests.client.stage import encoded

FADE_S = 0.2
CONTAINER = open_container(encoded(2000))
ROOT = next(info.id for info in CONTAINER.manifest if info.parent < 0)
CHILD = next(info for info in CONTAINER.manifest if info.parent == ROOT)


def add(assembly: Assembly, chunk: int, container: Container = CONTAINER) -> None:
    assembly.add(chunk, decode_chunk(container.parsed, chunk, container.chunk(chunk)))


def snapshot(made: tuple[Gaussians, tuple[Fade, ...], int], number: int = 1) -> Snapshot:
    gaussians, fades, going = made
    return Snapshot(number, gaussians, 0, (0,), 0, True, False, False, fades, going)


def stage() -> tuple[Assembly, Transitions]:
    """The coarsest chunk is on display."""
    assembly, transitions = Assembly(CONTAINER.parsed), Transitions(FADE_S)
    add(assembly, ROOT)
    transitions.compose(assembly, 0.0)
    return assembly, transitions


def test_the_first_picture_is_there_at_once():
    assembly, transitions = Assembly(CONTAINER.parsed), Transitions(FADE_S)
    add(assembly, ROOT)
    assert transitions.compose(assembly, 5.0) == (assembly.gaussians(), (), 0)
    assert transitions.settled_s() == float("inf")


def test_what_comes_where_nothing_was_is_there_at_once():
    container = open_container(encoded(8000))
    first, second = [info.id for info in container.manifest if info.parent < 0][:2]
    below = next(info.id for info in container.manifest if info.parent == second)
    assembly, transitions = Assembly(container.parsed), Transitions(FADE_S)
    add(assembly, first, container)
    transitions.compose(assembly, 1.0)
    for chunk in (second, below):
        add(assembly, chunk, container)
    assert transitions.compose(assembly, 1.05) == (assembly.gaussians(), (), 0)


def test_what_comes_over_splats_two_levels_up_fades_in():
    assembly, transitions = stage()
    grandchild = next(info.id for info in CONTAINER.manifest if info.parent == CHILD.id)
    for chunk in (CHILD.id, grandchild):
        add(assembly, chunk)
    _, fades, going = transitions.compose(assembly, 1.0)
    coming = [fade for fade in fades if fade.came_s == 1.0]
    assert going == CHILD.replaced
    assert sum(fade.stop - fade.start for fade in coming) == assembly.visible_splats - _left_of_root(assembly)


def _left_of_root(assembly: Assembly) -> int:
    return sum(piece.stop - piece.start for piece in assembly.shown() if piece.chunk == ROOT)


def test_a_change_keeps_what_goes_until_it_is_over():
    assembly, transitions = stage()
    add(assembly, CHILD.id)
    gaussians, fades, going = transitions.compose(assembly, 1.0)
    assert going == CHILD.replaced
    assert len(gaussians) == len(assembly.gaussians()) + going
    assert sum(fade.stop - fade.start for fade in fades) == CHILD.count + going
    assert transitions.settled_s() == pytest.approx(1.2)
    assert transitions.compose(assembly, 1.1)[2] == going
    assert transitions.compose(assembly, 1.2) == (assembly.gaussians(), (), 0)


def test_without_a_fade_nothing_is_added():
    assembly, transitions = Assembly(CONTAINER.parsed), Transitions(0.0)
    for chunk in (ROOT, CHILD.id):
        add(assembly, chunk)
        assert transitions.compose(assembly, 1.0) == (assembly.gaussians(), (), 0)


def test_what_was_let_go_leaves_at_once_and_its_parent_is_there():
    assembly, transitions = stage()
    add(assembly, CHILD.id)
    transitions.compose(assembly, 1.0)
    assembly.remove(CHILD.id)
    for now_s in (1.05, 1.15):
        gaussians, fades, going = transitions.compose(assembly, now_s)
        assert (len(gaussians), fades, going) == (len(assembly.gaussians()), (), 0)


def test_all_chunks_in_quick_succession_end_in_the_scene_itself():
    assembly, transitions = stage()
    for step, info in enumerate(CONTAINER.manifest):
        add(assembly, info.id)
        gaussians, fades, going = transitions.compose(assembly, 0.03 * step)
        assert (gaussians.means[: len(gaussians) - going] == assembly.gaussians().means).all()
        assert all(0 <= fade.start < fade.stop <= len(gaussians) for fade in fades)
    assert transitions.compose(assembly, 10.0) == (assembly.gaussians(), (), 0)


def test_strengths_cross_without_a_gap():
    come, go = Fade(0, 1, 1.0, float("inf"), FADE_S), Fade(0, 1, -float("inf"), 1.0, FADE_S)
    times = np.linspace(0.9, 1.3, 81)
    rising, falling = [come.strength(t) for t in times], [go.strength(t) for t in times]
    assert rising == sorted(rising) and (rising[0], rising[-1]) == (0, 1)
    assert falling == sorted(falling, reverse=True) and (falling[0], falling[-1]) == (1, 0)
    assert all(1 - (1 - a) * (1 - b) > 0.95 for a, b in zip(rising, falling, strict=True))


def test_only_what_fades_is_touched_and_nothing_of_the_snapshot():
    assembly, transitions = stage()
    add(assembly, CHILD.id)
    shot = snapshot(transitions.compose(assembly, 1.0))
    before = shot.gaussians.opacity_logits.copy()
    fader, inside = Fader(), np.zeros(len(before), bool)
    for fade in shot.fades:
        inside[fade.start : fade.stop] = True
    middle = fader.at(shot, 1.06)
    assert middle.means is shot.gaussians.means
    assert (middle.opacity_logits[~inside] == before[~inside]).all()
    comes = shot.fades[0]
    strength, run = comes.strength(1.06), slice(comes.start, comes.stop)
    assert 0 < strength < 1
    assert middle.opacities[run] == pytest.approx(shot.gaussians.opacities[run] * strength, abs=1e-5)
    done = fader.at(shot, 9.0)
    kept = len(before) - shot.going
    assert (done.opacity_logits[:kept] == before[:kept]).all()
    assert (done.opacities[kept:] < 1 / 255).all()
    assert (shot.gaussians.opacity_logits == before).all()


def test_a_snapshot_without_fades_is_drawn_as_it_is():
    assembly, transitions = stage()
    shot = snapshot(transitions.compose(assembly, 1.0))
    assert Fader().at(shot, 1.0) is shot.gaussians
