"""The version of a project, where its manifest does not write it down."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from packaging.version import InvalidVersion, Version

from micro_bench.languages._language import Files
from micro_bench.languages.python.literals import module_names
from micro_bench.languages.python.manifests.project import Declared, VersionRule
from micro_bench.languages.python.source import UnparsableError, decode_leniently, parse
from micro_bench.languages.python.values import join

UNKNOWN_VERSION = "0.0.0"
_NAMES = ("__version__", "VERSION", "version", "__VERSION__")
_MODULES = ("__init__", "_version", "version", "__version__", "__about__", "__meta__", "about")


def find_version(
    says: Declared, roots: Sequence[str], files: Files, tag_version: str | None
) -> tuple[str, str]:
    """The version and where it was read."""
    for version, source in _candidates(says, roots, files, tag_version):
        if version and (valid := _valid(version)):
            return valid, source
    return UNKNOWN_VERSION, "unknown: neither the manifests nor a tag tell"


def _candidates(
    says: Declared, roots: Sequence[str], files: Files, tag_version: str | None
) -> Iterator[tuple[str | None, str]]:
    rule = says.version_rule
    tag = (tag_version, f"git tag {tag_version}")
    yield says.version, says.version_source
    if rule is not None:
        yield _by_rule(rule, roots, files), rule.says or rule.how
    if rule is not None and rule.how == "vcs":
        yield tag
    yield from _searched(roots, files)
    yield tag


def _valid(version: str) -> str | None:
    try:
        Version(version)
    except InvalidVersion:
        return None
    return version.strip()


def _by_rule(rule: VersionRule, roots: Sequence[str], files: Files) -> str | None:
    match rule.how:
        case "attr":
            return _attribute(rule.where, roots, files)
        case "file":
            lines = decode_leniently(files.get(rule.where, b"")).strip().splitlines()
            return lines[0].strip() if lines else None
        case "pattern":
            return _by_pattern(rule, files)
    return None


def _by_pattern(rule: VersionRule, files: Files) -> str | None:
    text = decode_leniently(files.get(rule.where, b""))
    pattern = rule.pattern
    try:
        match = re.search(pattern, text, re.MULTILINE)
    except re.error:
        return None
    return match["version"] if match and "version" in match.re.groupindex else None


def _attribute(dotted: str, roots: Sequence[str], files: Files) -> str | None:
    module, _, name = dotted.rpartition(".")
    for root in roots:
        place = join(root, *module.split("."))
        for path in (f"{place}/__init__.py", f"{place}.py"):
            found = _assigned(path, name, files)
            if found:
                return found
    return None


def _assigned(path: str, name: str, files: Files, depth: int = 0) -> str | None:
    """The value of a name in a module, followed through `from .x import name`."""
    if path not in files or depth > 3:
        return None
    try:
        tree = parse(files[path])
    except UnparsableError:
        return None
    value = module_names(tree).get(name)
    if isinstance(value, (tuple, list)):
        return _joined(value)
    if isinstance(value, str):
        return value
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if name == (alias.asname or alias.name):
                    return _imported(path, statement, alias.name, files, depth)
    return None


def _joined(parts: Sequence[object]) -> str:
    """`(4, 2, 1, "rc", 1)` -> `4.2.1rc1`."""
    texts = [str(part) for part in parts]
    words = [index for index, text in enumerate(texts) if not text.isdigit()]
    head = ".".join(texts[: words[0]] if words else texts)
    tail = "".join(texts[words[0] :]) if words else ""
    return head if tail.startswith("final") else head + tail


def _imported(
    path: str, statement: ast.ImportFrom, name: str, files: Files, depth: int
) -> str | None:
    directory = path.rpartition("/")[0]
    parts = (statement.module or "").split(".")
    if statement.level:
        place = join(directory, *[".."] * (statement.level - 1), *parts)
    elif parts[0] == directory.rpartition("/")[2]:
        place = join(directory, *parts[1:])
    else:
        return None
    for candidate in (f"{place}.py", f"{place}/__init__.py"):
        if found := _assigned(candidate, name, files, depth + 1):
            return found
    return None


def _searched(roots: Sequence[str], files: Files) -> Iterator[tuple[str | None, str]]:
    """Where projects whose `setup.py` computes the version keep it."""
    for root in roots:
        prefix = "" if root == "." else f"{root}/"
        for path in sorted(files):
            inner = path.removeprefix(prefix)
            if not path.startswith(prefix) or inner.count("/") > 1 or not inner.endswith(".py"):
                continue
            if inner.rpartition("/")[2].removesuffix(".py") in _MODULES and "test" not in inner:
                for name in _NAMES[:2]:
                    yield _assigned(path, name, files), f"{path} {name}"
    for path in ("VERSION", "VERSION.txt", "version.txt"):
        yield _by_rule(VersionRule("file", path), roots, files), path


def version_tuple(version: str) -> tuple[int | str, ...]:
    """`1.2.dev3+g1` -> `(1, 2, "dev3", "g1")`, as setuptools_scm splits it."""
    parts = re.split(r"[.+]", version)
    return tuple(int(part) if part.isdigit() else part for part in parts)
