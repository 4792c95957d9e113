"""`pyproject.toml`: the standard tables and those of the build back ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from micro_bench.languages._language import Files
from micro_bench.languages.python.manifests import backends, poetry
from micro_bench.languages.python.manifests.project import Declared, merge
from micro_bench.languages.python.manifests.requirements import read_file
from micro_bench.languages.python.values import (
    join,
    load_toml,
    normal,
    table,
    text,
    text_map,
    texts,
)
from micro_bench.model.slice import Requirement


def read(files: Files, path: str) -> Declared | None:
    """What the file declares; None when it declares no project."""
    document = load_toml(files[path])
    if document is None:
        return Declared(complaints=(f"{path}: does not parse",)) if files[path].strip() else None
    directory = path.rpartition("/")[0]
    parts = [
        _standard(document, path),
        backends.read(document, directory, path),
        _setuptools_dynamic(document, files, directory),
        poetry.read(document, directory, path),
        _development(document, path),
    ]
    found = [part for part in parts if part is not None and part != Declared()]
    return merge(found) if found else None


def _standard(document: Mapping[str, Any], path: str) -> Declared | None:
    project = table(document, "project")
    if not project:
        return None
    listed = project.get("dependencies")
    source = f"{path} project.dependencies"
    return Declared(
        name=text(project.get("name")),
        version=text(project.get("version")),
        version_source=f"{path} project.version" if project.get("version") else "",
        requires_python=text(project.get("requires-python")),
        classifiers=texts(project.get("classifiers")) or None,
        dependencies=None if "dependencies" in _dynamic(project) else _stated(listed, source),
        extras={
            extra: _stated(names, f"{path} project.optional-dependencies.{extra}")
            for extra, names in table(project, "optional-dependencies").items()
        },
        entry_points=_entry_points(project),
    )


def _dynamic(project: Mapping[str, Any]) -> tuple[str, ...]:
    return texts(project.get("dynamic"))


def _stated(names: object, source: str) -> tuple[Requirement, ...]:
    return tuple(Requirement(text=name, source=source) for name in texts(names))


def _entry_points(project: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    groups = {
        "console_scripts": text_map(project.get("scripts")),
        "gui_scripts": text_map(project.get("gui-scripts")),
    }
    groups |= {group: text_map(points) for group, points in table(project, "entry-points").items()}
    return {group: points for group, points in groups.items() if points}


def _development(document: Mapping[str, Any], path: str) -> Declared:
    """Groups of development dependencies, wherever tools keep them."""
    groups = {
        name: tuple(_group(table(document, "dependency-groups"), name, path, ()))
        for name in table(document, "dependency-groups")
    }
    for name, listed in table(document, "tool", "pdm", "dev-dependencies").items():
        groups.setdefault(name, _stated(listed, f"{path} tool.pdm.dev-dependencies.{name}"))
    uv = table(document, "tool", "uv").get("dev-dependencies")
    if uv:
        groups.setdefault("dev", _stated(uv, f"{path} tool.uv.dev-dependencies"))
    for name, group in _hatch_environments(document, path).items():
        groups.setdefault(name, group)
    return Declared(groups=groups)


def _group(
    groups: Mapping[str, Any], name: str, path: str, seen: Sequence[str]
) -> list[Requirement]:
    known = {normal(key): key for key in groups}
    key = known.get(normal(name))
    listed = groups.get(key, []) if key else []
    if key is None or key in seen or not isinstance(listed, list):
        return []
    found: list[Requirement] = []
    for item in listed:
        if isinstance(item, str):
            found.append(Requirement(text=item, source=f"{path} dependency-groups.{key}"))
        elif included := text(table(item).get("include-group")):
            found += _group(groups, included, path, (*seen, key))
    return found


def _hatch_environments(
    document: Mapping[str, Any], path: str
) -> dict[str, tuple[Requirement, ...]]:
    found: dict[str, tuple[Requirement, ...]] = {}
    for name, environment in table(document, "tool", "hatch", "envs").items():
        listed: list[Requirement] = []
        for key in ("dependencies", "extra-dependencies"):
            source = f"{path} tool.hatch.envs.{name}.{key}"
            listed += _stated(table(environment).get(key), source)
        listed += [
            Requirement(text=f".[{feature}]", source=f"{path} tool.hatch.envs.{name}.features")
            for feature in texts(table(environment).get("features"))
        ]
        if listed:
            group = {"default": "dev", "hatch-test": "test"}.get(name, name)
            found[group] = (*found.get(group, ()), *listed)
    return found


def _setuptools_dynamic(
    document: Mapping[str, Any], files: Files, directory: str
) -> Declared | None:
    """`[tool.setuptools.dynamic]` dependencies that lie in requirement files."""
    dynamic = table(document, "tool", "setuptools", "dynamic")
    if not dynamic:
        return None
    complaints: list[str] = []

    def listed(value: object) -> tuple[Requirement, ...] | None:
        found: list[Requirement] = []
        paths = texts(table(value).get("file"))
        for path in paths:
            got, bad = read_file(files, join(directory, path))
            found += got
            complaints.extend(bad)
        return tuple(found) if paths else None

    extras = table(dynamic, "optional-dependencies")
    return Declared(
        dependencies=listed(dynamic.get("dependencies")),
        extras={extra: listed(value) or () for extra, value in extras.items()},
        complaints=tuple(complaints),
    )
