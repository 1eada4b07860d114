"""The tree of coarser pictures."""

import numpy as np
from clouds import scattered, uncut

from exgs.codec.encoding.gains import importance
from exgs.codec.encoding.simplify import FEWEST_ROOTS, Tree, grow, to_pyramid
from exgs.codec.writing.cutting import check_pyramid


def tree_of(count: int, levels: int) -> Tree:
    scene = scattered(count)
    return grow(uncut(scene), levels)


def leaves_below(tree: Tree, node: int) -> int:
    children = np.flatnonzero(tree.parents == node)
    return sum(leaves_below(tree, int(child)) for child in children) if len(children) else 1


def test_every_picture_shows_every_leaf_once() -> None:
    tree = tree_of(1500, 4)
    assert tree.pictures > 1
    sizes = []
    for picture in range(tree.pictures):
        shown = tree.shown(picture)
        assert sum(leaves_below(tree, int(node)) for node in shown) == 1500
        assert (np.diff(tree.born[shown] == picture).astype(int) >= 0).all()
        sizes.append(len(shown))
    assert sizes[0] == 1500 and sizes == sorted(sizes, reverse=True) and sizes[-1] >= FEWEST_ROOTS


def test_a_gaussian_of_the_tree_replaces_several() -> None:
    tree = tree_of(1500, 4)
    family = np.bincount(tree.parents[tree.parents >= 0], minlength=len(tree.parents))
    assert (family[tree.born > 0] >= 2).all() and not family[tree.born == 0].any()


def test_one_level_is_no_tree() -> None:
    tree = tree_of(300, 1)
    assert tree.pictures == 1 and len(tree.gaussians) == 300


def test_the_pyramid_shows_all_leaves_and_is_as_deep_as_it_may_be() -> None:
    for levels in (2, 3, 4):
        tree = tree_of(1500, levels)
        pyramid = to_pyramid(tree, importance(tree, np.ones(len(tree.parents))))
        check_pyramid(pyramid)
        assert pyramid.shown == 1500 and 1 < len(pyramid.levels) <= levels
        assert len(pyramid.levels[-1].gaussians) == len(tree.shown(tree.pictures - 1))


def test_values_are_put_where_they_belong() -> None:
    tree = tree_of(200, 2)
    nodes = np.array([3, 150])
    changed = tree.with_values(nodes, tree.gaussians.select(np.array([7, 8])))
    np.testing.assert_array_equal(changed.gaussians.means[nodes], tree.gaussians.means[[7, 8]])
    rest = np.setdiff1d(np.arange(len(tree.parents)), nodes)
    np.testing.assert_array_equal(changed.gaussians.sh0[rest], tree.gaussians.sh0[rest])


def test_children_never_count_for_more_than_their_parents() -> None:
    tree = tree_of(1500, 4)
    found = importance(tree, np.random.default_rng(0).random(len(tree.parents)))
    inner = np.flatnonzero(tree.parents >= 0)
    inner = inner[tree.parents[tree.parents[inner]] >= 0]
    assert len(inner) and (found[inner] <= found[tree.parents[inner]] * (1 + 1e-9)).all()
    assert (found >= 0).all() and np.isfinite(found).all()
