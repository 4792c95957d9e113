"""Conda's environment files: names of distributions that tests may import, nothing more.

Their versions are those of another index, and some names are of things that no Python package is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.languages._language import Files
from micro_bench.model.slice import Requirement

_FILE = re.compile(
    r"(?:.*/)?(?:conda[-_])?env(?:ironment)?s?(?:[-_.][\w.-]*)?\.ya?ml|ci/(?:.*/)?[\w.-]+\.ya?ml"
)
_ITEM = re.compile(r"^\s*-\s+['\"]?([A-Za-z0-9][\w.-]*)\s*(?:[=<>!~ ].*)?['\"]?\s*(?:#.*)?$")
_NO_PACKAGE = frozenset({"python", "pip", "conda", "mamba", "nodefaults", "defaults"})


def requirements(files: Files) -> Iterator[Requirement]:
    """What every such file of the tree lists under `dependencies`."""
    for path in sorted(path for path in files if _FILE.fullmatch(path)):
        text = files[path].decode("utf-8", "replace")
        if "channels:" not in text:
            continue
        _, _, listed = text.partition("dependencies:")
        for line in listed.splitlines():
            item = _ITEM.match(line[:200])
            if item and item[1].lower() not in _NO_PACKAGE:
                yield Requirement(text=item[1], source=path)
