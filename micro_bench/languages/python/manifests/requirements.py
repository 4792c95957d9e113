"""Requirement files, and the cleaning of requirements from any source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed

from micro_bench.languages._language import Files
from micro_bench.languages.python.values import join, normal
from micro_bench.model.slice import Requirement

_FOLLOW = re.compile(r"(?:-r|--requirement)[ =]?\s*(\S+)")
_CONSTRAIN = re.compile(r"(?:-c|--constraint)[ =]?\s*(\S+)")
_INDEX = re.compile(r"(-i|--index-url|--extra-index-url|-f|--find-links)[ =]?\s*(\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[ =]?\s*(\S.*)")
_OPTION = re.compile(r"\s--?[A-Za-z][\w-]*(?:[= ]\S+)?")
_LOCAL = re.compile(r"(?:file:)?(?P<path>\.{0,2}[\w./-]*)\s*(?:\[(?P<extras>[^\]]*)\])?")
_REMOTE = re.compile(r"^(git|hg|svn|bzr|https?|ssh|file)(\+\w+)?:", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/@\s]+@")
_EGG = re.compile(r"#.*egg=([\w.-]+)")
BY_HAND = "recipe.yaml requirements"
"""The source of what a lead asks for."""


def read_file(
    files: Files, path: str, seen: tuple[str, ...] = ()
) -> tuple[list[Requirement], list[str]]:
    """The requirements of a file and of those it names, and what could not be used."""
    if path in seen:
        return [], []
    if path not in files:
        return [], [f"{path}: named by {seen[-1] if seen else 'a manifest'}, not in the tree"]
    found: list[Requirement] = []
    complaints: list[str] = []
    limits: list[Requirement] = []
    directory = path.rpartition("/")[0]
    for number, line in _logical_lines(files[path]):
        target, match = found, _FOLLOW.fullmatch(line)
        if match is None and (match := _CONSTRAIN.fullmatch(line)):
            target = limits
        if match:
            more, bad = read_file(files, join(directory, match[1]), (*seen, path))
            target += more
            complaints += bad
        elif match := _INDEX.match(line):
            where = match[2].rpartition("@")[2].rpartition("://")[2].partition("/")[0]
            complaints.append(
                f"{path}:{number}: {match[1]} {where} is not heeded: packages come from "
                "where this machine's own settings say"
            )
        elif wanted := _wanted(line):
            found.append(Requirement(text=wanted, source=f"{path}:{number}"))
    return [*found, *applicable(limits, found)], complaints


def _logical_lines(content: bytes) -> Iterator[tuple[int, str]]:
    text = _decode(content)
    start, pending = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        start = start if pending else number
        if line.endswith("\\"):
            pending += line[:-1]
            continue
        whole = re.sub(r"(^|\s)#(?!egg=).*$", "", pending + line).strip()
        pending = ""
        if whole:
            yield start, whole
    if pending.strip():
        yield start, pending.strip()


def _decode(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def _wanted(line: str) -> str | None:
    """The requirement on a line; None for options."""
    if match := _EDITABLE.fullmatch(line):
        return match[1].strip()
    if line.startswith("-"):
        return None
    return _OPTION.sub("", line).strip() or None


def applicable(limits: list[Requirement], found: list[Requirement]) -> list[Requirement]:
    """Constraints on what is required; the others constrain nothing that is known here."""
    names = {name_of(item.text) for item in found}
    return [item for item in limits if name_of(item.text) in names]


def parse(text: str) -> Parsed | None:
    """The requirement by PEP 508; None when it is none."""
    try:
        return Parsed(text)
    except InvalidRequirement:
        return None


def name_of(text: str) -> str | None:
    """The normalised name of a requirement, as far as it has one."""
    parsed = parse(text)
    return normal(parsed.name) if parsed else None


@dataclass
class Cleaned:
    """Requirements that an index can serve, and what was left out with the reason."""

    kept: list[Requirement] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def clean(
    wanted: Sequence[Requirement],
    own: Mapping[str, Mapping[str, Sequence[Requirement]]],
    elsewhere: Mapping[str, str] | None = None,
) -> Cleaned:
    """Drop what no index serves and expand references to the tree's own projects.

    Args:
        wanted: From any manifest.
        own: Normalised name of each project in the tree, and `path:` with its directory
            (`path:.` is the top), -> its extras.
        elsewhere: Normalised name -> where it comes from, of what the manifests take from no index.
            A lead's own requirement is asked of the index all the same.

    """
    result = Cleaned()
    away = elsewhere or {}
    waiting, expanded = list(reversed(wanted)), set()
    while waiting:
        item = waiting.pop()
        owner, extras = _own_reference(item.text, own)
        if owner is None:
            place = "" if item.source == BY_HAND else away.get(name_of(item.text) or "", "")
            _sort(item, result, place)
            continue
        for extra in extras:
            if (owner, normal(extra)) not in expanded:
                expanded.add((owner, normal(extra)))
                known = {normal(name): listed for name, listed in own[owner].items()}
                waiting += reversed(known.get(normal(extra), ()))
    unique = {item.text: item for item in reversed(result.kept)}
    result.kept = list(reversed(unique.values()))
    return result


def _own_reference(
    text: str, own: Mapping[str, Mapping[str, Sequence[Requirement]]]
) -> tuple[str | None, list[str]]:
    match = _LOCAL.fullmatch(text.partition(";")[0].strip())
    if match and (text.startswith((".", "file:", "[")) or "/" in match["path"]):
        place = f"path:{join(match['path'])}"
        if place in own:
            return place, [
                name.strip() for name in (match["extras"] or "").split(",") if name.strip()
            ]
    parsed = parse(text)
    if parsed and normal(parsed.name) in own:
        return normal(parsed.name), sorted(parsed.extras)
    return None, []


def _sort(item: Requirement, result: Cleaned, elsewhere: str) -> None:
    parsed = parse(item.text)
    shown = _USER.sub("***@", item.text)  # a token has no place in a manifest
    if parsed is None:
        name = _EGG.search(item.text)
        what = "comes from a URL" if _REMOTE.match(item.text) else "is a path or no requirement"
        hint = f" ({name[1]})" if name else ""
        result.complaints.append(f"{item.source}: {shown!r} {what}; left out{hint}")
    elif parsed.url:
        result.complaints.append(f"{item.source}: {shown!r} comes from a URL; left out")
    elif elsewhere:
        result.complaints.append(
            f"{item.source}: {shown!r} comes from a URL; left out: {_USER.sub('***@', elsewhere)}"
        )
    else:
        result.kept.append(Requirement(text=str(parsed), source=item.source))
