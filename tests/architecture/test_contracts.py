"""The import contracts see every file, and breaking any of them fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.architecture.source import PACKAGE, ROOT, files, module

LINTER = Path(sys.executable).parent / "lint-imports"


def test_the_contracts_see_every_file() -> None:
    """A folder without `__init__.py` is invisible to them."""
    seen = grimp.build_graph("micro_bench", cache_dir=None).modules
    assert seen == {module(path) for path in files()}


def test_the_contracts_are_kept() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program to break."""
    root = tmp_path_factory.mktemp("copy")
    skipped = shutil.ignore_patterns("__pycache__", "_docker")
    shutil.copytree(PACKAGE, root / "micro_bench", ignore=skipped)
    shutil.copytree(ROOT / "tests" / "architecture", root / "tests" / "architecture")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("tickets/_x.py", "import micro_bench.scores", "Floors"),
        ("scores/_x.py", "from micro_bench import slices", "Floors"),
        ("reports/_x.py", "import micro_bench.cli", "Floors"),
        ("model/_x.py", "import micro_bench.settings", "Floors"),
        ("errors.py", "import micro_bench.model.base", "Floors"),
        ("languages/_x.py", "import micro_bench.graphs", "Floors"),
        ("sandboxes/_x.py", "import micro_bench.attempts", "Floors"),
        ("utils.py", "X = 1", "Floors"),
        ("model/ticket.py", "import micro_bench.model.task", "Nouns"),
        ("model/task.py", "from micro_bench.model import score", "Nouns"),
        ("model/grade.py", "X = 1", "Nouns"),
        ("pipeline/verify/jobs.py", "import micro_bench.pipeline.run.scoring", "Stages"),
        ("pipeline/extra.py", "X = 1", "Stages"),
        ("attempts/agents/x.py", "import micro_bench.attempts.agents.oracle", "Plugins are found"),
        ("scores/_x.py", "from micro_bench.scores.scanners import ruff", "Plugins are found"),
        ("graphs.py", "from micro_bench.languages import python", "Plugins are found"),
        ("languages/x.py", "import micro_bench.paths", "Plugins are pure"),
        ("scores/scanners/x.py", "from micro_bench.edge import engine", "Plugins are pure"),
        ("attempts/agents/x.py", "import micro_bench.sandboxes.docker", "Plugins are pure"),
        ("reports/formats/x.py", "import micro_bench.codec", "Plugins are pure"),
        ("scores/scanners/x.py", "import docker", "SDKs"),
        ("slices/_x.py", "import git", "SDKs"),
        ("tickets/_x.py", "import httpx", "SDKs"),
        ("images/_x.py", "import subprocess", "SDKs"),
        ("settings.py", "import yaml", "YAML"),
        ("doctor.py", "import typer", "The command line is the only"),
        ("model/task.py", "import pathlib", "The model is plain"),
        ("cli/x.py", "import micro_bench.images", "The front doors are glue"),
        ("cli/x.py", "from micro_bench.edge import engine", "The front doors are glue"),
        ("codec/reading.py", "import micro_bench.codec.mistakes", "No folder has a cycle"),
    ],
)
def test_breaking_a_contract_fails(copy: Path, file: str, line: str, contract: str) -> None:
    path = copy / "micro_bench" / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        done = _lint(copy)
    finally:
        path.write_text(before, encoding="utf-8") if before is not None else path.unlink()
    broken = [text for text in done.stdout.splitlines() if " BROKEN" in text]
    assert done.returncode == 1, done.stdout
    assert any(text.startswith(contract) for text in broken), done.stdout
    assert path.stem in done.stdout


def test_a_folder_without_init_is_noticed(copy: Path) -> None:
    init = copy / "micro_bench" / "tickets" / "__init__.py"
    init.rename(init.with_suffix(".gone"))
    try:
        code = "import grimp; print(len(grimp.build_graph('micro_bench', cache_dir=None).modules))"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=True
        )
    finally:
        init.with_suffix(".gone").rename(init)
    assert int(done.stdout) < len(files(copy / "micro_bench"))


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )
