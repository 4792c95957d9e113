"""What other tools that mine repositories find in the same clones; installed from the index.

Neither executes anything here: what they find are candidates. RepoBench proves a task by running
the project's tests on the host without a sandbox, which this script does not do to its readers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

REPOBENCH = "repobench==0.8.1"
CODEPROBE = "codeprobe==0.14.0"
TEN_YEARS = 3650
TIMEOUT_S = 600


def install(folder: Path) -> dict[str, Path]:
    """The rivals' programs by name; a tool that cannot be installed is left out and said."""
    found = {}
    for requirement in (REPOBENCH, CODEPROBE):
        name = requirement.partition("==")[0]
        program = folder / name / "bin" / name
        if program.exists() or _installed(folder / name, requirement):
            found[name] = program
    return found


def _installed(place: Path, requirement: str) -> bool:
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    # RepoBench asks for Python 3.12; it is pure Python and runs on 3.11 as well.
    younger = ["--ignore-requires-python"] if requirement == REPOBENCH else []
    pip = [place / "bin" / "pip", "install", "--quiet", *younger, requirement]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"yield: {requirement} cannot be installed: {done.stderr[-400:]}\n")
    return not done.returncode


def found(programs: dict[str, Path], clone: Path, copy: Path) -> dict[str, int | None]:
    """Tool -> tasks that it finds in a copy of the clone; None where it gave no answer."""
    if not copy.exists():
        subprocess.run(["git", "clone", "--quiet", clone, copy], check=True)
    readers = {"repobench": _repobench, "codeprobe": _codeprobe}
    return {name: readers[name](program, copy) for name, program in programs.items()}


def _repobench(program: Path, copy: Path) -> int | None:
    _run([program, "init", "--yes", "--force"], copy)
    settings = copy / "repobench.yml"
    if not settings.exists():
        return None
    said = yaml.safe_load(settings.read_text(encoding="utf-8"))
    said["repository"]["lookback_days"] = TEN_YEARS
    settings.write_text(yaml.safe_dump(said), encoding="utf-8")
    for line in _run([program, "analyze"], copy).splitlines():
        if line.startswith("Candidates passing hard filters"):
            return int(line.split()[-1].replace(",", ""))
    return None


def _codeprobe(program: Path, copy: Path) -> int | None:
    best = None
    for source in ("pr", "commits"):
        out = copy.with_name(f"{copy.name}-{source}")
        out.mkdir(exist_ok=True)
        argv = [
            program,
            "mine",
            "--no-interactive",
            "--goal",
            "quality",
            "--no-llm",
            "--count",
            "20",
        ]
        said = _run([*argv, "--json", "--narrative-source", source, "--out", out, copy], copy)
        for line in said.splitlines():
            if line.startswith('{"record_type"'):
                count = (json.loads(line).get("data") or {}).get("task_count")
                best = max(best or 0, count) if count is not None else best
    return best


def _run(argv: list[object], folder: Path) -> str:
    try:
        done = subprocess.run(
            [str(part) for part in argv], cwd=folder, capture_output=True, text=True,
            check=False, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout
