"""One live line: done of total, failures by kind, the time left, what happens now."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from micro_bench.cli import _live, _output

ROOT = Path(__file__).parents[2]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_line_says_how_far_what_failed_and_how_long(clock: Clock) -> None:
    told: list[str] = []
    board = _live.Board(told.append, clock)
    assert board.status() == ""
    board.begin("attempt", 8)
    board.stage("a/x/1", "working")
    assert board.status() == "attempt 0 of 8 | a/x/1: working"
    clock.now = 120
    board.done("a/x/1", "fail: tests", "tests")
    board.done("b/x/1", "pass")
    assert told == ["attempt 1 of 8: a/x/1: fail: tests", "attempt 2 of 8: b/x/1: pass"]
    board.stage("c/x/1", "grading")
    assert board.status() == ("attempt 2 of 8, failed: 1 tests, about 6 min left | c/x/1: grading")
    for name in "cdefgh":
        board.done(name, "")
    assert len(told) == 2, "what there is nothing to say about is only counted"
    assert board.status() == ""


def test_a_new_phase_counts_anew(clock: Clock) -> None:
    board = _live.Board(lambda _text: None, clock)
    board.begin("verify", 2)
    board.done("a", "no", "not verified")
    board.begin("attempt", 300)
    assert board.status() == "attempt 0 of 300"
    clock.now = 100
    board.done("a", "pass")
    assert board.status() == "attempt 1 of 300, about 8 h 18 min left"


def test_what_others_say_cannot_steer_the_terminal(clock: Clock) -> None:
    told: list[str] = []
    board = _live.Board(told.append, clock)
    board.begin("verify", 2)
    board.stage("a", "x\x1b[2J\r\n")
    assert "\x1b" not in board.status()
    board.done("a", "bad\x1b]0;t\x07")
    assert told == ["verify 1 of 2: a: bad\ufffd]0;t\ufffd"]
    assert _output.inert("two\nlines\x07", "\n") == "two\nlines\ufffd"


def test_in_a_pipe_there_are_plain_lines_and_a_sign_of_life(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_live, "QUIET_SECONDS", 0.01)
    with _live.watching() as watch:
        watch.begin("verify", 2)
        watch.stage("a", "executing base_own 1 of 3")
        _wait_for_line(capfd, "verify 0 of 2 | a: executing base_own 1 of 3\n")
        watch.done("a", "verified")
    told = capfd.readouterr()
    assert "verify 1 of 2: a: verified\n" in told.err
    assert "\x1b" not in told.err
    assert told.out == ""


def _wait_for_line(capfd: pytest.CaptureFixture[str], wanted: str) -> None:
    seen = ""
    for _ in range(2000):
        seen += capfd.readouterr().err
        if wanted in seen:
            return
        select.select([], [], [], 0.01)
    raise AssertionError(seen)


SCRIPT = """
from micro_bench.cli import _live
with _live.watching() as watch:
    watch.begin("verify", 2)
    watch.stage("a", "cutting its slice")
    watch.done("a", "verified")
    raise KeyboardInterrupt
"""


def on_a_terminal(script: str) -> bytes:
    """What a script writes to a terminal as its standard error; it writes nothing else."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stderr=terminal,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    out, _ = process.communicate()
    os.close(terminal)
    seen = b""
    while chunk := _read(controller):
        seen += chunk
    os.close(controller)
    assert out == b""
    return seen


def test_on_a_terminal_events_scroll_above_and_an_interrupt_leaves_it_whole() -> None:
    seen = on_a_terminal(SCRIPT)
    assert b"verify 1 of 2: a: verified" in seen
    assert seen.count(b"\x1b[?25h") == seen.count(b"\x1b[?25l") >= 1, "the cursor is back"


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_count_in_a_pipe_is_a_line_at_its_end_and_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with _output.counter() as tell:
        for number in range(1, 4):
            tell("drafting\x1b tasks", number, 3)
    assert capsys.readouterr().err == "drafting\ufffd tasks: 3 of 3\n"
    monkeypatch.setattr(_output, "COUNT_SECONDS", 0.0)
    with _output.counter() as tell:
        tell("pages", 7, None)
    assert capsys.readouterr().err == "pages: 7\n"


COUNTING = """
from micro_bench.cli import _output
with _output.counter() as tell:
    tell("drafting tasks", 2, 3)
    _output.say("a note")
"""


def test_a_count_on_a_terminal_is_one_line_that_goes_away() -> None:
    seen = on_a_terminal(COUNTING)
    assert b"drafting tasks: 2 of 3" in seen
    assert b"a note" in seen
    assert seen.count(b"\x1b[?25h") == seen.count(b"\x1b[?25l") >= 1
