"""Streamed SOG: a lod-meta.json and SOG folders, each of which belongs to one level of detail.

Source: developer.playcanvas.com, The Streamed SOG Format.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.bundle import FolderBundle, check_relative
from exgs.scene.formats.fields import Fields, parse_fields
from exgs.scene.formats.scene_file import MAX_GAUSSIANS, SceneFile, check_count, check_expansion
from exgs.scene.formats.sog import FRAME, read_sog
from exgs.scene.formats.sog_meta import META, Sog, parse_sog
from exgs.scene.gaussians import SH_COEFFICIENTS, Gaussians

LOD_META = "lod-meta.json"
MAX_LOD_META_BYTES = 32 << 20
MAX_LEVELS = 64
MAX_PARTS = 1 << 16


def open_streamed_sog(path: Path, *, level: int, max_gaussians: int) -> SceneFile:
    """The level of detail ``level``, 0 finest, of the scene that the file ``path`` describes.

    A sky apart from the levels, which some scenes have, is left out.
    """
    data = FolderBundle(path.parent).read(path.name, most=MAX_LOD_META_BYTES)
    meta = parse_fields(data, where=str(path))
    if "version" in meta.values:
        meta.whole("version", least=1, most=1)
    levels = meta.whole("lodLevels", least=1, most=MAX_LEVELS)
    if level >= levels:
        raise SceneError(f"{path}: level {level}, but the scene has levels 0 to {levels - 1}")
    names = _part_names(meta)
    members, counts = _members(meta, levels=levels, parts=len(names))
    folders = [path.parent / names[part].removesuffix(META) for part in sorted(members[level])]
    sogs = [parse_sog(FolderBundle(folder), max_gaussians=max_gaussians) for folder in folders]
    counts[level] = sum(sog.count for sog in sogs)
    size = len(data) + sum(sog.bundle.size_bytes(name) for sog in sogs for name in sog.files)
    where = f"{path}: level {level}"
    check_count(where, counts[level], most=max_gaussians)
    check_expansion(where, counts[level], size_bytes=size)
    degree = max((sog.sh_degree for sog in sogs), default=0)
    version = f"level {level} of {levels}, {len(sogs)} parts"
    read = partial(_read, sogs, counts[level], degree)
    return SceneFile("streamed SOG", version, counts[level], degree, FRAME, size, read, tuple(counts))


def _part_names(meta: Fields) -> list[str]:
    names = meta.items("filenames", most=MAX_PARTS)
    where = f"{meta.where}: filenames"
    if not names or not all(isinstance(name, str) and name.split("/")[-1] == META for name in names):
        raise SceneError(f"{where}: expected paths that end in {META}")
    if len(set(names)) != len(names):
        raise SceneError(f"{where}: a part appears twice")
    return [check_relative(name, where=where) for name in names]


def _members(meta: Fields, *, levels: int, parts: int) -> tuple[list[set[int]], list[int]]:
    """Of each level, the numbers of the parts that hold it and its Gaussians: from the tree's leaves."""
    members: list[set[int]] = [set() for _ in range(levels)]
    counts = [0] * levels
    nodes: list[Any] = [meta.section("tree").values]
    while nodes:
        node = nodes.pop()
        if not isinstance(node, dict):
            raise SceneError(f"{meta.where}: tree: expected every node to be an object")
        tree = Fields(node, f"{meta.where}: tree")
        if "children" in node:
            nodes.extend(tree.items("children", most=MAX_PARTS))
        if "lods" in node:
            lods = tree.section("lods")
            for key in lods.values:
                if not key.isdecimal() or len(key) > 3 or int(key) >= levels:
                    raise SceneError(f"{lods.where}: level {key[:20]!r}, expected 0 to {levels - 1}")
                lod = lods.section(key)
                members[int(key)].add(lod.whole("file", most=parts - 1))
                counts[int(key)] += lod.whole("count", most=MAX_GAUSSIANS)
    return members, counts


def _read(sogs: list[Sog], count: int, degree: int) -> Gaussians:
    """All parts in order, each copied into its place as soon as it is decoded."""
    whole = Gaussians(
        means=np.empty((count, 3), np.float32),
        quats=np.empty((count, 4), np.float32),
        log_scales=np.empty((count, 3), np.float32),
        opacity_logits=np.empty(count, np.float32),
        sh0=np.empty((count, 1, 3), np.float32),
        shN=np.zeros((count, SH_COEFFICIENTS[degree], 3), np.float32),
        frame=FRAME,
    )
    start = 0
    for sog in sogs:
        part = read_sog(sog)
        rows = slice(start, start + len(part))
        for name in ("means", "quats", "log_scales", "opacity_logits", "sh0"):
            getattr(whole, name)[rows] = getattr(part, name)
        whole.shN[rows, : part.shN.shape[1]] = part.shN
        start += len(part)
    return whole
