"""What an import under way has done, so that an interrupted one goes on quickly.

A line is appended for every ticket as its outcome is known, after its spec was saved. The file is
removed at the end: a whole import is always made anew, by the rules of this version. An entry
holds only for the very same input.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from micro_bench.model.ticket import Ticket
from micro_bench.tasks.outcomes import Rejected
from micro_bench.tickets.link import Linked

Outcome = Rejected | str
"""Why there is no task, or the task's id."""


class Journal:
    """The outcomes so far of one import."""

    def __init__(self, path: Path, rules: Iterable[str]) -> None:
        self._path = path
        self._rules = "\n".join(rules)
        self._known: dict[str, Outcome] = dict(_read(path))

    def find(self, tickets: Iterable[Ticket], linked: Linked) -> Outcome | None:
        """What became of a ticket before the interruption.

        Args:
            tickets: The ticket, then the others whose words its task may have.
            linked: Its fixes.
        """
        return self._known.get(self._key(tickets, linked))

    def add(self, tickets: Iterable[Ticket], linked: Linked, outcome: Outcome) -> None:
        """Note an outcome."""
        entry: dict[str, object] = {"key": self._key(tickets, linked)}
        if isinstance(outcome, Rejected):
            entry["rejected"] = outcome.model_dump(mode="json")
        else:
            entry["task"] = outcome
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")

    def close(self) -> None:
        """The import is complete: the next one begins anew."""
        self._path.unlink(missing_ok=True)

    def _key(self, tickets: Iterable[Ticket], linked: Linked) -> str:
        words = (ticket.model_dump_json() for ticket in tickets)
        parts = (self._rules, linked.model_dump_json(), *words)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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
            yield (
                entry["key"],
                (Rejected.model_validate_json(json.dumps(rejected)) if rejected else entry["task"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
