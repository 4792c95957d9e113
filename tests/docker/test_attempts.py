"""Whatever an agent does to its sandbox, the attempt ends with a patch or with a name for why not.

The agents are lines of shell, through the plugin that any command line goes through.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.attempts.run import Assignment, Tried
from micro_bench.edge.engine import Engine
from micro_bench.edge.patching import patch_paths
from micro_bench.model.attempt import AgentFailed, AgentRef, BudgetStop, Finished, InfraFailed
from micro_bench.sandboxes._sandbox import StartRequest
from tests.fakes.shop import BASE, FIXED_MONEY, Shop

MEND = (
    "python3 - <<'END'\nfrom pathlib import Path\nplace = Path('tinyshop/money.py')\n"
    f"place.write_bytes({FIXED_MONEY!r})\nEND\n"
)
"""A command that makes the fix."""

Try = Callable[..., Tried]


@pytest.fixture
def try_(shop: Shop, tmp_path: Path) -> Try:
    def attempt(
        script: str, secrets: dict[str, str] | None = None, files: dict[str, bytes] | None = None,
        network: str = "none", **limits: float,
    ) -> Tried:  # fmt: skip
        task = type(shop.task).model_validate({
            **dict(shop.task),
            "limits": type(shop.task.limits).model_validate({**dict(shop.task.limits), **limits}),
        })  # fmt: skip
        options = {"command": script, "network": network}
        agent = AgentRef(name="shell", kind="command", version="1", options=options)
        what = Assignment(
            task, shop.prepared.image, agent, plugins.load("attempts.agents", "command"), 1, None,
            secrets or {}, files or {}, patch_paths,
        )  # fmt: skip
        return attempts.attempt(shop.line.start, what, tmp_path)

    return attempt


def test_a_change_becomes_a_patch_that_passes(shop: Shop, try_: Try):
    tried = try_(MEND + "exit 3")
    assert isinstance(tried.outcome, Finished), tried.outcome
    assert tried.outcome.exit_code == 3
    assert tried.outcome.patch.files == ("tinyshop/money.py",)
    assert tried.outcome.patch.sha256 == hashlib.sha256(tried.patch).hexdigest()
    assert shop.grade(tried.patch).verdict == "pass"
    assert tried.timings.total >= tried.timings.agent_command > 0


def test_the_agent_reads_its_instruction_and_nothing_more(shop: Shop, try_: Try, tmp_path: Path):
    tried = try_(
        'cat "$MICRO_BENCH_INSTRUCTION_FILE"; echo ---; env; echo ---; find /bench -type f;'
        'printf %s "$MICRO_BENCH_INSTRUCTION" | cmp - "$MICRO_BENCH_INSTRUCTION_FILE" && echo same'
    )
    text = (tmp_path / "agent.log").read_text()
    assert shop.task.instruction.strip() in text
    assert tried.instruction in text
    assert "same" in text
    assert set(text.split("---")[2].split()) == {
        "/bench/task/instruction.md",
        "same",
    }
    for hidden in ("loses_no_cent", "divmod", shop.task.repo.fix_commit, "does_not_divide"):
        assert hidden not in text


def test_an_empty_change_is_an_empty_patch(try_: Try):
    tried = try_("true")
    assert isinstance(tried.outcome, Finished)
    assert (tried.patch, tried.outcome.patch.bytes, tried.outcome.patch.files) == (b"", 0, ())


@pytest.mark.parametrize(("script", "code"), [("no-such-agent", 127), ("exit 9", 9), ("/etc", 126)])
def test_an_agent_that_breaks_without_a_change_has_failed(try_: Try, script: str, code: int):
    tried = try_(f"echo last words; {script}")
    assert isinstance(tried.outcome, AgentFailed)
    assert tried.outcome.exit_code == code
    assert "last words" in tried.outcome.tail
    assert tried.patch == b""


COMMIT = "git add -A && git -c user.name=a -c user.email=a@b commit -qm done"
DAMAGE = {
    "commits": MEND + COMMIT,
    "commits on a branch and leaves": f"git checkout -q -b other\n{MEND}{COMMIT}",
    "amends the root commit": f"{MEND}git add -A; git commit -q --amend -m mine --date=now",
    "stages half of it": MEND + "git add tinyshop/money.py; git stash -q; git stash pop -q",
    "removes .git": MEND + "rm -rf .git",
    "a .git of its own": MEND + "rm -rf .git; git init -q; " + COMMIT,
    "loses the objects": MEND + "rm -rf .git/objects; mkdir .git/objects",
    "throws the history away": (
        f"{MEND}git checkout -q --orphan x; {COMMIT}; git branch -qD main;"
        "git reflog expire --expire=now --all; git gc -q --prune=now"
    ),
    "leaves locks": MEND + "touch .git/index.lock .git/HEAD.lock .git/config.lock",
    "an index of nonsense": MEND + "echo nonsense > .git/index",
    "a configuration of nonsense": MEND + "echo nonsense > .git/config",
    ".git is a file": MEND + "rm -rf .git; echo 'gitdir: /nowhere' > .git",
    ".git leads elsewhere": MEND + "mv .git /tmp/git; ln -s /tmp/git .git",
    "hooks and filters": (
        MEND + "printf '#!/bin/sh\nexit 1\n' > .git/hooks; git config core.fsmonitor /bin/false;"
        "git config diff.external /bin/false; git config core.pager /bin/false;"
        "git config diff.noprefix true; git config diff.mnemonicPrefix true;"
        "git config color.diff always; git config core.autocrlf true; git config core.bare true"
    ),
    "attributes": MEND + "echo '* -diff -text' > .git/info/attributes || mkdir -p .git/info && "
    "echo '* -diff eol=crlf' > .git/info/attributes",
    "replaces the root": f"{MEND}{COMMIT}; git replace HEAD~1 HEAD || git replace -f HEAD HEAD",
    "another work tree": MEND + "git config core.worktree /tmp",
    "caches": MEND + "mkdir -p tinyshop/__pycache__ .pytest_cache x.egg-info;"
    "touch tinyshop/__pycache__/a.pyc .pytest_cache/x x.egg-info/PKG-INFO .coverage",
    "a file nobody may read": MEND + "echo x > /tmp/x; chmod 000 /tmp/x",
    "a background process that holds the output": MEND + "sleep 600 &",
    "a background process that writes": MEND
    + "setsid sh -c 'while :; do echo x >> /tmp/x; sleep 0.01; done' &",
    "a lock of ours": MEND + "touch /bench/harvest.index /bench/harvest.log",
    "home is gone": MEND + "rm -rf ~/* /tmp/* 2>/dev/null",
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_the_fix_is_found_whatever_became_of_git(shop: Shop, try_: Try, name: str):
    tried = try_(DAMAGE[name])
    assert isinstance(tried.outcome, Finished), tried.outcome
    assert tried.outcome.patch.files == ("tinyshop/money.py",)
    assert tried.patch == shop.gold


@pytest.mark.parametrize(
    "script",
    [
        MEND + "ln -s /nowhere /bench/harvest.index.lock",
        MEND + "rm -rf /bench/.git; ln -s /usr /bench/.git; rm -rf .git",
        MEND + "mkfifo tinyshop/pipe",
        MEND + "echo x > tinyshop/hidden.py; chmod 000 tinyshop/hidden.py",
        MEND + "git init -q inner; touch inner/x; git -C inner add x",
        "for i in $(seq 200); do sleep 600 & done",
        MEND + "kill -9 -1",
        MEND + "kill -TERM -1; kill 1; sleep 5",
    ],
    ids=[
        "our lock",
        "our git",
        "pipe",
        "unreadable",
        "inner repository",
        "fork bomb",
        "kill all",
        "end",
    ],
)
def test_what_cannot_be_taken_is_the_agent_s_own_failure(try_: Try, script: str):
    """Never the infrastructure's: the agent would be tried again, and again."""
    assert isinstance(try_(script).outcome, Finished | AgentFailed | BudgetStop)


@pytest.mark.parametrize("way", ["kill", "restart"])
def test_a_container_that_somebody_else_ends_counts_against_nobody(try_: Try, way: str):
    stop = threading.Event()

    def kill() -> None:
        client = Engine.connect().client
        while not stop.wait(0.5):
            labels = {"label": "micro-bench.agent=shell"}
            for found in client.containers(filters=labels):
                getattr(client, way)(found["Id"], **({"timeout": 0} if way == "restart" else {}))

    killer = threading.Timer(2, kill)
    killer.start()
    try:
        tried = try_("sleep 30")
    finally:
        stop.set()
        killer.join()
    assert isinstance(tried.outcome, InfraFailed), tried.outcome
    assert "from outside" in tried.outcome.message


def test_the_work_is_taken_though_nothing_starts_any_more(shop: Shop, try_: Try):
    for left in ("chmod 000 /work /bench", "for i in $(seq 200); do sleep 600 & done"):
        tried = try_(MEND + left)
        assert isinstance(tried.outcome, Finished), tried.outcome
        assert tried.patch == shop.gold


def test_work_finished_late_is_not_graded_and_earlier_is(shop: Shop, try_: Try):
    early = "echo early > tinyshop/early.txt\n"
    late = f"sleep 600\n{MEND}"
    tried = try_(early + late, agent_s=2)
    assert isinstance(tried.outcome, BudgetStop)
    assert "2 s" in tried.outcome.limit
    assert tried.outcome.patch.files == ("tinyshop/early.txt",)


def test_a_background_writer_does_not_outlive_the_deadline(try_: Try):
    script = (
        "setsid sh -c 'i=0; while :; do i=$((i+1)); echo $i > tinyshop/count; sleep 0.02; done' &\n"
        "trap '' TERM INT HUP; sleep 600"
    )
    tried = try_(script, agent_s=2)
    assert isinstance(tried.outcome, BudgetStop)
    assert tried.outcome.patch.files == ("tinyshop/count",)


def test_the_fix_made_before_the_deadline_counts(shop: Shop, try_: Try):
    tried = try_(MEND + "sleep 600", agent_s=3)
    assert isinstance(tried.outcome, BudgetStop)
    assert shop.grade(tried.patch).verdict == "pass"


def test_eating_all_memory_is_a_limit_reached(try_: Try):
    tried = try_("echo x > x.txt; python3 -c 'bytearray(4 * 2**30)'", memory_mb=128)
    assert isinstance(tried.outcome, BudgetStop), tried.outcome
    assert "memory" in tried.outcome.limit
    assert tried.outcome.patch.files == ("x.txt",)


def test_a_patch_beyond_the_limit_is_a_failure(try_: Try):
    tried = try_("head -c 3000000 /dev/urandom > big.bin", patch_mb=1)
    assert isinstance(tried.outcome, AgentFailed)
    assert "larger than" in tried.outcome.tail
    assert tried.patch == b""


def test_a_long_log_is_cut_and_the_attempt_counts(try_: Try, tmp_path: Path):
    tried = try_("head -c 60000000 /dev/zero | tr '\\0' x; " + MEND)
    assert isinstance(tried.outcome, Finished)
    assert (tmp_path / "agent.log").stat().st_size <= 20 * 2**20
    assert len(tried.outcome.patch.files) == 1


ODD = """
printf 'a\\r\\nTWO\\r\\n' > tinyshop/dos.txt
printf '\\000\\001\\377' > tinyshop/logo.bin
chmod +x tinyshop/text.py
ln -s money.py tinyshop/link
rm README.md
mv tests/test_text.py tests/test_words.py
printf x > "$(printf 'tinyshop/latin-\\351.txt')"
printf y > 'tinyshop/a b "c".txt'
mkdir -p tinyshop/empty deep/er; printf 'no newline' > deep/er/file
printf '# -*- coding: latin-1 -*-\\nname = "\\351"\\n' > tinyshop/latin.py
printf 'diff --git a/conftest.py b/conftest.py\\n--- a/conftest.py\\n' > note.txt
"""


def test_every_kind_of_change_survives_the_way(shop: Shop, try_: Try):
    tried = try_(ODD + MEND)
    assert isinstance(tried.outcome, Finished), tried.outcome
    after = shop.files_after(tried.patch)
    latin = b"tinyshop/latin-\xe9.txt".decode("utf-8", "surrogateescape")
    assert after == {
        "tinyshop/dos.txt": (0o100644, b"a\r\nTWO\r\n"),
        "tinyshop/logo.bin": (0o100644, b"\0\1\xff"),
        "tinyshop/text.py": (0o100755, BASE["tinyshop/text.py"]),
        "tinyshop/link": (0o120000, b"money.py"),
        "tests/test_words.py": (0o100644, BASE["tests/test_text.py"]),
        latin: (0o100644, b"x"),
        'tinyshop/a b "c".txt': (0o100644, b"y"),
        "deep/er/file": (0o100644, b"no newline"),
        "tinyshop/latin.py": (0o100644, b'# -*- coding: latin-1 -*-\nname = "\xe9"\n'),
        "tinyshop/money.py": (0o100644, FIXED_MONEY),
        "note.txt": after["note.txt"],
    }
    assert shop.grade(tried.patch).judged.tests_passed
    assert tried.outcome.model_dump_json(), "its record can be written"


SECRET = "s3cr3t-0f-the-t34m"


@pytest.fixture
def inspected(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the engine says of every sandbox, just before it is closed."""
    found: list[str] = []
    start = shop.line.backend.start

    def watched(request: StartRequest):
        sandbox = start(request)
        close = sandbox.close

        def look() -> None:
            client = sandbox._engine.client
            found.append(str(client.inspect_container(sandbox._container.id)))
            found.append(str(client.inspect_image(request.image.digest)))
            close()

        monkeypatch.setattr(sandbox, "close", look)
        return sandbox

    monkeypatch.setattr(shop.line.backend, "start", watched)
    return found


def test_a_secret_is_for_the_agent_s_process_alone(
    shop: Shop, try_: Try, tmp_path: Path, inspected: list[str]
):
    tried = try_(
        'test "$API_KEY" = ' + SECRET + " || exit 1\n" + MEND + "env; echo $API_KEY >&2",
        secrets={"API_KEY": SECRET},
    )
    assert isinstance(tried.outcome, Finished), tried.outcome
    assert len(inspected) == 2
    assert SECRET not in "".join(inspected)
    for path in tmp_path.rglob("*"):
        assert SECRET.encode() not in path.read_bytes(), path.name
    assert SECRET not in tried.instruction + repr(tried.outcome)


def test_a_secret_in_an_agent_s_last_words_is_not_kept(try_: Try, tmp_path: Path):
    tried = try_("echo key=$API_KEY; exit 2", secrets={"API_KEY": SECRET})
    assert isinstance(tried.outcome, AgentFailed)
    assert SECRET not in tried.outcome.tail
    assert "key=" in tried.outcome.tail


def test_the_agent_s_own_files_are_there(try_: Try, tmp_path: Path):
    tried = try_(
        '"$MICRO_BENCH_AGENT_FILES/bin/run"',
        files={"bin/run": b"#!/bin/sh\necho ran > ran.txt\n", "data": b"x"},
    )
    assert isinstance(tried.outcome, Finished), tried.outcome
    assert tried.outcome.patch.files == ("ran.txt",)


def test_attempts_do_not_see_one_another(try_: Try):
    try_("echo x > left.txt; echo y > /tmp/left; echo z > ~/left")
    tried = try_("ls left.txt /tmp/left ~/left 2>/dev/null; ls / /tmp ~ > /dev/null")
    assert isinstance(tried.outcome, Finished)
    assert tried.patch == b""


def test_no_hidden_test_and_no_later_commit_is_in_the_agent_s_sandbox(shop: Shop, try_: Try):
    looks = (
        "git cat-file --batch-all-objects --batch-check | grep -c ' commit ' > commits;"
        "git log --all --oneline | wc -l > log; git remote > remotes; git tag > tags;"
        "grep -rIl -e divmod -e loses_no_cent -e does_not_divide / --exclude-dir=proc "
        "--exclude-dir=sys --include=*money* --include=*system* 2>/dev/null > found;"
        "git reflog > reflog 2>/dev/null; true"
    )
    tried = try_(looks)
    after = shop.files_after(tried.patch)
    assert after["commits"][1] == b"1\n"
    assert after["log"][1].strip() == b"1"
    for name in ("remotes", "tags", "found", "reflog"):
        assert after[name][1] == b"", name


def test_an_agent_may_have_a_network_and_its_grading_has_none(
    shop: Shop, try_: Try, tmp_path: Path
):
    try_("cat /proc/net/dev", network="none")
    assert "eth0" not in (tmp_path / "agent.log").read_text()
    try_("cat /proc/net/dev", network="bridge")
    assert "eth0" in (tmp_path / "agent.log").read_text()
    marked = shop.grade(shop.gold)
    assert dataclasses.asdict(marked.graded)["run"] is not None
