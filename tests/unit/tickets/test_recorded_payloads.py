"""Recorded answers of the real API, where they lie beside the checkout; else the cases suffice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from micro_bench.tickets.importers import github
from micro_bench.tickets.importers._importer import ImportContext

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no recorded payloads beside the checkout"
)


def recorded(folder: str, name: str) -> list[Any]:
    """The bodies of a recording's successful answers."""
    calls = json.loads((DATA / folder / name).read_bytes())
    good = [call for call in calls if call["status"] == 200]
    return [
        call["body"] if "method" in call and "link" in call else call["response"] for call in good
    ]


def export(tmp_path: Path, *bodies: Any, repo: str | None = None) -> Any:
    for number, body in enumerate(bodies):
        (tmp_path / f"page {number}.json").write_text(json.dumps(body))
    return github.read(str(tmp_path), ImportContext(repo=repo))


def test_a_paged_list_of_issues(tmp_path: Path) -> None:
    bodies = recorded("github_rest_octokit", "paginate-issues.json")
    found = export(tmp_path, *bodies)
    assert len(found.tickets) == sum(map(len, bodies)) > 10
    assert found.complaints == ()


def test_a_real_repository_s_issues(tmp_path: Path) -> None:
    bodies = recorded("github_rest_github3_cassettes", "Repository_issues_state_all.json")
    found = export(tmp_path, *bodies)
    records = [record for body in bodies if isinstance(body, list) for record in body]
    pulls = [record for record in records if record.get("pull_request")]
    assert len(found.pulls) == len(pulls) > 0
    assert len(found.tickets) == len(records) - len(pulls) > 0
    assert [line for line in found.complaints if "record" in line] == []


def test_a_real_repository_s_events(tmp_path: Path) -> None:
    bodies = recorded("github_rest_github3_cassettes", "Repository_issue_events.json")
    found = export(tmp_path, *bodies)
    assert {event.kind for event in found.events} >= {"closed", "referenced", "merged"}
    assert all(event.commit for event in found.events if event.kind == "merged")
    assert [line for line in found.complaints if "record" in line] == []


def test_a_real_pull_request(tmp_path: Path) -> None:
    bodies = recorded("github_rest_github3_cassettes", "PullRequest_single.json")
    (pull,) = export(tmp_path, *bodies).pulls
    assert pull.number == 235
    assert pull.merge_commit == "8af3fd28fce3cb8d824b3c7242d73c4727d6cb38"


@pytest.mark.parametrize(
    ("name", "tickets", "pulls"),
    [
        ("repos_issues.json", 0, 1),
        ("repos_issues_issue_number.json", 0, 1),
        ("repos_pulls.json", 0, 1),
        ("repos_pulls_pull_number.json", 0, 1),
        ("search_issues.json", 0, 1),
    ],
)
def test_the_documentation_s_examples(tmp_path: Path, name: str, tickets: int, pulls: int) -> None:
    body = json.loads((DATA / "github_rest_openapi_examples" / name).read_bytes())
    found = export(tmp_path, body)
    assert (len(found.tickets), len(found.pulls), found.complaints) == (tickets, pulls, ())
