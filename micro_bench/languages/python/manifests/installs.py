"""What a command installs, as its words tell: `pip install`, `uv sync` and their like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from micro_bench.languages._language import Files
from micro_bench.languages.python.manifests.needs import Needs
from micro_bench.languages.python.manifests.project import Project
from micro_bench.languages.python.manifests.requirements import applicable, name_of, read_file
from micro_bench.languages.python.values import join, normal, words
from micro_bench.model.slice import Requirement

_PIP = re.compile(
    r"(?:(?:\S*/)?python[\d.]*\s+-m\s+)?(?:(?:\S*/)?pip[\d.]*|uv\s+pip)\s+(?:[^\s;&|]*=\S+\s+)?install\s+"
)
_PROJECT = re.compile(
    r"(?:(?:\S*/)?python[\d.]*\s+-m\s+)?(?:uv\s+sync|poetry\s+install|pdm\s+(?:install|sync))\b"
)
_WITH_VALUE = frozenset(
    words("""
    -i --index-url --extra-index-url -f --find-links --trusted-host --python -p --prefix -t
    --target --root --cache-dir --log --proxy --retries --timeout --progress-bar
    --index-strategy --python-version --only-binary --no-binary --no-build-isolation-package
    --upgrade-strategy --resolution --config-settings -C --global-option --platform
    --implementation --abi --upgrade-package -P --directory --project --index --default-index
    --src --report
""")
)
_OPEN = re.compile(r"[$*`{}%]|\\")
"""A shell or a template would put something in its place."""
_ARCHIVE = re.compile(r"(?:^|/)[^/]+\.(?:whl|tar\.gz|zip)$|^dist(?:/|$)")


@dataclass(frozen=True)
class Reader:
    """Reads commands of one file against the tree."""

    files: Files
    projects: Sequence[Project]
    source: str

    def command(self, line: str, split: Callable[[str], list[str]]) -> Needs:
        """What one command line installs; nothing where it is no installation."""
        if match := _PIP.match(line):
            return self.pip(split(line[match.end() :]))
        if match := _PROJECT.match(line):
            return Needs(tuple(self.project(split(line[match.end() :]))))
        return Needs()

    def pip(self, given: Sequence[str]) -> Needs:
        """What follows `pip install`."""
        found: list[Requirement] = []
        complaints: list[str] = []
        limits: list[Requirement] = []
        rest = iter(given)
        for word in rest:
            option, sign, value = word.partition("=") if word.startswith("--") else (word, "", "")
            if option in _WITH_VALUE:
                _ = None if sign else next(rest, "")
            elif option in ("-r", "--requirement", "--requirements"):
                more, bad = self._file(value if sign else next(rest, ""))
                found, complaints = [*found, *more], [*complaints, *bad]
            elif option in ("-c", "--constraint", "--constraints"):
                limits += self._file(value if sign else next(rest, ""))[0]
            elif option == "--group":
                name = (value if sign else next(rest, "")).rpartition(":")[2]
                found += self._named("groups", [name])
            elif option in ("-e", "--editable"):
                found += self._plain(value if sign else next(rest, ""))
            elif word.startswith("-r") and not word.startswith("--"):
                found += self._file(word[2:])[0]
            elif not word.startswith("-"):
                found += self._plain(word)
        return Needs((*found, *applicable(limits, found)), tuple(complaints))

    def project(self, given: Sequence[str]) -> Iterator[Requirement]:
        """What `uv sync`, `poetry install` or `pdm install` install beside run-time needs."""
        rest = iter(given)
        for word in rest:
            option, sign, value = word.partition("=")
            if option in ("--group", "--with", "-G", "-dG", "--only-group", "--only"):
                names = re.split(r"[\s,]+", value if sign else next(rest, ""))
                yield from self._named("groups", names)
                yield from self._named("extras", names if option in ("-G", "-dG") else ())
            elif option in ("--extra", "--extras", "-E"):
                names = re.split(r"[\s,]+", value if sign else next(rest, ""))
                yield from self._named("extras", names)
            elif option == "--all-extras":
                yield from self._named("extras", None)
            elif option == "--all-groups":
                yield from self._named("groups", None)

    def _file(self, path: str) -> tuple[list[Requirement], list[str]]:
        place = join(path)
        return read_file(self.files, place) if place in self.files else ([], [])

    def _plain(self, word: str) -> list[Requirement]:
        if not word or _OPEN.search(word) or _ARCHIVE.search(word):
            return []
        own = word.startswith((".", "/")) or "/" in word
        if not own and name_of(word) is None:
            return []
        if own and "[" not in word:
            return []
        return [Requirement(text=word, source=self.source)]

    def _named(self, kind: str, names: Sequence[str] | None) -> Iterator[Requirement]:
        """Of the top project, or of all where they are many; None names every one."""
        wanted = None if names is None else {normal(name) for name in names if name}
        for project in self.projects[:1]:
            known = project.says.groups if kind == "groups" else project.says.extras
            for name, listed in known.items():
                if (wanted is None or normal(name) in wanted) and name[:1] != ":":
                    yield from listed


def says_something(needs: Needs) -> bool:
    """Whether it is what tests need, and not one tool or another: it names pytest, or several."""
    names = {name_of(item.text) or item.text for item in needs.wanted}
    own = any("[" in name for name in names)  # extras of the project itself
    return own or "pytest" in names or len(names - _SET_UP) > 1


_SET_UP = frozenset(
    words("""
    build codecov coverage coveralls hatch nox pdm pip pipenv poetry setuptools tox tox-gh
    tox-gh-actions tox-uv uv virtualenv wheel
""")
)


def joined(source: Sequence[Needs]) -> Needs:
    """Several findings of one file as one that holds other things too, without what sets up."""
    wanted = (item for needs in source for item in needs.wanted)
    kept = [item for item in dict.fromkeys(wanted) if name_of(item.text) not in _SET_UP]
    complaints = tuple(bad for needs in source for bad in needs.complaints)
    return Needs(tuple(kept), complaints, is_mixed=True)
