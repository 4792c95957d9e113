"""What a team does with its own repository, and the mistakes it makes on the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from micro_bench.errors import BadInputError, NotFoundError, UnverifiedError
from tests.fakes.shop import BASE, FIX, TESTS, commit, git, init, issue

ROOT = Path(__file__).parents[2]
REPO = "corner/tinyshop"
SECRET = "s3cr3t-0f-the-t34m"
MENDS = r"""
grep -q "loses a cent" "$MICRO_BENCH_INSTRUCTION_FILE" && test -n "$SHOP_KEY" || exit 9
env
printf 'def split(total, parts):\n    share, rest = divmod(total, parts)\n' > tinyshop/new.py
printf '    return [share + 1] * rest + [share] * (parts - rest)\n' >> tinyshop/new.py
printf '\n\ndef add(left, right):\n    return left + right\n' >> tinyshop/new.py
mv tinyshop/new.py tinyshop/money.py
"""


def bench(workspace: Path, *argv: object, code: int = 0, **env: str) -> str:
    command = [sys.executable, "-m", "micro_bench", "-w", workspace, *argv]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MICRO_BENCH_")}
    clean["MICRO_BENCH_LOAD_CHECK"] = "false"
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, env={**clean, **env}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, f"{done.returncode}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr if code else done.stdout


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("team") / "clone"
    folder.mkdir()
    init(folder)
    commit(folder, BASE, "Open the shop", "2025-02-01T12:00:00Z")
    commit(folder, {**FIX, **TESTS}, "Lose no cent\n\nFixes #1", "2025-03-02T11:00:00Z")
    return folder


@pytest.fixture(scope="session")
def exported(clone: Path) -> Path:
    path = clone.parent / "issues.json"
    path.write_text(json.dumps([issue(1)]), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def imported(clone: Path, exported: Path) -> Path:
    """A workspace with the shop's one task."""
    workspace = clone.parent / "ws"
    bench(workspace, "init", workspace)
    bench(workspace, "import", exported, "--clone", clone, "--repo", REPO)
    return workspace


@pytest.fixture
def workspace(imported: Path, tmp_path: Path) -> Path:
    """A copy of its own for each test."""
    return Path(shutil.copytree(imported, tmp_path / "ws"))


def specs(workspace: Path) -> dict[str, bytes]:
    files = [p for name in ("tickets", "repo_slices") for p in (workspace / name).rglob("*")]
    return {str(p.relative_to(workspace)): p.read_bytes() for p in files if p.is_file()}


@pytest.mark.docker
def test_a_command_line_is_an_agent_and_its_run_can_be_graded_again(
    workspace: Path, clone: Path, exported: Path
):
    # micro-bench run --agent NAME=command,env=KEY:COMMAND LINE
    agents = (
        "-a", f"mender=command,env=SHOP_KEY,version=1.2:{MENDS}",
        "-a", "quitter=command:exit 3", "-a", "oracle",
    )  # fmt: skip
    bench(workspace, "run", *agents, "-k", 1, "-n", 1, SHOP_KEY=SECRET)
    before = specs(workspace)
    (run,) = (path.parent for path in workspace.glob("runs/2*/lock.json"))
    verdicts = {
        record["attempt"].split("/")[1]: record["verdict"]
        for record in map(read, run.glob("attempts/*/*/1/scores/1/score.json"))
    }
    assert verdicts == {"mender": "pass", "oracle": "pass"}
    quitter = read(run / "attempts/tinyshop-1/quitter/1/attempt.json")
    assert (quitter["outcome"]["kind"], quitter["outcome"]["exit_code"]) == ("agent_failed", 3)
    mender = read(run / "attempts/tinyshop-1/mender/1/attempt.json")
    assert mender["agent"]["version"] == "1.2"
    assert mender["agent"]["options"]["env"] == "SHOP_KEY"
    for path in workspace.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path

    attempts = {p: p.read_bytes() for p in run.glob("attempts/*/*/1/*") if p.is_file()}
    first = {p: p.read_bytes() for p in run.glob("attempts/*/*/1/scores/1/*")}
    said = bench(workspace, "score")
    assert "2 attempts graded again, 0 with another verdict" in said
    second = sorted(run.glob("attempts/*/*/1/scores/2/score.json"))
    assert [read(path)["sequence"] for path in second] == [2, 2]
    assert {path: path.read_bytes() for path in (*attempts, *first)} == {**attempts, **first}
    assert len(list(workspace.glob("runs/2*/lock.json"))) == 1

    report = json.loads(bench(workspace, "report", "--json"))
    passes = {c["agent"]: c["all_gates"]["passes"] for c in report["cells"] if c["tier"] is None}
    assert {"mender": passes["mender"], "quitter": passes["quitter"]} == {"mender": 1, "quitter": 0}

    bench(workspace, "import", exported, "--clone", clone, "--repo", REPO)
    assert specs(workspace) == before, "another import changed what was there"


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


@pytest.mark.network
def test_the_line_works_without_an_engine(workspace: Path, tmp_path: Path):
    """With whatever Python runs the program: the shop does not ask for one."""
    env = {"MICRO_BENCH_CACHE_DIR": str(tmp_path / "cache"), "MICRO_BENCH_BACKEND": "local"}
    argv = ("run", "-a", "oracle", "-a", "noop", "-k", 1, "-n", 1)
    bench(workspace, *argv, **env)
    scores = map(read, workspace.glob("runs/2*/attempts/*/*/1/scores/1/score.json"))
    assert {s["attempt"]: (s["verdict"], s["reason"]) for s in scores} == {
        "tinyshop-1/oracle/1": ("pass", ""), "tinyshop-1/noop/1": ("fail", "no_change"),
    }  # fmt: skip
    lock = read(next(workspace.glob("runs/2*/lock.json")))
    assert "local sandbox" in lock["isolation"]
    assert list((tmp_path / "cache" / "sandboxes").iterdir()) == []


def test_every_mistake_in_the_specs_is_told_at_once(workspace: Path):
    spec = workspace / "tickets" / "corner__tinyshop" / "tinyshop-1.yaml"
    text = spec.read_text(encoding="utf-8")
    (spec.parent / "tinyshop-2.yaml").write_text("schema_version: 1\ntitle: [unclosed\n")
    (spec.parent / "tinyshop-3.yaml").write_bytes(b"title: \xff\xfe\n")
    (spec.parent / "tinyshop-4.yaml").write_text("")
    spec.write_text(
        text.replace("status: draft", "status: finished").replace("language:", "lnguage:", 1)
    )
    for command in (("task", "list"), ("verify",), ("run", "-a", "oracle")):
        said = bench(workspace, *command, code=BadInputError.exit_code)
        for name in ("tinyshop-1.yaml", "tinyshop-2.yaml", "tinyshop-3.yaml", "tinyshop-4.yaml"):
            assert name in said, said
        assert "finished" in said
        assert "lnguage" in said
        assert "did you mean" in said
    assert not (workspace / "runs" / "verification").exists()


def test_a_patch_that_was_edited_is_not_run(workspace: Path):
    gold = next(workspace.glob("tickets/*/*.gold.patch"))
    gold.write_bytes(gold.read_bytes() + b"\n")
    said = bench(workspace, "run", "-a", "oracle", code=BadInputError.exit_code)
    assert gold.name in said
    assert "SHA-256" in said


@pytest.mark.docker
def test_a_clone_without_the_commit_says_what_to_do(workspace: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    init(other)
    commit(other, {"README.md": b"another shop\n"}, "Open", "2025-02-01T12:00:00Z")
    argv = ("--clone", f"{REPO}={other}")
    said = bench(workspace, "verify", *argv, code=UnverifiedError.exit_code)
    assert "is not in the clone" in said
    said = bench(workspace, "run", "-a", "oracle", *argv, code=UnverifiedError.exit_code)
    assert "is not in the clone" in said
    assert not list(workspace.glob("runs/2*"))


def test_a_shallow_clone_is_no_surprise(tmp_path: Path, clone: Path, exported: Path):
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{clone}", str(shallow))
    workspace = tmp_path / "ws"
    bench(workspace, "init", workspace)
    said = bench(workspace, "import", exported, "--clone", shallow, "--repo", REPO)
    assert "1 ticket -> 0 tasks" in said


ODD = [
    issue(2, title="\u00e9\u6f22\U0001f600 \u202e right to left", body="\ud800 half"),
    issue(3, body=None), issue(4, title=""), issue(5, labels=None),
    {k: v for k, v in issue(6).items() if k not in ("user", "labels", "closed_at", "comments")},
    {"number": 7}, {"title": "no number"}, "not a ticket", None, 12,
    issue(1), issue(1, title="a second time"),
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_odd_export_gives_the_tickets_that_can_be_read(
    tmp_path: Path, clone: Path, encoding: str
):
    export = tmp_path / "issues.json"
    export.write_bytes(json.dumps(ODD).encode(encoding))
    workspace = tmp_path / "ws"
    bench(workspace, "init", workspace)
    argv = ("import", export, "--clone", clone, "--repo", REPO, "--json")
    done = subprocess.run(
        [str(word) for word in (sys.executable, "-m", "micro_bench", "-w", workspace, *argv)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if encoding == "utf-16":
        assert done.returncode in (0, BadInputError.exit_code, NotFoundError.exit_code), done.stderr
    else:
        assert done.returncode == 0, done.stderr[-2000:]
        assert json.loads(done.stdout)["written"] == ["tinyshop-1"]
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


def test_an_export_of_nothing_is_bad_input(tmp_path: Path, clone: Path):
    workspace = tmp_path / "ws"
    bench(workspace, "init", workspace)
    for content in ("[]", "{}", "", "[1, 2]", "nonsense"):
        (tmp_path / "x.json").write_text(content)
        argv = ("import", tmp_path / "x.json", "--clone", clone, "--repo", REPO)
        done = subprocess.run(
            [str(word) for word in (sys.executable, "-m", "micro_bench", "-w", workspace, *argv)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        wanted = (BadInputError.exit_code, NotFoundError.exit_code)
        assert done.returncode in wanted, (content, done.returncode, done.stderr[-500:])
