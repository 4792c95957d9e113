"""GitHub: exports in the shape of the REST API (v3), or the live API.

A source is a JSON file, a directory of JSON files, `github:owner/name`, or the address of a
repository or of its API.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from micro_bench.errors import BadInputError
from micro_bench.model.ticket import Export
from micro_bench.tickets.importers._clones import is_clone
from micro_bench.tickets.importers._files import Document, export_files, is_json_path, read_document
from micro_bench.tickets.importers._github_api import read_api
from micro_bench.tickets.importers._github_collect import collect
from micro_bench.tickets.importers._github_shapes import Found, Kind, kind_of, walk
from micro_bench.tickets.importers._importer import ImportContext

NAME = "github"

_REPOSITORY = r"(?P<repo>[\w.-]+/[\w.-]+?)(?:\.git)?/?$"
_NAMED = re.compile(rf"github:(?://)?{_REPOSITORY}")
_WEB = re.compile(rf"https?://(?:www\.)?github\.com/{_REPOSITORY}")
_API = re.compile(rf"(?P<base>https?://[^\s?#]+?)/repos/{_REPOSITORY}")
_OF_ISSUE = re.compile(r"(?:issue|timeline)?[-_]?(?P<number>\d+)(?:[-_](?:timeline|events))?")


def recognises(source: str) -> bool:
    """An address of GitHub, or an export that holds GitHub's records."""
    if _live_repo(source):
        return True
    if not source or not Path(source).exists():
        return False
    found = export_files(source, deep=not is_clone(Path(source)))
    files = (file for file in found if is_json_path(file))
    return any(kind_of(found.record) is not Kind.OTHER for file in files for found in _found(file))


def read(source: str, context: ImportContext) -> Export:
    """Everything the export or the API holds.

    Raises:
        BadInputError: It holds no record of GitHub's.
        NotFoundError: There is no such file.
        TrackerError: The API refused or could not be reached.

    """
    live = _live_repo(source)
    if live:
        base, repo = live
        name, records = read_api(repo, _based(context, base))
        return collect(records, name)
    return _read_files(source, context)


def _read_files(source: str, context: ImportContext) -> Export:
    files = export_files(source)
    records: list[Found] = []
    complaints: list[str] = []
    for done, file in enumerate(files, 1):
        name = str(file.relative_to(source)) if Path(source).is_dir() else file.name
        document = read_document(file, name)
        found = list(walk(_whole(document), name, _issue_of(file)))
        complaints += document.complaints
        if any(document.values) and not found:
            complaints.append(f"{name}: holds no issues, pull requests, comments or events")
        records += found
        context.progress("files", done, len(files))
    if not records:
        raise BadInputError(
            f"{source} holds no GitHub issues: {'; '.join(complaints) or 'no JSON file'}",
            next_step="export with: gh api --paginate 'repos/OWNER/NAME/issues?state=all'",
        )
    return collect(records, context.repo, complaints)


def _found(file: Path) -> list[Found]:
    return list(walk(_whole(read_document(file, file.name)), file.name))


def _whole(document: Document) -> Any:
    """A file's only value, or all of them as a list."""
    return document.values[0] if len(document.values) == 1 else list(document.values)


def _issue_of(file: Path) -> int | None:
    """The issue that a file's name says it is of: `31.json`, `timeline-31.json`."""
    found = _OF_ISSUE.fullmatch(file.name.partition(".")[0])
    return int(found["number"]) if found else None


def _live_repo(source: str) -> tuple[str | None, str] | None:
    """The API's base address, if the source gives it, and the repository."""
    for pattern in (_NAMED, _WEB, _API):
        found = pattern.fullmatch(source)
        if found:
            return found.groupdict().get("base"), found["repo"]
    return None


def _based(context: ImportContext, base: str | None) -> ImportContext:
    return replace(context, api_url=base or context.api_url)
