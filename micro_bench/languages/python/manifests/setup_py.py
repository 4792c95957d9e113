"""`setup.py`, by its syntax tree alone: it is never run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from micro_bench.languages._language import Files
from micro_bench.languages.python import ini
from micro_bench.languages.python.literals import UNKNOWN, call_name, evaluate, module_names
from micro_bench.languages.python.manifests.backends import package_directories
from micro_bench.languages.python.manifests.project import Declared, Template, VersionRule
from micro_bench.languages.python.source import UnparsableError, parse
from micro_bench.languages.python.values import join, table, text, text_map, texts
from micro_bench.model.slice import Requirement


def read(files: Files, path: str) -> Declared | None:
    """The literal arguments of `setup()`; None when the file has no such call."""
    try:
        tree = parse(files[path])
    except UnparsableError as error:
        return Declared(complaints=(f"{path}: does not parse ({error})",))
    call = _setup_call(tree)
    if call is None:
        return None
    names = module_names(tree)
    arguments = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    for keyword in call.keywords:
        if keyword.arg is None and isinstance(spread := evaluate(keyword.value, names), dict):
            arguments |= {key: ast.Constant(value) for key, value in spread.items()}
    values = {key: evaluate(node, names) for key, node in arguments.items()}
    return _from_arguments(values, arguments, path)


def _setup_call(tree: ast.Module) -> ast.Call | None:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return next((call for call in calls if call_name(call).rpartition(".")[2] == "setup"), None)


def _from_arguments(
    values: Mapping[str, Any], arguments: Mapping[str, ast.expr], path: str
) -> Declared:
    directory = path.rpartition("/")[0]
    computed = [key for key in ("install_requires", "extras_require") if values.get(key) is UNKNOWN]
    requires, tests = values.get("install_requires"), texts(values.get("tests_require"))
    version, rule, templates = _version(values, arguments, directory, path)
    extras = table(values.get("extras_require"))
    return Declared(
        name=text(values.get("name")),
        version=version,
        version_rule=rule,
        version_source=f"{path} setup(version=...)",
        requires_python=text(values.get("python_requires")),
        classifiers=texts(values.get("classifiers")) or None,
        dependencies=_stated(requires, path, "install_requires")
        if isinstance(requires, (list, tuple, str))
        else None,
        extras={key: _stated(item, path, f"extras_require.{key}") for key, item in extras.items()},
        groups={"tests_require": _stated(tests, path, "tests_require")} if tests else {},
        entry_points=_entry_points(values.get("entry_points")),
        roots=_roots(values, arguments, directory),
        templates=templates,
        complaints=tuple(f"{path}: {key} is computed, not read" for key in computed),
    )


def _stated(value: object, path: str, key: str) -> tuple[Requirement, ...]:
    listed = ini.lines(value) if isinstance(value, str) else texts(value)
    return tuple(Requirement(text=item, source=f"{path} {key}") for item in listed if item.strip())


def _version(
    values: Mapping[str, Any], arguments: Mapping[str, ast.expr], directory: str, path: str
) -> tuple[str | None, VersionRule | None, tuple[Template, ...]]:
    scm = values.get("use_scm_version")
    if scm:
        written = text(table(scm).get("write_to")) or text(table(scm).get("version_file"))
        template = text(table(scm).get("write_to_template")) or ""
        templates = (Template(join(directory, written), template),) if written else ()
        return None, VersionRule("vcs", says=f"{path} use_scm_version"), templates
    if values.get("pbr"):
        return None, VersionRule("vcs", says=f"{path} pbr"), ()
    node = arguments.get("version")
    if isinstance(values.get("version"), str):
        return values["version"], None, ()
    if node is None:
        return None, None, ()
    return None, _computed_version(node, f"{path} setup(version=...)"), ()


def _computed_version(node: ast.expr, says: str) -> VersionRule:
    try:
        source = ast.unparse(node)
    except RecursionError:
        source = ""
    if "versioneer" in source:
        return VersionRule("vcs", says=f"{says} versioneer")
    if isinstance(node, ast.Attribute) and "version" in node.attr.lower():
        return VersionRule("attr", source, says=says)
    return VersionRule("search", says=says)


def _entry_points(value: object) -> dict[str, dict[str, str]]:
    if isinstance(value, str):
        sections = ini.read(value) or {}
        return {
            name: ini.points("\n".join(map(" = ".join, items.items())))
            for name, items in sections.items()
        }
    groups = {
        group: ini.points(points if isinstance(points, str) else "\n".join(texts(points)))
        for group, points in table(value).items()
    }
    return {group: points for group, points in groups.items() if points}


def _roots(
    values: Mapping[str, Any], arguments: Mapping[str, ast.expr], directory: str
) -> tuple[str, ...]:
    found = package_directories(text_map(values.get("package_dir")), directory)
    packages = arguments.get("packages")
    if isinstance(packages, ast.Call) and call_name(packages).endswith("packages"):
        nodes = [*packages.args[:1], *(k.value for k in packages.keywords if k.arg == "where")]
        places = [node.value for node in nodes if isinstance(node, ast.Constant)]
        found += [join(directory, place) for place in places if isinstance(place, str)]
    return tuple(dict.fromkeys(found))
