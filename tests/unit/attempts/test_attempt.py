"""Whole attempts in the embedded sandbox, on a folder of three files."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.attempts.run import VARIABLE_LIMIT, Assignment, HowTested, Tried
from micro_bench.edge import host
from micro_bench.edge.archive import Entry, write_tree
from micro_bench.edge.patching import patch_paths
from micro_bench.edge.seal import seal
from micro_bench.model.attempt import AgentFailed, AgentRef, BudgetStop, Finished
from micro_bench.model.image import Image
from micro_bench.model.task import Task
from micro_bench.sandboxes.local import LocalBackend
from tests.samples import A_TASK

FILES = {
    "calc.py": (0o100644, b"a - b\n"),
    ".gitignore": (0o100644, b"lib/\n"),
    "README.md": (0o100644, b"hello\n"),
}
MEND = "echo 'a + b' > calc.py; "

pytestmark = pytest.mark.skipif(not host.bubblewrap().works, reason="bubblewrap does not work here")
Try = Callable[..., Tried]


def image(cache: Path) -> Image:
    """The files with one commit; the tools are the interpreter that runs the tests."""
    sealed = seal(FILES, datetime(2025, 1, 1, tzinfo=UTC))
    place = cache / "slices" / "one"
    entries = [Entry(f"work/{path}", content, mode) for path, (mode, content) in FILES.items()]
    entries += [Entry(f"work/.git/{path}", content) for path, content in sealed.files.items()]
    write_tree([*entries, Entry("project/micro_bench_roots.pth", b"/work\n")], place)
    (place / "work/.git/refs/heads").mkdir(parents=True, exist_ok=True)
    for kind, key in (("environments", "e" * 64), ("tools", "b" * 64)):
        (cache / kind / key[:20] / "bin").mkdir(parents=True)
    tool = cache / "tools" / ("b" * 20) / "bin" / "python"
    tool.symlink_to(Path(sys.executable).resolve())
    return Image(
        task="one", key="a" * 64, env_key="e" * 64, tag="local:one", digest="local:one",
        base_digest="local:" + "b" * 64, place=str(place), python="3.11.2", backend="local",
        work_tree=sealed.tree, work_commit=sealed.commit,
    )  # fmt: skip


@pytest.fixture
def try_(tmp_path: Path) -> Try:
    made, backend = image(tmp_path / "cache"), LocalBackend(tmp_path / "cache", plain=False)

    def attempt(
        script: str, *, text: str = "Mend it.", added: tuple[str, ...] = (),
        tested: HowTested = HowTested(),  # noqa: B008 - frozen
    ) -> Tried:  # fmt: skip
        limits = type(A_TASK.limits).model_validate({**dict(A_TASK.limits), "agent_s": 20})
        task = Task.model_validate({**dict(A_TASK), "instruction": text, "limits": limits})
        ref = AgentRef(name="shell", kind="command", version="1", options={"command": script})
        plugin = plugins.load("attempts.agents", "command")
        what = Assignment(task, made, ref, plugin, 1, None, {}, {}, patch_paths, added, tested)
        folder = tmp_path / hashlib.sha256(script.encode()).hexdigest()[:8]
        folder.mkdir()
        return attempts.attempt(backend.start, what, folder)

    return attempt


def finished(tried: Tried) -> Finished:
    assert isinstance(tried.outcome, Finished), tried.outcome
    return tried.outcome


def notes(tried: Tried) -> str:
    return "; ".join(str(note) for note in finished(tried).notes)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", ""),
        ("rm -rf .git", "lost the root commit"),
        ("rm -rf .git; git init -q; git add -A; git commit -qm mine", "lost the root commit"),
        ("rm -rf .git/objects; mkfifo .git/objects", "lost the root commit"),
        ("mkfifo pipe", "a pipe, no file: pipe"),
        ("mkdir closed; chmod 000 closed", "closed"),
        ("chmod 000 /work", "a copy without any process"),
        ("chmod 000 /bench; rm -rf /tmp/*", ""),
        ("git init -q lib/inner; touch lib/inner/x", "ignored: lib/"),
        ("umask 0777; touch pipe2; mkdir d", "pipe2"),
        ("(trap '' TERM; while :; do touch x; done) & sleep 0.2; rm -f x", ""),
    ],
)
def test_the_work_is_taken_and_what_was_odd_is_named(try_: Try, script: str, said: str):
    tried = try_(MEND + script)
    assert "calc.py" in finished(tried).patch.files
    assert said in notes(tried)


def test_the_agent_has_the_variables_of_the_tests_and_none_of_the_harness_is_replaced(try_: Try):
    tested = HowTested(env={"MODE": "test", "MICRO_BENCH_TASK": "forged"})
    tried = try_('echo "$MODE $MICRO_BENCH_TASK" > seen', tested=tested)
    assert f"+test {A_TASK.id}".encode() in tried.patch


def test_a_git_of_the_agent_s_own_needs_no_configuration(try_: Try):
    tried = try_(
        MEND + "git init -q x && cd x && touch y && git add . && git commit -qm y && echo z > z"
    )
    assert set(finished(tried).patch.files) == {"calc.py", "x/y", "x/z"}


def test_an_ignored_path_counts_if_the_gold_patch_adds_it(try_: Try):
    script = MEND + "mkdir lib; touch lib/a.py lib/b.py"
    assert finished(try_(script)).patch.files == ("calc.py",)
    tried = try_(script + " ", added=("lib/a.py",))
    assert finished(tried).patch.files == ("calc.py", "lib/a.py")


def test_a_path_of_the_gold_patch_cannot_be_seen_by_the_agent(try_: Try, tmp_path: Path):
    try_(
        "env; cat /proc/*/cmdline | tr '\\0' ' '; ls -R /bench /tmp", added=("lib/secret_name.py",)
    )
    for log in tmp_path.rglob("agent.log"):
        assert b"secret_name" not in log.read_bytes()


@pytest.mark.parametrize("letter", ["x", "\u4f60"])
def test_a_long_ticket_can_be_run(try_: Try, letter: str):
    """The file has all of it; the variable what a system takes, and says that it is cut."""
    tried = try_(
        'cp "$MICRO_BENCH_INSTRUCTION_FILE" file; printf %s "$MICRO_BENCH_INSTRUCTION" > variable;'
        "sleep 0; wc -c < file; wc -c < variable",
        text=letter * 200_000,
    )
    assert set(finished(tried).patch.files) == {"file", "variable"}
    assert letter * 200_000 in tried.instruction
    assert tried.patch.count(b"[cut here; the whole text is in /bench/task/instruction.md]") == 2


def test_a_ticket_of_usual_length_is_in_the_variable_as_it_is(try_: Try):
    same = 'printf %s "$MICRO_BENCH_INSTRUCTION" | cmp - "$MICRO_BENCH_INSTRUCTION_FILE"'
    script = f"{same} && touch ok"
    assert len("x" * 5000) < VARIABLE_LIMIT
    assert finished(try_(script, text="x" * 5000)).patch.files == ("ok",)


def test_a_large_leftover_costs_itself_only(try_: Try):
    tried = try_(MEND + "head -c 30000000 /dev/urandom > core.1")
    assert finished(tried).patch.files == ("calc.py",)
    assert "core.1" in notes(tried)


def test_nothing_but_what_is_too_large_is_a_failure_that_says_so(try_: Try):
    tried = try_("head -c 30000000 /dev/urandom > core.1")
    assert isinstance(tried.outcome, AgentFailed)
    assert "larger than" in tried.outcome.tail
    assert "core.1" in tried.outcome.tail


def test_at_the_deadline_what_is_there_is_taken(try_: Try, monkeypatch: pytest.MonkeyPatch):
    tried = try_(MEND + "mkfifo pipe; sleep 600")
    assert isinstance(tried.outcome, BudgetStop)
    assert tried.outcome.patch.files == ("calc.py",)
    assert [note.paths for note in tried.outcome.notes] == [("pipe",)]


def test_links_are_never_followed(try_: Try, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    tried = try_(MEND + f"ln -s {secret} s; ln -s / root; ln -s . self; rm -rf .git; ln -s / .git")
    assert set(finished(tried).patch.files) == {"calc.py", "root", "s", "self"}
    assert b"of the host" not in tried.patch
    assert os.path.lexists(secret)
