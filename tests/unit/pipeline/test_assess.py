"""An assessment says of a repository what importing it then gives, and touches nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from micro_bench import codec
from micro_bench.errors import BadInputError
from micro_bench.languages._language import Obstacle
from micro_bench.languages._recipe import Recipe
from micro_bench.model.base import Noun
from micro_bench.pipeline.intake import assess as stage
from micro_bench.pipeline.intake.assess import assess_repository
from micro_bench.pipeline.intake.assessment import Assessment, screen
from micro_bench.pipeline.intake.importing import Source, import_tickets
from micro_bench.pipeline.line import Line
from micro_bench.settings import resolve
from micro_bench.tickets.importers._importer import silent
from tests.unit.tickets.git_builder import GitBuilder

MANIFEST = '[project]\nname = "shop"\nversion = "1.0"\ndependencies = ["attrs"]\n'
WORKFLOW = """
jobs:
  test:
    services:
      db:
        image: postgres:16
    steps:
      - run: sudo apt-get install -y libpq-dev
      - run: pytest
"""


@pytest.fixture
def shop(tmp_path: Path) -> GitBuilder:
    """Seven changes: three tasks, and one for each of the reasons that paths tell."""
    built = GitBuilder(tmp_path / "shop")
    built.run("remote", "add", "origin", "https://example.org/corner/shop.git")
    built.commit(
        "Open",
        {
            "shop/__init__.py": "", "shop/a.py": "A = 1\n", "pyproject.toml": MANIFEST,
            ".github/workflows/ci.yml": WORKFLOW, "README.md": "shop\n",
        },
    )  # fmt: skip
    fix(built, 2, "Fix #1: Totals lose a cent")
    built.branch("topic")
    fix(built, 3, "Round up")
    built.checkout("main")
    built.merge("topic", "Merge pull request #9 from corner/topic\n\nNever round down")
    fix(built, 4, "Carts may be empty")
    built.commit("Say so, fixes #2", {"README.md": "a shop\n"})
    built.commit("No test (#3)", {"shop/a.py": "A = 5\n"})
    built.commit("Fix #4: deploy", {"deploy.go": "package main\n"})
    fix(built, 6, "Fix #5")
    return built


def fix(built: GitBuilder, value: int, message: str) -> None:
    test = f"from shop.a import A\nimport psycopg2\n\n\ndef test_a():\n    assert A == {value}\n"
    built.commit(message, {"shop/a.py": f"A = {value}\n", "tests/test_a.py": test})


def assess(root: Path, source: object) -> Assessment:
    settings = resolve({"workspace": root, "backend": "local"}, {}, root).settings
    return assess_repository(Line(settings, lambda _: None), Source(str(source)), silent)


def test_what_is_said_is_what_importing_gives(shop: GitBuilder, tmp_path: Path) -> None:
    found = assess(tmp_path, shop.path)
    root = tmp_path / "ws"
    (root / "tickets").mkdir(parents=True)
    settings = resolve({"workspace": root, "backend": "local"}, {}, root).settings
    made = import_tickets(Line(settings, lambda _: None), Source(str(shop.path)), silent)
    counted = {reason.value: len(lost) for reason, lost in made.funnel.rejected.items()}
    assert found.found.lost == counted
    assert counted == {
        "instruction_empty": 1, "no_source_changes": 1, "not_this_language": 1,
        "no_test_changes": 1,
    }  # fmt: skip
    assert (found.expected_tasks, found.estimated) == (len(made.written), False) == (3, False)
    assert sum(found.found.tiers.values()) == 3
    assert found.found.links == {
        "closing_keyword": 1, "pull request": 1, "a commit with source and tests": 1,
    }  # fmt: skip


def test_a_fix_of_several_commits_is_taken_as_a_whole(shop: GitBuilder, tmp_path: Path) -> None:
    """Rebased: the tests came in the first commit, the source in the last."""
    before = assess(tmp_path, shop.path).expected_tasks
    shop.commit("Weigh parcels (#12)", {"tests/test_b.py": "def test_b():\n    assert 1\n"})
    shop.commit("Tidy the scales (#12)", {"shop/b.py": "B = 1\n"})
    assert assess(tmp_path, shop.path).expected_tasks == before + 1


def test_what_it_recognised_and_from_what(shop: GitBuilder, tmp_path: Path) -> None:
    found = assess(tmp_path, shop.path)
    assert (found.survey.runner, found.survey.test_modules) == ("pytest", 1)
    assert ".github/workflows/ci.yml" in found.survey.runner_from
    assert found.distribution is not None
    assert found.distribution.startswith("shop 1.0")
    whats = {one.what.split(":")[0]: one for one in found.survey.obstacles}
    assert "1 of 1 test modules" in whats["PostgreSQL"].what
    assert whats["PostgreSQL"].recipe == 'services: {postgres: {kind: "postgres"}}'
    assert any("psycopg2" in one.recipe for one in found.survey.obstacles)
    assert any(one.recipe == "apt: [libpq-dev]" for one in found.survey.obstacles)


def test_a_sample_is_called_an_estimate(
    shop: GitBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "MOST_SAMPLED", 2)
    found = assess(tmp_path, shop.path)
    assert (found.estimated, found.found.sampled, found.expected_tasks) == (True, 2, 3)
    assert "estimated from 2 of 3 candidates" in screen(found)
    assert "about 3 of 7" in screen(found)


def test_any_beginning_of_the_sample_is_spread_over_the_history() -> None:
    order = list(stage._spread(100))
    assert sorted(order) == list(range(100))
    for length in (4, 8, 16, 32):
        quarters = [sum(index * 4 // 100 == part for index in order[:length]) for part in range(4)]
        assert max(quarters) - min(quarters) <= 2, (length, quarters)
    assert list(stage._spread(0)) == []
    assert list(stage._spread(1)) == [0]


def test_it_fits_on_one_screen_whatever_is_in_the_way(shop: GitBuilder, tmp_path: Path) -> None:
    found = assess(tmp_path, shop.path)
    many = tuple(
        Obstacle(what="w" * 30 * n, seen_in="s" * 40, recipe="apt: [x]\nenv: {A: b}" * (n % 2))
        for n in range(1, 30)
    )
    survey = type(found.survey)(**{**dict(found.survey), "obstacles": many})
    lines = screen(_with(found, survey=survey)).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert any("more (--json)" in line for line in lines)


def test_proposals_for_one_key_are_one_file_that_loads(shop: GitBuilder, tmp_path: Path) -> None:
    """Pasted one below the other, they would be refused: a key is given twice."""
    manage = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "store.settings")\n'
    told = "[pytest]\nDJANGO_SETTINGS_MODULE = store.settings\n"
    tests = {"tests/test_r: [.py": "import psycopg2\nimport pymongo\n", "pytest.ini": told}
    tests |= {f"tests/test_{letter}.py": "import pymongo\n" for letter in "xyz"}
    both = WORKFLOW.replace("      db:\n", "      store:\n        image: mongo\n      db:\n")
    workflow = {".github/workflows/ci.yml": both}
    shop.commit("Serve", {"manage.py": manage, **tests, **workflow})
    found = assess(tmp_path, shop.path)
    joined = "\n".join(one.recipe for one in found.survey.obstacles)
    with pytest.raises(BadInputError):
        codec.decode(f"schema_version: 1\n{joined}\n", Recipe, "recipe.yaml")
    recipe = codec.decode(found.recipe, Recipe, "recipe.yaml")
    assert set(recipe.requirements) == {"pytest-django", "psycopg2-binary", "pymongo"}
    assert recipe.apt == ("libpq-dev",)
    names = ("r: [", "x", "y", "z")
    ignored = {f"--ignore=tests/test_{name}.py" for name in names}
    assert set(recipe.pytest_args) == {"--ds=store.settings", *ignored}
    assert recipe.services["postgres"].kind == "postgres"
    text = screen(found)
    assert "repo_slices/corner__shop/recipe.yaml" in text
    assert all(f"             {line[:60]}" in text for line in found.recipe.splitlines())
    assert " ... (--json)" in text


def test_what_the_recipe_holds_is_proposed_no_more(shop: GitBuilder, tmp_path: Path) -> None:
    before = assess(tmp_path, shop.path)
    assert before.recipe
    (tmp_path / before.recipe_file).parent.mkdir(parents=True)
    (tmp_path / before.recipe_file).write_text(before.recipe)
    after = assess(tmp_path, shop.path)
    assert after.recipe == ""
    assert "obstacles  none found" in screen(after)


def test_sources_are_files_and_not_their_every_line(shop: GitBuilder, tmp_path: Path) -> None:
    names = "".join(f"package-{n}\n" for n in range(30))
    shop.commit("Pin", {"pyproject.toml": None, "requirements.txt": names})
    text = screen(assess(tmp_path, shop.path))
    assert text.count("requirements.txt") == 1
    assert "project    no manifest names one" in text


def test_a_shallow_clone_says_that_it_is_one(shop: GitBuilder, tmp_path: Path) -> None:
    """Its few tickets would else pass for all there are."""
    assert "shallow" not in screen(assess(tmp_path, shop.path))
    for depth in (1, 4):
        clone = tmp_path / f"of-{depth}"
        shop.run("clone", "--quiet", f"--depth={depth}", f"file://{shop.path}", str(clone))
    found = assess(tmp_path, tmp_path / "of-4")
    assert "git fetch --unshallow" in found.complaints[0]
    assert "git fetch --unshallow" in " ".join(screen(found).split())
    with pytest.raises(BadInputError, match="git fetch --unshallow"):
        assess(tmp_path, tmp_path / "of-1")
    settings = resolve({"workspace": tmp_path, "backend": "local"}, {}, tmp_path).settings
    source = Source(str(tmp_path / "of-4"))
    made = import_tickets(Line(settings, lambda _: None), source, silent)
    assert "git fetch --unshallow" in made.warnings[0]


def test_what_is_checked_out_does_not_matter(shop: GitBuilder, tmp_path: Path) -> None:
    """A branch that is named does: its newest tree is the one that is looked at."""
    shop.branch("next")
    shop.commit("Move", {"pyproject.toml": MANIFEST.replace("1.0", "2.0")})
    shop.checkout("main")
    clone = tmp_path / "clone"
    shop.run("clone", "--quiet", str(shop.path), str(clone))
    settings = resolve({"workspace": tmp_path, "backend": "local"}, {}, tmp_path).settings
    line = Line(settings, lambda _: None)
    shop.run("-C", str(clone), "checkout", "--quiet", "HEAD~5")
    old = assess_repository(line, Source(str(clone)), silent)
    assert (old.commits, old.distribution) == (9, "shop 1.0 (pyproject.toml project.version)")
    new = assess_repository(line, Source(str(clone), branch="origin/next"), silent)
    assert new.distribution == "shop 2.0 (pyproject.toml project.version)"


def _with(noun: Assessment, **values: object) -> Assessment:
    return Assessment(**{**dict(noun), **values})  # type: ignore[arg-type]


def test_the_command_needs_no_workspace_and_writes_nothing(
    shop: GitBuilder, tmp_path: Path
) -> None:
    here = tmp_path / "empty"
    here.mkdir()
    before = _everything(shop.path)
    command = [sys.executable, "-m", "micro_bench", "assess", str(shop.path), "--json"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["expected_tasks"] == 3
    assert read["next_steps"][1]["command"].endswith(str(shop.path))
    assert list(here.iterdir()) == []
    assert _everything(shop.path) == before


def _everything(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_hostile_names_stay_inert(shop: GitBuilder, tmp_path: Path) -> None:
    files = {
        "tests/test_\x1b[31m.py": "import \x1b", "tests/test_b\udcff.py": "def test_a(): pass\n",
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1\\u001b[2J"\n',
        ".github/workflows/\x1b[1m.yml": "image: redis",
    }  # fmt: skip
    shop.commit("Strange \x1b[31m names", files)
    text = screen(assess(tmp_path, shop.path))
    assert all(letter.isprintable() for letter in text.replace("\n", ""))


def test_the_result_is_a_noun(shop: GitBuilder, tmp_path: Path) -> None:
    found = assess(tmp_path, shop.path)
    assert isinstance(found, Noun)
    assert Assessment.model_validate_json(found.model_dump_json()) == found


def test_the_newest_tree_is_that_of_the_branch_that_is_read(tmp_path: Path) -> None:
    """A clone that stands on another branch says nothing by what is checked out."""
    built = GitBuilder(tmp_path / "shop")
    built.commit("Open", {"shop/__init__.py": "", "shop/a.py": "A = 1\n"})
    built.branch("old")
    built.checkout("main")
    built.commit("Check", {"pytest.ini": "[pytest]\npython_files = check_*.py\n"})
    check = "from shop.a import A\n\n\ndef test_a():\n    assert A == 2\n"
    built.commit("Fix #1: A is two", {"shop/a.py": "A = 2\n", "shop/check_a.py": check})
    built.run("update-ref", "refs/remotes/origin/main", "main")
    built.run("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    built.checkout("old")
    assert assess(tmp_path, built.path).expected_tasks == 1
