"""What pip is told on this host, and the same for uv. Nothing of it enters an image."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from micro_bench.edge import process

PIP_TO_UV = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("ALL_PROXY",),
    "timeout": ("UV_HTTP_TIMEOUT",),
}
"""Option -> the variable that says the same to uv, and older names of that."""
SECTIONS = ("global", "download", ":env:")
"""In pip's own order: what is said for `pip download` holds over what is said for all commands,
the environment over every file. Sections of other commands say nothing here."""
PLACES = frozenset({"index-url", "extra-index-url", "find-links", "cert", "client-cert"})
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables in which pip finds its certificates where no option names them; uv reads neither."""
FALSE = frozenset({"", "0", "false", "no", "off", "n", "f"})
UNFOLDED = {"COLUMNS": "10000"}
"""uv folds its sentences to the width of the terminal; they are read by lines here."""
OWN_DATES = ("UV_EXCLUDE_NEWER", "UV_EXCLUDE_NEWER_PACKAGE")


@lru_cache(maxsize=1)
def pip_configuration() -> Mapping[str, str]:
    """What pip is told on this host (files and environment), option -> value."""
    result = process.run([sys.executable, "-m", "pip", "config", "list"], deadline_s=60)
    return read_configuration(result.output.decode("utf-8", "replace"))


def read_configuration(listed: str) -> dict[str, str]:
    """The options that hold, out of what `pip config list` prints; several values are words."""
    found: dict[tuple[str, str], str] = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.strip().rpartition(".")
        if section in SECTIONS and option:
            name = "timeout" if option == "default-timeout" else option.replace("_", "-")
            found[section, name] = " ".join(_literal(value).split())
    return {option: found[s, option] for s in SECTIONS for where, option in found if where == s}


def _literal(value: str) -> str:
    """Values are printed as Python writes them, so that several lines are one."""
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value


def uv_environment(
    pip: Mapping[str, str], environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment in which uv reads pip's indexes. What uv itself is told wins.

    Dates are not taken from it: they are this program's to set.
    """
    result = {name: value for name, value in environ.items() if name not in OWN_DATES}
    bundle = next((environ[name] for name in BUNDLES if environ.get(name)), "")
    for option, (variable, *others) in PIP_TO_UV.items():
        value = pip.get(option, "") or (bundle if option == "cert" else "")
        words = [word for word in value.split() if option not in PLACES or _exists(word)]
        if words and not any(name in result for name in (variable, *others)):
            result[variable] = " ".join(words)
    return result


def no_index(pip: Mapping[str, str]) -> bool:
    """Whether pip may ask no index at all, only `find-links`."""
    return pip.get("no-index", "").lower() not in FALSE


def _exists(place: str) -> bool:
    """Local indexes are often configured and absent; uv would stop at one."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(parts.path).exists()
    return parts.scheme != "" or Path(place).exists()


def redacted(text: str) -> str:
    """Without the name and password of any address in it."""
    return re.sub(r"(?<=://)[^/@\s'\"]+@", "***@", text)
