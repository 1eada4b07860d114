"""How often somebody may ask: each network address for a session, each viewer for a scene."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

MAX_KNOWN = 4096
"""Addresses that are kept in mind; beyond, those are forgotten that were silent for longest."""
_HOME_BITS = 64


class Bucket:
    """``burst`` calls at once, and ``per_s`` more each second."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._left, self._at_s = burst, float("inf")

    def wait_s(self, now_s: float) -> float:
        """Counts a call: 0 lets it in, else it may be tried again after so long."""
        self._left = min(self._left + max(0.0, now_s - self._at_s) * self._per_s, self._burst)
        self._at_s = now_s
        if self._left < 1:
            return (1 - self._left) / self._per_s
        self._left -= 1
        return 0.0


class Callers:
    """A bucket of calls for each address."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._known: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def wait_s(self, address: str, now_s: float) -> float:
        """Counts a call of ``address``; see Bucket."""
        bucket = self._known.setdefault(address, Bucket(self._burst, self._per_s))
        self._known.move_to_end(address)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return bucket.wait_s(now_s)


def caller(address: str) -> str:
    """By what an address is counted: a home has a whole network of 2^64 addresses of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), _HOME_BITS), strict=False))
