"""The scans of many files: what is known by the id of its content is not read again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping

from micro_bench.languages._language import Files, Identified, Known
from micro_bench.languages.python.graph.mentions import Mention
from micro_bench.languages.python.graph.scan import (
    REMEMBERED,
    Import,
    Scan,
    kind_of,
    read_as,
    scan,
)
from micro_bench.model.graph import EdgeKind

_FORMAT = f"python-1 {sys.version_info[0]}.{sys.version_info[1]}"
"""What a scan finds depends on the interpreter's own parser. Raise the number with the code."""


def scan_all(paths: Iterable[str], files: Files, known: Known) -> dict[str, Scan]:
    """Path -> what the file states."""
    if not isinstance(files, Identified):
        return {path: scan(path, files[path]) for path in paths}
    found: dict[str, Scan] = {}
    new: dict[str, str] = {}
    for path in paths:
        if remembered := REMEMBERED.recall((kind_of(path), files.blob(path))):
            found[path] = remembered
        else:
            new[path] = files.blob(path)
    return found | _read(new, files, known) if new else found


def _read(new: Mapping[str, str], files: Files, known: Known) -> dict[str, Scan]:
    keys = {path: f"{_FORMAT} {kind_of(path)} {blob}" for path, blob in new.items()}
    stored = known.get(tuple(dict.fromkeys(keys.values())))
    found: dict[str, Scan] = {}
    learnt: dict[str, str] = {}
    for path, blob in new.items():
        read = decoded(stored[keys[path]]) if keys[path] in stored else None
        if read is None:
            read = read_as(kind_of(path), files[path])
            learnt[keys[path]] = encoded(read)
        found[path] = read
        REMEMBERED.keep((kind_of(path), blob), read)
    if learnt:
        known.put(learnt)
    return found


def encoded(found: Scan) -> str:
    """A scan as JSON, to be kept."""
    imports = [(i.line, i.module, i.level, i.names, i.kind.value) for i in found.imports]
    mentions = [(m.line, m.text, m.package, m.main) for m in found.mentions]
    parts = (imports, mentions, found.exports, found.unparsed)
    return json.dumps(parts, ensure_ascii=True, separators=(",", ":"))


def decoded(text: str) -> Scan | None:
    """The scan that was kept; None if it is none."""
    try:
        imports, mentions, exports, unparsed = json.loads(text)
        return Scan(
            tuple(Import(n, m, v, tuple(names), EdgeKind(k)) for n, m, v, names, k in imports),
            tuple(Mention(line, said, package, main) for line, said, package, main in mentions),
            tuple(exports), unparsed,
        )  # fmt: skip
    except (ValueError, TypeError):
        return None
