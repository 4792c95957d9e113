"""The demo is the same everywhere, and its tickets and recordings fit its history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import git
import pytest
import yaml

from micro_bench.demo import materialise as demo

HEAD = "b743fbbb534a8e49714b520440494aaf4d0a3360"
AGENTS = ("half", "injector", "strong", "unit-green")
VERDICTS = {
    "pass",
    "fail_tests",
    "unit_green_system_red",
    "fail_sast",
    "fail_lint",
    "no_change",
}
PULL_OF = {1: 5, 2: 10, 4: 12, 8: 14, 11: 18, 13: 20, 17: 22, 19: 25, 23: 28, 24: 33, 32: 34}
PUSHED = {9: "Split money without losing cents"}
NO_TASK = {6, 15, 21, 26, 30}
RECORDINGS = demo.HERE / "recordings"
PATCHES = sorted(RECORDINGS.glob("*/*/*.patch"))


def exported(name: str) -> Any:
    return json.loads((demo.HERE / "tickets" / "export" / name).read_text(encoding="utf-8"))


def is_pull(issue: dict[str, Any]) -> bool:
    return "pull_request" in issue


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    with git.Repo(demo.materialise(tmp_path_factory.mktemp("demo") / "parcel")) as repo:
        yield repo


@pytest.fixture(scope="module")
def fixes(repo):
    """The commit on main that closed each issue."""
    merged = {pull["number"]: pull["merge_commit_sha"] for pull in exported("pulls.json")}
    found = {issue: merged[pull] for issue, pull in PULL_OF.items()}
    for issue, subject in PUSHED.items():
        found[issue] = next(c.hexsha for c in repo.iter_commits() if c.summary == subject)
    return found


def test_the_history_has_a_known_end(repo):
    assert repo.head.commit.hexsha == HEAD == demo.load_series()["head"]
    assert repo.active_branch.name == "main"
    assert [head.name for head in repo.heads] == ["main"]
    assert not repo.is_dirty(untracked_files=True)
    assert not repo.remotes


def test_twice_is_the_same(repo, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    (tmp_path / "gitconfig").write_text("[commit]\n\tgpgSign = true\n[core]\n\tautocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    with git.Repo(demo.materialise(tmp_path / "again")) as again:
        assert again.head.commit.hexsha == repo.head.commit.hexsha
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["again"]


def test_a_good_repository_is_left_alone_and_a_bad_one_replaced(tmp_path):
    place = demo.materialise(tmp_path / "parcel")
    (place / "note.txt").write_text("mine")
    assert demo.materialise(place) == place
    assert (place / "note.txt").is_file()
    with git.Repo(place) as repo:
        repo.git.reset("-q", "--hard", "HEAD~1")
    demo.materialise(place)
    assert not (place / "note.txt").exists()
    assert demo.head_of(place) == HEAD


def test_the_series_names_every_patch_once():
    steps = demo.load_series()["steps"]
    named = [commit["patch"] for step in steps for commit in step["commits"]]
    assert named == sorted(path.name for path in demo.HISTORY.glob("*.patch"))
    ways = [step["how"] for step in steps]
    assert {way: ways.count(way) for way in set(ways)} == {"direct": 3, "squash": 14, "merge": 2}


def test_all_commits_date_from_nine_days(repo):
    for commit in repo.iter_commits():
        for moment in (commit.authored_datetime, commit.committed_datetime):
            assert "2026-05-21" <= moment.date().isoformat() <= "2026-05-29"


def test_tickets():
    issues = exported("issues.json")
    numbers = [issue["number"] for issue in issues]
    assert numbers == list(range(34, 0, -1))
    tickets = {issue["number"] for issue in issues if not is_pull(issue)}
    assert tickets == PULL_OF.keys() | PUSHED.keys() | NO_TASK
    created = [issue["created_at"] for issue in issues]
    assert created == sorted(created, reverse=True)
    pulls = {pull["number"] for pull in exported("pulls.json")}
    assert pulls == {issue["number"] for issue in issues if is_pull(issue)}
    for comment in exported("issue_comments.json"):
        assert int(comment["issue_url"].rsplit("/", 1)[1]) in numbers
    assert {int(number) for number in exported("timeline.json")} <= set(numbers)


def test_pull_requests_name_commits_of_the_history(repo):
    merged = 0
    for pull in exported("pulls.json"):
        assert repo.commit(pull["base"]["sha"])
        if pull["merged_at"] is None:
            assert pull["merge_commit_sha"] is None
            continue
        merged += 1
        commit = repo.commit(pull["merge_commit_sha"])
        assert commit.parents[0].hexsha == pull["base"]["sha"]
        assert f"#{pull['number']}" in commit.summary
        if len(commit.parents) == 2:
            assert commit.parents[1].hexsha == pull["head"]["sha"]
    assert merged == 16


def test_timelines_name_commits_of_the_history(repo):
    for events in exported("timeline.json").values():
        for event in events:
            if event.get("commit_id"):
                assert repo.commit(event["commit_id"])


def test_each_fix_changes_source_and_tests(repo, fixes):
    assert len(fixes) == 12
    for sha in fixes.values():
        commit = repo.commit(sha)
        changed = repo.git.diff("--name-only", commit.parents[0].hexsha, sha).splitlines()
        assert any(path.startswith("src/") for path in changed)
        assert any(path.startswith("tests/") for path in changed)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: "-".join(p.parts[-3:]))
def test_recordings_apply_to_the_parent_of_the_fix(repo, fixes, patch: Path):
    if not patch.stat().st_size:
        return
    repo.git.read_tree(repo.commit(fixes[int(patch.parent.name)]).parents[0].hexsha)
    try:
        repo.git.apply("--check", "--cached", "--whitespace=nowarn", str(patch))
    finally:
        repo.git.read_tree("HEAD")


def test_every_attempt_has_an_expected_verdict():
    expected = yaml.safe_load((RECORDINGS / "expected.yaml").read_text(encoding="utf-8"))
    assert tuple(sorted(expected)) == AGENTS
    for agent, issues in expected.items():
        assert issues.keys() == PULL_OF.keys() | PUSHED.keys()
        for issue, verdicts in issues.items():
            assert len(verdicts) == 3
            assert set(verdicts) <= VERDICTS
            first = RECORDINGS / agent / str(issue) / "1.patch"
            assert (verdicts[0] == "no_change") == (first.stat().st_size == 0)
