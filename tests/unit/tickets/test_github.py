"""The GitHub importer: what a source is, and the live API against a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from micro_bench.edge.http import Api
from micro_bench.errors import BadInputError, NotFoundError, TrackerError
from micro_bench.tickets.importers import github
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.sources import find_importer

REPO = "acme/parcel"


def issue(number: int, updated: str = "2024-01-05T00:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "title": f"Ticket {number}",
        "body": None,
        "state": "closed",
        "created_at": f"2024-01-01T{number // 60 % 24:02}:{number % 60:02}:00Z",
        "updated_at": updated,
        "closed_at": "2024-01-05T00:00:00Z",
        "html_url": f"https://github.com/{REPO}/issues/{number}",
        **more,
    }


def pull(number: int, updated: str = "2024-01-05T00:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        **issue(number, updated),
        "html_url": f"https://github.com/{REPO}/pull/{number}",
        "head": {"sha": "b" * 40},
        "base": {"sha": "c" * 40},
        "merged_at": "2024-01-05T00:00:00Z",
        "merge_commit_sha": "a" * 40,
        **more,
    }


class Tracker:
    """Serves a small repository as GitHub does, a few records a page."""

    def __init__(self) -> None:
        self.issues = [issue(n) for n in range(1, 8)]
        self.pulls = [pull(50)]
        self.comments = [
            {
                "id": 1,
                "body": "me too",
                "user": {"login": "eve"},
                "created_at": "2024-01-02T00:00:00Z",
                "issue_url": f"https://api.github.com/repos/{REPO}/issues/1",
            }
        ]
        self.per_page = 3
        self.asked: list[str] = []
        self.fail_after: int | None = None
        tracker = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tracker.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.asked.append(request.path)
        if self.fail_after is not None and len(self.asked) > self.fail_after:
            self.send(request, 404, {"message": "gone for now"}, {})
            return
        page = int(query.get("page", "1"))
        records = self.records(parts.path.removeprefix(f"/repos/{REPO}").strip("/"), query)
        if not isinstance(records, list):
            self.send(request, 200, records, {})
            return
        start = (page - 1) * self.per_page
        link = {}
        if len(records) > start + self.per_page:
            rest = "&".join(f"{k}={v}" for k, v in query.items() if k != "page")
            link = {"link": f'<{self.url}{parts.path}?{rest}&page={page + 1}>; rel="next"'}
        self.send(request, 200, records[start : start + self.per_page], link)

    def records(self, path: str, query: dict[str, str]) -> Any:
        if path == "":
            return {"full_name": REPO}
        if path in {"issues", "pulls", "issues/comments"}:
            stubs = [
                {
                    **issue(p["number"], p["updated_at"]),
                    "pull_request": {"merged_at": p["merged_at"]},
                }
                for p in self.pulls
            ]
            found = {
                "issues": [*self.issues, *stubs],
                "pulls": self.pulls,
                "issues/comments": self.comments,
            }[path]
            since = query.get("since", "")
            kept = [r for r in found if r.get("updated_at", r["created_at"]) >= since]
            return sorted(kept, key=lambda record: record["created_at"])
        if path.startswith("pulls/"):
            return next(p for p in self.pulls if p["number"] == int(path.rpartition("/")[2]))
        number = int(path.split("/")[1])
        return [
            {"event": "labeled", "created_at": "2024-01-05T00:00:00Z"},
            {
                "event": "closed",
                "commit_id": f"{number:040x}",
                "created_at": "2024-01-05T00:00:00Z",
            },
        ]

    def send(self, request: BaseHTTPRequestHandler, status: int, body: Any, headers: Any) -> None:
        raw = json.dumps(body).encode()
        request.send_response(status)
        for name, value in {**headers, "content-length": str(len(raw))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(raw)


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracker]:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    tracker = Tracker()
    yield tracker
    tracker.http.shutdown()
    tracker.http.server_close()


def context(tracker: Tracker, cache: Path | None = None, **more: Any) -> ImportContext:
    return ImportContext(http=Api, api_url=tracker.url, cache=cache, **more)


@pytest.mark.parametrize(
    "source",
    [
        "github:acme/parcel",
        "github://acme/parcel",
        "https://github.com/acme/parcel",
        "https://github.com/acme/parcel.git",
        "https://www.github.com/acme/parcel/",
        "https://api.github.com/repos/acme/parcel",
        "https://git.example.org/api/v3/repos/acme/parcel",
    ],
)
def test_addresses_are_recognised(source: str) -> None:
    assert find_importer(source) is github


@pytest.mark.parametrize(
    "source",
    ["github:acme", "github:a/b/c", "https://gitlab.com/acme/parcel", "acme/parcel", "github:-x"],
)
def test_other_addresses_are_not(source: str) -> None:
    assert not github.recognises(source)
    with pytest.raises(BadInputError, match="no importer takes") as caught:
        find_importer(source)
    assert "github" in caught.value.next_step


def test_an_importer_can_be_named() -> None:
    assert find_importer("anything", "github") is github
    with pytest.raises(NotFoundError):
        find_importer("anything", "nobody")


def test_everything_is_read_over_pages(tracker: Tracker) -> None:
    export = github.read("github:Acme/Parcel".lower(), context(tracker))
    assert export.repo == REPO
    assert [ticket.number for ticket in export.tickets] == [1, 2, 3, 4, 5, 6, 7]
    assert [pull.merge_commit for pull in export.pulls] == ["a" * 40]
    assert export.tickets[0].comments[0].body == "me too"
    assert {event.ticket: event.commit for event in export.events} == {
        n: f"{n:040x}" for n in range(1, 8)
    }
    assert export.complaints == ()


def test_the_base_in_the_source_wins(tracker: Tracker) -> None:
    elsewhere = ImportContext(http=Api, api_url="http://127.0.0.1:9")
    assert github.read(f"{tracker.url}/repos/{REPO}", elsewhere).repo == REPO


def test_progress_is_told(tracker: Tracker) -> None:
    told: list[tuple[str, int, int | None]] = []
    github.read(f"github:{REPO}", context(tracker, progress=lambda *what: told.append(what)))
    assert ("issues", 8, None) in told
    assert told[-1] == ("timelines", 7, 7)


def test_an_interrupted_import_goes_on_where_it_stopped(tracker: Tracker, tmp_path: Path) -> None:
    tracker.fail_after = 6
    with pytest.raises(TrackerError):
        github.read(f"github:{REPO}", context(tracker, tmp_path))
    first = set(tracker.asked)
    tracker.fail_after = None
    tracker.asked.clear()
    export = github.read(f"github:{REPO}", context(tracker, tmp_path))
    assert len(export.tickets) == 7
    full = {path for path in first if "/issues?" in path and "page=3" not in path}
    assert full
    assert not full & set(tracker.asked)


def test_a_second_import_asks_for_what_is_new(tracker: Tracker, tmp_path: Path) -> None:
    before = github.read(f"github:{REPO}", context(tracker, tmp_path))
    asked = len(tracker.asked)
    tracker.asked.clear()
    assert github.read(f"github:{REPO}", context(tracker, tmp_path)) == before
    assert len(tracker.asked) < asked
    assert not [path for path in tracker.asked if "timeline" in path]


def test_what_changed_since_is_seen(tracker: Tracker, tmp_path: Path) -> None:
    tracker.issues[0] = issue(1, state="open", closed_at=None)
    tracker.pulls = [pull(n, merged_at=None, merge_commit_sha=None) for n in (50, 51, 52, 53)]
    first = github.read(f"github:{REPO}", context(tracker, tmp_path))
    assert first.tickets[0].state == "open"
    later = "2999-01-01T00:00:00Z"
    tracker.issues[0] = issue(1, later, title="Edited")
    tracker.issues.append(issue(60))
    tracker.pulls[0] = pull(50, later)
    second = github.read(f"github:{REPO}", context(tracker, tmp_path))
    assert (second.tickets[0].state, second.tickets[0].title) == ("closed", "Edited")
    assert second.tickets[-1].number == 60
    assert [one.merge_commit for one in second.pulls] == ["a" * 40, None, None, None]
    assert {event.ticket for event in second.events} >= {1, 60}


def test_everything_is_asked_again_on_request(tracker: Tracker, tmp_path: Path) -> None:
    github.read(f"github:{REPO}", context(tracker, tmp_path))
    asked = sorted(tracker.asked)
    tracker.asked.clear()
    github.read(f"github:{REPO}", context(tracker, tmp_path, refresh=True))
    assert sorted(tracker.asked) == asked


def test_a_damaged_page_is_asked_for_again(tracker: Tracker, tmp_path: Path) -> None:
    before = github.read(f"github:{REPO}", context(tracker, tmp_path))
    for file in tmp_path.rglob("*.json"):
        file.write_bytes(b'{"data": [')
    assert github.read(f"github:{REPO}", context(tracker, tmp_path)) == before


def test_a_renamed_repository_s_export_is_read_under_its_new_name(tmp_path: Path) -> None:
    (tmp_path / "issues.json").write_text(json.dumps([issue(1)]))
    export = github.read(str(tmp_path), ImportContext(repo="acme/renamed"))
    assert (export.repo, len(export.tickets)) == ("acme/renamed", 1)


def test_an_export_that_names_no_repository_needs_the_name(tmp_path: Path) -> None:
    file = tmp_path / "issues.json"
    file.write_text(json.dumps([issue(1, html_url=None)]))
    with pytest.raises(BadInputError, match="which repository") as caught:
        github.read(str(file), ImportContext())
    assert "--repo" in caught.value.next_step
    export = github.read(str(file), ImportContext(repo=REPO))
    assert export.tickets[0].url == f"https://github.com/{REPO}/issues/1"


def test_a_large_export_is_read_quickly(tmp_path: Path) -> None:
    file = tmp_path / "issues.jsonl"
    file.write_text("\n".join(json.dumps(issue(n, body="x" * 500)) for n in range(1, 20_001)))
    assert len(github.read(str(file), ImportContext()).tickets) == 20_000
