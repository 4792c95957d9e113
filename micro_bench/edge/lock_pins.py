"""Versions that the repository's lock file, or a part of it, asks for, and what gave way. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from micro_bench.edge.packages import pin_of, split_lock
from micro_bench.model.slice import Requirement, Unpinned

_PIN = re.compile(r"([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?==([^\s;,*]+)")
_LISTED = re.compile(r":\d+$")
"""The source of a line of a requirement file."""


class LockPins:
    """The pins of a lock file that still hold."""

    def __init__(self, lines: Sequence[str], source: str) -> None:
        self._source = source
        self._lines: dict[str, list[str]] = {}
        self.gone: list[Unpinned] = []
        for line in lines:
            self._lines.setdefault(name_of(line), []).append(line)

    def lines(self) -> list[str]:
        """As constraints of a resolver."""
        return [line for lines in self._lines.values() for line in lines]

    def names(self) -> Collection[str]:
        """What is pinned."""
        return self._lines.keys()

    def contradicted_by(self, one: Requirement) -> bool:
        """Whether a requirement rules out the version that the lock file has."""
        lines = self._lines.get(name_of(one.text), [])
        if len(lines) != 1 or ";" in lines[0]:
            return False
        try:
            wanted = Parsed(one.text).specifier
        except InvalidRequirement:
            return False
        return not wanted.contains(lines[0].partition("==")[2], prereleases=True)

    def give_up(self, names: Collection[str], why: str) -> bool:
        """Take these as whatever fits; False where none of them is pinned."""
        given = [name for name in self._lines if name in names]
        for name in given:
            for line in self._lines.pop(name):
                pin = line.partition(";")[0].strip()
                told = Unpinned(pin=pin, source=self._source, why=" ".join(why.split())[:300])
                self.gone.append(told)
        return bool(given)

    def give_up_for(self, why: str) -> bool:
        """Give up what a sentence on a conflict names, or all where it names none of them."""
        return self.give_up(names_in(why), why) or self.give_up_all(why)

    def give_up_all(self, why: str) -> bool:
        """Go on as if there were no lock file."""
        return self.give_up(list(self._lines), why)

    def facts(self, body: str) -> dict[str, object]:
        """What a lock with this body says of them."""
        pinned = {pin_of(line).lower() for line in split_lock(body)}
        wanted = (line.partition(";")[0].strip().lower() for line in self.lines())
        held = sum(one in pinned for one in wanted)
        return {
            "locked_from": self._source if held else "", "as_locked": held,
            "unpinned": tuple(self.gone),
        }  # fmt: skip


def without_rivals(
    requirements: Sequence[Requirement], elsewhere: Collection[str]
) -> tuple[list[Requirement], list[Unpinned]]:
    """Of different pins of a package in several files, one: the task's own part's, else the newest.

    Parts of a monorepo pin their tests' packages each for itself: all of them never go together.
    Only lists of requirements do that; pins of manifests, and two in one file, stay as they are.
    """
    groups: dict[tuple[str, str], list[Requirement]] = {}
    for one in requirements:
        if key := _key(one, elsewhere):
            groups.setdefault(key, []).append(one)
    gone: dict[int, Unpinned] = {}
    for rivals in groups.values():
        best = max(rivals, key=lambda one: (one.source not in elsewhere, _version(one)))
        for one in rivals:
            if _version(one) != _version(best) and _file(one) != _file(best):
                why = f"{best.text} in {best.source} counts for this task"
                gone[id(one)] = Unpinned(pin=_plain(one), source=one.source, why=why)
    return [one for one in requirements if id(one) not in gone], list(gone.values())


def loosened(
    requirements: Sequence[Requirement],
    elsewhere: Collection[str],
    names: Collection[str],
    why: str,
) -> tuple[list[Requirement], list[Unpinned]]:
    """With these packages in whatever version, where parts that the task does not touch pin them.

    Only their requirement files: what a manifest says is part of the project.
    """
    kept: list[Requirement] = []
    gone: list[Unpinned] = []
    for one in requirements:
        match = _PIN.fullmatch(_plain(one))
        listed = one.source in elsewhere and _LISTED.search(one.source)
        if match and listed and canonicalize_name(match[1]) in names:
            _, semicolon, marker = one.text.partition(";")
            text = f"{match[1]}{match[2] or ''}{f' ; {marker.strip()}' if semicolon else ''}"
            kept.append(Requirement(text=text, source=one.source))
            gone.append(Unpinned(pin=_plain(one), source=one.source, why=why))
        else:
            kept.append(one)
    return kept, gone


def _key(one: Requirement, elsewhere: Collection[str]) -> tuple[str, str] | None:
    """Name and marker of a pin that may give way to another."""
    match = _PIN.fullmatch(_plain(one))
    if match is None or not (one.source in elsewhere or _LISTED.search(one.source)):
        return None
    try:
        Version(match[3])
    except InvalidVersion:
        return None
    return f"{canonicalize_name(match[1])}{match[2] or ''}", one.text.partition(";")[2].strip()


def _plain(one: Requirement) -> str:
    return one.text.partition(";")[0].strip()


def _version(one: Requirement) -> Version:
    return Version(_plain(one).partition("==")[2])


def _file(one: Requirement) -> str:
    return one.source.partition(":")[0]


def name_of(text: str) -> str:
    """The normalised name that a requirement begins with."""
    match = re.match(r"[A-Za-z0-9][\w.-]*", text)
    return canonicalize_name(match[0]) if match else ""


def names_in(sentence: str) -> set[str]:
    """Every word of a sentence that may be the name of a package, normalised."""
    words: Iterable[str] = re.findall(r"[A-Za-z][\w.-]*", sentence)
    return {canonicalize_name(word.rstrip(".")) for word in words}
