"""What earlier imports came to, so that an interrupted or repeated one is quick.

A line is appended for every ticket as its outcome is known, after its spec was saved. An entry
holds only for the very same input: the ticket and those whose words its task has, the fixes that
were found for it, the recipe and the version of this program. At the end of an import the entries
that it had no use for are dropped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from micro_bench.edge.files import write_atomic
from micro_bench.model.ticket import Ticket
from micro_bench.tasks.outcomes import Rejected
from micro_bench.tickets.link import Linked


class Drafted(NamedTuple):
    """The task of a ticket, as it was saved."""

    task: str
    digest: str
    """Of the spec: one that was edited since is drafted again, and the edits kept."""


Outcome = Rejected | Drafted
"""Why there is no task, or the task."""


class Journal:
    """The outcomes so far of one import."""

    def __init__(self, path: Path, rules: Iterable[str]) -> None:
        self._path = path
        self._rules = "\n".join(rules)
        self._known: dict[str, Outcome] = dict(_read(path))
        self._used: dict[str, Outcome] = {}

    def find(self, tickets: Iterable[Ticket], linked: Linked) -> Outcome | None:
        """What became of a ticket in an earlier import.

        Args:
            tickets: The ticket, then the others whose words its task may have.
            linked: Its fixes.
        """
        key = self._key(tickets, linked)
        outcome = self._known.get(key)
        if outcome is not None:
            self._used[key] = outcome
        return outcome

    def add(self, tickets: Iterable[Ticket], linked: Linked, outcome: Outcome) -> None:
        """Note an outcome."""
        key = self._key(tickets, linked)
        self._used[key] = outcome
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(key, outcome))

    def close(self) -> None:
        """The import is complete: keep what it used, for the next."""
        lines = [_line(key, outcome) for key, outcome in self._used.items()]
        write_atomic(self._path, "".join(lines).encode())

    def _key(self, tickets: Iterable[Ticket], linked: Linked) -> str:
        words = (ticket.model_dump_json() for ticket in tickets)
        parts = (self._rules, linked.model_dump_json(), *words)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _line(key: str, outcome: Outcome) -> str:
    entry: dict[str, object] = {"key": key}
    if isinstance(outcome, Rejected):
        entry["rejected"] = outcome.model_dump(mode="json")
    else:
        entry |= outcome._asdict()
    return f"{json.dumps(entry)}\n"


def _read(path: Path) -> Iterable[tuple[str, Outcome]]:
    """The entries that are whole; the last one may be torn."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
            rejected = entry.get("rejected")
            if rejected:
                yield entry["key"], Rejected.model_validate_json(json.dumps(rejected))
            else:
                yield entry["key"], Drafted(entry["task"], entry["digest"])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
