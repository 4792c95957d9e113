"""From a clone, an export, or one after the other, to specs; and what an interruption leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from micro_bench.edge.alone import alone
from micro_bench.errors import BadInputError, BusyError, NotFoundError
from micro_bench.model.task import Task
from micro_bench.model.ticket import Words
from micro_bench.pipeline.intake.importing import Imported, Source, import_tickets
from micro_bench.pipeline.line import Line
from micro_bench.settings import resolve
from micro_bench.tasks.outcomes import Reason
from micro_bench.tickets.importers._importer import silent
from tests.unit.tickets.git_builder import GitBuilder

REPO = "corner/shop"
ADDRESS = f"git@github.com:{REPO}.git"


@pytest.fixture
def shop(tmp_path: Path) -> GitBuilder:
    """Ticket 1 by a keyword, a pull request 9 for ticket 2 that does not say so, a plain commit."""
    built = GitBuilder(tmp_path / "shop")
    built.run("remote", "add", "origin", ADDRESS)
    built.commit("Open", {"shop/__init__.py": "", "shop/a.py": "A = 1\n", "docs/x.md": "x\n"})
    fix(built, 2, "Fix #1: Totals lose a cent")
    built.branch("topic")
    fix(built, 3, "Round up")
    built.checkout("main")
    built.merge("topic", "Merge pull request #9 from corner/topic\n\nNever round down")
    fix(built, 4, "Carts may be empty\n\nThey raise today.")
    built.commit("Say it", {"docs/x.md": "y\n"})
    return built


def fix(built: GitBuilder, value: int, message: str) -> str:
    test = f"from shop.a import A\n\n\ndef test_a():\n    assert A == {value}\n"
    return built.commit(message, {"shop/a.py": f"A = {value}\n", "tests/test_a.py": test})


def line(root: Path, told: list[str] | None = None) -> Line:
    (root / "tickets").mkdir(parents=True, exist_ok=True)
    settings = resolve({"workspace": root, "backend": "local"}, {}, root).settings
    return Line(settings, (told if told is not None else []).append)


def take(root: Path, source: object, **more: object) -> Imported:
    return import_tickets(line(root), Source(str(source), **more), silent)  # type: ignore[arg-type]


def tasks(root: Path) -> dict[str, Task]:
    return {task.id: task for task in line(root).specs.tasks(retired=True)}


def every_byte(root: Path) -> dict[str, bytes]:
    files = (path for path in (root / "tickets").rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def export(folder: Path, *issues: dict[str, object], pulls: tuple[object, ...] = ()) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "issues.json").write_text(json.dumps(list(issues)))
    (folder / "pulls.json").write_text(json.dumps(list(pulls)))
    return folder


def issue(number: int, title: str, body: str = "The customer says so.") -> dict[str, object]:
    url = f"https://api.github.com/repos/{REPO}/issues/{number}"
    return {
        "number": number, "title": title, "state": "closed", "body": body, "labels": [],
        "url": url, "html_url": url, "comments": 0, "user": {"login": "ada"},
        "created_at": "2023-12-01T09:00:00Z", "updated_at": "2024-02-02T12:00:00Z",
        "closed_at": "2024-02-02T12:00:00Z",
    }  # fmt: skip


def pull(number: int, commit: str, body: str) -> dict[str, object]:
    url = f"https://api.github.com/repos/{REPO}/pulls/{number}"
    return {
        "number": number, "title": "Never round down", "body": body, "state": "closed", "url": url,
        "html_url": url, "merged_at": "2024-01-01T05:00:00Z", "merge_commit_sha": commit,
        "head": {"sha": commit}, "base": {"sha": commit}, "created_at": "2023-12-30T00:00:00Z",
        "updated_at": "2024-01-01T05:00:00Z", "user": {"login": "ada"},
    }  # fmt: skip


def tracker(shop: GitBuilder, folder: Path) -> Path:
    """What the tracker knows of the same repository."""
    merge = shop.run("log", "--merges", "--format=%H").strip()
    issues = (issue(1, "Cents vanish"), issue(2, "Rounding cheats us"))
    return export(folder, *issues, pulls=(pull(9, merge, "Fixes #2"),))


def edit(root: Path, ident: str, *changes: tuple[str, str]) -> None:
    path = line(root).workspace.spec(REPO, ident)
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    path.write_text(text)


def test_a_clone_alone_gives_tasks_marked_with_whose_words_they_have(
    shop: GitBuilder, tmp_path: Path
) -> None:
    result = take(tmp_path / "ws", shop.path)
    found = tasks(tmp_path / "ws")
    assert {task.title: task.ticket.words for task in found.values()} == {
        "Totals lose a cent": Words.COMMIT_SUBJECT,
        "Never round down": Words.COMMIT_SUBJECT,
        "Carts may be empty": Words.COMMIT_MESSAGE,
    }
    assert {"shop-1", "shop-9"} < set(found)
    assert result.words == {"commit_subject": 2, "commit_message": 1}
    assert result.funnel.total == 3
    assert [task.repo.name for task in found.values()] == [REPO] * 3
    assert all(task.link_confidence >= 0.95 for task in found.values())


def in_two_parts(built: GitBuilder, named: str = "") -> str:
    """A pull request that was rebased in two commits. Gives the commit before."""
    base = built.head()
    test = "from shop.b import B\n\n\ndef test_b():\n    assert B\n"
    built.commit(f"Weigh parcels{named}", {"shop/b.py": "B = 1\n", "tests/test_b.py": test})
    built.commit(f"Tidy the scales{named}", {"shop/c.py": "C = 1\n"})
    return base


def test_a_clone_alone_takes_a_rebased_pull_request_as_a_whole(
    shop: GitBuilder, tmp_path: Path
) -> None:
    base = in_two_parts(shop, " (#12)")
    take(tmp_path / "ws", shop.path)
    found = tasks(tmp_path / "ws")
    task = found["shop-12"]
    assert (task.repo.base_commit, task.repo.fix_commit) == (base, shop.head())
    assert b"shop/b.py" in every_byte(tmp_path / "ws")["tickets/corner__shop/shop-12.gold.patch"]
    assert len(found) == 4


def test_a_tracker_s_rebased_pull_request_is_a_whole_or_is_refused(
    shop: GitBuilder, tmp_path: Path
) -> None:
    base = in_two_parts(shop)
    known = {**pull(12, shop.head(), "Fixes #7"), "merged_at": "2024-06-01T00:00:00Z"}
    counted = {**known, "commits": 2, "base": {"sha": base}}
    for record, ids, lost in ((known, [], [Reason.FIX_NOT_WHOLE]), (counted, ["shop-7"], [])):
        source = export(tmp_path / "export", issue(7, "Parcels have no weight"), pulls=(record,))
        result = take(tmp_path / f"ws{len(ids)}", source, clone=shop.path)
        assert result.written == ids
        assert [one.reason for one in result.rejected] == lost


@pytest.mark.parametrize("place", ["{}", "{}/", "{}/docs", "{}/.git"])
def test_any_folder_of_a_clone_names_it(shop: GitBuilder, tmp_path: Path, place: str) -> None:
    assert len(take(tmp_path / "ws", place.format(shop.path)).written) == 3


def test_a_bare_clone_is_one_too(shop: GitBuilder, tmp_path: Path) -> None:
    bare = tmp_path / "mirror.git"
    shop.run("clone", "--quiet", "--bare", str(shop.path), str(bare))
    assert take(tmp_path / "ws", bare).export.repo == "mirror"
    assert len(take(tmp_path / "ws", bare, repo=REPO).written) == 3


def test_importing_a_clone_again_changes_no_byte(shop: GitBuilder, tmp_path: Path) -> None:
    take(tmp_path / "ws", shop.path)
    before = every_byte(tmp_path / "ws")
    again = take(tmp_path / "ws", shop.path)
    assert (len(again.unchanged), again.written, again.warnings) == (3, [], [])
    assert every_byte(tmp_path / "ws") == before


def test_the_tracker_replaces_the_words_and_keeps_task_and_decisions(
    shop: GitBuilder, tmp_path: Path
) -> None:
    root = tmp_path / "ws"
    take(root, shop.path)
    human = "  human: 3\n  why: money\n  confidence: high"
    edit(root, "shop-1", ("status: draft", "status: reviewed"), ("  confidence: high", human))
    edit(root, "shop-9", ("schema_version: 1\n", "schema_version: 1\nnotes: ours\n"))
    before = tasks(root)
    result = take(root, tracker(shop, tmp_path / "export"))
    after = tasks(root)
    assert set(after) == set(before)
    one, two = after["shop-1"], after["shop-9"]
    assert (one.title, two.title) == ("Cents vanish", "Rounding cheats us")
    assert "The customer says so." in one.instruction
    assert (one.status, one.tier.number, one.tier.why) == (before["shop-1"].status, 3, "money")
    assert (two.ticket.number, two.notes, two.repo.pull) == (2, "ours", 9)
    assert {one.ticket.words, two.ticket.words} == {Words.TRACKER}
    assert (one.gold_patch, two.gold_patch) == (
        before["shop-1"].gold_patch, before["shop-9"].gold_patch
    )  # fmt: skip
    assert one.execution_digest() == before["shop-1"].execution_digest()
    told = "\n".join(result.warnings)
    assert "shop-1: now in the words of #1" in told
    assert "shop-1: the instruction changed after the review" in told


def test_what_a_person_edited_is_never_replaced(shop: GitBuilder, tmp_path: Path) -> None:
    root = tmp_path / "ws"
    take(root, shop.path)
    edit(root, "shop-1", ("# Totals lose a cent", "# Ours: no cent is lost"))
    edit(root, "shop-9", ("title: Never round down", "title: Ours"))
    result = take(root, tracker(shop, tmp_path / "export"))
    after = tasks(root)
    assert after["shop-1"].instruction.strip() == "# Ours: no cent is lost"
    assert after["shop-1"].title == "Cents vanish"
    assert after["shop-9"].title == "Ours"
    assert after["shop-9"].instruction.startswith("# Rounding cheats us")
    assert any("the edited instruction stays" in warning for warning in result.warnings)


def test_a_clone_never_takes_the_trackers_words_away(shop: GitBuilder, tmp_path: Path) -> None:
    root = tmp_path / "ws"
    take(root, tracker(shop, tmp_path / "export"), clone=shop.path)
    before = every_byte(root)
    assert set(tasks(root)) == {"shop-1", "shop-2"}
    again = take(root, shop.path)
    after = every_byte(root)
    assert {name: after[name] for name in before} == before
    assert len(tasks(root)) == 3
    assert sorted(again.unchanged) == ["shop-1", "shop-2"]
    commits = [task.repo.fix_commit for task in tasks(root).values()]
    assert len(commits) == len(set(commits))


def test_one_fix_is_no_second_task_of_another_ticket(shop: GitBuilder, tmp_path: Path) -> None:
    """Ticket 3 is imported later, by itself, and has the fix of ticket 1."""
    root = tmp_path / "ws"
    first = shop.run("log", "--format=%H", "--grep=Fix #1").strip()
    one = export(tmp_path / "one", issue(1, "Cents vanish"))
    take(root, one, clone=shop.path)
    other = export(
        tmp_path / "two", issue(3, "Totals are low"), pulls=(pull(8, first, "Fixes #3"),)
    )
    result = take(root, other, clone=shop.path)
    assert [(lost.ticket, lost.reason) for lost in result.rejected] == [(3, Reason.DUPLICATE)]
    assert "shop-1" in result.rejected[0].detail
    assert set(tasks(root)) == {"shop-1"}


def test_a_clone_that_is_known_by_another_name_is_told(shop: GitBuilder, tmp_path: Path) -> None:
    root = tmp_path / "ws"
    take(root, shop.path, repo="old/name")
    result = take(root, tracker(shop, tmp_path / "export"), clone=shop.path)
    assert any("--repo old/name" in warning for warning in result.warnings)
    joined = take(root, tmp_path / "export", clone=shop.path, repo="old/name")
    assert any("name-1: now in the words of #1" in warning for warning in joined.warnings)


def test_only_takes_numbers_and_names(shop: GitBuilder, tmp_path: Path) -> None:
    last = shop.run("log", "--format=%h", "--abbrev=10", "--grep=Carts").strip()
    result = take(tmp_path / "ws", shop.path, only=frozenset({"#9", last}))
    assert sorted(result.written) == sorted(["shop-9", f"shop-{last}"])


def test_newest_takes_those_closed_last(shop: GitBuilder, tmp_path: Path) -> None:
    result = take(tmp_path / "ws", shop.path, newest=2)
    assert {task.title for task in tasks(tmp_path / "ws").values()} == {
        "Never round down", "Carts may be empty",
    }  # fmt: skip
    assert result.funnel.total == 2


def test_without_a_clone_the_tracker_asks_for_one_before_it_reads(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        take(tmp_path / "ws", export(tmp_path / "export", issue(1, "x")))
    assert "--clone" in caught.value.next_step


def test_an_empty_clone_says_so(tmp_path: Path) -> None:
    built = GitBuilder(tmp_path / "none")
    built.commit("Begin", {"a.txt": "a"})
    with pytest.raises(BadInputError):
        take(tmp_path / "ws", built.path)


def _start(root: Path, source: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "micro_bench", "-w", str(root), "import", str(source)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_an_interrupted_import_keeps_its_tasks_and_goes_on(tmp_path: Path) -> None:
    built = GitBuilder(tmp_path / "shop")
    built.commit("Open", {"shop/__init__.py": "", "shop/a.py": "A = 1\n"})
    for value in range(2, 20):
        fix(built, value, f"Fix #{value}: Make it {value}")
    root = tmp_path / "ws"
    assert subprocess.run(
        [sys.executable, "-m", "micro_bench", "init", str(root)], capture_output=True, check=True
    )
    first = _start(root, built.path)
    while first.poll() is None and len(list((root / "tickets").glob("*/*.yaml"))) < 2:
        time.sleep(0.01)
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=60)
    assert first.returncode == 130, told
    saved = tasks(root)
    assert 0 < len(saved) < 18
    assert "kept: " in told
    assert "the same command resumes" in told
    (journal,) = (root / "runs").glob("import-*.jsonl")
    with journal.open("a") as file:
        file.write('{"key": "torn')

    before = every_byte(root)
    spoken: list[str] = []
    result = import_tickets(line(root, spoken), Source(str(built.path)), silent)
    assert len(result.written) + len(result.unchanged) == 18
    assert len(saved) - 1 <= len(result.unchanged) <= len(saved)
    assert any("known from an earlier import" in one for one in spoken)
    assert result.funnel.total == 18
    kept = {name: content for name, content in before.items() if not name.startswith("runs")}
    assert {name: every_byte(root)[name] for name in kept} == kept
    assert "torn" not in journal.read_text()


def test_what_was_imported_is_not_drafted_again(shop: GitBuilder, tmp_path: Path) -> None:
    """But for a task that somebody touched: what is computed is put right, what is theirs stays."""
    root, drafting = tmp_path / "ws", []

    def watch(what: str, done: int, total: int | None) -> None:
        if what == "drafting tasks":
            drafting.append(done)

    def drafted_again() -> int:
        drafting.clear()
        import_tickets(line(root), Source(str(shop.path)), watch)
        return len(drafting)

    everything = drafted_again()
    before = every_byte(root)
    assert everything
    assert drafted_again() == 0
    assert every_byte(root) == before
    spec = next((root / "tickets").glob("*/*.yaml"))
    spec.write_text(spec.read_text().replace("title: ", "title: Ours, ", 1))
    assert drafted_again() == 1
    assert "title: Ours, " in spec.read_text()


def test_a_journal_holds_for_the_same_rules_only(shop: GitBuilder, tmp_path: Path) -> None:
    """With another recipe between, an interrupted import begins anew."""
    root = tmp_path / "ws"

    def stop(what: str, done: int, total: int | None) -> None:
        if what == "drafting tasks" and done == 2:
            raise KeyboardInterrupt

    def again(told: list[str]) -> bool:
        with pytest.raises(KeyboardInterrupt):
            import_tickets(line(root, told), Source(str(shop.path)), stop)
        return any("known from an earlier import" in one for one in told)

    assert not again([])
    recipe = line(root).workspace.recipe(REPO)
    recipe.parent.mkdir(parents=True)
    recipe.write_text("python: '3.11'\n")
    assert not again([])
    assert again([])


def test_a_journal_holds_for_the_words_of_every_ticket_of_a_fix(tmp_path: Path) -> None:
    """What another ticket of the same change says now may make the task that there was not."""
    built = GitBuilder(tmp_path / "shop")
    built.commit("Open", {"shop/__init__.py": "", "shop/a.py": "A = 1\n"})
    fix(built, 2, "Fix totals\n\nFixes #1, fixes #2")
    fix(built, 3, "Fix #3: Carts may be empty")
    root = tmp_path / "ws"

    def tickets(words: str) -> Source:
        silent_ones = issue(1, "\ufeff", ""), issue(2, "\ufeff", words)
        folder = export(tmp_path / "export", *silent_ones, issue(3, "Carts may be empty"))
        return Source(str(folder), built.path)

    def stop(what: str, done: int, total: int | None) -> None:
        if what == "drafting tasks" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_tickets(line(root), tickets(""), stop)
    assert not tasks(root)
    import_tickets(line(root), tickets("Off by a cent."), silent)
    assert "Off by a cent." in tasks(root)["shop-1"].instruction


def test_two_imports_into_one_workspace_are_refused(shop: GitBuilder, tmp_path: Path) -> None:
    busy = line(tmp_path / "ws").workspace.import_busy
    with alone(busy, pytest.fail), pytest.raises(BusyError, match="imports into") as refused:
        take(tmp_path / "ws", shop.path)
    assert refused.value.exit_code == 17
    assert len(take(tmp_path / "ws", shop.path).written) == 3


def test_a_folder_that_becomes_a_workspace_is_told_once(shop: GitBuilder, tmp_path: Path) -> None:
    """Whoever is in the wrong folder hears of it."""
    root = tmp_path / "elsewhere"
    root.mkdir()
    settings = resolve({"workspace": root, "backend": "local"}, {}, root).settings
    for expected in (1, 0):
        told: list[str] = []
        import_tickets(Line(settings, told.append), Source(str(shop.path)), silent)
        assert sum("becomes one" in text and str(root) in text for text in told) == expected


def test_a_clone_that_lacks_an_object_costs_the_tickets_that_need_it(tmp_path: Path) -> None:
    """And no other; once it is whole again they are drafted."""
    built = GitBuilder(tmp_path / "shop")
    built.commit("Open", {"shop/__init__.py": "", "shop/a.py": "A = 1\n"})
    fix(built, 2, "Fix #1: Make it 2")
    fix(built, 3, "Fix #2: Make it 3")
    fix(built, 4, "Fix #3: Make it 4")
    name = built.run("rev-parse", "HEAD~1:shop/a.py").strip()
    lost = built.path / ".git" / "objects" / name[:2] / name[2:]
    content = lost.read_bytes()
    lost.unlink()
    root = tmp_path / "ws"
    found = take(root, built.path)
    assert found.written == ["shop-1"]
    assert {(one.ticket, one.reason) for one in found.rejected} == {
        (2, Reason.OBJECT_MISSING), (3, Reason.OBJECT_MISSING),
    }  # fmt: skip
    assert name in found.rejected[0].detail
    assert "git fetch --refetch" in found.rejected[0].detail
    lost.write_bytes(content)
    assert take(root, built.path).written == ["shop-2", "shop-3"]
