"""Poetry's tables (and Pipfile's, which look alike) as PEP 508 requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from micro_bench.languages.python.manifests.project import Declared, VersionRule
from micro_bench.languages.python.values import join, normal, table, text, text_map, texts
from micro_bench.model.slice import Requirement

_TERM = re.compile(r"(\^|~=|~|===|==|!=|>=|<=|>|<)?\s*v?([0-9][^\s,|]*|\*)")
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def read(document: Mapping[str, Any], directory: str, path: str) -> Declared | None:
    """What `[tool.poetry]` declares."""
    poetry = table(document, "tool", "poetry")
    if not poetry:
        return None
    main = table(poetry, "dependencies")
    return Declared(
        name=text(poetry.get("name")),
        version=None if _dynamic(document) else text(poetry.get("version")),
        version_rule=VersionRule("vcs", says="poetry-dynamic-versioning")
        if _dynamic(document)
        else None,
        version_source=f"{path} tool.poetry.version",
        requires_python=_requires_python(main),
        classifiers=texts(poetry.get("classifiers")) or None,
        dependencies=tuple(requirements(main, f"{path} tool.poetry.dependencies")) or None,
        extras=_extras(poetry, path),
        groups=_groups(poetry, path),
        entry_points=_entry_points(poetry),
        roots=_roots(poetry, directory),
    )


def _dynamic(document: Mapping[str, Any]) -> bool:
    return bool(table(document, "tool", "poetry-dynamic-versioning").get("enable"))


def _requires_python(main: Mapping[str, Any]) -> str | None:
    constraint = text(main.get("python"))
    return specifier(constraint) if constraint else None


def _roots(poetry: Mapping[str, Any], directory: str) -> tuple[str, ...]:
    packages = poetry.get("packages")
    entries = packages if isinstance(packages, list) else []
    found = (join(directory, text(table(entry).get("from")) or ".") for entry in entries)
    return tuple(dict.fromkeys(found))


def _extras(poetry: Mapping[str, Any], path: str) -> dict[str, tuple[Requirement, ...]]:
    main = {normal(name): value for name, value in table(poetry, "dependencies").items()}
    found = {}
    for extra, names in table(poetry, "extras").items():
        source = f"{path} tool.poetry.extras.{extra}"
        wanted = {name: main[normal(name)] for name in texts(names) if normal(name) in main}
        found[extra] = tuple(requirements(wanted, source, optional=True))
    return found


def _groups(poetry: Mapping[str, Any], path: str) -> dict[str, tuple[Requirement, ...]]:
    old = table(poetry, "dev-dependencies")
    found = {"dev": tuple(requirements(old, f"{path} tool.poetry.dev-dependencies"))} if old else {}
    for name, group in table(poetry, "group").items():
        source = f"{path} tool.poetry.group.{name}.dependencies"
        found[name] = tuple(requirements(table(group, "dependencies"), source, optional=True))
    return found


def _entry_points(poetry: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    scripts = {}
    for name, value in table(poetry, "scripts").items():
        target = value if isinstance(value, str) else table(value).get("reference")
        target = target or table(value).get("callable")
        if isinstance(target, str):
            scripts[name] = target
    groups = {group: text_map(points) for group, points in table(poetry, "plugins").items()}
    return groups | ({"console_scripts": scripts} if scripts else {})


def requirements(
    entries: Mapping[str, Any], source: str, *, optional: bool = False
) -> Iterator[Requirement]:
    """The entries of a dependency table; optional ones only when asked for."""
    for name, value in entries.items():
        if normal(name) == "python":
            continue
        for variant in value if isinstance(value, list) else [value]:
            details = table(variant)
            if details.get("optional") is True and not optional:
                continue
            yield Requirement(text=_requirement(name, variant, details), source=source)


def _requirement(name: str, value: object, details: Mapping[str, Any]) -> str:
    for key in ("git", "path", "url", "file", "hg", "svn"):
        if isinstance(details.get(key), str):
            prefix = "git+" if key == "git" else ""
            return f"{name} @ {prefix}{details[key]}"
    extras = ",".join(texts(details.get("extras")))
    constraint = value if isinstance(value, str) else text(details.get("version"))
    head = f"{name}[{extras}]" if extras else name
    wanted = specifier(constraint) if constraint else ""
    marker = _marker(details)
    return f"{head}{wanted}" + (f" ; {marker}" if marker else "")


def _marker(details: Mapping[str, Any]) -> str:
    parts = [f"({marker})"] if (marker := text(details.get("markers"))) else []
    python = text(details.get("python"))
    for clause in specifier(python).split(",") if python else []:
        match = re.fullmatch(r"(==|!=|>=|<=|>|<)(\d+(?:\.\d+)?)(?:\.0)*(\.\*)?", clause)
        if match:
            parts.append(f'python_version {match[1]} "{match[2]}"')
        elif clause:
            match = re.fullmatch(r"(>=|<=|>|<|==|!=)([\d.]+)", clause)
            parts += [f'python_full_version {match[1]} "{match[2]}"'] if match else []
    parts += [f'sys_platform == "{system}"' for system in texts(details.get("platform"))[:1]]
    return " and ".join(parts)


def specifier(constraint: str) -> str:
    """A Poetry constraint in PEP 440; alternatives become the range that spans them."""
    alternatives = [_terms(part) for part in re.split(r"\|\|?", constraint)]
    if len(alternatives) == 1:
        return ",".join(dict.fromkeys(alternatives[0]))
    lowest = [term for term in alternatives[0] if term.startswith((">", "=="))]
    highest = [term for term in alternatives[-1] if term.startswith(("<", "=="))]
    first = re.sub(r"^==", ">=", lowest[0]).removesuffix(".*") if lowest else ""
    last = re.sub(r"^==", "<=", highest[-1]) if highest else ""
    return ",".join(term for term in (first, last) if term and not term.endswith(".*"))


def _terms(constraint: str) -> list[str]:
    found: list[str] = []
    for match in _TERM.finditer(constraint):
        operator, version = match[1] or "", match[2]
        if version == "*":
            continue
        if operator in {"^", "~"}:
            found += [f">={version}", f"<{_next(version, caret=operator == '^')}"]
        else:
            found.append(f"{operator or '=='}{version}")
    return found


def _next(version: str, *, caret: bool) -> str:
    match = _NUMBERS.match(version)
    numbers = [int(number) for number in match[0].split(".")] if match else [0]
    if caret:
        place = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1)
    else:
        place = min(1, len(numbers) - 1)
    bumped = [*numbers[:place], numbers[place] + 1]
    return ".".join(str(number) for number in [*bumped, *[0] * (2 - len(bumped))])
