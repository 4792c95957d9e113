"""What the git importer makes of messages, claims, addresses and places. Cases hold the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench.errors import BadInputError
from micro_bench.model.ticket import Words
from micro_bench.tickets.history import Change
from micro_bench.tickets.importers._clones import enclosing, is_clone, repository_name
from micro_bench.tickets.importers._git_claims import claims, is_proposed
from micro_bench.tickets.importers._git_words import is_release, spoken
from micro_bench.tickets.sources import find_importer, place_of
from tests.unit.tickets.git_builder import GitBuilder


def change(message: str, *branch: str) -> Change:
    sides = tuple((f"{index:040x}", text) for index, text in enumerate(branch, 1))
    when = datetime(2024, 1, 1, tzinfo=UTC)
    return Change("a" * 40, "b" * 40, when, message, branch=sides, paths=("a.py", "test_a.py"))


@pytest.mark.parametrize(
    ("message", "title", "body"),
    [
        ("Fix #3: Totals", "Totals", ""),
        ("Fixed #3 -- Totals", "Totals", ""),
        ("Totals, closes #3", "Totals", ""),
        ("Totals (fixes #3)", "Totals", ""),
        ("Totals. Fixes #3 and #4.", "Totals", ""),
        ("Totals (#12)", "Totals", ""),
        ("#3: Totals", "Totals", ""),
        ("[#3] Totals", "Totals", ""),
        ("SHOP-3: Totals", "Totals", ""),
        ("[SHOP-3] Totals", "Totals", ""),
        ("UTF-8 totals", "UTF-8 totals", ""),
        ("Totals of #3 are wrong", "Totals of #3 are wrong", ""),
        ("Fix #3", "", ""),
        ("Closes #3, closes #4", "", ""),
        ("Fix #3\n\nTotals were wrong.", "Totals were wrong.", ""),
        ("Totals\n\nThey lie.\n\nCloses: #3\nSigned-off-by: A <a@b.c>", "Totals", "They lie."),
        ("Totals\n\nFixes #3 in a way.", "Totals", "Fixes #3 in a way."),
        ("Merge pull request #9 from a/b\n\nTotals\n\nThey lie.", "Totals", "They lie."),
        ("Merge pull request 'Totals' (#9) from a/b into main\n\nThey lie.", "Totals", "They lie."),
        ("Merged PR 9: Totals\n\nThey lie.", "Totals", "They lie."),
        ("Merge branch 'x' into 'main'\n\nTotals\n\nSee merge request g/n!4", "Totals", ""),
        ("Merged in x (pull request #9)\n\nTotals\n\nApproved-by: Bo", "Totals", ""),
        ("  Totals \r\n\r\nThey\tlie.\r\n", "Totals", "They\tlie."),
        ("", "", ""),
    ],
)
def test_titles_and_texts(message: str, title: str, body: str) -> None:
    said = spoken(change(message), proposed=False)
    assert (said.title, said.body) == (title, body)


@pytest.mark.parametrize(
    ("message", "branch", "words"),
    [
        ("Totals", (), Words.COMMIT_SUBJECT),
        ("Totals\n\nThey lie.", (), Words.COMMIT_MESSAGE),
        ("Merge pull request #9 from a/b\n\nTotals\n\nThey lie.", ("Wip",), Words.PULL_REQUEST),
        ("Merge pull request #9 from a/b\n\nTotals", ("Count", "Test"), Words.COMMIT_SUBJECT),
        ("Merge pull request #9 from a/b\n\nTotals", ("Count\n\nOnce.",), Words.COMMIT_MESSAGE),
        ("Totals (#9)\n\nThey lie.", (), Words.PULL_REQUEST),
    ],
)
def test_whose_words_they_are(message: str, branch: tuple[str, ...], words: Words) -> None:
    one = change(message, *branch)
    assert spoken(one, proposed=is_proposed(one)).words is words


def test_a_merge_that_says_nothing_speaks_by_its_branch() -> None:
    one = spoken(change("Merge branch 'fix/empty-carts'", "Totals\n\nThey lie."), proposed=False)
    assert (one.title, one.body) == ("Totals", "They lie.")
    two = spoken(change("Merge branch 'fix/empty-carts'", "Test it", "Count"), proposed=False)
    assert (two.title, two.body) == ("Empty carts", "Count\n\nTest it")


def test_a_line_that_is_no_title_is_left_as_it_is() -> None:
    for piece in ("fix #1,", "1.", "Fixes #1 and ", "[", "SHOP-1 "):
        long = (piece * 200_000).strip()
        assert spoken(change(long), proposed=False).title == long
        assert spoken(change(f"Totals\n\n{long}"), proposed=False).body == long
        assert is_release(change(long)) is False
        assert len(list(claims(change(f"Totals\n\n{piece}"), "a/b"))) <= 2


def claimed(message: str, *branch: str) -> list[int | str]:
    return [one.number or one.name for one in claims(change(message, *branch), "acme/shop")]


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("Totals, fixes #3 (#9)", [3, 9]),
        ("Totals\n\nFixes #3, closes #4", [3, 4]),
        ("Totals\n\nBug: 8", [8]),
        ("Totals\n\nfixes other/shop#3", []),
        ("Totals\n\nfixes acme/shop#3", [3]),
        ("See #3", []),
        ("Merge pull request #9 from a/b", [9]),
        ("Merge branch 'x' into 'main'\n\nCloses #3\n\nSee merge request g/s/n!4", [3, "mr-4"]),
        ("Merged in x (pull request #9)", ["pr-9"]),
        ("Pull request #9: Totals", ["pr-9"]),
        ("Merged PR 9: Totals", ["pr-9"]),
        ("SHOP-3 Totals", ["shop-3"]),
        ("Totals\n\nJira: SHOP-3", ["shop-3"]),
        ("UTF-8 totals of PEP-8", []),
        ("Read ISO-8601", []),
    ],
)
def test_claims(message: str, wanted: list[int | str]) -> None:
    assert claimed(message) == wanted


def test_commits_of_a_branch_claim_too() -> None:
    assert claimed("Merge pull request #9 from a/b", "Count\n\nFixes #3") == [3, 9]


@pytest.mark.parametrize(
    ("message", "release"),
    [
        ("Release v1.2", True),
        ("Prepare release 1.2", True),
        ("Bump version to 1.2", True),
        ("v1.2.3", True),
        ("1.2", True),
        ("Release the lock when a cart is dropped\n\nIt was held.", False),
        ("Totals", False),
    ],
)
def test_releases(message: str, release: bool) -> None:
    assert is_release(change(message)) is release


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("https://github.com/acme/shop/", "acme/shop"),
        ("https://user:secret@host.example/acme/shop.git", "acme/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("ssh://git@host.example:7999/acme/shop.git", "acme/shop"),
        ("https://gitlab.example/a/b/shop.git", "b/shop"),
        ("host:acme/shop", "acme/shop"),
        ("/srv/git/shop.git", "clone"),
        ("../shop", "clone"),
        ("file:///srv/git/shop.git", "clone"),
        ("C:/git/acme/shop", "clone"),
        ("https://host.example/shop.git", "clone"),
        (None, "clone"),
    ],
)
def test_the_repositorys_name(origin: str | None, name: str) -> None:
    assert repository_name(origin, Path("/x/clone.git")) == name
    assert repository_name(origin, Path("/x/clone/.git")) == name


def test_a_folder_of_a_clone_is_read_as_the_clone_where_nobody_else_takes_it(
    tmp_path: Path,
) -> None:
    built = GitBuilder(tmp_path / "shop")
    issue = '[{"number": 1, "title": "t", "state": "open", "url": "https://api.github.com/'
    issue += 'repos/a/b/issues/1", "created_at": "2024-01-01T00:00:00Z", "body": ""}]'
    built.commit("Open", {"docs/a.md": "a", "export/issues.json": issue})
    root = built.path
    assert is_clone(root)
    assert enclosing(str(root / "docs")) == root
    assert place_of(str(root / "docs")) == str(root)
    assert place_of(str(root / "export")) == str(root / "export")
    assert find_importer(str(root / "export")).NAME == "github"
    assert find_importer(str(root)).NAME == "git"
    assert enclosing(str(tmp_path / "absent")) is None
    assert enclosing("") is None


def test_an_export_that_is_under_version_control_must_be_named(tmp_path: Path) -> None:
    built = GitBuilder(tmp_path / "export")
    issue = '[{"number": 1, "title": "t", "state": "open", "url": "https://api.github.com/'
    issue += 'repos/a/b/issues/1", "created_at": "2024-01-01T00:00:00Z", "body": ""}]'
    built.commit("Keep", {"issues.json": issue})
    with pytest.raises(BadInputError) as caught:
        find_importer(str(built.path))
    assert "--from" in caught.value.next_step


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("nowhere", "no such file or folder"),
        ("plain", "no git clone and holds no export"),
        ("notes.txt", "the file is no export"),
        ("https://gitlab.example.org/a/b/c", "no tracker behind such an address"),
    ],
)
def test_what_nobody_takes_is_told_by_what_it_is(
    source: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "notes.txt").write_text("text")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInputError, match=why) as caught:
        find_importer(source)
    assert "a clone" in caught.value.next_step
