"""Which findings are new against the base. Pure; matched by content, never by line number.

Per scanner: exact (rule, path, line text) as a multiset; then edited in place (rule, path,
message), nearest line first; then moved (rule, line text) in any path; the rest is new. White
space and numbers in messages do not count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

from micro_bench.model.score import Finding, FindingState
from micro_bench.scores.scanners._scanner import Raw

SOURCE_LINE_LIMIT = 200


@dataclass(frozen=True)
class Located:
    """A raw finding with its repo-relative path and the text of its line."""

    raw: Raw
    path: str
    text: str


def locate(raws: Iterable[Raw], side: str, sources: Mapping[str, str]) -> list[Located]:
    """Pick one side's findings (`base` or `head`) and look up their lines."""
    found = []
    for raw in raws:
        place, _, path = raw.path.partition("/")
        if place == side:
            lines = sources.get(path, "").split("\n")
            text = lines[raw.line - 1] if 0 < raw.line <= len(lines) else ""
            found.append(Located(raw, path, text.strip()[:SOURCE_LINE_LIMIT]))
    return found


def compare(scanner: str, base: list[Located], head: list[Located]) -> tuple[Finding, ...]:
    """Every finding of the head with its state, and the base's absent ones."""
    states: dict[int, FindingState] = {}
    left = dict(enumerate(base))
    passes: tuple[tuple[Callable[[Located], Hashable], FindingState], ...] = (
        (lambda f: (f.raw.rule, f.path, squeeze(f.text)), FindingState.UNCHANGED),
        (lambda f: (f.raw.rule, f.path, plain(f.raw.message)), FindingState.UPDATED),
        (lambda f: (f.raw.rule, squeeze(f.text)), FindingState.UNCHANGED),
    )
    for identity, state in passes:
        for number in _match(left, head, states, identity):
            states[number] = state
    findings = [
        _finding(scanner, item, states.get(number, FindingState.NEW))
        for number, item in enumerate(head)
    ]
    findings += [_finding(scanner, item, FindingState.ABSENT) for item in left.values()]
    return tuple(sorted(findings, key=lambda f: (f.path, f.line, f.rule, f.state)))


def _match(
    left: dict[int, Located],
    head: list[Located],
    done: Mapping[int, FindingState],
    identity: Callable[[Located], Hashable],
) -> list[int]:
    """Pair equal identities, nearest lines first; matched base findings leave `left`."""
    by_identity: dict[Hashable, list[int]] = defaultdict(list)
    for number, item in left.items():
        by_identity[identity(item)].append(number)
    matched = []
    for number, item in enumerate(head):
        candidates = by_identity.get(identity(item))
        if number in done or not candidates:
            continue
        nearest = min(candidates, key=lambda n: (abs(left[n].raw.line - item.raw.line), n))
        candidates.remove(nearest)
        del left[nearest]
        matched.append(number)
    return matched


def squeeze(text: str) -> str:
    """Without any white space."""
    return re.sub(r"\s+", "", text)


def plain(message: str) -> str:
    """Without numbers and quoted words: what stays the same when the line is edited."""
    return re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"|\d+", "_", message)


def _finding(scanner: str, item: Located, state: FindingState) -> Finding:
    return Finding(
        scanner=scanner, rule=item.raw.rule, severity=item.raw.severity, path=item.path,
        line=max(item.raw.line, 0), text=item.text, message=item.raw.message, state=state,
    )  # fmt: skip
