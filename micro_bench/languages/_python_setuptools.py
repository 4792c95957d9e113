"""`setup.cfg` and `setup.py`, the latter by its syntax tree alone."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from micro_bench.languages import _python_ini as ini
from micro_bench.languages._language import Files
from micro_bench.languages._python_backends import package_directories
from micro_bench.languages._python_literals import UNKNOWN, call_name, evaluate, module_names
from micro_bench.languages._python_project import Declared, Template, VersionRule
from micro_bench.languages._python_source import UnparsableError, parse
from micro_bench.languages._python_values import join, table, text, text_map, texts
from micro_bench.model.slice import Requirement


def read_setup_cfg(files: Files, path: str) -> Declared | None:
    """The declarative part of setuptools; None when the file configures other tools only."""
    sections = ini.read(files[path].decode("utf-8-sig", "replace"))
    if sections is None:
        return Declared(complaints=(f"{path}: does not parse",))
    if not {"metadata", "options"} & sections.keys():
        return None
    metadata, options = sections.get("metadata", {}), sections.get("options", {})
    directory = path.rpartition("/")[0]
    extras = sections.get("options.extras_require", {})
    listed = _listed(options.get("install_requires"), f"{path} options.install_requires")
    version, rule = _cfg_version(metadata.get("version", "").strip(), directory, path)
    return Declared(
        name=metadata.get("name", "").strip() or None,
        version=version,
        version_rule=rule,
        version_source=f"{path} metadata.version",
        requires_python=options.get("python_requires", "").strip() or None,
        classifiers=tuple(ini.lines(metadata.get("classifiers", ""))) or None,
        dependencies=listed if "install_requires" in options else None,
        extras={
            name: _listed(value, f"{path} options.extras_require.{name}")
            for name, value in extras.items()
        },
        groups=_tests_require(options.get("tests_require"), f"{path} options.tests_require"),
        entry_points=_cfg_entry_points(sections.get("options.entry_points", {})),
        roots=_cfg_roots(sections, directory),
    )


def _cfg_version(value: str, directory: str, path: str) -> tuple[str | None, VersionRule | None]:
    says = f"{path} metadata.version"
    if value.startswith("attr:"):
        return None, VersionRule("attr", value.removeprefix("attr:").strip(), says=says)
    if value.startswith("file:"):
        first = value.removeprefix("file:").partition(",")[0].strip()
        return None, VersionRule("file", join(directory, first), says=says)
    return value or None, None


def _listed(value: str | None, source: str) -> tuple[Requirement, ...]:
    items = (item.strip() for line in ini.lines(value or "") for item in line.split(" #")[:1])
    return tuple(
        Requirement(text=part.strip(), source=source)
        for item in items
        for part in item.split(";;")
        if part.strip() and not part.startswith(("#", "file:"))
    )


def _tests_require(value: str | None, source: str) -> dict[str, tuple[Requirement, ...]]:
    return {"tests_require": _listed(value, source)} if value and value.strip() else {}


def _cfg_entry_points(section: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {group: _points(value) for group, value in section.items() if _points(value)}


def _points(value: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in ini.lines(value))
    return {name.strip(): target.strip() for name, sign, target in pairs if sign}


def _cfg_roots(sections: ini.Sections, directory: str) -> tuple[str, ...]:
    mapping: dict[str, str] = {}
    for line in ini.lines(sections.get("options", {}).get("package_dir", "").replace(",", "\n")):
        package, sign, place = line.partition("=")
        if sign:
            mapping[package.strip()] = place.strip()
    found = package_directories(mapping, directory)
    if where := sections.get("options.packages.find", {}).get("where", "").strip():
        found.append(join(directory, where))
    return tuple(dict.fromkeys(found))


def read_setup_py(files: Files, path: str) -> Declared | None:
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
    unknown = [
        name for name in ("install_requires", "extras_require") if values.get(name) is UNKNOWN
    ]
    requires = values.get("install_requires")
    version, rule, templates = _py_version(values, arguments, directory, path)
    return Declared(
        name=text(values.get("name")),
        version=version,
        version_rule=rule,
        version_source=f"{path} setup(version=...)",
        requires_python=text(values.get("python_requires")),
        classifiers=texts(values.get("classifiers")) or None,
        dependencies=None
        if requires in (None, UNKNOWN)
        else _stated(requires, path, "install_requires"),
        extras={
            extra: _stated(names, path, f"extras_require.{extra}")
            for extra, names in table(values.get("extras_require")).items()
        },
        groups={"tests_require": _stated(values["tests_require"], path, "tests_require")}
        if texts(values.get("tests_require"))
        else {},
        entry_points=_py_entry_points(values.get("entry_points")),
        roots=_py_roots(values, arguments, directory),
        templates=templates,
        complaints=tuple(f"{path}: {name} is computed, not read" for name in unknown),
    )


def _stated(value: object, path: str, key: str) -> tuple[Requirement, ...]:
    listed = ini.lines(value) if isinstance(value, str) else texts(value)
    return tuple(Requirement(text=item, source=f"{path} {key}") for item in listed if item.strip())


def _py_version(
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


def _py_entry_points(value: object) -> dict[str, dict[str, str]]:
    if isinstance(value, str):
        sections = ini.read(value) or {}
        return {
            name: _points("\n".join(map(" = ".join, items.items())))
            for name, items in sections.items()
        }
    groups = {
        group: _points(points if isinstance(points, str) else "\n".join(texts(points)))
        for group, points in table(value).items()
    }
    return {group: points for group, points in groups.items() if points}


def _py_roots(
    values: Mapping[str, Any], arguments: Mapping[str, ast.expr], directory: str
) -> tuple[str, ...]:
    found = package_directories(text_map(values.get("package_dir")), directory)
    packages = arguments.get("packages")
    if isinstance(packages, ast.Call) and call_name(packages).endswith("packages"):
        nodes = [*packages.args[:1], *(k.value for k in packages.keywords if k.arg == "where")]
        places = [node.value for node in nodes if isinstance(node, ast.Constant)]
        found += [join(directory, place) for place in places if isinstance(place, str)]
    return tuple(dict.fromkeys(found))
