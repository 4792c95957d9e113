"""Every command ends with what to do next, for people and, with `--json`, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from micro_bench import starter
from micro_bench.cli import _help, _next
from micro_bench.cli._app import build, run
from micro_bench.errors import BugError, StorageError
from micro_bench.pipeline.verify.verifying import Verified

OWN = Path(__file__).parents[2]
DOCUMENTS = {"task schema", "skill"}
"""Their output is a document of its own kind."""
ARGUMENTS = {
    "demo": ["-k", "0"], "init": ["micro-bench.yaml"], "run": ["-a", "oracle"],
    "view": ["nowhere"],
}  # fmt: skip
"""What makes a command end soon in an empty workspace; other arguments are filled with a name."""


def commands(group=None, path: str = "") -> Iterator[tuple[str, object]]:
    """Every command with its words."""
    for name, command in (group or get_command(build())).commands.items():
        words = f"{path} {name}".strip()
        if getattr(command, "commands", None):
            yield from commands(command, words)
        else:
            yield words, command


COMMANDS = dict(commands())


def told(document: object) -> list[dict[str, str]]:
    steps = document["next_steps"]  # type: ignore[index]
    assert isinstance(steps, list)
    for one in steps:
        assert set(one) == {"command", "why"}
        assert one["why"]
        assert not one["command"] or one["command"].split()[0] != "next:"
    return steps


def argv(words: str) -> list[str]:
    required = [p for p in COMMANDS[words].params if p.required and p.param_type_name == "argument"]
    return [*words.split(), *ARGUMENTS.get(words, ["nowhere"] * len(required))]


@pytest.mark.parametrize("words", sorted(set(COMMANDS) - DOCUMENTS))
def test_every_command_says_what_comes_next(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    starter.create(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MICRO_BENCH_BACKEND", "local")
    run([*argv(words), "--json"])
    out = capsys.readouterr().out
    assert told(json.loads(out)), words
    run(argv(words))
    assert "next: " in capsys.readouterr().err, words


@pytest.mark.parametrize("words", sorted(DOCUMENTS))
def test_a_document_is_followed_by_a_step_too(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words.split()) == 0
    assert capsys.readouterr().err.startswith("next: ")


@pytest.mark.parametrize(
    ("line", "first"),
    [
        (["task", "list"], "task explain "),
        (["task", "check"], "verify"),
        (["task", "explain", "parcel-1"], "verify parcel-1"),
        (["settings"], "doctor"),
        (["runs"], "run -a oracle -a noop -k 1"),
    ],
)
def test_steps_are_of_the_workspace_that_was_named(
    line: list[str], first: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    space = tmp_path / "a space"
    starter.create(space)
    for name in ("tickets", "repo_slices"):
        (space / name).rename(tmp_path / name)
        (space / name).symlink_to(OWN / name)
    assert run([*line, "--json", "-w", str(space)]) == 0
    steps = told(json.loads(capsys.readouterr().out))
    assert steps[0]["command"].startswith(f"micro-bench -w '{space}' {first}")


def test_an_error_names_its_command_apart() -> None:
    (one,) = _next.of_error("`micro-bench runs` shows those there are")
    assert one == _next.Step("micro-bench runs", "`micro-bench runs` shows those there are")
    (one,) = _next.of_error("micro-bench init x")
    assert one.command == "micro-bench init x"
    assert _next.of_error("free some space") == (_next.Step("", "free some space"),)
    assert _next.text_of(StorageError("x")) in _next.ANYWAY.values()
    assert _next.text_of(BugError("x")) == "`micro-bench --help` shows the commands"


def test_help_groups_the_commands_in_the_order_of_the_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    places = [shown.index(f"\n{title}:\n") for title in _help.GROUPS]
    assert places == sorted(places)
    assert f"\n{_help.REST}:\n" not in shown, "a command belongs to no group"
    for name in get_command(build()).commands:
        assert f"\n  {name} " in shown
    assert "uvx --from" in shown
    assert not [line for line in shown.splitlines() if len(line) > 80]


def test_a_group_alone_is_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["task"]) == 0
    told_ = capsys.readouterr()
    assert "explain" in told_.out
    assert told_.err == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["verify"], "is no workspace: it has neither micro-bench.yaml nor tickets/"),
        (["slice"], "is no workspace"),
        (["run", "-a", "oracle"], "is no workspace"),
        (["report"], "there is no run in"),
        (["task", "explain", "parcl-1", "-w", str(OWN)], "(did you mean 'parcel-1'?)"),
        (["verify", "--tier", "3", "parcel-1", "-w", str(OWN)], "no task of tier 3 is left"),
    ],
)
def test_nothing_to_work_on_says_why(
    line: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(line) == 11
    err = capsys.readouterr().err
    assert message in err.splitlines()[0]
    assert "next: `micro-bench " in err


def test_a_task_that_could_not_be_executed_is_mended_before_it_is_explained() -> None:
    steps = _next.after_verify([Verified("a", None, "no lock"), Verified("b", None, "no image")])
    assert [one.command for one in steps] == ["micro-bench verify a", "micro-bench verify b"]
