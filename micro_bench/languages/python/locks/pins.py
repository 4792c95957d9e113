"""What a lock file says: exact versions, and what comes from elsewhere than an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.markers import InvalidMarker, Marker
from packaging.version import InvalidVersion, Version

from micro_bench.languages.python.values import normal


@dataclass(frozen=True)
class Entry:
    """One package of a lock file."""

    name: str
    version: str = ""
    markers: tuple[str, ...] = ()
    """It is this version where one of them holds; none: everywhere."""
    elsewhere: str = ""
    """Where it comes from, if not from an index: `git+https://...`."""
    own: bool = False
    """A project of the tree itself."""


@dataclass(frozen=True)
class Pins:
    """A lock file as limits for a resolver."""

    lines: tuple[str, ...] = ()
    """`attrs==23.1.0`, with a marker where the file has several versions of a package."""
    elsewhere: tuple[tuple[str, str], ...] = ()
    """Normalised name -> where it comes from, of what no index is asked for."""
    doubtful: tuple[str, ...] = ()
    """Packages of several versions, of which the file does not say which is whose."""


def pins(entries: Iterable[Entry]) -> Pins:
    """The entries of a file, each package once a version."""
    by_name: dict[str, dict[str, list[str]]] = {}
    elsewhere: dict[str, str] = {}
    for entry in entries:
        name = normal(entry.name)
        if entry.own:
            continue
        if entry.elsewhere:
            elsewhere[name] = entry.elsewhere
        elif _is_version(entry.version):
            by_name.setdefault(name, {}).setdefault(entry.version, []).extend(entry.markers)
    lines: list[str] = []
    doubtful: list[str] = []
    for name, versions in sorted(by_name.items()):
        if name in elsewhere:
            continue
        if len(versions) == 1:
            lines.append(f"{name}=={next(iter(versions))}")
        elif all(markers and all(map(_is_marker, markers)) for markers in versions.values()):
            lines += _of_several(name, versions)
        else:
            doubtful.append(name)
    return Pins(tuple(lines), tuple(sorted(elsewhere.items())), tuple(doubtful))


def _of_several(name: str, versions: dict[str, list[str]]) -> Iterator[str]:
    for version, markers in versions.items():
        either = " or ".join(f"({marker})" for marker in dict.fromkeys(markers))
        yield f"{name}=={version} ; {either}"


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _is_marker(text: str) -> bool:
    """Whether it is one that an environment decides; extras that exclude one another do not."""
    try:
        Marker(text)
    except InvalidMarker:
        return False
    return "extra" not in text and "dependency_groups" not in text
