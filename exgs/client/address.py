"""Where a server is, told by what the user gave."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

from exgs.client.errors import ClientError

WHEP_PATH = "/whep"


def endpoint_url(url: str) -> str:
    """The WHEP endpoint for what the user gave: a bare host gets the scheme and path that servers here have.

    Raises:
        ClientError: it is no http address.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound:
        raise ClientError(f"{url}: expected an address such as http://127.0.0.1:8080")
    path = parts.path if parts.path.strip("/") else WHEP_PATH
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def beside(url: str, path: str, scene: str | None = None) -> str | None:
    """Where ``path`` is, beside the WHEP endpoint of ``url``; ``scene`` None for the one that it names.

    None where that is no WHEP endpoint as servers here have them.

    Raises:
        ClientError: it is no http address.
    """
    parts = urlsplit(endpoint_url(url))
    head, found, named = parts.path.rpartition(WHEP_PATH)
    if not found or (named and not named.startswith("/")):
        return None
    name = named if scene is None else f"/{quote(scene, safe='')}"
    return urlunsplit((parts.scheme, parts.netloc, f"{head}{path}{name}", parts.query, ""))
