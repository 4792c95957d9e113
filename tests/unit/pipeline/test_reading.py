"""A person's reading of a suspicious attempt is kept beside its score, and counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.attempt import Attempt
from micro_bench.model.report import MarkKind
from micro_bench.model.score import Score, Suspicion
from micro_bench.paths import Workspace
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.reading import read, suspects
from micro_bench.reports.marks import judge
from micro_bench.settings import Settings
from micro_bench.store import RunStore
from tests.unit.store.test_runs import IDENT, a_lock, a_score, an_attempt

DOUBT = Suspicion(what="sys.modules", path="shop/a.py", line=3, text="sys.modules[x] = y")


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(Settings.model_validate({"workspace": tmp_path}), lambda _text: None)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    made = RunStore.create(Workspace(tmp_path), a_lock())
    patch = {"sha256": "d" * 64, "bytes": 1, "files": ["shop/a.py"]}
    outcome = {"kind": "finished", "exit_code": 0, "patch": patch}
    values = {**an_attempt().model_dump(mode="json"), "outcome": outcome}
    with made.attempt_folder(IDENT) as folder:
        made.save_attempt(folder, Attempt.model_validate(values, strict=False), {})
    score = Score.model_validate({**dict(a_score(1)), "suspicions": (DOUBT,)})
    with made.score_folder(IDENT, 1) as folder:
        made.save_score(folder, score, b"")
    return made


def judged(store: RunStore):
    (attempt,) = store.attempts()
    return judge(attempt, store.scores())


def test_what_nobody_has_read_counts_as_it_is_and_is_told(line: Line, store: RunStore):
    (suspect,) = suspects(line, "run-1")
    assert (suspect.attempt, suspect.verdict, suspect.reading) == (IDENT, "pass", "")
    assert suspect.suspicions == ("sys.modules in shop/a.py:3: sys.modules[x] = y",)
    found = judged(store)
    assert (found.kind, found.suspicions) == (MarkKind.PASS, ("sys.modules (shop/a.py:3)",))


def test_what_is_accepted_is_suspicious_no_more(line: Line, store: RunStore):
    read(line, "run-1", IDENT, "it mends the plugin", accepted=True)
    found = judged(store)
    assert (found.kind, found.suspicions, found.rejected) == (MarkKind.PASS, (), False)
    assert suspects(line, "run-1")[0].reading == "accepted: it mends the plugin"


def test_what_is_rejected_is_a_failure_with_the_reason(line: Line, store: RunStore):
    told = read(line, "run-1", IDENT, "it presets the tests' helper", accepted=False)
    assert told.verdict == "tampered"
    found = judged(store)
    assert (found.kind, found.passed, found.tests_passed) == (MarkKind.TAMPERED, False, False)
    assert "it presets the tests' helper" in found.reason
    assert (store.root / "attempts" / IDENT / "scores" / "1" / "score.json").read_text().count(
        '"verdict": "pass"'
    ) == 1, "the score itself stays"
    read(line, "run-1", IDENT, "I was wrong", accepted=True)
    assert judged(store).kind is MarkKind.PASS


def test_a_reading_is_of_one_grading(line: Line, store: RunStore):
    read(line, "run-1", IDENT, "no", accepted=False)
    with store.score_folder(IDENT, 2) as folder:
        store.save_score(folder, a_score(2), b"")
    assert judged(store).kind is MarkKind.PASS


@pytest.mark.parametrize(
    ("attempt", "why", "error"), [(IDENT, " ", BadInputError), ("x/y/1", "no", NotFoundError)]
)
def test_a_reading_needs_an_attempt_and_a_reason(
    line: Line, store: RunStore, attempt: str, why: str, error: type[Exception]
):
    assert store.scores()
    with pytest.raises(error):
        read(line, "run-1", attempt, why, accepted=True)
