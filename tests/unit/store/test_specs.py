from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from micro_bench import codec
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.task import Task
from micro_bench.paths import Workspace
from micro_bench.store import SpecStore
from tests.samples import A_TASK

GOLD, TEST = b"the gold patch\n", b"the test patch\n"


def task(ident: str = "parcel-17", **changed: object) -> Task:
    data = A_TASK.model_dump(mode="json")
    data.update(id=ident, **changed)
    for name, content in (("gold", GOLD), ("test", TEST)):
        digest = hashlib.sha256(content).hexdigest()
        data[f"{name}_patch"] = {"file": f"{ident}.{name}.patch", "sha256": digest}
    return Task.model_validate(data, strict=False)


@pytest.fixture
def store(tmp_path: Path) -> SpecStore:
    return SpecStore(Workspace(tmp_path))


def save(store: SpecStore, *tasks: Task) -> None:
    for one in tasks:
        store.save_task(one, GOLD, TEST)


def mistakes(store: SpecStore) -> list[str]:
    with pytest.raises(BadInputError) as caught:
        store.tasks()
    return [str(mistake) for mistake in caught.value.mistakes]


def test_what_is_saved_is_read_back(store):
    assert store.save_task(task(), GOLD, TEST) is True
    assert store.tasks() == (task(),)
    assert store.task("parcel-17") == task()
    assert store.of_repository("parcel-labs/parcel") == (task(),)
    assert store.of_repository("parcel-labs/other") == ()
    assert (store.gold_patch(task()), store.test_patch(task())) == (GOLD, TEST)


def test_saving_the_same_again_keeps_a_persons_comments(store):
    save(store, task())
    path = store.path(task())
    edited = "# looked at by Ada\n" + path.read_text() + "\n# the end\n"
    path.write_text(edited)
    assert store.save_task(task(), GOLD, TEST) is False
    assert path.read_text() == edited


def test_saving_something_else_changes_the_file(store):
    save(store, task())
    assert store.save_task(task(title="Another"), GOLD, TEST) is True
    assert store.task("parcel-17").title == "Another"


def test_a_patch_edited_in_silence_is_a_mistake(store):
    save(store, task())
    (store.path(task()).parent / "parcel-17.gold.patch").write_bytes(GOLD + b"+more\n")
    (found,) = mistakes(store)
    assert "gold_patch" in found
    assert "SHA-256" in found
    with pytest.raises(BadInputError):
        store.gold_patch(task())
    assert store.test_patch(task()) == TEST


def test_a_patch_that_is_gone_is_a_mistake(store):
    save(store, task())
    (store.path(task()).parent / "parcel-17.test.patch").unlink()
    (found,) = mistakes(store)
    assert "parcel-17.test.patch, which is not there" in found


def test_a_patch_elsewhere_is_a_mistake_even_if_its_digest_is_right(store, tmp_path):
    save(store, task())
    (tmp_path / "tickets" / "x.patch").write_bytes(GOLD)
    path = store.path(task())
    path.write_text(path.read_text().replace("parcel-17.gold.patch", "../x.patch"))
    (found,) = mistakes(store)
    assert "must be a file beside the spec" in found


def test_an_id_that_is_not_the_files_name_is_a_mistake(store):
    save(store, task())
    path = store.path(task())
    path.rename(path.with_name("other.yaml"))
    (found,) = mistakes(store)
    assert "is not the name of its file" in found


def test_an_id_used_twice_is_a_mistake(store):
    second = {**task().repo.model_dump(mode="json"), "name": "fork/parcel"}
    save(store, task(), task(repo=second))
    (found,) = mistakes(store)
    assert "is also used in" in found
    assert "parcel-labs__parcel" in found


def test_a_copy_under_another_name_is_told(store):
    save(store, task())
    path = store.path(task())
    path.with_name("copy.yaml").write_text(path.read_text())
    assert any("is also used in" in found for found in mistakes(store))


def test_the_mistakes_of_every_broken_spec_are_told_at_once(store):
    save(store, task("parcel-1"), task("parcel-2"), task("parcel-3"))
    for name, old, new in (("1", "tier:", "teir:"), ("3", "status: reviewed", "status: read")):
        path = store.path(task(f"parcel-{name}"))
        path.write_text(path.read_text().replace(old, new))
    found = mistakes(store)
    assert any("parcel-1.yaml" in text for text in found)
    assert any("parcel-3.yaml" in text for text in found)
    assert not any("parcel-2.yaml" in text for text in found)


def test_tasks_come_by_tier_and_number(store):
    second = {**task().tier.model_dump(mode="json"), "auto": 2}
    save(store, task("parcel-3", tier=second), task("parcel-12"), task("parcel-9"))
    assert [t.id for t in store.tasks()] == ["parcel-9", "parcel-12", "parcel-3"]
    assert [t.id for t in store.tasks(tiers=[2])] == ["parcel-3"]
    assert [t.id for t in store.tasks(["*-1?", "*-9"])] == ["parcel-9", "parcel-12"]


def test_a_pattern_that_fits_nothing_is_not_found(store):
    save(store, task())
    with pytest.raises(NotFoundError, match="parcel-99"):
        store.tasks(["parcel-17", "parcel-99"])


def test_a_retired_task_is_only_there_when_asked_for(store):
    save(store, task(status="retired"))
    assert store.tasks() == ()
    assert [t.id for t in store.tasks(retired=True)] == ["parcel-17"]
    assert store.task("parcel-17").id == "parcel-17"


def test_clones_are_remembered(store, tmp_path):
    assert store.clones() == {}
    store.remember_clone("a/b", tmp_path / "x")
    store.remember_clone("c/d", tmp_path / "y")
    store.remember_clone("a/b", tmp_path / "z")
    assert store.clones() == {"a/b": tmp_path / "z", "c/d": tmp_path / "y"}


def test_a_verification_of_another_version_is_none(store):
    path = store.workspace.verification("parcel-17") / "verification.json"
    assert store.verification("parcel-17") is None
    path.parent.mkdir(parents=True)
    path.write_text('{"task": "parcel-17"}')
    assert store.verification("parcel-17") is None


def test_a_spec_on_disk_is_the_one_the_codec_reads(store):
    save(store, task())
    assert codec.load(store.path(task()), Task) == task()


@pytest.mark.parametrize(
    "place",
    [
        "tickets/parcel-labs__parcel/recipe.yaml", "tickets/recipe.yaml", "tickets/x/recipe.yml",
        "repo_slices/recipe.yaml", "repo_slices/parcel-labs__parcel/recipe.yml",
    ],
)  # fmt: skip
def test_a_recipe_where_none_is_read_is_called_what_it_is(store, place):
    save(store, task())
    path = store.workspace.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("env: {MODE: test}\n")
    for read in (store.tasks, lambda: store.of_repository("parcel-labs/parcel")):
        with pytest.raises(BadInputError, match="is a recipe in a place where none") as caught:
            read()
        assert str(path) in caught.value.message
        assert "repo_slices/REPOSITORY/recipe.yaml" in caught.value.next_step
    path.unlink()
    assert store.tasks() == (task(),)
