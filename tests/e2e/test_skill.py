"""The skill for coding agents, followed to the letter: commands are run, keys are looked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from micro_bench import codec
from tests.fakes.shop import BASE, FIX, NAME, TESTS, commit, git, init, issue

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agents" / "SKILL.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"```bash\n(.*?)\n```\n(.*?)(?=\n```|\n## |\Z)", re.DOTALL)
_GIVES = re.compile(r"Gives: (.*?)(?:\. |\.\n|\.\Z)", re.DOTALL)
_PLAIN = re.compile(r"`([a-z_]+(?:\[\])?(?:\.[a-z_]+(?:\[\])?)*)`")
_MENDS = (
    "printf '%s\\n' 'def split(total, parts):' '    share, rest = divmod(total, parts)' "
    "'    return [share + 1] * rest + [share] * (parts - rest)' '' '' 'def add(left, right):' "
    "'    return left + right' > tinyshop/money.py"
)


@dataclass(frozen=True)
class Instruction:
    """One command of the page and the keys that it is said to give."""

    command: str
    keys: tuple[str, ...]


def instructions(page: str) -> list[Instruction]:
    found = []
    for command, text in _BLOCK.findall(page):
        gives = _GIVES.search(text)
        assert gives, f"nothing is said of what this gives: {command}"
        found.append(Instruction(command, tuple(_PLAIN.findall(gives.group(1)))))
    return found


def lacks(document: Any, key: str) -> bool:
    """Whether a dotted key is missing; of a list, its first item stands for all."""
    for part in key.split("."):
        name, listed = part.removesuffix("[]"), part.endswith("[]")
        if not isinstance(document, dict) or name not in document:
            return True
        document = document[name]
        if listed:
            if not isinstance(document, list) or not document:
                return True
            document = document[0]
    return False


def a_team(root: Path) -> dict[str, str]:
    """A clone and an export of its tracker; the variables that the page asks for."""
    clone, source = root / "clone", root / "issues.json"
    clone.mkdir()
    init(clone)
    git(clone, "remote", "add", "origin", f"https://github.com/{NAME}.git")
    commit(clone, BASE, "Open the shop", "2025-02-01T12:00:00Z")
    commit(clone, {**FIX, **TESTS}, "Lose no cent\n\nFixes #1", "2025-03-02T11:00:00Z")
    source.write_text(json.dumps([issue(1), issue(2, state="open", closed_at=None)]))
    return {
        "CLONE": str(clone), "SOURCE": str(source), "BENCH": str(root / "bench"),
        "TASK": "tinyshop-1", "AGENT": _MENDS,
    }  # fmt: skip


def environment(root: Path, variables: dict[str, str]) -> dict[str, str]:
    program = root / "bin" / "micro-bench"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m micro_bench "$@"\n')
    program.chmod(0o755)
    return {
        **os.environ, **variables, "PATH": f"{program.parent}:{os.environ['PATH']}",
        "MICRO_BENCH_BACKEND": "local", "MICRO_BENCH_REPETITIONS": "1",
        "MICRO_BENCH_ALLOW_UNSANDBOXED": "true",
    }  # fmt: skip


def test_the_front_matter_is_that_of_a_skill() -> None:
    head = PAGE.split("---\n")[1]
    about = codec.read(head.encode(), "SKILL.md").data
    assert set(about) == {"name", "description"}
    assert re.fullmatch(r"[a-z0-9-]{1,64}", about["name"])
    assert 0 < len(about["description"]) <= 1024


def test_a_command_without_its_keys_is_noticed() -> None:
    with pytest.raises(AssertionError, match="nothing is said"):
        instructions("```bash\nmicro-bench runs --json\n```\n\nLook.\n")
    assert lacks({"a": [{"b": 1}]}, "a[].c")
    assert lacks({"a": []}, "a[].b")
    assert not lacks({"a": [{"b": None}]}, "a[].b")


@pytest.mark.network
def test_the_page_followed_to_the_letter(tmp_path: Path) -> None:
    env = environment(tmp_path, a_team(tmp_path))
    outcomes: dict[str, Any] = {}
    for one in instructions(PAGE):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", one.command],
            cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{one.command}\n{done.stderr[-3000:]}"
        document = json.loads(done.stdout)
        missing = [key for key in (*one.keys, "next_steps") if lacks(document, key)]
        assert not missing, f"{one.command} does not give {missing}"
        outcomes[one.command.split('"$BENCH" ')[-1].split()[0]] = document
    assert outcomes["verify"]["sound"] == 1
    rates = {c["agent"]: c["all_gates"]["passes"] for c in outcomes["report"]["cells"]}
    assert rates == {"mine": 2}
