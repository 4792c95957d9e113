"""From a ticket with its fix to a draft, in real repositories of a toy language."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from micro_bench.model.task import Status, Task
from micro_bench.model.ticket import Fix
from micro_bench.tasks.draft import draft, draft_all, task_id
from micro_bench.tasks.material import DraftSettings, Workshop
from micro_bench.tasks.outcomes import Draft, Funnel, Reason, Rejected, funnel
from micro_bench.tickets.evidence import Refusal
from tests.unit.tasks.toy import TEST, Toy, fix_of, ticket
from tests.unit.tickets.git_builder import Content

SHOP = {"shop/core.toy": "def total a\n  add\n", "shop/far.toy": "def far\n  x\n"}
BETTER = {"shop/core.toy": "def total a\n  add all\n"}


@dataclass(frozen=True)
class Linked:
    fixes: tuple[Fix, ...] = ()
    refused: str | None = None
    detail: str = ""


def drafted(toy: Toy, fix: Fix | None = None, **more: object) -> Draft:
    result = draft(ticket(**more), fix or toy.fix, toy.workshop)
    assert isinstance(result, Draft), result
    return result


def refused(toy: Toy, fix: Fix | None = None, **more: object) -> Rejected:
    result = draft(ticket(**more), fix or toy.fix, toy.workshop)
    assert isinstance(result, Rejected), result
    return result


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path / "toy", {**SHOP, "README.md": "a\n"}, {**BETTER, "README.md": "b\n"})


# --- the draft ------------------------------------------------------------------------------


def test_a_draft_has_everything_of_ticket_and_fix(toy: Toy) -> None:
    task = drafted(toy, labels=("bug",)).task
    assert task.id == "toy.shop-1"
    assert task.title == "Totals are wrong"
    assert task.status is Status.DRAFT
    assert task.language == "toy"
    assert task.instruction == "# Totals are wrong\n\nThey are."
    assert (task.ticket.number, task.ticket.labels) == (1, ("bug",))
    assert (task.repo.name, task.repo.base_commit) == ("acme/Toy.Shop", toy.base)
    assert task.repo.fix_commit == toy.fix.commit
    assert task.links == toy.fix.links
    assert task.tests.hidden == ("tests/test_new.toy",)
    assert Task.model_validate_json(task.model_dump_json()) == task


def test_patches_and_digests_belong_together(toy: Toy, tmp_path: Path) -> None:
    result = drafted(toy)
    gold, test = result.task.gold_patch, result.task.test_patch
    assert (gold.file, test.file) == ("toy.shop-1.gold.patch", "toy.shop-1.test.patch")
    assert gold.sha256 == hashlib.sha256(result.gold_patch).hexdigest()
    assert test.sha256 == hashlib.sha256(result.test_patch).hexdigest()
    assert b"README.md" in result.gold_patch
    assert b"tests/" not in result.gold_patch
    assert b"shop/" not in result.test_patch
    toy.builder.run("checkout", "--quiet", toy.base)
    for patch in (result.gold_patch, result.test_patch):
        subprocess.run(
            ["git", "apply", "--index", "-"], cwd=toy.builder.path, input=patch, check=True
        )
    assert toy.builder.run("write-tree").strip() == toy.clone.tree_id(toy.fix.commit)


def test_the_graph_is_that_of_the_base(toy: Toy) -> None:
    assert drafted(toy).graph.files == ("shop/core.toy", "shop/far.toy")


def test_tests_to_run_are_the_hidden_ones_and_those_that_reach_the_fix(tmp_path: Path) -> None:
    before = {
        **SHOP,
        "shop/mid.toy": "lazy shop/core.toy\ndef mid\n  x\n",
        "tests/test_direct.toy": "import shop/core.toy\n",
        "tests/test_through.toy": "import shop/mid.toy\n",
        "tests/test_by_name.toy": "names shop/core.toy\n",
        "tests/test_typed.toy": "type shop/core.toy\n",
        "tests/test_far.toy": "import shop/far.toy\n",
        "tests/test_gone.toy": "import shop/core.toy\n",
        "tests/helper.toy": "import shop/core.toy\n",
        "tests/test_helped.toy": "import tests/helper.toy\n",
    }
    after = {**BETTER, "tests/test_gone.toy": None, "tests/data.txt": "x"}
    task = drafted(Toy(tmp_path / "toy", before, after)).task
    assert task.tests.hidden == ("tests/data.txt", "tests/test_new.toy")
    assert task.tests.run == (
        "tests/test_by_name.toy",
        "tests/test_direct.toy",
        "tests/test_helped.toy",
        "tests/test_new.toy",
        "tests/test_through.toy",
    )


def test_a_new_module_is_reached_too(tmp_path: Path) -> None:
    before = {**SHOP, "tests/test_core.toy": "import shop/core.toy\n"}
    after = {
        "shop/core.toy": "def total a\n  add\n",
        "shop/new.toy": "def new\n  x\n",
        "tests/test_core.toy": "import shop/new.toy\n",
    }
    task = drafted(Toy(tmp_path / "toy", before, after)).task
    assert task.tests.run == ("tests/test_core.toy", "tests/test_new.toy")


def test_the_fix_s_commits_leave_the_instruction(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "toy", SHOP, {})
    toy.builder.branch("topic", toy.base)
    inner = toy.builder.commit("inner", {**BETTER, "tests/test_new.toy": TEST})
    toy.builder.branch("main", toy.base)
    merge = toy.builder.merge("topic", "Merge")
    body = f"It is wrong since {inner[:9]} or {merge}"
    text = drafted(toy, fix_of(merge, toy.base), body=body).task.instruction
    assert inner[:7] not in text
    assert merge[:7] not in text


def test_a_fix_of_several_commits_is_one_patch_and_none_of_them_is_named(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "toy", SHOP, {}, tested=False)
    code = toy.builder.commit("code", BETTER)
    tests = toy.builder.commit("tests", {"tests/test_new.toy": TEST})
    words = toy.builder.commit("words", {"README.md": "x\n"})
    body = f"It is wrong since {code[:9]}, {tests[:9]} or {words[:9]}"
    result = drafted(toy, fix_of(words, toy.base), body=body)
    assert "or [link removed]" in result.task.instruction
    assert not [sha for sha in (code, tests, words) if sha[:7] in result.task.instruction]
    assert b"shop/core.toy" in result.gold_patch
    assert b"README.md" in result.gold_patch
    assert b"tests/test_new.toy" in result.test_patch


@pytest.mark.parametrize(
    ("repo", "name"),
    [
        ("tkem/cachetools", "cachetools-1"),
        ("a/GitHub3.py", "github3.py-1"),
        ("a/_odd", "odd-1"),
        ("a/...", "x-1"),
        ("a/" + "x" * 100, "x" * 80 + "-1"),
    ],
)
def test_task_ids_are_slugs(repo: str, name: str) -> None:
    assert task_id(ticket(repo=repo)) == name


# --- remarks --------------------------------------------------------------------------------


def test_changed_test_configuration_is_remarked(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "toy", {**SHOP, "toytest.cfg": "a"}, {**BETTER, "toytest.cfg": "b"})
    (remark,) = drafted(toy).remarks
    assert "toytest.cfg" in remark
    assert "editable" in remark


def test_data_without_a_test_module_is_remarked(tmp_path: Path) -> None:
    before = {**SHOP, "tests/test_core.toy": "import shop/core.toy\n", "tests/data.txt": "a"}
    toy = Toy(tmp_path / "toy", before, {**BETTER, "tests/data.txt": "b"}, tested=False)
    result = drafted(toy)
    assert result.task.tests.hidden == ("tests/data.txt",)
    assert result.task.tests.run == ("tests/test_core.toy",)
    assert "no test module" in result.remarks[0]


def test_submodules_are_remarked(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "toy", SHOP, BETTER)
    toy.builder.run("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},tests/suite")
    toy.builder.run("commit", "--quiet", "--amend", "--no-edit")
    fix = fix_of(toy.builder.head(), toy.base)
    result = drafted(toy, fix)
    assert "tests/suite" in result.remarks[0]
    assert b"suite" not in result.test_patch


# --- rejections -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "tested", "reason"),
    [
        (BETTER, False, Reason.NO_TEST_CHANGES),
        ({"README.md": "b"}, True, Reason.NO_SOURCE_CHANGES),
        ({}, True, Reason.NO_SOURCE_CHANGES),
        ({"x.lock": "b"}, True, Reason.NO_SOURCE_CHANGES),
        ({"shop/page.html": "b"}, True, Reason.NOT_THIS_LANGUAGE),
        ({**BETTER, "tests/test_old.toy": None}, False, Reason.NO_TEST_CHANGES),
        ({**BETTER, "tests/data.txt": "b"}, False, Reason.NO_TEST_CHANGES),
    ],
    ids=["no tests", "docs", "tests only", "lock file", "other language", "test removed", "data"],
)
def test_fixes_that_are_no_task(
    tmp_path: Path, after: Mapping[str, Content], tested: bool, reason: Reason
) -> None:
    toy = Toy(tmp_path / "toy", {**SHOP, "tests/test_old.toy": TEST}, after, tested=tested)
    rejected = refused(toy)
    assert rejected.reason is reason
    assert rejected.detail


def test_commits_that_the_clone_lacks(toy: Toy) -> None:
    gone = "f" * 40
    for fix in (fix_of(gone, toy.base), fix_of(toy.fix.commit, gone)):
        rejected = refused(toy, fix)
        assert rejected.reason is Reason.COMMIT_NOT_IN_CLONE
        assert gone in rejected.detail


def test_a_ticket_that_says_nothing(toy: Toy) -> None:
    assert refused(toy, title=" ", body="<!-- template -->").reason is Reason.INSTRUCTION_EMPTY


@pytest.mark.parametrize(
    "settings",
    [
        DraftSettings(max_files=2),
        DraftSettings(max_lines=4),
        DraftSettings(max_patch_bytes=100),
    ],
)
def test_fixes_that_are_too_large(tmp_path: Path, settings: DraftSettings) -> None:
    after = {**BETTER, "shop/far.toy": "def far\n  y\n  z\n"}
    assert refused(Toy(tmp_path / "toy", SHOP, after, settings=settings)).reason is Reason.TOO_LARGE


def test_paths_that_no_text_can_hold(tmp_path: Path) -> None:
    odd = os.fsdecode(b"shop/\xff.toy")
    toy = Toy(tmp_path / "toy", SHOP, {**BETTER, odd: "def odd\n  x\n"})
    assert refused(toy).reason is Reason.UNREADABLE_PATH


def test_odd_paths_elsewhere_do_no_harm(tmp_path: Path) -> None:
    odd = {os.fsdecode(b"docs/\xff.toy"): "x", "docs/a\nb.toy": "x"}
    assert drafted(Toy(tmp_path / "toy", {**SHOP, **odd}, BETTER)).graph.files == tuple(SHOP)


def test_links_in_the_tree_are_not_followed(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "toy", SHOP, {})
    (toy.builder.path / "shop" / "link.toy").symlink_to("/etc/passwd")
    base = toy.builder.commit("link")
    fix = toy.builder.commit("fix", {**BETTER, "tests/test_x.toy": TEST})
    assert "shop/link.toy" in drafted(toy, fix_of(fix, base)).graph.files


# --- all tickets ----------------------------------------------------------------------------


def run(toy: Toy, linked: Mapping[int, Linked], **tickets: object) -> dict[int, Draft | Rejected]:
    found = [ticket(number, **tickets) for number in linked]
    return {outcome.ticket: outcome for outcome in draft_all(found, linked, toy.workshop)}


def reason(outcome: Draft | Rejected) -> Reason | None:
    return outcome.reason if isinstance(outcome, Rejected) else None


def test_one_change_gives_one_task(toy: Toy) -> None:
    outcomes = run(toy, {7: Linked((toy.fix,)), 3: Linked((toy.fix,)), 5: Linked((toy.fix,))})
    assert list(outcomes) == [3, 5, 7]
    assert [reason(outcomes[n]) for n in (3, 5, 7)] == [None, Reason.DUPLICATE, Reason.DUPLICATE]


def closing(toy: Toy, *also: int) -> Linked:
    return Linked((fix_of(toy.fix.commit, toy.base, also_closes=also),))


def test_a_change_that_closes_several_tickets_asks_for_all_of_them(toy: Toy) -> None:
    tickets = [
        ticket(3, title="Totals", body=f"Wrong since {toy.fix.commit[:9]}."),
        ticket(4, title="Taxes", body=""),
        ticket(5, title="Open", state="open"),
        ticket(9, title="Rounding", body="Is off."),
    ]
    linked = {
        3: closing(toy, 4, 5, 9, 77), 4: closing(toy, 3), 5: Linked(), 9: closing(toy, 3)
    }  # fmt: skip
    first, *rest = draft_all(tickets, linked, toy.workshop)
    assert isinstance(first, Draft)
    words = "# Totals\n\nWrong since [link removed].\n\n# Taxes\n\n# Rounding\n\nIs off."
    assert first.task.instruction == words
    assert first.task.title == "Totals"
    assert first.task.ticket.also_closes == (4, 5, 9, 77)
    assert first.remarks == ("the fix closes #4, #9 too: the instruction asks for all of them",)
    assert [reason(one) for one in rest] == [Reason.DUPLICATE, Reason.TICKET_OPEN, Reason.DUPLICATE]


def test_one_ticket_of_several_has_the_words_of_all(toy: Toy) -> None:
    one, two = ticket(3, title="Totals", body=""), ticket(4, title="Taxes", body="")
    linked = {3: closing(toy, 4), 4: closing(toy, 3)}
    (found,) = draft_all([two], linked, toy.workshop, among=[one, two])
    assert isinstance(found, Draft)
    assert found.task.instruction == "# Taxes\n\n# Totals"


def test_the_next_fix_is_tried(toy: Toy) -> None:
    bad = fix_of("f" * 40, toy.base)
    outcomes = run(toy, {1: Linked((bad, toy.fix)), 2: Linked((bad, bad))})
    assert isinstance(outcomes[1], Draft)
    assert reason(outcomes[2]) is Reason.COMMIT_NOT_IN_CLONE


def test_the_reason_told_is_that_of_the_best_fix(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "toy", SHOP, BETTER)
    bad = fix_of("f" * 40, toy.base)
    outcomes = run(toy, {1: Linked((toy.fix,)), 2: Linked((bad, toy.fix))})
    assert reason(outcomes[2]) is Reason.COMMIT_NOT_IN_CLONE


def test_open_tickets_are_no_tasks(toy: Toy) -> None:
    outcomes = run(toy, {1: Linked((toy.fix,))}, state="open")
    assert reason(outcomes[1]) is Reason.TICKET_OPEN


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_of_the_linker_is_a_reason(toy: Toy, refusal: Refusal) -> None:
    (outcome,) = run(toy, {1: Linked((), refusal, "because")}).values()
    assert isinstance(outcome, Rejected)
    assert outcome.reason.value == refusal.value
    assert outcome.detail == "because"


def test_progress_is_told(toy: Toy) -> None:
    told: list[tuple[int, int]] = []
    linked = {n: Linked() for n in (1, 2, 3)}
    found = [ticket(n) for n in linked]
    list(draft_all(found, linked, toy.workshop, lambda done, total: told.append((done, total))))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_funnel_counts_every_ticket_once(toy: Toy) -> None:
    linked = {
        1: Linked((toy.fix,)),
        2: Linked((toy.fix,)),
        3: Linked((), "reverted", "x"),
        4: Linked((), None, "x"),
        5: Linked((), "reverted", "x"),
    }
    counted = funnel(run(toy, linked).values())
    assert counted == Funnel(
        total=5,
        drafted=(1,),
        rejected={Reason.NO_FIX_LINK: (4,), Reason.REVERTED: (3, 5), Reason.DUPLICATE: (2,)},
    )
    assert counted.total == len(counted.drafted) + sum(map(len, counted.rejected.values()))
    assert Funnel.model_validate_json(counted.model_dump_json()) == counted


def test_drafting_twice_gives_the_same(toy: Toy) -> None:
    one, two = (next(iter(run(toy, {1: Linked((toy.fix,))}).values())) for _ in range(2))
    assert one == two


def test_a_workshop_needs_only_a_clone_and_a_language(toy: Toy) -> None:
    plain = Workshop(toy.clone, toy.language)
    assert plain.settings.max_files >= 50
    assert plain.recipe.tests == ()


# --- the project's own names of tests -------------------------------------------------------

SPECS = {**SHOP, "checks/core.toy": "def checks_a\n  1\n"}
SPECIFIED = {**BETTER, "shop/check_core.toy": "import shop/core.toy\ndef test_a\n  2\n"}
NAMING = {"toytest.cfg": "files check_"}


@pytest.mark.parametrize(
    ("before", "after"),
    [({**SPECS, **NAMING}, SPECIFIED), (SPECS, {**SPECIFIED, **NAMING})],
    ids=["named at the base", "named by the fix itself"],
)
def test_a_file_that_the_project_calls_a_test_is_hidden(tmp_path: Path, before, after) -> None:
    found = drafted(Toy(tmp_path / "toy", before, after))
    assert found.task.tests.hidden == ("shop/check_core.toy", "tests/test_new.toy")
    assert "shop/check_core.toy" in found.task.tests.run
    assert b"check_core" not in found.gold_patch
    assert b"check_core" in found.test_patch


def test_without_the_setting_it_is_source(tmp_path: Path) -> None:
    found = drafted(Toy(tmp_path / "toy", SPECS, SPECIFIED))
    assert found.task.tests.hidden == ("tests/test_new.toy",)
    assert b"check_core" in found.gold_patch
