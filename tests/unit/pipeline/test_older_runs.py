"""A run of an older version: without rates, targets, sizes of patches and conduct."""

from __future__ import annotations

import json

import pytest

from micro_bench.attempts.run import Tried
from micro_bench.attempts.transcripts import atif
from micro_bench.errors import BadInputError
from micro_bench.model.attempt import Attempt, Finished, PatchRef, Timings
from micro_bench.model.report import RunFacts
from micro_bench.model.run import RunLock
from micro_bench.model.session import Call, Session, Step
from micro_bench.pipeline import reporting
from micro_bench.store import open_run
from tests.fakes.team import Team
from tests.unit.reports.builder import agent, attempt, digest, run_facts, score

WHO = agent("codex")
NEW = ("rates", "targets")
NEW_OF_A_TASK = ("packages", "labels", "use_case", "gold_files")


def test_it_loads_and_what_it_did_not_keep_is_unknown_or_read_from_its_files(tmp_path):
    team, facts = Team(tmp_path), run_facts(agents=(WHO,))
    facts = RunFacts.model_validate({**dict(facts), "tasks": facts.tasks[:1], "run": "old"})
    patch = PatchRef(sha256=digest("p"), bytes=3, files=("a.py",))
    made = attempt(facts.tasks[0].id, WHO, 1, Finished(patch=patch, exit_code=0))
    made = Attempt.model_validate({**dict(made), "run": "old"})
    team.run(facts, [made], {made.id: score(made, "pass")}, k=1)
    root = team.workspace.run("old")
    _strip(root / "lock.json", NEW)
    attempt_folder = root / "attempts" / made.id
    _strip(attempt_folder / "attempt.json", ("told", "conduct"))
    (attempt_folder / "patch.diff").write_bytes(b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n")
    call = Call(tool="bash", kind="command", command="pytest", exit_code=1)
    tried = Tried(
        made.outcome, b"", Timings(total=1.0), "", session=Session(steps=(Step(calls=(call,)),))
    )
    (attempt_folder / "transcript.json").write_bytes(atif(tried, WHO, made.id))
    report = reporting.build(open_run(team.workspace, "old"))
    tokens, *_, review = report.costs[0].components
    assert (tokens.amount, report.costs[0].sources) == (None, {"unknown": 1})
    assert (review.quantity, review.amount) == (5.0, None)
    assert report.habits[0].recovery.value == 1.0
    assert report.habits[0].recall.value is None
    written = reporting.write(open_run(team.workspace, "old"), report)
    assert written.keys() == set(reporting.formats())
    with pytest.raises(BadInputError, match="is no text"):
        reporting.render(report, "xlsx")


def _strip(path, names):
    kept = json.loads(path.read_text())
    for one in (kept, *kept.get("tasks", ())):
        for name in (*names, *NEW_OF_A_TASK):
            one.pop(name, None)
    for name in ("lines",):
        kept.get("outcome", {}).get("patch", {}).pop(name, None)
    path.write_text(json.dumps(kept))
    if path.name == "lock.json":
        assert RunLock.model_validate_json(path.read_text()).targets is None
