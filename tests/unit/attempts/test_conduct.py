"""What an agent's calls come to; the transcript that is kept tells the same."""

from __future__ import annotations

import pytest

from micro_bench.attempts.conduct import calls_of, conduct
from micro_bench.attempts.run import Tried
from micro_bench.attempts.sizes import changed_lines
from micro_bench.attempts.transcripts import atif
from micro_bench.model.attempt import Finished, Timings
from micro_bench.model.session import Call, Session, Step
from tests.unit.reports.builder import agent, patch

GOLD = ("src/parcel/rates.py", "src/parcel/text.py")


def ran(command: str, code: int | None = 0) -> Call:
    return Call(tool="bash", kind="command", command=command, exit_code=code)


def read(path: str) -> Call:
    return Call(tool="read", kind="read", path=path)


EDIT = Call(tool="edit", kind="edit", path="/work/src/parcel/rates.py")
FOLDED = (
    read("/work/README.md"), ran("sed -n 1,80p src/parcel/rates.py"), ran("git status"), EDIT,
    read("/work/src/other.py"), ran("python -m pytest -q", 1), ran("python -m pytest -q", 0),
)  # fmt: skip


def test_what_was_opened_before_the_first_edit_and_found_at_all():
    found = conduct(FOLDED, GOLD)
    assert found is not None
    assert (found.commands, found.opened, found.test_runs) == (4, 2, 2)
    assert found.first_tests == "failed"
    assert (found.gold_files, found.located) == (2, 1)


def test_an_agent_that_tells_nothing_has_no_conduct():
    assert conduct((), GOLD) is None


@pytest.mark.parametrize(
    ("call", "ended"),
    [
        (ran("tox -e py311", 0), "passed"),
        (ran("make test", 2), "failed"),
        (ran("pytest", None), None),
        (Call(tool="bash", kind="command", command="pytest", failed=True), "failed"),
        (ran("pip install pytest-x", 1), "failed"),  # a word is a word: the first run of it
        (ran("grep -r testing .", 1), None),
    ],
)
def test_the_first_own_test_run(call, ended):
    found = conduct([call], ())
    assert found is not None
    assert found.first_tests == ended


@pytest.mark.parametrize(
    "edit", ["sed -i s/a/b/ x.py", "cat > x.py <<'E'", "cat <<E > x.py", "echo x >> setup.cfg"]
)
def test_an_edit_by_the_shell_ends_what_was_opened_before(edit):
    found = conduct([ran("cat a.py"), ran(edit), ran("cat b.py")], ())
    assert found is not None
    assert found.opened == 1


def test_errors_thrown_away_are_no_edit():
    found = conduct([ran("cat a.py 2>/dev/null"), ran("cat b.py 2>&1")], ())
    assert found is not None
    assert found.opened >= 2


def test_the_transcript_that_is_kept_tells_the_same():
    session = Session(steps=(Step(text="looking", calls=FOLDED[:3]), Step(calls=FOLDED[3:])))
    outcome = Finished(patch=patch(), exit_code=0)
    tried = Tried(outcome, b"", Timings(total=1.0), "do", session=session)
    kept = calls_of(atif(tried, agent("codex"), "one/codex/1"))
    assert conduct(kept, GOLD) == conduct(FOLDED, GOLD)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"steps": 3}', b'{"steps": [1]}', b"\xff"])
def test_a_transcript_that_cannot_be_read_tells_nothing(text):
    assert calls_of(text) == ()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", 0),
        (b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", 2),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n a\n+--- b\n b\n", 1),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +0,0 @@\n--- a\n--- b\n", 2),
        (b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n", 2),
        (b"diff --git a/x b/x\nBinary files differ\n", 0),
    ],
)
def test_changed_lines_are_those_in_hunks(text, lines):
    assert changed_lines(text) == lines
