"""Tickets: tokens that a server's secret signs, and that admit for a while (docs/decisions/0012).

A ticket is ``exgs1.EXPIRY.SIGNATURE``: seconds since 1970 in decimal digits, and 43 letters of base64url, the
HMAC-SHA-256 of all before the last dot. The key is stretched from the secret, so that who holds a ticket
cannot try out secrets quickly.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

PREFIX = "exgs1"
MAX_TTL_S = 366 * 86400
"""No ticket is issued for longer."""
SECRET_RULE = "1 to 256 printable ASCII characters without spaces"
"""What a secret is made of: it goes through headers as it is."""
_SECRET = re.compile(r"[\x21-\x7e]{1,256}")
_TICKET = re.compile(rf"({PREFIX}\.(\d{{1,12}}))\.([\w-]{{43}})", re.ASCII)
_COST, _BLOCK, _MAX_BYTES = 1 << 14, 8, 64 << 20


def is_secret(text: str) -> bool:
    """Whether ``text`` keeps to ``SECRET_RULE``; what is empty would let everybody in."""
    return _SECRET.fullmatch(text) is not None


def prepare(secret: str) -> None:
    """Stretches the key, which takes a moment, so that the first ticket need not wait for it."""
    _key(secret)


def issue(secret: str, expires_s: int) -> str:
    """A ticket that admits until ``expires_s``, in whole seconds since 1970, wherever ``secret`` does."""
    claim = f"{PREFIX}.{expires_s}"
    return f"{claim}.{_signature(secret, claim)}"


def admits(secret: str, shown: str, now_s: float) -> bool:
    """Whether ``shown`` is the secret itself, or a ticket of it that has not expired.

    How long that takes says nothing about the secret or the right signature.
    """
    if hmac.compare_digest(_bytes(shown), _bytes(secret)):
        return True
    ticket = _TICKET.fullmatch(shown)
    if ticket is None:
        return False
    claim, expires_s, signature = ticket.groups()
    signed = hmac.compare_digest(signature, _signature(secret, claim))
    return signed and now_s < int(expires_s)


def _signature(secret: str, claim: str) -> str:
    digest = hmac.digest(_key(secret), claim.encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


@functools.lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    salt = b"exgs ticket 1"
    return hashlib.scrypt(_bytes(secret), salt=salt, n=_COST, r=_BLOCK, p=1, maxmem=_MAX_BYTES, dklen=32)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")
