"""What all sessions of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from exgs.server.library import Library
from exgs.server.load import Load
from exgs.server.metrics import Metrics
from exgs.server.orders import ORDERS, Order
from exgs.server.turns import Turns
from exgs.server.uplink import Uplink


def _boundless() -> Uplink:
    return Uplink(Turns())


@dataclass(frozen=True, eq=False)
class House:
    """The scenes, the figures and the way out."""

    library: Library
    """Its scenes."""
    metrics: Metrics
    """Its figures."""
    uplink: Uplink = field(default_factory=_boundless)
    """Its way out; one without a bound where none is given."""
    load: Load = field(default_factory=Load)
    """How busy this process is."""
    order: Order = ORDERS["error"]
    """What it sends first."""
