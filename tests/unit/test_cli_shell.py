"""The shell around the commands: options, output, and one way to fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from micro_bench import starter
from micro_bench.cli import _output
from micro_bench.cli._app import _globals_first, run
from micro_bench.errors import BugError, StorageError

HEAVY = ("pydantic", "docker", "git", "httpx", "jinja2", "yaml", "micro_bench.settings")


def micro_bench(*argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "micro_bench", *argv],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_help_loads_nothing_heavy_and_little_more_than_its_library() -> None:
    code = (
        "import sys; from micro_bench.cli._app import run; run(['--help']);"
        f"print([m for m in {HEAVY!r} if m in sys.modules], len(sys.modules), file=sys.stderr)"
    )
    bare = (
        "import sys, typer; app = typer.Typer(); app.command()(lambda: None);"
        "app(['--help'], standalone_mode=False); print(len(sys.modules), file=sys.stderr)"
    )
    ours, alone = (
        subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        for text in (code, bare)
    )
    heavy, _, loaded = ours.stderr.rpartition(" ")
    assert heavy == "[]"
    assert "doctor" in ours.stdout
    assert int(loaded) < 1.5 * int(alone.stderr), "modules, against a program of no commands"


def test_the_version_names_the_commit() -> None:
    done = micro_bench("--version")
    assert done.stdout.startswith("micro-bench ")
    assert done.returncode == 0


def test_global_options_may_stand_anywhere() -> None:
    assert _globals_first(["doctor", "-w", "x", "--json"]) == ["-w", "x", "doctor", "--json"]
    assert _globals_first(["a", "--workspace=x", "--", "-w"]) == ["--workspace=x", "a", "--", "-w"]
    assert _globals_first(["a", "-w"]) == ["-w", "a"]


def test_init_then_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = tmp_path / "space"
    assert run(["init", str(space), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert str(space / "micro-bench.yaml") in written
    assert (space / "runs" / ".gitignore").read_text() == "*\n!.gitignore\n"
    assert run(["settings", "--json", "-w", str(space)]) == 0
    shown = json.loads(capsys.readouterr().out)["settings"]
    assert shown["workspace"] == {"value": str(space), "source": "option --workspace"}
    assert shown["schema_version"]["source"] == f"file {space}/micro-bench.yaml:2"


def test_lists_are_tables_for_people_and_objects_for_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = str(Path(__file__).parents[2])
    assert run(["task", "list", "parcel-1", "-w", own]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "TASK",
        "TIER",
        "EFFORT",
        "STATUS",
        "WORDS",
        "VERIFIED",
        "FINDINGS",
        "TITLE",
    ]
    assert row.split()[:4] == ["parcel-1", "1", "M", "reviewed"]
    assert run(["task", "list", "parcel-1", "--json", "-w", own]) == 0
    (record,) = json.loads(capsys.readouterr().out)["tasks"]
    assert (record["task"], record["tier"], record["status"]) == ("parcel-1", 1, "reviewed")
    assert run(["runs", "--json", "-w", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []
    assert run(["runs", "-w", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err.partition("\n")[0]) == ("", "none")


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert run(["init", str(tmp_path), "--json"]) == 10
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert (error["code"], error["title"]) == (10, "bad input")
    assert [m["message"] for m in error["mistakes"]] == ["is already there"]
    assert "README.md  is already there" in told.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["README.md"]


@pytest.mark.parametrize("argv", [["nope"], ["init"], ["settings", "--bad"], ["settings", "x"]])
def test_a_wrong_command_line_is_told_like_any_error(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    told = capsys.readouterr()
    assert told.err.startswith("error (usage): ")
    assert "next: micro-bench" in told.err
    assert told.out == ""


def test_errors_name_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_root: Path) -> None:
        raise StorageError("x cannot be written: disk full", next_step="free some space")

    monkeypatch.setattr(starter, "create", full)
    assert run(["init", str(tmp_path)]) == StorageError.exit_code
    expected = "error (storage): x cannot be written: disk full\nnext: free some space\n"
    assert capsys.readouterr().err == expected


def test_a_defect_leaves_its_trace_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_root: Path) -> None:
        raise ZeroDivisionError("oops")

    starter.create(tmp_path)
    (tmp_path / "tickets" / "a").mkdir()
    monkeypatch.chdir(tmp_path / "tickets" / "a")
    monkeypatch.setattr(starter, "create", broken)
    assert run(["init", "x", "--json"]) == BugError.exit_code
    told = capsys.readouterr()
    (trace,) = (tmp_path / "runs").glob("*.traceback.txt")
    assert "ZeroDivisionError: oops" in trace.read_text()
    assert told.err.startswith("error (internal error): ZeroDivisionError: oops\nnext: ")
    assert json.loads(told.out)["error"]["code"] == 70


def test_an_interrupt_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_root: Path) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(starter, "create", interrupted)
    assert run(["init", str(tmp_path)]) == 130
    assert "interrupted; the same command resumes" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = f"{sys.executable} -m micro_bench settings --json | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_doctor_tells_what_would_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["doctor", "--json", "-w", str(tmp_path)])
    told = json.loads(capsys.readouterr().out)
    assert code == (0 if told["able"] else 1)
    assert {"isolation", "git", "uv", "machine"} <= {check["name"] for check in told["checks"]}


def test_tables_in_a_pipe_are_plain(capsys: pytest.CaptureFixture[str]) -> None:
    _output.table(("name", "n"), [("a", 1), ("long name", None), ("[b]", True)])
    assert capsys.readouterr().out == "NAME       N\na          1\nlong name\n[b]        true\n"


def test_a_machine_without_git_is_told_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "micro_bench", "demo", "--quick", "--in", tmp_path / "x"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 11, done.stderr
    told = done.stderr.splitlines()[-2:]
    assert told == [
        "error (not found): there is no git on the PATH",
        "next: apt-get install git",
    ]
