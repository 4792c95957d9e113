"""Histories as they are merged: squashed, merged, pushed, and brought along."""

from __future__ import annotations

from pathlib import Path

import pytest

from micro_bench.edge.git import Repository
from micro_bench.tickets.history import Change, in_rows, read_history
from tests.unit.tickets.git_builder import GitBuilder


@pytest.fixture
def builder(tmp_path: Path) -> GitBuilder:
    builder = GitBuilder(tmp_path / "clone")
    builder.commit("root", {"a.py": "0\n", "CHANGES.md": "# Changes\n"})
    return builder


def changes(builder: GitBuilder) -> dict[str, Change]:
    return {change.commit: change for change in read_history(Repository.open(builder.path))}


def test_direct_and_squashed_commits(builder: GitBuilder) -> None:
    root = builder.head()
    direct = builder.commit("Fix #1: it", {"a.py": "1\n", "CHANGES.md": "# Changes\n- it #1\n"})
    squash = builder.commit("Add that (#12)", {"tests/test_a.py": "1\n"})
    found = changes(builder)
    assert list(found) == [squash, direct, root]
    assert found[direct].base == root
    assert found[direct].changelog == ("- it #1",)
    assert found[direct].paths == ("CHANGES.md", "a.py")
    assert found[squash].pull == 12
    assert found[root].base is None


def test_a_merge_holds_its_branch(builder: GitBuilder) -> None:
    builder.branch("topic")
    one = builder.commit("one\n\nCloses #3", {"b.py": "1"})
    two = builder.commit("two", {"b.py": "2"})
    builder.checkout("main")
    side = builder.commit("side", {"c.py": "1"})
    merge = builder.merge("topic", "Merge pull request #9 from x/topic")
    found = changes(builder)
    assert found[merge].base == side
    assert [sha for sha, _ in found[merge].branch] == [two, one]
    assert found[merge].pull == 9
    assert one not in found


def test_main_merged_into_a_branch_is_not_the_branch_s(builder: GitBuilder) -> None:
    builder.branch("topic")
    one = builder.commit("one", {"b.py": "1"})
    builder.checkout("main")
    side = builder.commit("side", {"c.py": "1"})
    builder.checkout("topic")
    back = builder.merge("main", "Merge branch 'main' into topic")
    builder.checkout("main")
    merge = builder.merge("topic", "Add it (#9)")
    found = changes(builder)
    assert {sha for sha, _ in found[merge].branch} == {one, back}
    assert side in found


@pytest.mark.parametrize("name", ["8.1.x", "develop", "stable", "release/2.0", "origin/main"])
def test_commits_of_a_long_lived_branch_are_changes(builder: GitBuilder, name: str) -> None:
    builder.branch("maintained")
    fix = builder.commit("Fix it (#5)", {"b.py": "1"})
    builder.branch("inner")
    inner = builder.commit("inner", {"d.py": "1"})
    builder.checkout("maintained")
    nested = builder.merge("inner", "Merge pull request #6 from x/inner")
    builder.checkout("main")
    merge = builder.merge("maintained", f"Merge branch '{name}'")
    found = changes(builder)
    assert found[fix].pull == 5
    assert [sha for sha, _ in found[nested].branch] == [inner]
    assert found[merge].branch == ()


def test_a_branch_of_a_person_stays_one_change(builder: GitBuilder) -> None:
    builder.branch("topic")
    one = builder.commit("one", {"b.py": "1"})
    builder.checkout("main")
    merge = builder.merge("topic", "Merge branch 'my-main-thing'")
    found = changes(builder)
    assert [sha for sha, _ in found[merge].branch] == [one]
    assert one not in found


def test_news_fragments_count_as_changelog(builder: GitBuilder) -> None:
    sha = builder.commit("x", {"newsfragments/44.bugfix.rst": "Fixed it.\n"})
    assert "newsfragments/44.bugfix.rst" in changes(builder)[sha].changelog


def test_commits_in_a_row_that_name_one_pull_request_are_one_change(builder: GitBuilder) -> None:
    one = builder.commit("code (#12)", {"b.py": "1"})
    two = builder.commit("tests (#12)", {"tests/test_b.py": "1"})
    other = builder.commit("other", {"c.py": "1"})
    again = builder.commit("more (#12)", {"b.py": "2"})
    history = read_history(Repository.open(builder.path))
    root = history[-1].commit
    rows = in_rows(history)
    assert [change.commit for change in rows] == [again, other, two, root]
    assert (rows[2].base, rows[2].pull) == (root, 12)
    assert rows[2].branch == ((one, "code (#12)"),)
    assert rows[2].paths == ("b.py", "tests/test_b.py")
    assert in_rows(history, {one}) == history


def test_ten_thousand_commits_are_read_quickly(tmp_path: Path) -> None:
    builder = GitBuilder(tmp_path / "long")
    stream = ["blob\nmark :1\ndata 2\nx\n"]
    for number in range(10_000):
        text = f"Change {number}\n\nCloses #{number}\n"
        stream.append(
            f"commit refs/heads/main\ncommitter A <a@b> {1_700_000_000 + number} +0000\n"
            f"data {len(text)}\n{text}\nM 100644 :1 f{number % 97}.py\n"
        )
    builder.run("fast-import", "--quiet", feed="".join(stream).encode())
    history = read_history(Repository.open(builder.path))
    assert len(history) == 10_000
    assert history[0].message.startswith("Change 9999")
