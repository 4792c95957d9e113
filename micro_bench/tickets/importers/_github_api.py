"""GitHub's live API → records. Every page is kept, so that an interrupted import resumes.

Lists are read oldest entry first: a full page never gets or loses an entry. What was edited
since a page was kept is asked for by its time of change, so a second import is short too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from micro_bench.edge import clock
from micro_bench.edge.files import write_atomic
from micro_bench.edge.http import Page
from micro_bench.tickets.importers._github_shapes import (
    Found,
    Kind,
    Record,
    kind_of,
    updated_of,
    walk,
)
from micro_bench.tickets.importers._importer import ImportContext, JsonApi

PUBLIC_API = "https://api.github.com"
_ALL = {"state": "all", "per_page": "100"}
_BY_CREATION = {"sort": "created", "direction": "asc"}
_BY_UPDATE = {"sort": "updated", "direction": "asc"}
_TIMELINE = {"per_page": "100"}
_CLOCKS_DIFFER_BY = timedelta(minutes=10)


@dataclass
class _Kept:
    """An API whose pages are kept on disk."""

    api: JsonApi
    folder: Path | None
    refresh: bool
    oldest: datetime | None = field(default=None)
    """When the oldest page that was taken from the disk had been asked for."""

    def pages(self, path: str, params: Mapping[str, str], version: str = "") -> Iterator[Page]:
        """Pages from the disk where they are there and final, else from the API.

        The last page of a list is asked for again, as more may have been added to it, unless
        `version` says when its content was last touched.
        """
        url: str | None = self.api.url(path, params)
        while url is not None:
            page = self._kept(url, version)
            if page is None:
                page = self.api.page(url)
                self._keep(url, version, page)
            yield page
            url = page.next

    def fresh(self, path: str, params: Mapping[str, str]) -> Iterator[Page]:
        """Pages from the API: entries of a list by time of change move from page to page."""
        url: str | None = self.api.url(path, params)
        while url is not None:
            page = self.api.page(url)
            yield page
            url = page.next

    def _file(self, url: str, version: str) -> Path | None:
        name = hashlib.sha256(f"{url}\n{version}".encode()).hexdigest()
        return self.folder / name[:2] / f"{name}.json" if self.folder else None

    def _kept(self, url: str, version: str) -> Page | None:
        file = self._file(url, version)
        if file is None or self.refresh:
            return None
        try:
            kept = json.loads(file.read_bytes())
            page, at = Page(kept["data"], kept["next"]), datetime.fromisoformat(kept["at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not page.next and not version:
            return None
        if not version:
            self.oldest = min(at, self.oldest or at)
        return page

    def _keep(self, url: str, version: str, page: Page) -> None:
        file = self._file(url, version)
        if file is not None:
            at = clock.now().isoformat()
            kept = {"url": url, "at": at, "next": page.next, "data": page.data}
            write_atomic(file, json.dumps(kept).encode())


@dataclass(frozen=True)
class _Reader:
    repo: str
    kept: _Kept
    context: ImportContext

    def listed(self, path: str, params: Mapping[str, str]) -> Iterator[Found]:
        """The records of a list, then those that changed after its kept pages were asked for."""
        self.kept.oldest = None
        pages = self.kept.pages(self._address(path), {**params, **_BY_CREATION})
        yield from self._walked(path, pages)
        if self.kept.oldest is not None:
            since = (self.kept.oldest - _CLOCKS_DIFFER_BY).strftime("%Y-%m-%dT%H:%M:%SZ")
            changed = {**params, **_BY_UPDATE, "since": since}
            yield from self._walked(path, self.kept.fresh(self._address(path), changed))

    def pulls(self, issues: Iterable[Record]) -> Iterator[Found]:
        """The list of pull requests knows no time of change; issues that are pulls tell it."""
        known: dict[int, datetime] = {}
        pages = self.kept.pages(self._address("pulls"), {**_ALL, **_BY_CREATION})
        for found in self._walked("pulls", pages):
            known[found.record.get("number", 0)] = updated_of(found.record)
            yield found
        for issue in issues:
            number = issue.get("number", 0)
            if kind_of(issue) is Kind.PULL_STUB and updated_of(issue) > known.get(
                number, updated_of({})
            ):
                path, version = f"pulls/{number}", str(issue.get("updated_at"))
                yield from self._walked(path, self.kept.pages(self._address(path), {}, version))

    def timelines(self, issues: Iterable[Record]) -> Iterator[Found]:
        """The events of every closed issue; an open one has no fix yet."""
        closed = [one for one in issues if kind_of(one) is Kind.ISSUE and one.get("closed_at")]
        for done, record in enumerate(closed, 1):
            number, version = record.get("number"), str(record.get("updated_at") or "")
            path = f"issues/{number}/timeline"
            for page in self.kept.pages(self._address(path), _TIMELINE, version):
                yield from walk(page.data, path, number)
            self.context.progress("timelines", done, len(closed))

    def _address(self, path: str) -> str:
        return f"repos/{self.repo}/{path}"

    def _walked(self, path: str, pages: Iterable[Page]) -> Iterator[Found]:
        done = 0
        for page in pages:
            for found in walk(page.data, path):
                done += 1
                yield found
            self.context.progress(path, done, None)


def read_api(repo: str, context: ImportContext) -> tuple[str, tuple[Found, ...]]:
    """The repository's present name, and every record of it."""
    api = context.http(context.api_url or PUBLIC_API)
    about = api.get(f"repos/{repo}")
    name = str(about.get("full_name") or repo) if isinstance(about, dict) else repo
    folder = context.cache / "github" / name.lower().replace("/", "__") if context.cache else None
    reader = _Reader(name, _Kept(api, folder, context.refresh), context)
    issues = tuple(reader.listed("issues", _ALL))
    newest = _newest(issues)
    rest = (
        *reader.pulls(newest),
        *reader.listed("issues/comments", {"per_page": "100"}),
        *reader.timelines(newest),
    )
    return name, (*issues, *rest)


def _newest(issues: Iterable[Found]) -> tuple[Record, ...]:
    """The last version of each issue, by number."""
    newest: dict[int, Record] = {}
    for record in sorted((found.record for found in issues), key=updated_of):
        if isinstance(record.get("number"), int):
            newest[record["number"]] = record
    return tuple(newest[number] for number in sorted(newest))
