"""Every key of a spec, a recipe and the settings decides results, or is known not to."""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from micro_bench import codec
from micro_bench.languages._recipe import Recipe
from micro_bench.model.base import Noun, Time
from micro_bench.model.image import F2PKind, FailToPass, Verification
from micro_bench.model.run import RunLock, TaskLock
from micro_bench.model.task import HARMLESS, Limits, Task
from micro_bench.pipeline import looking
from micro_bench.pipeline.curation import listing
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.run import planning
from micro_bench.pipeline.verify.inputs import (
    HARMLESS_IN_RECIPES,
    HARMLESS_IN_SETTINGS,
    Inputs,
    grading_digest,
)
from micro_bench.settings import Settings
from tests.samples import A_TASK

WHEN = datetime(2025, 1, 1, tzinfo=UTC)
NOTHING = hashlib.sha256(b"").hexdigest()
VERIFIED = Verification(
    task=A_TASK.id, task_digest="0" * 64, recipe_digest="0" * 64, settings_digest="0" * 64,
    image_key="0" * 64, image_digest="sha256:1", python="3.11.2", isolation="a box",
    harness="1", repetitions=1, verified=True, reasons=(),
    fail_to_pass=(FailToPass(id="t.py::a", kind=F2PKind.NEW),), pass_to_pass=("t.py::b",),
    flaky=(), leaks=(), collection_errors=(), waived_gates={}, executions=(), finished=WHEN,
)  # fmt: skip


ANOTHER: dict[Any, Any] = {
    bool: lambda value: not value,
    int: lambda value: (value or 0) + 1,
    float: lambda value: (value or 0) + 1,
    Decimal: lambda value: (value or 0) + Decimal(1),
    str: lambda value: f"{value}0",
    Path: lambda value: Path(f"{value}0"),
    date: lambda _value: WHEN.date(),
    Time: lambda _value: WHEN,
    tuple: lambda value: (*(value or ()), "another"),
    dict: lambda value: {**(value or {}), "another": "one"},
}
"""Type -> a value of it that is not this one. A key of a new type has to be taught here."""


def other(annotation: Any, value: Any) -> Any:
    """A value of the same type that is not this one."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Annotated, Union, types.UnionType):
        return other(next(arg for arg in args if arg is not type(None)), value)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "another"  # any value will do for what is None, or a noun whose keys are walked
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return next((each for each in args or annotation if each != value), "another")
    return ANOTHER[origin or annotation](value)


def changed(noun: Noun) -> Iterator[tuple[str, Any]]:
    """The noun with one key changed, for each key however deep. Unchecked: any value will do."""
    for name, field in type(noun).model_fields.items():
        value = getattr(noun, name)
        if isinstance(value, BaseModel):
            for inner, new in changed(value):  # type: ignore[arg-type]
                yield f"{name}.{inner}", noun.model_copy(update={name: new})
        else:
            new = other(field.rebuild_annotation(), value)
            yield name, noun.model_copy(update={name: new})


def undecided(noun: Noun, harmless: Mapping[str, str], digest: Any) -> list[str]:
    """Keys that are in no digest and are not known to be harmless, or are both."""
    return [
        key for key, copy in changed(noun)
        if (digest(copy) == digest(noun)) != (key.partition(".")[0] in harmless)
    ]  # fmt: skip


SPECS = (A_TASK, HARMLESS, Task.execution_digest)
RECIPES = (Recipe(), HARMLESS_IN_RECIPES, lambda r: Inputs.of(A_TASK, r, Settings()).recipe)
SETTINGS = (Settings(), HARMLESS_IN_SETTINGS, lambda s: Inputs.of(A_TASK, Recipe(), s).settings)


@pytest.mark.filterwarnings("ignore:Pydantic serializer")
@pytest.mark.parametrize(("noun", "harmless", "digest"), [SPECS, RECIPES, SETTINGS])
def test_every_key_is_in_a_digest_or_harmless(noun, harmless, digest):
    assert undecided(noun, harmless, digest) == []
    assert set(harmless) <= set(type(noun).model_fields), "harmless keys that are no keys"
    assert all(len(why) > 10 for why in harmless.values()), "a reason, please"


def test_the_walk_sees_a_key_that_somebody_forgot():
    """The guard itself: a digest over some keys only, and a key called harmless that is not."""
    some = lambda r: r.digest_without([*HARMLESS_IN_RECIPES, "pytest_args"])  # noqa: E731
    assert undecided(Recipe(), HARMLESS_IN_RECIPES, some) == ["pytest_args"]
    more = {**HARMLESS_IN_RECIPES, "python": "it is said"}
    assert undecided(Recipe(), more, RECIPES[2]) == ["python"]


def test_the_walk_reaches_every_key_however_deep():
    keys = [key for key, _copy in changed(A_TASK)]
    assert {"tests.total_timeout_s", "gates.sast.min_severity", "tier.evidence.files"} <= {*keys}


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """A workspace with one verified task."""
    made = Line(Settings.model_validate({"workspace": tmp_path}), lambda _text: None)
    spec = made.workspace.spec(A_TASK.repo.name, A_TASK.id)
    task = Task.model_validate({
        **dict(A_TASK),
        "gold_patch": {"file": "g.patch", "sha256": NOTHING},
        "test_patch": {"file": "t.patch", "sha256": NOTHING},
    })  # fmt: skip
    made.specs.save_task(task, b"", b"")
    assert spec.exists()
    now = Inputs.of(task, Recipe(), made.settings)
    made.specs.save_verification(
        Verification.model_validate(
            {
                **dict(VERIFIED),
                "task_digest": now.spec,
                "recipe_digest": now.recipe,
                "settings_digest": now.settings,
                "harness": now.harness,
            }
        )
    )
    return made


def listed(line: Line) -> object:
    (row,) = listing.listing(line, (), (), "all", "")
    return row["verified"]


def test_another_recipe_makes_a_verification_outdated(line: Line):
    assert listed(line) == "yes"
    path = line.workspace.recipe(A_TASK.repo.name)
    codec.save(path, Recipe(pytest_args=("-p", "no:cacheprovider")))
    assert listed(line) == "outdated"
    assert "outdated (recipe changed since" in looking.explanation(line, A_TASK.id)
    head = looking.explanation(line, A_TASK.id).partition("\n")[0]
    assert head.startswith(f"{A_TASK.id} ({A_TASK.status}, verification outdated): ")
    codec.save(path, Recipe())
    assert listed(line) == "yes"


def test_a_verification_of_an_older_version_is_outdated_and_not_forgotten(line: Line):
    """Before the digests of recipe and settings were written down."""
    path = line.workspace.verification(A_TASK.id) / "verification.json"
    old = json.loads(path.read_text())
    del old["recipe_digest"], old["settings_digest"]
    path.write_text(json.dumps(old))
    assert listed(line) == "outdated"
    assert "outdated (version of micro-bench changed since" in looking.explanation(line, A_TASK.id)


def test_another_spec_makes_a_verification_outdated_and_other_words_do_not(line: Line):
    task = line.specs.task(A_TASK.id)
    words = Task.model_validate({**dict(task), "title": "Another title"})
    line.specs.save_task(words, b"", b"")
    assert listed(line) == "yes"
    less = Task.model_validate({**dict(task), "limits": Limits(memory_mb=600)})
    line.specs.save_task(less, b"", b"")
    assert listed(line) == "outdated"


@pytest.mark.parametrize(
    "change",
    [
        {"recipe_digest": "1" * 64}, {"settings_digest": "1" * 64}, {"isolation": "no box"},
        {"pass_to_pass": ()}, {"waived_gates": {"lint": "it is broken"}},
        {"fail_to_pass": (), "pass_to_pass": ("t.py::a", "t.py::b")},
        {"fail_to_pass": (*VERIFIED.fail_to_pass, FailToPass(id="t.py::b", kind=F2PKind.NEW)),
         "pass_to_pass": ()},
    ],
)  # fmt: skip
def test_what_decides_a_grading_decides_the_plan_of_a_run(change):
    changed = Verification.model_validate({**dict(VERIFIED), **change})
    assert _plan(changed) != _plan(VERIFIED)
    assert "another recipe, other settings or other lists" in planning._difference(
        _lock(VERIFIED), _lock(changed)
    )


def test_a_verification_made_again_with_the_same_result_is_the_same_plan():
    later = {"finished": datetime(2025, 2, 2, tzinfo=UTC), "repetitions": 3}
    assert _plan(Verification.model_validate({**dict(VERIFIED), **later})) == _plan(VERIFIED)


def _plan(found: Verification) -> str:
    return planning._plan(_lock(found).tasks, (), 1)


def _lock(found: Verification) -> RunLock:
    task = TaskLock(
        id=A_TASK.id, title="", tier=1, effort="S", task_digest="2" * 64, image_key="3" * 64,
        image_digest="", base_digest="", python="3.11.2", limits=Limits(), verified_at=WHEN,
        grading=grading_digest(found),
    )  # fmt: skip
    return RunLock(
        run="a", created=WHEN, plan="4" * 64, harness="1", k=1, agents=(), tasks=(task,),
        isolation="a box", host={}, jobs=1,
    )  # fmt: skip
