from __future__ import annotations

import os
from pathlib import Path

import pytest

from micro_bench.errors import BusyError, NotFoundError
from micro_bench.model.attempt import Attempt
from micro_bench.model.run import RunLock
from micro_bench.model.score import Score
from micro_bench.paths import Workspace
from micro_bench.store import RunStore, list_runs, open_run

IDENT, WHEN = "parcel-17/oracle/1", "2024-05-01T10:00:00Z"
ORACLE = {"name": "oracle", "kind": "oracle", "version": "1"}


def a_lock(run: str = "run-1") -> RunLock:
    return RunLock.model_validate(
        {
            "run": run, "created": WHEN, "plan": "a" * 64, "harness": "0", "k": 1,
            "agents": [ORACLE], "tasks": [], "isolation": "docker", "host": {}, "jobs": 1,
        },
        strict=False,
    )  # fmt: skip


def an_attempt(number: int = 1) -> Attempt:
    return Attempt.model_validate(
        {
            "run": "run-1", "task": "parcel-17", "task_digest": "a" * 64, "tier": 1,
            "agent": ORACLE, "number": number, "image_key": "b" * 64, "image_digest": "c",
            "isolation": "docker", "limits": {}, "started": WHEN, "finished": WHEN,
            "outcome": {"kind": "infra_failed", "stage": "start", "message": "engine"},
            "timings": {"total": 1.0},
        },
        strict=False,
    )  # fmt: skip


def a_score(sequence: int, attempt: str = IDENT) -> Score:
    return Score.model_validate(
        {
            "attempt": attempt, "run": "run-1", "sequence": sequence, "verdict": "pass",
            "reason": "", "criteria": [], "tests_passed": True, "unit_green_system_red": None,
            "failed_tests": [], "scans": [], "fail_to_pass": [1, 1], "pass_to_pass": [0, 0],
            "patch_sha256": None, "image_digest": "c", "isolation": "docker", "harness": "0",
            "graded": WHEN, "seconds": 1.0, "test_seconds": 1.0,
        },
        strict=False,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore.create(Workspace(tmp_path), a_lock())


def save(store: RunStore, number: int = 1, patch: bytes = b"p") -> None:
    with store.attempt_folder(f"parcel-17/oracle/{number}") as folder:
        store.save_attempt(folder, an_attempt(number), {"patch.diff": patch})


def score(store: RunStore, sequence: int) -> None:
    with store.score_folder(IDENT, sequence) as folder:
        store.save_score(folder, a_score(sequence), b"<xml/>")


def names(store: RunStore) -> list[str]:
    return sorted(path.name for path in (store.root / "attempts/parcel-17/oracle").iterdir())


def test_an_attempt_is_there_when_it_is_complete_and_not_before(store):
    with store.attempt_folder(IDENT) as folder:
        store.save_attempt(folder, an_attempt(), {"patch.diff": b"p"})
        assert store.attempts() == ()
        assert not (store.root / "attempts" / IDENT).exists()
    assert store.attempts() == (an_attempt(),)
    assert store.patch(IDENT) == b"p"
    assert names(store) == ["1"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_attempt_that_broke_off_gets_no_name_and_is_filed_away_by_the_next(store, error):
    def half() -> None:
        with store.attempt_folder(IDENT) as folder:
            store.save_attempt(folder, an_attempt(), {"agent.log": b"half"})
            raise error

    with pytest.raises(error):
        half()
    assert store.attempts() == ()
    with store.exclusive():
        assert names(store) == ["1.interrupted-1"]
    kept = store.root / "attempts/parcel-17/oracle/1.interrupted-1/agent.log"
    assert kept.read_bytes() == b"half"
    assert store.attempts() == ()


def test_a_second_interruption_does_not_replace_the_first(store):
    for _ in range(2):
        with pytest.raises(RuntimeError), store.attempt_folder(IDENT):
            raise RuntimeError
        with store.exclusive():
            pass
    assert names(store) == ["1.interrupted-1", "1.interrupted-2"]


def test_the_try_that_infrastructure_broke_is_kept_beside_its_repetition(store):
    for content in (b"first", b"second", b"third"):
        save(store, patch=content)
    assert names(store) == ["1", "1.infra-1", "1.infra-2"]
    assert store.patch(IDENT) == b"third"
    kept = store.root / "attempts/parcel-17/oracle/1.infra-1/patch.diff"
    assert kept.read_bytes() == b"first"
    assert store.attempts() == (an_attempt(),)


def test_scores_of_a_try_that_was_repeated_do_not_count(store):
    save(store)
    score(store, 1)
    save(store)
    assert store.scores() == {}


def test_only_one_may_work_on_a_run(store):
    another = RunStore(store.root, store.lock)
    with store.exclusive(), pytest.raises(BusyError, match="run-1"), another.exclusive():
        pytest.fail("two at once")
    with store.exclusive():
        pass


def test_the_run_is_free_again_after_an_error(store):
    with pytest.raises(RuntimeError), store.exclusive():
        raise RuntimeError
    with store.exclusive():
        pass


def test_the_one_who_was_refused_files_nothing_away(store):
    with store.exclusive(), store.attempt_folder(IDENT) as folder:
        with pytest.raises(BusyError), RunStore(store.root, store.lock).exclusive():
            pytest.fail("two at once")
        assert folder.exists()


def test_the_latest_score_is_the_one_that_counts_and_the_older_stay(store):
    save(store)
    for sequence in (1, 2, 10, 9):
        score(store, sequence)
    assert store.scores() == {IDENT: a_score(10)}
    folder = store.root / "attempts" / IDENT / "scores"
    assert sorted(path.name for path in folder.iterdir()) == ["1", "10", "2", "9"]
    assert (folder / "2" / "junit.xml").read_bytes() == b"<xml/>"


def test_a_grading_that_broke_off_is_no_score(store):
    save(store)

    def half() -> None:
        with store.score_folder(IDENT, 1) as folder:
            store.save_score(folder, a_score(1), b"")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert store.scores() == {}


def test_runs_are_found_by_name_and_the_latest_is_the_newest(tmp_path):
    workspace = Workspace(tmp_path)
    with pytest.raises(NotFoundError):
        open_run(workspace, "latest")
    for age, name in ((100, "z-old"), (50, "a-new")):
        store = RunStore.create(workspace, a_lock(name))
        os.utime(store.root / "lock.json", (1_700_000_000 - age,) * 2)
    assert [run.lock.run for run in list_runs(workspace)] == ["z-old", "a-new"]
    assert open_run(workspace, "latest").lock.run == "a-new"
    assert open_run(workspace, "z-old").lock == a_lock("z-old")
    with pytest.raises(NotFoundError, match="z-old, a-new"):
        open_run(workspace, "nothing")
    with pytest.raises(NotFoundError, match="did you mean 'z-old'"):
        open_run(workspace, "z-odl")
