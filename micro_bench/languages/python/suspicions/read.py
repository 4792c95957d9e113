"""What is new in a changed file, and what its name alone tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from micro_bench.languages.python.source import UnparsableError, decode_leniently, parse
from micro_bench.languages.python.suspicions.signs import signs
from micro_bench.model.score import Suspicion

_SHOWN = 160
_AT_START = ("sitecustomize.", "usercustomize.")
Found = tuple[int, str, str]
"""Line, what, and the line's text."""


def suspicions(path: str, before: bytes | None, after: bytes | None) -> tuple[Suspicion, ...]:
    """Signs that the file did not have before, with their lines as the patch leaves them."""
    if after is None:
        return ()
    named = tuple(Suspicion(what=what, path=path) for what in _of_name(path))
    known = Counter((what, text) for _line, what, text in _found(path, before))
    new = []
    for line, what, text in _found(path, after):
        if known[what, text]:
            known[what, text] -= 1
        else:
            new.append(Suspicion(what=what, path=path, line=line, text=text))
    return (*named, *new)


def _of_name(path: str) -> Iterator[str]:
    *folders, name = path.casefold().split("/")
    if any(each.endswith((".dist-info", ".egg-info")) for each in folders):
        yield "entry points or other metadata"
    if name.endswith(".pth") or name.startswith(_AT_START):
        yield "start-up files"


def _found(path: str, content: bytes | None) -> list[Found]:
    if content is None or not path.endswith((".py", ".pyw", ".pyi")):
        return []
    try:
        tree = parse(content)
    except UnparsableError:
        return []
    lines = decode_leniently(content).split("\n")
    return [(n, what, lines[n - 1].strip()[:_SHOWN]) for n, what in signs(tree) if n <= len(lines)]
