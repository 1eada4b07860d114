import numpy as np

from exgs.codec.worth import ChunkTable
from exgs.scene.outlook import foresee
from exgs.server.orders import ORDERS
from tests.server.manifests import looking, manifest

TABLE = ChunkTable(manifest(3, 4))
IDS = np.arange(TABLE.count)


def test_orders_that_follow_no_head_do_not_ask_for_one() -> None:
    outlook = foresee(looking(np.array([1.0, 0, 0])), 0.1)
    for order in ORDERS.values():
        blind = order.wanted(TABLE, IDS, None)
        assert blind.shape == (TABLE.count,)
        assert (blind == order.wanted(TABLE, IDS, outlook)).all() == (not order.follows_head)


def test_level_order_goes_down_whatever_the_file_does() -> None:
    wanted = ORDERS["level"].wanted(TABLE, IDS[::-1], None)[::-1]
    levels = TABLE.levels[np.argsort(-wanted)]
    assert (np.diff(levels) <= 0).all()


def test_before_the_first_view_chunks_go_as_in_the_file() -> None:
    assert (ORDERS["error"].wanted(TABLE, IDS, None) == ORDERS["file"].wanted(TABLE, IDS, None)).all()
