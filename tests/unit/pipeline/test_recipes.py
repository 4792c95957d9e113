"""A repository's recipe: what detection proposes, what holds, every mistake at once."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from micro_bench import codec, starter
from micro_bench.cli._app import run
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.languages._recipe import Recipe
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.recipes.commands import checked, proposals, shown
from micro_bench.settings import Settings
from tests.unit.languages.trees import files

TREE = {
    "pyproject.toml": """
        [project]
        name = "shop"
        version = "1"
        requires-python = ">=3.9"
        dependencies = ["attrs"]
        [dependency-groups]
        test = ["pytest"]
        [tool.pytest.ini_options]
        testpaths = ["checks"]
    """,
    "uv.lock": 'version = 1\n[[package]]\nname = "attrs"\nversion = "23.1.0"\n',
    "tox.ini": "[testenv]\nsetenv =\n    MODE = test\ncommands = pytest\n",
    "src/shop/__init__.py": "import redis\n",
    "checks/test_shop.py": "import redis\ndef test_a():\n    pass\n",
    "compose.yaml": "services:\n  cache:\n    image: redis:7\n",
    ".github/workflows/ci.yml": "jobs:\n  t:\n    steps:\n"
    "      - run: sudo apt-get install -y libmagic1\n      - run: pytest\n",
}
NAME = "acme/shop"


@pytest.fixture
def line(tmp_path: Path) -> Line:
    clone, bench = tmp_path / "clone", tmp_path / "bench"
    for path, content in files(TREE).items():
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_bytes(content)
    for words in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm one"):
        subprocess.run(["git", "-C", str(clone), *words.split()], check=True)
    starter.create(bench)
    given = {"workspace": bench, "cache_dir": tmp_path / "cache", "backend": "local"}
    made = Line(Settings.model_validate(given), lambda _words: None)
    made.specs.remember_clone(NAME, clone)
    return made


def recipe(line: Line) -> Path:
    return line.workspace.recipe(NAME)


def write(line: Line, text: str) -> None:
    recipe(line).parent.mkdir(parents=True, exist_ok=True)
    recipe(line).write_text(text, encoding="utf-8")


def test_a_proposal_says_what_was_found_and_where_and_changes_nothing(line: Line):
    (found,) = proposals(line, None, write=False)
    assert not recipe(line).exists()
    keys = {one["key"]: one for one in found["keys"]}
    assert keys["lock"]["value"] == "uv.lock"
    assert keys["lock"]["from"] == "uv.lock: 1 package pinned"
    assert keys["python"]["from"] == "requires-python >=3.9"
    assert keys["roots"]["value"] == ["src"]
    assert keys["env"]["value"] == {"MODE": "test"}
    assert keys["runner"]["from"] == "tox.ini (command)"
    assert not keys["apt"]["by_itself"]
    assert any("Redis" in note and "compose.yaml" in note for note in found["notes"])


def test_a_written_proposal_is_comments_and_each_line_of_it_loads_by_itself(line: Line):
    proposals(line, NAME, write=True)
    text = recipe(line).read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../../recipe.schema.json\nschema_v")
    assert line.specs.recipe(NAME) == Recipe()
    every = re.sub(r"(?m)^# ([a-z_]+: )", r"\1", text)
    decided = codec.decode(every, Recipe, "recipe.yaml")
    assert decided.lock == "uv.lock"
    assert decided.apt == ("libmagic1",)
    assert decided.env == {"MODE": "test"}


def test_a_lead_s_own_lines_stay_when_it_is_proposed_again(line: Line):
    write(line, "# ours\nschema_version: 1\napt: [libpq5]  # because\n")
    for _ in range(2):
        proposals(line, NAME, write=True)
    text = recipe(line).read_text(encoding="utf-8")
    assert text.startswith("# ours\nschema_version: 1\napt: [libpq5]  # because\n\n# --- prop")
    assert text.count("# --- proposed") == text.count("# --- end") == 1
    assert line.specs.recipe(NAME) == Recipe(apt=("libpq5",))
    with recipe(line).open("a", encoding="utf-8") as file:
        file.write("flaky: ['*::test_a']\n")
    proposals(line, NAME, write=True)
    assert line.specs.recipe(NAME).flaky == ("*::test_a",)


def test_no_file_of_the_repository_ends_a_comment(line: Line):
    clone = line.specs.clones()[NAME]
    (clone / "tox.ini").write_text("[testenv]\nsetenv =\n    X = a\u2028b\n", encoding="utf-8")
    words = "-c user.name=a -c user.email=a@b commit -qam two"
    subprocess.run(["git", "-C", str(clone), *words.split()], check=True)
    proposals(line, NAME, write=True)
    assert line.specs.recipe(NAME) == Recipe()


def test_what_holds_comes_from_the_recipe_or_from_detection(line: Line):
    write(line, "env: {MODE: ours}\nlock: none\n")
    (found,) = shown(line, "acme__shop")
    keys = {one["key"]: (one["value"], one["from"]) for one in found["keys"]}
    assert keys["env"] == ({"MODE": "ours"}, "recipe.yaml")
    assert keys["lock"] == ("none", "recipe.yaml")
    assert keys["roots"] == (["src"], "detected: where shop 1 is imported from")
    assert keys["apt"] == ([], "default")
    assert keys.keys() == Recipe.model_fields.keys() - {"schema_version"}


WRONG = """\
runnr: pytest
python: three
extras: [nope]
roots:
  - lib
test_script: gone.py
requirements: ["a b"]
"""


def test_every_mistake_of_every_recipe_is_told_at_once_with_its_place(line: Line):
    write(line, WRONG)
    other = line.workspace.slices / "elsewhere" / "recipe.yaml"
    other.parent.mkdir()
    other.write_text("apt: [LIBPQ]\n", encoding="utf-8")
    with pytest.raises(BadInputError) as caught:
        checked(line, None)
    told = {(Path(m.file).parent.name, m.line, m.path, m.message) for m in caught.value.mistakes}
    assert {(one[0], one[1], one[2]) for one in told} == {
        ("acme__shop", 1, "runnr"), ("acme__shop", 2, "python"), ("acme__shop", 3, "extras[0]"),
        ("acme__shop", 5, "roots[0]"), ("acme__shop", 6, "test_script"),
        ("acme__shop", 7, "requirements[0]"), ("elsewhere", 1, "apt[0]"),
    }  # fmt: skip
    assert any("no project has 'nope'" in one[3] for one in told)
    assert caught.value.message == "7 mistakes in 2 recipes"


def test_sound_recipes_are_named_with_what_they_were_compared_with(line: Line):
    assert checked(line, None) == []
    write(line, "groups: [Test]\nroots: [./src/]\nworkdir: checks\nlock: uv.lock\n")
    (row,) = checked(line, NAME)
    assert row["repo"] == NAME
    assert row["compared_with"]
    with pytest.raises(NotFoundError, match="did you mean 'acme/shop'"):
        checked(line, "acme/shp")


@pytest.mark.parametrize("words", ["propose", "propose --write", "show", "check"])
def test_the_commands_print_one_object(line: Line, words: str, capsys: pytest.CaptureFixture[str]):
    argv = ["-w", str(line.workspace.root), "recipe", *words.split(), "--json"]
    assert run(argv) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["next_steps"]
