"""The words were written with the fix."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.model.ticket import Words
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL107"
NAME = "words-of-the-fix"
ABOUT = (
    "No tracker told of the ticket: title and instruction are those of a commit or a pull "
    "request, written by whoever knew the solution. Read them as an agent would."
)


SAID = {
    Words.COMMIT_SUBJECT: "a subject line only: it may say too little to be fair",
    Words.COMMIT_MESSAGE: "a commit message, written with the fix: it may give it away",
    Words.PULL_REQUEST: "a pull request, written with the fix: it may give it away",
}


def find(case: Case) -> Iterator[Found]:
    """Whose words they are, where they are not the tracker's."""
    if said := SAID.get(case.task.ticket.words):
        yield Found(Level.NOTE, said, "ticket.words")
