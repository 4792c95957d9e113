"""Pure: a lock's text, whose first lines say what it is of and what in it is of another date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from micro_bench.model.slice import (
    BuiltFromSource,
    Environment,
    Exemption,
    LeftOut,
    LockFacts,
    Unpinned,
)

TITLE = "# micro-bench environment lock"
UNDATED = "# not dated: no package has a known date"
_NEWER = re.compile(r"# newer than that: (\S+)==(\S+) until (\S+)")
_DATELESS = re.compile(r"# no known date: (\S+)==(\S+)")
_MADE = re.compile(r"# made before its date: (\S+)")
_BUILT = re.compile(r"# built from source: (\S+)==(\S+)(?: with tools as of (\S+))?")

_LEFT = re.compile(r"# left out: ([^\s=:]+)(?:==(\S+))?: (.+)")
_FROM = re.compile(r"# locked from ([^:]+): (\d+) packages? as it has (?:it|them)")
_UNPINNED = re.compile(r"# gave way: (\S+) of (.+?): (.+)")
_LIBRARIES = re.compile(r"# system libraries: (.+)")


def digest_line(sha: str) -> str:
    """The line that says which requirements a lock is of."""
    return f"# requirements {sha}"


def write(python: str, wanted: Environment, sha: str, facts: LockFacts, body: str) -> str:
    """A lock with its head."""
    head = (TITLE, f"# python {python}, as of {wanted.before.isoformat()}", digest_line(sha))
    return "\n".join([*head, *_lines(facts), body])


def _lines(facts: LockFacts) -> Iterator[str]:
    if facts.locked_from:
        yield f"# locked from {facts.locked_from}: {facts.as_locked} packages as it has them"
    for gone in facts.unpinned:
        yield f"# gave way: {gone.pin} of {gone.source}: {' '.join(gone.why.split())}"
    if facts.undated:
        yield UNDATED
    if facts.made:
        yield f"# made before its date: {facts.made.isoformat()}"
    for one in facts.exempt:
        pin = f"{one.name}=={one.version}"
        if one.until is None:
            yield f"# no known date: {pin}"
        else:
            yield f"# newer than that: {pin} until {one.until.isoformat()}"
    for built in facts.built:
        tools = f" with tools as of {built.tools.isoformat()}" if built.tools else ""
        yield f"# built from source: {built.name}=={built.version}{tools}"
    for left in facts.left_out:
        pin = f"{left.name}=={left.version}" if left.version else left.name
        yield f"# left out: {pin}: {' '.join(left.why.split())}"
    if facts.libraries:
        yield f"# system libraries: {', '.join(facts.libraries)}"


def holds(text: str, wanted: Environment, sha: str) -> bool:
    """Whether a stored lock is of these requirements, this Python and this date.

    Locks of earlier versions that call themselves undated do not hold: one late package was enough
    for that.
    """
    head = _head(text)
    dated = f", as of {wanted.before.isoformat()}"
    python = f"# python {wanted.python}."
    return (
        digest_line(sha) in head
        and any(line.startswith(python) and line.endswith(dated) for line in head)
        and not any(line.startswith("# not dated") and line != UNDATED for line in head)
    )


def read(text: str) -> LockFacts:
    """What a lock says of itself."""
    head = _head(text)
    exempt = [
        Exemption(name=m[1], version=m[2], until=datetime.fromisoformat(m[3]))
        for m in _matches(_NEWER, head)
    ]
    exempt += [Exemption(name=m[1], version=m[2], until=None) for m in _matches(_DATELESS, head)]
    made = next((datetime.fromisoformat(m[1]) for m in _matches(_MADE, head)), None)
    origin = next(_matches(_FROM, head), None)
    return LockFacts(
        locked_from=origin[1] if origin else "", as_locked=int(origin[2]) if origin else 0,
        unpinned=tuple(
            Unpinned(pin=m[1], source=m[2], why=m[3]) for m in _matches(_UNPINNED, head)
        ),
        exempt=tuple(sorted(exempt, key=lambda one: one.name)), undated=UNDATED in head, made=made,
        built=tuple(
            BuiltFromSource(
                name=m[1], version=m[2], tools=datetime.fromisoformat(m[3]) if m[3] else None
            )
            for m in _matches(_BUILT, head)
        ),
        left_out=tuple(
            LeftOut(name=m[1], version=m[2] or "", why=m[3]) for m in _matches(_LEFT, head)
        ),
        libraries=tuple(n for m in _matches(_LIBRARIES, head) for n in m[1].split(", ")),
    )  # fmt: skip


def with_facts(text: str, facts: LockFacts) -> str:
    """The same lock with other facts in its head."""
    head = [line for line in _head(text) if not any(line == old for old in _lines(read(text)))]
    body = text.splitlines(keepends=True)[len(_head(text)) :]
    return "\n".join([*head, *_lines(facts), "".join(body)])


def _head(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.rstrip())
    return lines


def _matches(pattern: re.Pattern[str], lines: list[str]) -> Iterator[re.Match[str]]:
    yield from (match for line in lines if (match := pattern.fullmatch(line)))
