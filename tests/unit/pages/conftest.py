from __future__ import annotations

import json

import pytest

from micro_bench.model.execution import TestStatus
from micro_bench.model.score import FailedTest
from tests.fakes.browser import opened
from tests.fakes.team import Team
from tests.unit.reports.builder import realistic

EVIL = '</script><script>document.title="owned"</script><img src=x onerror=alert(1)>'

PATCH = f"""\
diff --git a/{EVIL} b/x
--- a/x
+++ b/{EVIL}
@@ -0,0 +1 @@
+{EVIL}
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """A realistic run whose titles, tests, transcripts and logs are hostile."""
    made = Team(tmp_path_factory.mktemp("team"))
    facts, attempts, scores = realistic()
    tasks = tuple(
        type(one).model_validate({**dict(one), "title": f"{one.title} {EVIL}"})
        for one in facts.tasks
    )
    facts = type(facts).model_validate({**dict(facts), "tasks": tasks})
    hostile = {
        ident: type(score).model_validate({
            **dict(score),
            "failed_tests": () if score.tests_passed else (
                FailedTest(id=f"test_a[{EVIL}]", status=TestStatus.FAILED, message=EVIL),
            ),
        })
        for ident, score in scores.items()
    }  # fmt: skip
    files = {
        attempt.id: {
            "transcript.json": transcript(attempt.id), "agent.log": EVIL.encode(),
            "instruction.md": f"# {EVIL}\n\n![x](http://evil.example/p.png) <b>bold</b>\n".encode(),
            "patch.diff": made.gold + PATCH.encode(),
        }
        for attempt in attempts
    }  # fmt: skip
    made.run(facts, attempts, hostile, files)
    return made


def transcript(ident: str, steps: int = 3) -> bytes:
    """ATIF, with an edit and a failing test run in it."""
    calls = [
        {
            "tool_call_id": "2.1",
            "function_name": "Bash",
            "arguments": {"command": f"pytest {EVIL}"},
        },
    ]
    edit = [
        {"tool_call_id": "3.1", "function_name": "Edit", "arguments": {"path": "parcel/text.py"}}
    ]
    told = [
        {"step_id": 1, "source": "user", "message": "Do it"},
        {
            "step_id": 2, "source": "agent", "message": EVIL, "tool_calls": calls,
            "observation": {"results": [{"source_call_id": "2.1", "content": EVIL}]},
            "extra": {"calls": {"2.1": {"kind": "command", "exit_code": 1, "seconds": 2.5}}},
        },
        {
            "step_id": 3, "source": "agent", "message": "Done", "tool_calls": edit,
            "extra": {"calls": {"3.1": {"kind": "edit", "seconds": "not disclosed"}}},
        },
    ]  # fmt: skip
    told += [{"step_id": n, "source": "agent", "message": f"step {n}"} for n in range(4, steps + 1)]
    return json.dumps({"schema_version": "ATIF-v1.8", "session_id": ident, "steps": told}).encode()
