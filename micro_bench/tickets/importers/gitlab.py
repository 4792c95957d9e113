"""GitLab: issues, merge requests and notes as its REST API has them, and the records of a project
export (`tree/project/issues.ndjson`, `merge_requests.ndjson`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from micro_bench.errors import BadInputError
from micro_bench.model.ticket import Comment, Export, PullRequest
from micro_bench.tickets.importers._clones import is_clone
from micro_bench.tickets.importers._files import (
    clean_text,
    export_files,
    is_json_path,
    read_document,
)
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.importers._rows import Reading, Row, list_of, mapping_of, text_of

NAME = "gitlab"
_WEB = re.compile(
    r"https?://[^/\s]+/(?P<repo>[\w.-]+(?:/[\w.-]+){1,6}?)(?:/-)?/(?:issues|merge_requests|work_items)/\d+"
)
_SHA = re.compile(r"[0-9a-f]{40}")
_HOW = (
    "glab api --paginate 'projects/GROUP%2FNAME/issues?state=all' > issues.json, and merge_requests"
)


def recognises(source: str) -> bool:
    """JSON with records that have GitLab's `iid`."""
    path = Path(source)
    if not source or not path.exists() or is_clone(path):
        return False
    return any(True for file in _files(source) for _ in _records(file, []))


def read(source: str, context: ImportContext) -> Export:
    """Everything the export holds.

    Raises:
        BadInputError: It holds no issue of GitLab's, or nobody says which repository it is about.
        NotFoundError: There is no such file.
    """
    complaints: list[str] = []
    records = [one for file in _files(source) for one in _records(file, complaints)]
    if not records:
        raise BadInputError(f"{source} holds no issue of GitLab's", next_step=_HOW)
    repo = context.repo or _named(records)
    if not repo:
        raise BadInputError(
            "the export does not say which project it is of", next_step="--repo GROUP/NAME"
        )
    reading = Reading(NAME, repo, complaints)
    pulls = []
    for record, place in records:
        if _is_merge_request(record):
            pulls.append(_pull(record, place, reading))
        elif record.get("noteable_iid") is None:
            reading.rows.append(_row(record, place, reading))
    _with_notes(records, reading)
    return reading.export(tuple(one for one in pulls if one is not None))


def _files(source: str) -> tuple[Path, ...]:
    return tuple(file for file in export_files(source) if is_json_path(file))


def _records(file: Path, complaints: list[str]) -> Iterator[tuple[Mapping[str, object], str]]:
    document = read_document(file, file.name)
    complaints += document.complaints
    for value in document.values:
        yield from _found(value, file.name)


def _found(value: object, place: str) -> Iterator[tuple[Mapping[str, object], str]]:
    if isinstance(value, list):
        for one in value:
            yield from _found(one, place)
        return
    record = mapping_of(value)
    attributes = mapping_of(record.get("object_attributes"))
    if attributes and text_of(record.get("object_kind")) in {"issue", "merge_request"}:
        project = mapping_of(record.get("project"))
        yield {**attributes, "_repo": project.get("path_with_namespace")}, place
    elif (
        "iid" in record
        and "title" in record
        and ("labels" in record or "author" in record or "author_id" in record)
    ):
        if "id" in record or "issue_assignees" in record or "notes" in record:
            yield record, place
    elif record.get("noteable_iid") is not None and "body" in record:
        yield record, place


def _named(records: list[tuple[Mapping[str, object], str]]) -> str:
    for record, _ in records:
        if repo := text_of(record.get("_repo")):
            return repo
        full = text_of(mapping_of(record.get("references")).get("full"))
        if found := re.fullmatch(r"([\w./-]+)[#!]\d+", full):
            return found[1]
        if found := _WEB.match(text_of(record.get("web_url") or record.get("url"))):
            return found["repo"]
    return ""


def _is_merge_request(record: Mapping[str, object]) -> bool:
    return "source_branch" in record or "target_branch" in record


def _row(record: Mapping[str, object], place: str, reading: Reading) -> Row:
    iid = text_of(record.get("iid"))
    place = f"{place}, #{iid}"
    state = text_of(record.get("state"))
    closed = state == "closed" or record.get("state_id") == 2
    labels = [
        text_of(one) if isinstance(one, str) else text_of(mapping_of(one).get("title"))
        for one in list_of(record.get("labels"))
    ]
    linked = [
        text_of(mapping_of(mapping_of(one).get("label")).get("title"))
        for one in list_of(record.get("label_links"))
    ]
    return Row(
        iid, text_of(record.get("title")), text_of(record.get("description")),
        text_of(record.get("created_at")),
        text_of(record.get("closed_at") or record.get("updated_at")) if closed else "",
        is_closed=closed, url=text_of(record.get("web_url") or record.get("url")),
        labels=[*labels, *linked], place=place,
        comments=tuple(_notes(list_of(record.get("notes")), reading, place)),
    )  # fmt: skip


def _notes(notes: object, reading: Reading, place: str) -> Iterator[Comment]:
    for note in map(mapping_of, list_of(notes)):
        created = reading.time(note.get("created_at"), place)
        if created is None or note.get("system") is True:
            continue
        updated: datetime = reading.time(note.get("updated_at"), place) or created
        who = text_of(mapping_of(note.get("author")).get("username"))
        text = clean_text(text_of(note.get("body") or note.get("note")))
        yield Comment(author=who, created=created, updated=updated, body=text)


def _with_notes(records: list[tuple[Mapping[str, object], str]], reading: Reading) -> None:
    """Notes that stand by themselves belong to the issue they name."""
    by_issue: dict[str, list[Comment]] = {}
    for record, place in records:
        if text_of(record.get("noteable_type")) == "Issue" and record.get("noteable_iid"):
            found = list(_notes([record], reading, place))
            by_issue.setdefault(text_of(record["noteable_iid"]), []).extend(found)
    reading.rows = [
        Row(**{**vars(row), "comments": (*row.comments, *by_issue.get(row.ident, ()))})
        for row in reading.rows
    ]


def _pull(record: Mapping[str, object], place: str, reading: Reading) -> PullRequest | None:
    iid = text_of(record.get("iid"))
    if not iid.isdigit():
        reading.complain(place, f"a merge request has the number {iid[:20]!r}")
        return None
    refs = mapping_of(record.get("diff_refs"))
    commit = next((one for one in map(_sha, (
        record.get("merge_commit_sha"), record.get("squash_commit_sha"), record.get("sha"),
    )) if one), None)  # fmt: skip
    merged = reading.time(record.get("merged_at") or _merged_of_metrics(record), f"{place}, !{iid}")
    branch = text_of(record.get("source_branch"))
    body = clean_text(text_of(record.get("description")))
    return PullRequest(
        number=int(iid), url=text_of(record.get("web_url") or record.get("url")),
        title=clean_text(text_of(record.get("title"))),
        body=f"{body}\n\n{_branch_words(branch)}".strip(),
        state=text_of(record.get("state")) or "unknown", merged=merged, merge_commit=commit,
        head=_sha(refs.get("head_sha")) or _sha(record.get("sha")),
        base=_sha(refs.get("start_sha")),
    )  # fmt: skip


def _merged_of_metrics(record: Mapping[str, object]) -> object:
    return mapping_of(record.get("metrics")).get("merged_at")


def _branch_words(branch: str) -> str:
    """GitLab names a branch `12-title` when it makes one for issue 12: that mentions it."""
    found = re.match(r"(\d{1,9})-", branch)
    return f"Branch for #{found[1]}" if found else ""


def _sha(value: object) -> str | None:
    text = text_of(value)
    return text if _SHA.fullmatch(text) else None
