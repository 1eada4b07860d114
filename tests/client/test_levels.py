"""What shows of each level, against the assembly that shows it."""

import numpy as np

from exgs.client.levels import LevelMap
from exgs.codec import Assembly, decode_chunk, open_container
from tests.client.stage import encoded

CONTAINER = open_container(encoded(40_000, levels=3))
PREAMBLE = CONTAINER.parsed


def test_the_map_agrees_with_the_assembly_whatever_is_held() -> None:
    count = len(PREAMBLE.chunks)
    decoded = [decode_chunk(PREAMBLE, id, bytes(CONTAINER.chunk(id))) for id in range(count)]
    rng, levels = np.random.default_rng(4), LevelMap(PREAMBLE)
    for share in (0.0, 0.3, 0.6, 0.9, 1.0):
        held = rng.random(count) < share
        assembly = Assembly(PREAMBLE)
        for id in np.flatnonzero(held):
            assembly.add(int(id), decoded[id])
        shown = np.zeros(PREAMBLE.header.levels, int)
        for piece in assembly.shown():
            shown[PREAMBLE.chunks[piece.chunk].level] += piece.stop - piece.start
        rows = levels.of(held)
        assert [row.splats_shown for row in rows] == shown.tolist()
        assert sum(row.chunks for row in rows) == held.sum()


def test_the_map_knows_how_much_there_is() -> None:
    rows = LevelMap(PREAMBLE).of(np.ones(len(PREAMBLE.chunks), bool))
    assert [row.level for row in rows] == [0, 1, 2]
    assert all(row.chunks == row.chunks_expected > 0 for row in rows)
    assert [row.splats for row in rows] == [40_000, 10_000, 2_500]
    assert [row.splats_shown for row in rows] == [40_000, 0, 0]
