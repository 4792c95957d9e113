"""Toy repositories with a fix, for the tests of this room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from micro_bench.edge.git import Repository
from micro_bench.model.ticket import Fix, Link, LinkKind, Ticket
from micro_bench.tasks.material import DraftSettings, Workshop
from tests.fakes.fake_language import FakeLanguage
from tests.unit.tickets.git_builder import Content, GitBuilder

OPENED = datetime(2023, 5, 1, tzinfo=UTC)
TEST = "def test_it\n  check\n"


def ticket(number: int = 1, **more: object) -> Ticket:
    values: dict[str, object] = {
        "source": "github",
        "repo": "acme/Toy.Shop",
        "number": number,
        "url": f"https://github.com/acme/toy/issues/{number}",
        "title": "Totals are wrong",
        "body": "They are.",
        "state": "closed",
        "opened": OPENED,
        "closed": OPENED,
    }
    return Ticket(**{**values, **more})  # type: ignore[arg-type]


def fix_of(commit: str, base: str, **more: object) -> Fix:
    link = Link(kind=LinkKind.CLOSING_KEYWORD, where="commit", quote="Fixes #1", confidence=0.95)
    values: dict[str, object] = {
        "commit": commit,
        "base": base,
        "merged": datetime(2024, 1, 1, tzinfo=UTC),
        "links": (link,),
        "confidence": 0.95,
    }
    return Fix(**{**values, **more})  # type: ignore[arg-type]


class Toy:
    """A repository of two commits: before a fix and after it."""

    def __init__(
        self,
        path: Path,
        before: Mapping[str, Content],
        after: Mapping[str, Content],
        *,
        tested: bool = True,
        settings: DraftSettings | None = None,
    ) -> None:
        self.builder = GitBuilder(path)
        self.base = self.builder.commit("before", before)
        test: Mapping[str, Content] = {"tests/test_new.toy": TEST} if tested else {}
        self.fix = fix_of(self.builder.commit("after", {**after, **test}), self.base)
        self.clone = Repository.open(path)
        self.language = FakeLanguage()
        self.workshop = Workshop(self.clone, self.language, settings=settings or DraftSettings())
