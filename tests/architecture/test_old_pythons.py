"""What runs inside a sandbox runs on the oldest Python that a base image may have."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro_bench.settings import Settings

PACKAGE = Path(__file__).parent.parent.parent / "micro_bench"
INSIDE = sorted(
    path
    for pattern in (
        "attempts/inside/*.py", "scores/_*.py", "images/_l*.py",
        "languages/python/_building.py", "languages/python/testing/_*.py", "sandboxes/_burn.py",
        "edge/_waiting.py", "sandboxes/_beside.py",
    )
    for path in PACKAGE.glob(pattern)
    if path.name != "__init__.py"
)  # fmt: skip
OLDEST = "3.8"
METHODS = {"is_relative_to", "readlink", "removeprefix", "removesuffix", "with_stem"}
"""Of values whose type vermin does not find out; `os.readlink` is an old one."""
GENERIC = {"dict", "frozenset", "list", "set", "tuple", "type"}


def too_new(path: Path) -> list[str]:
    """What an old Python cannot do: by vermin, and the generics of which it says nothing."""
    vermin = Path(sys.executable).with_name("vermin")
    done = subprocess.run(
        [vermin, "--no-tips", "--violations", f"--target={OLDEST}-", path],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    said = done.stdout.splitlines() if done.returncode else []
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    said += [f"line {line}: a generic at run time" for line in generics(tree)]
    return said + [f"{ast.unparse(node)} is too new" for node in ast.walk(tree) if is_new(node)]


def is_new(node: ast.AST) -> bool:
    """A method that came later."""
    if not isinstance(node, ast.Attribute) or ast.unparse(node) == "os.readlink":
        return False
    return node.attr in METHODS


def generics(node: ast.AST) -> Iterator[int]:
    """Lines with `dict[...]` and its like outside annotations and `if TYPE_CHECKING`."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) in GENERIC:
        yield node.lineno
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from generics(child)


def test_the_oldest_is_the_oldest_that_is_offered() -> None:
    assert min(Settings().base_images, key=lambda minor: int(minor.split(".")[1])) == OLDEST


@pytest.mark.parametrize("path", INSIDE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_runs_inside_runs_on_the_oldest_python(path: Path) -> None:
    assert too_new(path) == []


@pytest.mark.parametrize(
    "text",
    [
        "Tree = dict[str, int]\n",
        "found = set[str]()\n",
        "import hashlib\nhashlib.sha1(b'', usedforsecurity=False)\n",
        "def f(a):\n    return a.removeprefix('b')\n",
        "a = {} | {}\n",
    ],
)
def test_what_an_old_python_cannot_do_is_seen(tmp_path: Path, text: str) -> None:
    file = tmp_path / "new.py"
    file.write_text(f"from __future__ import annotations\n{text}")
    assert too_new(file) != []
