"""A furnished interior made by rule: the scene of the demo and the tests.

Surfaces (shapes) with looks (materials, textures) are collected by a builder (model), cut into cells that are
finer where there is more to see (cells, refine), lit (light, gloss) and turned into Gaussians (splats).
"""

from __future__ import annotations

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.gaussians import Gaussians
from exgs.scene.interior.arrangement import GLINTS, LAMPS, SKYLIGHT, SUN_TOWARD, furnish
from exgs.scene.interior.cells import Survey
from exgs.scene.interior.light import Air, Sun
from exgs.scene.interior.model import Builder
from exgs.scene.interior.refine import judge, refine
from exgs.scene.interior.shell import GREAT_WINDOW, SMALL_WINDOW, build_shell
from exgs.scene.interior.splats import backed, floating, hazy, paint, to_gaussians, together
from exgs.scene.interior.style import choose_style

MAX_COUNT = 4_000_000
"""Gaussians in the largest interior that can be asked for."""


def generate_interior(*, seed: int = 1, count: int = 300_000) -> Gaussians:
    """Two furnished rooms one can walk through, ``count`` Gaussians in metres, y down, the floor at y = 0.

    The same ``seed`` and ``count`` give the same scene on every machine; another seed another style.

    Raises:
        SceneError: ``seed`` is negative, or ``count`` is out of range.
    """
    if seed < 0 or not 1 <= count <= MAX_COUNT:
        raise SceneError(
            f"interior of seed {seed} and {count} Gaussians: expected seed >= 0, count 1 to {MAX_COUNT}"
        )
    rng = np.random.default_rng(seed)
    style, home = choose_style(rng), Builder()
    build_shell(home, style)
    furnish(home, style, rng)
    survey = Survey(home.batches())
    cells = survey.first_cells()
    _, normals = survey.frames(cells)
    opaque = (survey.trait(cells, "glow") == 0) & (survey.trait(cells, "two_sided") == 0)
    casts = survey.trait(cells, "shell") == 0
    lit = cells.select(np.flatnonzero(opaque))
    air = Air(survey.points(lit), normals[opaque], casts[opaque], LAMPS, SKYLIGHT)
    sun = Sun(air, [GREAT_WINDOW, SMALL_WINDOW], SUN_TOWARD)
    behind = cells.select(np.flatnonzero((survey.trait(cells, "shell") > 0) & ~cells.at_rim().any(axis=1)))
    faint, specks = count // 14, count // 300
    cells, shades = refine(survey, cells, sun, max(count - len(behind) - faint - specks, count // 2))
    front = paint(survey, cells, shades, air, GLINTS)
    back = backed(paint(survey, behind, judge(survey, behind, sun)[0], air, []))
    surfels = together([front, hazy(front, faint, rng), floating(front, specks, rng), back])
    return to_gaussians(surfels.select(slice(count)), rng)
