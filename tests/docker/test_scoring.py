"""Whose fault is it that no test ran?"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from micro_bench.model.score import Verdict
from micro_bench.pipeline.run import agents, running
from micro_bench.pipeline.run.scoring import Grader, score_attempt
from micro_bench.store import RunStore
from tests.fakes.shop import Shop, patch


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("own"), "docker")


def go(shop: Shop) -> RunStore:
    request = running.Request((shop.task,), agents.parse(["oracle"], "none"), 1, 1)
    return running.run(shop.line, request, lambda *_what: None, repetitions=1).store


def blind(grader: Grader) -> Grader:
    """Its tests are not where it looks for them: whatever the patch, none will run."""
    return dataclasses.replace(
        grader, job=dataclasses.replace(grader.job, tests=("tests/nowhere/test_a.py",))
    )


def test_a_grading_in_which_not_even_the_gold_patch_runs_a_test_is_invalid_and_done_again(
    own: Shop,
):
    store = go(own)
    (attempt,) = store.attempts()
    found = score_attempt(own.line, store, blind(own.grader), attempt, sequence=2)
    assert found.verdict is Verdict.INVALID
    assert found.reason.startswith("no test ran, and none with the gold patch")
    assert (_folder(store, 2) / "control.log").read_bytes()

    again = go(own)
    assert again.lock.run == store.lock.run, "the run is not complete with such a score"
    latest = again.scores()[attempt.id]
    assert (latest.sequence, latest.verdict) == (3, Verdict.PASS)
    assert go(own).lock.run != store.lock.run


def test_a_patch_that_lets_no_test_run_has_failed(own: Shop):
    """Or agents could leave the denominator at will."""
    store = go(own)
    (attempt,) = store.attempts()
    ends = patch({"tinyshop/__init__.py": b"import os\nos._exit(3)\n"})
    (_folder(store).parents[1] / "patch.diff").write_bytes(ends)
    found = score_attempt(own.line, store, own.grader, attempt, sequence=2)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "tests_crashed")
    assert (_folder(store, 2) / "control.log").read_bytes()


def _folder(store: RunStore, sequence: int = 1) -> Path:
    (attempt,) = store.attempts()
    return store.root / "attempts" / attempt.id / "scores" / str(sequence)
