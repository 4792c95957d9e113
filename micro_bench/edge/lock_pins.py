"""Versions that the repository's lock file, or a part of it, asks for, and what gave way. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from packaging.utils import canonicalize_name

from micro_bench.edge.packages import pin_of, split_lock
from micro_bench.model.slice import Requirement, Unpinned

_PIN = re.compile(r"([A-Za-z0-9][\w.-]*)==([^\s;,*]+)\s*")


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
    """Without pins of parts that the task does not touch where another file has another pin.

    Parts of a monorepo pin their tests' packages each for itself: all of them never go together.
    """
    first: dict[tuple[str, str], Requirement] = {}
    kept: list[Requirement] = []
    gone: list[Unpinned] = []
    for one in sorted(requirements, key=lambda one: one.source in elsewhere):
        match = _PIN.fullmatch(one.text.partition(";")[0])
        key = (canonicalize_name(match[1]), one.text.partition(";")[2].strip()) if match else None
        rival = first.setdefault(key, one) if key else one
        if rival.text == one.text or one.source not in elsewhere:
            kept.append(one)
            continue
        why = f"{rival.text} in {rival.source} counts for this task"
        gone.append(Unpinned(pin=one.text, source=one.source, why=why))
    order = {id(one): number for number, one in enumerate(requirements)}
    return sorted(kept, key=lambda one: order[id(one)]), gone


def name_of(text: str) -> str:
    """The normalised name that a requirement begins with."""
    match = re.match(r"[A-Za-z0-9][\w.-]*", text)
    return canonicalize_name(match[0]) if match else ""


def names_in(sentence: str) -> set[str]:
    """Every word of a sentence that may be the name of a package, normalised."""
    words: Iterable[str] = re.findall(r"[A-Za-z][\w.-]*", sentence)
    return {canonicalize_name(word.rstrip(".")) for word in words}
