"""Aider: one message, every question answered with yes, no commits of its own."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.attempts.agents import _product
from micro_bench.attempts.agents._agent import Brief, Command, PyPI
from micro_bench.attempts.agents._litellm import variables
from micro_bench.attempts.agents._telling import Telling
from micro_bench.model.session import Session

NAME = "aider"
NEEDS = "nothing"
SCRIPTED = False
TOOLBOX = PyPI("aider-chat", "aider.main:main", ">=3.10,<3.13")
WIRES = ("openai-chat", "anthropic")
EDITED = "Applied edit to "
EFFORTS = ("low", "medium", "high")
ARGUMENTS = (
    "--yes-always", "--no-check-update", "--no-show-release-notes", "--no-show-model-warnings",
    "--no-analytics", "--no-auto-commits", "--no-gitignore", "--no-pretty", "--no-fancy-input",
    "--no-detect-urls", "--no-suggest-shell-commands", "--no-auto-lint",
)  # fmt: skip

version = _product.version


def mistakes(options: Mapping[str, str]) -> tuple[str, ...]:
    """It has no model of its own."""
    return _product.mistakes(NAME, options, WIRES, efforts=EFFORTS, model=True)


def command(brief: Brief) -> Command:
    """One message; it prints what it does in words."""
    home = _product.home(brief)
    model, env = variables(_product.way(brief), brief.options, WIRES)
    argv = [*brief.program, *ARGUMENTS, "--model", model, "--weak-model", model]
    if "effort" in brief.options:
        argv += ["--reasoning-effort", brief.options["effort"]]
    files = _product.below(brief.config, NAME, "")
    text = _product.standing(brief.config)
    if text is not None:
        files["CONVENTIONS.md"] = text
        argv += ["--read", f"{home}/CONVENTIONS.md"]
    files["prompt.md"] = brief.instruction.encode("utf-8", "surrogateescape")
    for flag in ("input-history-file", "chat-history-file", "llm-history-file"):
        argv += [f"--{flag}", f"{home}/.aider.{flag}"]
    argv += [*_product.arguments(brief.options), "--message-file", f"{home}/prompt.md"]
    return Command(tuple(argv), _product.below_home(files), {"HOME": home, **env})


def session(log: str, files: Mapping[str, str]) -> Session:
    """Out of its own words: it prints no events."""
    telling = Telling()
    for number, line in enumerate(log.splitlines()):
        if line.startswith(EDITED):
            telling.call("edit", number, {"path": line.removeprefix(EDITED)})
        else:
            telling.say(f"{line}\n")
    return Session(steps=telling.steps())
