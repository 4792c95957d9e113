"""Which minor version of Python a tree wants, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.manifests import python_signs
from micro_bench.languages.python.manifests.project import Project

PREFERRED = ("3.11", "3.13", "3.12", "3.10", "3.14")
_RELEASED = {
    "3.8": date(2019, 10, 14),
    "3.9": date(2020, 10, 5),
    "3.10": date(2021, 10, 4),
    "3.11": date(2022, 10, 24),
    "3.12": date(2023, 10, 2),
    "3.13": date(2024, 10, 7),
    "3.14": date(2025, 10, 7),
}
_SETTLED = timedelta(days=180)
_PATCHES = 40
_MINOR = re.compile(r"(?<![\d.])3\.\d{1,2}(?![\d])")
_CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
_PYTHON_KEY = re.compile(r"(?i)\bpython(?:[-_]?versions?)?\s*:\s*(.*)")


def choose(
    files: Files,
    projects: Sequence[Project],
    recipe: Recipe,
    offered: Sequence[str] = (),
    before: datetime | None = None,
) -> tuple[str, str, list[str]]:
    """The minor version, where it was read, and complaints.

    Of several that would do, one of `offered` is taken: not every machine can have each. Of these
    the newest that was out half a year before the base commit: new tests are often for new
    versions only, and a version that is just out has no wheels. A version that classifiers or CI
    name goes before one that a requirement merely allows.
    """
    if recipe.python:
        return _minor(recipe.python), "recipe.yaml python", []
    wanted, complaints = _required(projects)
    preferred = tuple(dict.fromkeys((*_by_age(offered, before), *PREFERRED)))
    allowed = [minor for minor in preferred if _satisfies(minor, wanted)]
    for name, stated in _pinned(files):
        if not _satisfies(stated, wanted):
            complaints.append(
                f"{name}: asks for Python {stated}, which requires-python {' and '.join(wanted)} "
                "rules out"
            )
            continue
        if stated in (offered or PREFERRED) or not allowed:
            return stated, name, complaints
        complaints.append(f"{name}: asks for Python {stated}; {allowed[0]} is taken")
    if wanted:
        tried = _classified(projects) | _tested(files)
        likely = sorted(allowed, key=lambda minor: minor not in tried)
        return *_by_requirement(wanted, likely, complaints), complaints
    return *_by_other_signs(files, projects, preferred), complaints


def _by_age(offered: Sequence[str], before: datetime | None) -> list[str]:
    """Those that were in use at the time first, the newest of them first."""

    def rank(minor: str) -> tuple[bool, int]:
        released, number = _RELEASED.get(minor), int(minor.partition(".")[2] or 0)
        young = bool(before and released and released + _SETTLED > before.date())
        return young, number if young else -number

    return sorted(offered, key=rank)


def _by_other_signs(
    files: Files, projects: Sequence[Project], preferred: Sequence[str]
) -> tuple[str, str]:
    signs = (
        ("classifiers", _classified(projects)), ("CI matrix", _tested(files)),
        ("tox envlist", python_signs.of_tox(files)), *python_signs.of_docker(files),
    )  # fmt: skip
    for source, versions in signs:
        for candidate in preferred:
            if candidate in versions:
                return candidate, source
    return preferred[0], "default: the manifests do not say"


def lateness(minor: str, before: datetime) -> list[str]:
    """A complaint when the interpreter is younger than the code."""
    released = _RELEASED.get(minor)
    if released is None or released <= before.date():
        return []
    age = f"Python {minor} ({released}) is younger than the base commit"
    return [f"{age}: compiled dependencies of that time may have no wheels for it"]


def _minor(text: str) -> str:
    match = re.match(r"\s*(\d+\.\d+)", text)
    return match[1] if match else text.strip()


def _pinned(files: Files) -> Iterable[tuple[str, str]]:
    for name in (".python-version", "runtime.txt"):
        text = files.get(name, b"").decode("utf-8", "replace")
        found = [
            m[0] for line in text.splitlines() if "pypy" not in line for m in _MINOR.finditer(line)
        ]
        ranked = sorted(dict.fromkeys(found), key=_rank)
        yield from ((name, minor) for minor in ranked[:1])


def _rank(minor: str) -> int:
    return PREFERRED.index(minor) if minor in PREFERRED else len(PREFERRED)


def _required(projects: Sequence[Project]) -> tuple[dict[str, SpecifierSet], list[str]]:
    """Each stated `requires-python`, and what could not be read."""
    found, complaints = {}, []
    for text in (p.says.requires_python for p in projects if p.says.requires_python):
        try:
            found[text] = SpecifierSet(text)
        except InvalidSpecifier:
            complaints.append(f"requires-python {text!r} is no version specifier")
    return found, complaints


def _satisfies(minor: str, wanted: Mapping[str, SpecifierSet]) -> bool:
    patches = range(_PATCHES)
    return any(all(s.contains(f"{minor}.{n}") for s in wanted.values()) for n in patches)


def _by_requirement(
    wanted: Mapping[str, SpecifierSet], allowed: Sequence[str], complaints: list[str]
) -> tuple[str, str]:
    text = " and ".join(wanted)
    others = (f"3.{n}" for n in range(30, 1, -1))
    for minor in (*allowed, *others, "2.7"):
        if _satisfies(minor, wanted):
            return minor, f"requires-python {text}"
    complaints.append(f"requires-python {text}: no version of Python satisfies it")
    return PREFERRED[0], "default: requires-python cannot be met"


def _classified(projects: Sequence[Project]) -> set[str]:
    found = (
        match
        for p in projects
        for c in p.says.classifiers or ()
        for match in [_CLASSIFIER.fullmatch(c)]
    )
    return {match[1] for match in found if match}


def _tested(files: Files) -> set[str]:
    """Versions on the lines of CI files that speak of Python, and in lists under them."""
    found: set[str] = set()
    for path in sorted(files):
        if not (_WORKFLOW.fullmatch(path) or path in {".travis.yml", ".gitlab-ci.yml"}):
            continue
        inside = False
        for line in files[path].decode("utf-8", "replace").splitlines():
            key = _PYTHON_KEY.search(line)
            inside = bool(key) or (inside and line.strip().startswith("-"))
            if inside:
                found.update(m[0] for m in _MINOR.finditer(line) if "pypy" not in line)
    return found
