"""What tox's environments for tests ask for, conditions on factors included. Nothing is run.

Of a list of environments one stands for all: for this Python, with the newest of what the names
count (`django52` before `django42`), without a server of its own. What a monorepo asks for by
package (`api: -r api/test-requirements.txt`) counts for every environment that runs tests.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from micro_bench.languages._language import Files
from micro_bench.languages.python import ini
from micro_bench.languages.python.manifests.needs import Needs
from micro_bench.languages.python.manifests.project import MANIFESTS, Project
from micro_bench.languages.python.manifests.requirements import read_file
from micro_bench.languages.python.values import load_toml, normal, table, text, texts, words
from micro_bench.model.slice import Requirement

_CONDITION = re.compile(r"^([\w!{},.-]+)\s*:(?!//)\s*(.+)$")
_REFERENCE = re.compile(r"\{\[([^\]]+)\](\w+)\}")
_FILE = re.compile(r"(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S+)")
_TOP = re.compile(r"\{(?:toxinidir|tox_root)\}/?")
_MOST = 2000
_NO_TESTS = frozenset(
    words("""
    benchmark benchmarks bandit black build changelog check clean coverage cov dist doc docs
    doctest flake8 fmt format isort lint linkcheck linters manifest mypy package packaging
    pre-commit precommit pyright publish pylint pyproject release report ruff style tracecontext
    type typecheck types typing pypy pypy3 generate
""")
)
_UNUSUAL = frozenset(
    words("dev devel latestdev lowest main master min minimum nightly oldest pre stable trunk")
)
_SERVERS = frozenset(
    words("mariadb mssql mysql oracle pg postgis postgres postgresql psycopg psycopg2 redis")
)
_OTHER = re.compile(r"pypy|jython|graalpy|py3[\d.]+t$")
"""Interpreters that are not the usual one."""
_TEST_SECTION = re.compile(r"testenv:(?:unit-?)?(?:tests?|pytest|unit|py3?\d*)")


@dataclass(frozen=True)
class _Chosen:
    """The environments that count."""

    main: frozenset[str]
    """Factors of the one that stands for all."""
    all: tuple[frozenset[str], ...]
    """Factors of each that runs tests under this Python."""


def needs(files: Files, projects: Sequence[Project], python: str) -> Needs:
    """`deps`, `extras` and `dependency_groups` of tox's base environment."""
    for path, sections in _sections(files):
        chosen = _choose(_names(sections), python)
        found: list[Requirement] = []
        complaints: list[str] = []
        for name in ("testenv", *filter(_TEST_SECTION.fullmatch, sections)):
            if found:
                break
            section = sections.get(name, {})
            where = _Place(files, path, sections, chosen)
            found, complaints = where.deps(section.get("deps", ""))
            for project in projects[:1]:
                found += _of_project(project, section, chosen)
        if found:
            return Needs(tuple(found), tuple(complaints))
    return Needs()


def environments(files: Files) -> Iterator[list[str]]:
    """The names in each list of environments."""
    for _path, sections in _sections(files):
        yield _names(sections)


def minor(name: str) -> str:
    """The version of Python in an environment's name: `py311-django52` gives `3.11`."""
    for factor in name.split("-"):
        if match := re.fullmatch(r"py3\.?(\d{1,2})|3\.(\d{1,2})", factor):
            return f"3.{match[1] or match[2]}"
    return ""


def _of_project(
    project: Project, section: Mapping[str, str], chosen: _Chosen
) -> Iterator[Requirement]:
    for known, key in (
        (project.says.groups, "dependency_groups"), (project.says.extras, "extras"),
    ):  # fmt: skip
        lines = (
            rest for when, rest in _conditions(section.get(key, "")) if _holds(when, chosen.main)
        )
        wanted = {normal(name) for line in lines for name in re.split(r"[\s,]+", line) if name}
        for name, listed in known.items():
            if normal(name) in wanted:
                yield from listed


@dataclass(frozen=True)
class _Place:
    """Where lines of requirements stand."""

    files: Files
    path: str
    sections: ini.Sections
    chosen: _Chosen

    def deps(self, value: str, depth: int = 0) -> tuple[list[Requirement], list[str]]:
        """What the lines of `deps` ask for, and what could not be used."""
        found: list[Requirement] = []
        complaints: list[str] = []
        for when, line in _conditions(value):
            if not self._counts(when, line):
                continue
            more, bad = self._line(line, depth)
            found, complaints = found + more, complaints + bad
        return found, complaints

    def _counts(self, when: str, line: str) -> bool:
        if _holds(when, self.chosen.main):
            return True
        file = _FILE.fullmatch(line)
        folder = file[1].rpartition("/")[0] if file else ""
        of_a_project = folder and any(f"{folder}/{name}" in self.files for name in MANIFESTS)
        return bool(of_a_project) and any(_holds(when, one) for one in self.chosen.all)

    def _line(self, line: str, depth: int) -> tuple[list[Requirement], list[str]]:
        if (reference := _REFERENCE.fullmatch(line)) and depth < 5:
            inner = self.sections.get(reference[1], {}).get(reference[2], "")
            return self.deps(inner, depth + 1)
        if file := _FILE.fullmatch(line):
            return ([], []) if line.startswith(("-c", "--c")) else read_file(self.files, file[1])
        plain = re.sub(r"^(?:-e|--editable)[ =]?\s*", "", line).split(" #")[0].strip()
        if plain.startswith(("-", "#", ";")) or "{" in plain:
            return [], []
        return [Requirement(text=plain, source=f"{self.path} testenv deps")], []


def _conditions(value: str) -> Iterator[tuple[str, str]]:
    """Each line with the condition that stands before it; empty for none."""
    for line in ini.lines(_TOP.sub("", value)):
        match = _CONDITION.match(line)
        yield (match[1], match[2].strip()) if match else ("", line)


def _holds(condition: str, factors: frozenset[str]) -> bool:
    """Whether `a,b-!c` holds in an environment: commas mean or, hyphens and."""
    return not condition or any(
        all((term[1:] not in factors) if term[:1] == "!" else term in factors for term in one)
        for one in (alternative.split("-") for alternative in _expanded(condition))
    )


def _choose(names: Sequence[str], python: str) -> _Chosen:
    every = [frozenset(name.split("-")) for name in names]
    tests = [one for one in every if not one & _NO_TESTS and not any(map(_OTHER.match, one))]
    fitting = [one for one in tests if _python(one) in ("", python)] or tests
    usual = [one for one in fitting if not one & _UNUSUAL]
    ranked = sorted(usual or fitting, key=_rank)
    return _Chosen(ranked[0] if ranked else frozenset(), tuple(ranked))


def _python(factors: frozenset[str]) -> str:
    return next((found for factor in sorted(factors) if (found := minor(factor))), "")


def _rank(factors: frozenset[str]) -> tuple[bool, float]:
    """Those without a server first, then the newest."""
    return bool(factors & _SERVERS), -_newest(factors)


def _newest(factors: frozenset[str]) -> float:
    """The numbers that other names than Python's end in: 5.2 of `django52`, 1.11 of `django111`."""
    found = (re.fullmatch(r"[a-z_]+?(\d)[.]?(\d{1,2})", factor) for factor in sorted(factors))
    named = (match for match in found if match and not match[0].startswith("py3"))
    return sum(int(match[1]) + int(match[2]) / 100 for match in named)


def _names(sections: ini.Sections) -> list[str]:
    tox = sections.get("tox", {})
    return _expanded(tox.get("envlist") or tox.get("env_list") or "")


def _expanded(value: str) -> list[str]:
    """`py{310,311}-x, lint` as a list of names."""
    plain = "\n".join(re.split(r"\s[#;]", f" {line}")[0] for line in value.splitlines())
    found: list[str] = []
    for word in re.split(r"[\s,]+(?![^{]*\})", plain):
        parts = [re.split(r"\s*,\s*", p[1:-1]) if p[:1] == "{" else [p] for p in _pieces(word)]
        combined = itertools.product(*parts)
        found += ("".join(one).strip() for one in itertools.islice(combined, _MOST))
    return [name for name in found if name][:_MOST]


def _pieces(word: str) -> list[str]:
    return re.split(r"(\{[^{}]*\})", word)


def _sections(files: Files) -> Iterator[tuple[str, ini.Sections]]:
    for path in ("tox.ini", "setup.cfg"):
        if path in files:
            yield path, ini.read(files[path].decode("utf-8", "replace")) or {}
    inside = table(load_toml(files.get("pyproject.toml")), "tool", "tox")
    if legacy := text(inside.get("legacy_tox_ini")):
        yield "pyproject.toml tool.tox.legacy_tox_ini", ini.read(legacy) or {}
    for path, document in (
        ("tox.toml", load_toml(files.get("tox.toml")) or {}),
        ("pyproject.toml tool.tox", inside),
    ):
        base = table(document, "env_run_base")
        section = {key: "\n".join(texts(value)) for key, value in base.items()}
        listed = "\n".join(texts(document.get("env_list")))
        yield path, {"testenv": section, "tox": {"env_list": listed}}
