"""HTTPS by the server itself."""

from __future__ import annotations

import ssl
from pathlib import Path

from exgs.server.errors import ServerError


def tls_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """What to listen with; ``key`` may lie in the file of the certificate.

    Raises:
        ServerError: the files cannot be read, are no PEM, or do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        names = certificate if key is None else f"{certificate}, {key}"
        raise ServerError(f"{names}: no certificate with its key in PEM: {error.reason or error}") from error
    except OSError as error:
        raise ServerError(f"{error.filename or certificate}: {error.strerror or error}") from error
    return context


def _no_password() -> bytes:
    raise ServerError("the key is protected by a password; give one that is not")
