"""The graph against another tool's, on the packages installed beside the tests.

`ruff analyze graph` shares no code with ours. Every first-party import it sees, ours must see
(slices would lose files otherwise); ours sees more. Its `namespace-packages` are filled in, for
without them it drops the relative imports of directories that have no `__init__`.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from micro_bench.model.graph import EdgeKind
from tests.growth import is_linear
from tests.unit.languages.trees import read_tree

PACKAGES = [
    *("jinja2", "pydantic", "docker", "typer", "_pytest", "rich", "httpx", "git", "packaging"),
    *("hypothesis", "griffe", "click", "tomlkit", "micro_bench", "pip", "setuptools"),
]
STATED = {EdgeKind.RUN, EdgeKind.LAZY, EdgeKind.TYPE}


def ruff_edges(root: Path, paths: list[str]) -> set[tuple[str, str]]:
    inits = {str(PurePosixPath(p).parent) for p in paths if p.endswith("/__init__.py")}
    directories = {str(PurePosixPath(p).parent) for p in paths} - {"."}
    gaps = sorted(
        place
        for place in directories - inits
        if inits.intersection(map(str, PurePosixPath(place).parents))
    )
    config = root.parent / "ruff.toml"
    config.write_text(
        "exclude = []\nrespect-gitignore = false\n"
        f"namespace-packages = {json.dumps([str(root / gap) for gap in gaps])}\n",
        "utf-8",
    )
    command = [ruff(), "analyze", "graph", "--config", str(config), "."]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True)
    found = json.loads(done.stdout)
    return {(source, target) for source, targets in found.items() for target in targets}


def ruff() -> str:
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.exists() else shutil.which("ruff") or "ruff"


@pytest.fixture
def copied(request, tmp_path):
    spec = importlib.util.find_spec(request.param)
    if spec is None or spec.origin is None:
        pytest.skip(f"{request.param} is not installed")
    source = Path(spec.origin).parent
    ignore = shutil.ignore_patterns("__pycache__", "*.so", "cases", "_docker", "*.exe")
    shutil.copytree(source, tmp_path / "tree" / request.param, ignore=ignore)
    return tmp_path / "tree"


@pytest.mark.parametrize("copied", PACKAGES, indirect=True)
def test_we_see_every_import_that_ruff_sees(copied):
    tree = read_tree(copied)
    graph = python.graph(tree, Recipe())
    ours = {(edge.source, edge.target) for edge in graph.edges if edge.kind in STATED}
    theirs = {
        (source, target) for source, target in ruff_edges(copied, list(tree)) if source != target
    }
    assert theirs - ours == set()
    assert theirs


def test_more_files_take_time_in_proportion():
    body = b"from . import m0\nfrom pkg.m1 import x\nimport os\nNAME = 'pkg.m2'\n" + b"y = 1\n" * 20

    def tree(files: int) -> dict[str, bytes]:
        return {f"src/pkg/m{n}.py": body for n in range(files)} | {"src/pkg/__init__.py": b""}

    def anew(files: dict[str, bytes]) -> None:
        """Another project each time: of one that is known, only what differs is followed."""
        python.graph({**files, f"other{next(runs)}/__init__.py": b""}, Recipe())

    runs = itertools.count()
    assert is_linear(anew, tree, 150)
    assert len(python.graph(tree(150), Recipe()).edges) == 150 * 4 - 3
