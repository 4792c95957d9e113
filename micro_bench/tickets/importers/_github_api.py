"""GitHub's live API → records. Every page is kept, so that an interrupted import resumes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micro_bench.edge.files import write_atomic
from micro_bench.edge.http import Page
from micro_bench.tickets.importers._github_shapes import Found, Kind, kind_of, walk
from micro_bench.tickets.importers._importer import ImportContext, JsonApi

PUBLIC_API = "https://api.github.com"
_OLDEST_FIRST = {"state": "all", "per_page": "100", "sort": "created", "direction": "asc"}
"""New entries come last, so that the pages before stay as they are."""
_COMMENTS = {"per_page": "100", "sort": "created", "direction": "asc"}


@dataclass(frozen=True)
class _Kept:
    """An API whose pages are kept on disk."""

    api: JsonApi
    folder: Path | None
    refresh: bool

    def pages(self, path: str, params: dict[str, str], version: str = "") -> Iterator[Page]:
        """Pages from the disk where they are there and final, else from the API.

        The last page of a list is asked for again unless `version` says when its content
        was last touched: more may have been added to it.
        """
        url: str | None = self.api.url(path, params)
        while url is not None:
            page = self._kept(url, version)
            if page is None:
                page = self.api.page(url)
                self._keep(url, version, page)
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
            page = Page(kept["data"], kept["next"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return page if page.next or version else None

    def _keep(self, url: str, version: str, page: Page) -> None:
        file = self._file(url, version)
        if file is not None:
            kept = {"url": url, "next": page.next, "data": page.data}
            write_atomic(file, json.dumps(kept).encode())


def read_api(repo: str, context: ImportContext) -> tuple[str, tuple[Found, ...]]:
    """The repository's present name, and every record of it."""
    api = context.http(context.api_url or PUBLIC_API)
    about = api.get(f"repos/{repo}")
    name = str(about.get("full_name") or repo) if isinstance(about, dict) else repo
    folder = context.cache / "github" / name.lower().replace("/", "__") if context.cache else None
    kept = _Kept(api, folder, context.refresh)
    issues = tuple(_listed(kept, f"repos/{name}/issues", _OLDEST_FIRST, context))
    rest = (
        *_listed(kept, f"repos/{name}/pulls", _OLDEST_FIRST, context),
        *_listed(kept, f"repos/{name}/issues/comments", _COMMENTS, context),
        *_timelines(kept, name, issues, context),
    )
    return name, (*issues, *rest)


def _listed(
    kept: _Kept, path: str, params: dict[str, str], context: ImportContext
) -> Iterator[Found]:
    done = 0
    for page in kept.pages(path, params):
        for found in walk(page.data, path):
            done += 1
            yield found
        context.progress(path.rpartition("/")[2], done, None)


def _timelines(
    kept: _Kept, repo: str, issues: tuple[Found, ...], context: ImportContext
) -> Iterator[Found]:
    """The events of every closed issue; an open one has no fix yet."""
    closed = [found.record for found in issues if _has_closed(found)]
    for done, record in enumerate(closed, 1):
        number: Any = record.get("number")
        path = f"repos/{repo}/issues/{number}/timeline"
        version = str(record.get("updated_at") or "")
        for page in kept.pages(path, {"per_page": "100"}, version):
            yield from walk(page.data, path, number)
        context.progress("timelines", done, len(closed))


def _has_closed(found: Found) -> bool:
    record = found.record
    return kind_of(record) is Kind.ISSUE and bool(record.get("closed_at")) and "number" in record
