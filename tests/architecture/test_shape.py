"""Budgets and habits that no linter knows."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest
from pydantic import BaseModel

from micro_bench.settings import Settings
from tests.architecture import exceptions
from tests.architecture.source import (
    PACKAGE,
    ROOT,
    code_lines,
    files,
    functions,
    module,
    name,
    tree,
)

MOST_FUNCTION_LINES = 40
MOST_MODULE_LINES = 400
MOST_COMMAND_STATEMENTS = 8


def test_functions_fit_a_screen() -> None:
    long = {
        f"{name(path)}:{function.name}"
        for path in files()
        for function in functions(path)
        if _length(path, function) > MOST_FUNCTION_LINES
    }
    assert long == set(exceptions.FUNCTIONS)


def test_modules_fit_a_head() -> None:
    long = {
        name(path)
        for path in files()
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_MODULE_LINES
    }
    assert long == set(exceptions.MODULES)


def test_the_docker_folder_is_no_package() -> None:
    """With an `__init__.py` it would shadow the SDK."""
    assert not (ROOT / "docker" / "__init__.py").exists()
    import_path = importlib.import_module("docker").__file__
    assert import_path is not None
    assert not Path(import_path).is_relative_to(ROOT / "docker")


def test_nothing_is_mocked() -> None:
    """The real thing, or a named fake under tests/fakes."""
    words = ("unittest import mock", "unittest.mock", "MagicMock", "pytest_mock", "mocker.")
    found = [
        name(path)
        for path in files(ROOT / "tests")
        if path != Path(__file__) and any(w in path.read_text(encoding="utf-8") for w in words)
    ]
    assert found == []


def test_commands_are_glue() -> None:
    fat = [
        f"{name(path)}:{node.name}"
        for path in (PACKAGE / "cli").glob("[!_]*.py")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and node.name != "register"
        if len(_statements(node)) > MOST_COMMAND_STATEMENTS
    ]
    assert fat == []


def test_a_command_module_offers_register() -> None:
    for path in (PACKAGE / "cli").glob("[!_]*.py"):
        names = [n.name for n in tree(path).body if isinstance(n, ast.FunctionDef)]
        assert "register" in names, name(path)


@pytest.mark.parametrize("path", files(PACKAGE / "model"), ids=name)
def test_nouns_are_frozen_strict_and_closed(path: Path) -> None:
    loaded = importlib.import_module(module(path))
    for kind in vars(loaded).values():
        if inspect.isclass(kind) and issubclass(kind, BaseModel) and kind is not BaseModel:
            settings = kind.model_config
            assert settings.get("frozen"), kind
            assert settings.get("strict"), kind
            assert settings.get("extra") == "forbid", kind


def test_nouns_are_never_changed_in_place() -> None:
    """`model_copy(update=...)` skips validation."""
    found = [
        name(path)
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"model_copy", "model_construct"}
    ]
    assert found == []


def test_every_setting_is_read() -> None:
    """A setting that changes nothing would be a lie."""
    read = {
        node.attr
        for path in files()
        if path.name != "settings.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
    }
    unread = set(Settings.model_fields) - read - {"schema_version"}
    assert unread == set(exceptions.UNREAD_SETTINGS)


def _documented() -> list[Path]:
    protocols = {
        path
        for path in files()
        if path.name.startswith("_")
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(b) == "Protocol" for b in node.bases)
    }
    return sorted({*files(PACKAGE / "model"), *files(PACKAGE / "edge"), *protocols})


@pytest.mark.parametrize("path", _documented(), ids=name)
def test_what_others_build_on_is_documented(path: Path) -> None:
    assert _undocumented(tree(path), name(path)) == []


def _undocumented(node: ast.Module | ast.ClassDef, where: str) -> list[str]:
    found = [] if ast.get_docstring(node) else [where]
    for child in node.body:
        if not isinstance(child, ast.FunctionDef | ast.ClassDef) or child.name.startswith("_"):
            continue
        here = f"{where}:{child.name}"
        if isinstance(child, ast.ClassDef):
            found += _undocumented(child, here)
        elif not ast.get_docstring(child):
            found.append(here)
    return found


def _length(path: Path, function: ast.AST) -> int:
    first, last = function.lineno, function.end_lineno  # type: ignore[attr-defined]
    return len([line for line in code_lines(path) if first <= line <= last])


def _statements(function: ast.FunctionDef) -> list[ast.stmt]:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return [s for s in body if not isinstance(s, ast.Import | ast.ImportFrom)]
