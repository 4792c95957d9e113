"""What is not of the base commit's date: refused where settings say so, else shown everywhere."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench.edge.alone import alone
from micro_bench.edge.packages import fitting
from micro_bench.edge.recipes import recipe_path
from micro_bench.edge.seal import seal
from micro_bench.errors import BuildError
from micro_bench.images import recipe
from micro_bench.images._builder import Material
from micro_bench.images.local_builder import LocalBuilder
from micro_bench.model.slice import (
    BuiltFromSource,
    Environment,
    Exemption,
    LockFacts,
    Slice,
)
from micro_bench.model.task import SliceLevel
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import allow, named, resolve
from micro_bench.settings import Settings
from tests.samples import A_TASK

DATE = datetime(2023, 1, 1, 13, tzinfo=UTC)
LATE = Exemption(name="attrs", version="23.1.0", until=datetime(2023, 4, 17, tzinfo=UTC))
DATELESS = Exemption(name="inner", version="1.4", until=None)


def line(tmp_path: Path, **settings: str) -> Line:
    given = {"workspace": tmp_path, "cache_dir": tmp_path, "backend": "local", **settings}
    return Line(Settings.model_validate(given), lambda _words: None)


def wanted(**fields: object) -> Environment:
    given = {"python": "3.11", "python_source": "x", "requirements": (), "before": DATE, **fields}
    return Environment.model_validate(given)


def piece(facts: LockFacts, environment: Environment) -> Slice:
    return Slice(
        schema_version=1, task="a-1", repo="a/b", base_commit="a" * 40, base_tree="b" * 40,
        level=SliceLevel.FULL, kept_files=1, total_files=1, kept=(), left_out=(),
        files_sha256="c" * 64, distributions=(), graph="g", environment=environment,
        lock_facts=facts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "exempt", "said"),
    [
        ("late_packages", LATE, "parcel-17: attrs 23.1.0 is newer than the base commit"),
        ("undated_packages", DATELESS, "parcel-17: inner 1.4 has no known date"),
    ],
)
def test_settings_can_forbid_each_kind(tmp_path: Path, setting, exempt, said):
    facts = LockFacts(exempt=(exempt,))
    allow(line(tmp_path), A_TASK, facts)
    other = "late_packages" if setting == "undated_packages" else "undated_packages"
    allow(line(tmp_path, **{other: "forbid"}), A_TASK, facts)
    with pytest.raises(BuildError) as error:
        allow(line(tmp_path, **{setting: "forbid"}), A_TASK, facts)
    assert error.value.message.startswith(said)
    assert "recipe.yaml" in error.value.next_step
    assert f"`{setting}: allow`" in error.value.next_step


def test_everything_that_has_another_date_is_said():
    facts = LockFacts(
        exempt=(LATE, DATELESS), made=datetime(2022, 5, 1, tzinfo=UTC),
        built=(
            BuiltFromSource(name="docopt", version="0.6.2", tools=DATE),
            BuiltFromSource(name="old", version="1", tools=None),
        ),
    )  # fmt: skip
    found = piece(facts, wanted(apt=("libpq5",))).findings()
    starts = (
        "attrs 23.1.0 is newer",
        "inner 1.4 has no known",
        "the base commit's date, 2023-01-01",
    )
    starts += ("old 1 was built from source with the build tools of the day", "the system packages")
    assert len(found) == len(starts)
    assert all(words.startswith(start) for words, start in zip(found, starts, strict=True))


def test_a_lock_without_any_date_is_one_finding():
    facts = LockFacts(exempt=(DATELESS,), undated=True)
    (words,) = piece(facts, wanted()).findings()
    assert words.startswith("the environment has no date")
    assert piece(LockFacts(), wanted()).findings() == ()


def test_a_python_that_cannot_be_had_is_told_with_its_source_and_the_recipe(tmp_path: Path):
    old = wanted(python="3.8", python_source="requires-python >=3.6,<3.9")
    with pytest.raises(BuildError) as error:
        resolve(line(tmp_path), A_TASK, old, ())
    (here,) = LocalBuilder.offered
    assert error.value.message.startswith(
        "parcel-17 wants Python 3.8 (requires-python >=3.6,<3.9): the local sandbox has Python"
    )
    assert f'`python: "{here}"`' in error.value.next_step
    assert str(tmp_path / "repo_slices") in error.value.next_step


def test_a_builder_waits_for_another_process_in_the_same_cache(tmp_path: Path):
    (here,) = LocalBuilder.offered
    told, heard = list[str](), threading.Event()
    builder = LocalBuilder(tmp_path, lambda words: (told.append(words), heard.set())[0])
    base = builder.base(here).digest
    tools = fitting(
        recipe_path("tools.lock").read_text(encoding="utf-8"), builder.base(here).python
    )
    for kind, key in (
        ("tools", recipe.key("tools", base, recipe.lock_body(tools))),
        (
            "environments",
            recipe.key("environment", base, recipe.lock_body(""), recipe.PROJECT_HOOK),
        ),
    ):
        (tmp_path / kind / key[:20]).mkdir(parents=True)
        (tmp_path / kind / key[:20] / ".complete").touch()
    files = {"a.py": (0o100644, b"A = 1\n")}
    material = Material(piece(LockFacts(), wanted(python=here)), files, seal(files, DATE), "")
    made = list[object]()
    with alone(tmp_path / ".building", pytest.fail):
        thread = threading.Thread(target=lambda: made.append(builder.build(material)))
        thread.start()
        assert heard.wait(timeout=60)
        assert not (tmp_path / "slices").exists()
    thread.join()
    assert told == ["waiting for another build in the same cache"]
    assert made


def test_an_environment_that_failed_is_remembered_until_it_works(tmp_path: Path):
    made = line(tmp_path)
    said = BuildError("x 1.0 does not build: no header", next_step="`apt: [x]` in the recipe.yaml")
    with pytest.raises(BuildError), named(made, A_TASK, "building its environment and image"):
        raise said
    found = made.specs.broken(A_TASK.id)
    assert found is not None
    place = made.workspace.recipe(A_TASK.repo.name)
    assert found.words() == (
        "building its environment and image failed: x 1.0 does not build: no header\n"
        f"  next: `apt: [x]` in {place}"
    )
    made.specs.forget_broken(A_TASK.id)
    assert made.specs.broken(A_TASK.id) is None
