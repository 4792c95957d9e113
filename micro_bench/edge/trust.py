"""Which certificates are trusted, for every client of HTTP."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi

from micro_bench.errors import BadInputError


def trust() -> ssl.SSLContext:
    """The certificates the machine trusts; those that come with httpx where it has none."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if named and not os.environ.get("SSL_CERT_FILE"):
        return _trust_only(Path(named))
    paths = ssl.get_default_verify_paths()
    context = ssl.create_default_context()
    if paths.cafile is None and paths.capath is None:
        context.load_verify_locations(cafile=certifi.where())
    return context


def _trust_only(named: Path) -> ssl.SSLContext:
    try:
        if named.is_dir():
            return ssl.create_default_context(capath=named)
        return ssl.create_default_context(cafile=named)
    except OSError as error:
        raise BadInputError(
            f"the certificates in {named} cannot be read: {error}",
            next_step="correct or unset REQUESTS_CA_BUNDLE",
        ) from error
