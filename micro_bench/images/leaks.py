"""Does the image give the answer away? Looked at from inside, in the very image agents get."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from packaging.version import InvalidVersion, Version

from micro_bench.edge.archive import Entry, pack
from micro_bench.edge.resources import package_file
from micro_bench.errors import EngineError
from micro_bench.images import _leak_probe as _probe
from micro_bench.images.hidden import Hidden
from micro_bench.model.image import Image, Leak
from micro_bench.model.task import Limits
from micro_bench.sandboxes._sandbox import Places, Start, StartRequest

MIN_LENGTH = 24
"""Shorter lines are common to many files."""
ENOUGH = 100
"""Characters that must match to mean something."""
DEADLINE_S = 600
PATTERNS = 400
SKIP = ("/proc", "/sys", "/dev", "/bench")
ROOTS = ("/",)
CACHES = ("/root/.cache", "/home/agent/.cache", "/var/cache/pip", "/root/.conda", "/opt/conda/pkgs")


@dataclass(frozen=True)
class Secrets:
    """What must not be in the image."""

    lines: Mapping[str, tuple[str, ...]]
    """Changed file -> distinctive lines that the fix or the hidden tests add to it."""
    names: tuple[str, ...]
    """Distributions of the project: no other copy of them may be installed."""
    version: str = ""
    """Of the project at the base commit; releases from then on may hold the fix. Empty: unknown."""


def distinctive(patches: Iterable[bytes], base: Iterable[bytes]) -> dict[str, tuple[str, ...]]:
    """Lines that the patches add and that no file of the base has, by changed file.

    Args:
        patches: Gold and test patch.
        base: Contents of the base's files.
    """
    known: set[bytes] = set()
    for content in base:
        known.update(line.strip() for line in content.split(b"\n"))
    found: dict[str, set[str]] = {}
    for patch in patches:
        path = ""
        for line in patch.split(b"\n"):
            if line.startswith(b"+++ "):
                path = line[4:].decode("utf-8", "replace")
            elif line.startswith(b"+") and _tells(text := line[1:].strip(), known):
                found.setdefault(path, set()).add(text.decode("utf-8", "replace"))
    return {
        path: tuple(sorted(lines, key=lambda t: (-len(t), t))[:PATTERNS])
        for path, lines in sorted(found.items())
    }


def _tells(line: bytes, known: set[bytes]) -> bool:
    return len(line) >= MIN_LENGTH and line not in known


def find(start: Start, image: Image, limits: Limits, secrets: Secrets) -> tuple[Leak, ...]:
    """Look through a pristine sandbox of the image.

    Raises:
        EngineError: The look itself failed; nothing is known then.
    """
    sandbox = start(StartRequest(image, limits, services=False))
    output = io.BytesIO()
    try:
        bench = sandbox.places.bench
        argv = (
            f"{sandbox.places.tools}/bin/python",
            "-I",
            f"{bench}/probe.py",
            f"{bench}/probe.json",
        )
        files = _bench(sandbox.places, image, secrets)
        end = sandbox.run(argv, output=output, deadline_s=DEADLINE_S, files=files)
    finally:
        sandbox.close()
    try:
        report = json.loads(output.getvalue())
    except (ValueError, RecursionError) as error:
        tail = output.getvalue()[-300:].decode("utf-8", "replace")
        raise EngineError(f"the leak scan failed (exit code {end.exit_code}): {tail}") from error
    return judge(report, image, secrets)


def _bench(places: Places, image: Image, secrets: Secrets) -> bytes:
    # A local sandbox shares the host's system folders: only its own places are the image.
    local = image.backend == "local"
    roots = (places.work, places.project, places.venv) if local else ROOTS
    probe = {
        "work": places.work, "patterns": f"{places.bench}/patterns", "skip": list(SKIP),
        "names": list(secrets.names), "roots": list(roots),
        "caches": [] if local else list(CACHES),
    }  # fmt: skip
    entries = [
        Entry("probe.py", package_file("images/_leak_probe.py")),
        Entry("probe.json", json.dumps(probe).encode()),
        Entry("patterns", "".join(f"{line}\n" for line in _all(secrets)).encode()),
    ]
    return pack(entries)


def judge(report: dict[str, Any], image: Image, secrets: Secrets) -> tuple[Leak, ...]:
    """Pure: what of the report is a leak."""
    found = [*_history(report, image)]
    found += [
        Leak(kind="git_trace", where=f".git/{name}", what="a trace of another history")
        for name in report["traces"]
    ]
    found += [
        Leak(kind="git_nested", where=where, what="a repository inside the work tree")
        for where in report["nested"]
    ]
    found += [
        Leak(kind="site_packages", where=where, what="another copy of the project")
        for where in report["metadata"] if not _is_ours(where)
    ]  # fmt: skip
    found += [Leak(kind="cache", where=where, what="a package cache") for where in report["caches"]]
    found += _copies(report, secrets)
    for where, hits in sorted({**report["matches"], **report["packed"]}.items()):
        found += _contents(where, hits, secrets)
    return tuple(found)


def _contents(where: str, hits: Sequence[str], secrets: Secrets) -> list[Leak]:
    return [
        Leak(kind="file_content", where=where, what=_share(count, lines, path))
        for path, lines in secrets.lines.items()
        if (count := _meaningful(hits, lines))
    ]  # fmt: skip


def _copies(report: Mapping[str, Any], secrets: Secrets) -> Iterator[Leak]:
    """Releases and vendored copies that may hold the fix.

    An archive of the very version at the base commit counts: where that is not released yet, the
    fix is in it. A vendored copy of it is there for its own sake; what it says is compared.
    """
    for where, version in report["releases"]:
        if _compared(version, secrets.version) >= 0:
            yield Leak(kind="release", where=where, what=f"release {version} of the project")
    for where, version in report["bundled"]:
        if _compared(version, secrets.version) > 0:
            yield Leak(kind="vendored", where=where, what=f"a copy of the project at {version}")


def _compared(version: str, base: str) -> int:
    """Which of two versions is later; what is none counts as later."""
    try:
        one, two = Version(version), Version(base)
    except InvalidVersion:
        return 1
    return (one > two) - (one < two)


def hidden(files: Iterable[Hidden], secrets: Secrets) -> tuple[Leak, ...]:
    """Pure: the same of files that a later layer took away."""
    report: dict[str, Any] = {"releases": [], "bundled": [], "packed": {}}
    found = []
    wanted = [line.encode() for line in _all(secrets)]
    names = list(secrets.names)
    for file in files:
        where = f"{file.path} (hidden in layer {file.layer})"
        folders = PurePosixPath(file.path).parts
        if ".git" in folders:
            found.append(Leak(kind="git_trace", where=where, what="a repository in a lower layer"))
        if any(file.path.startswith(f"{cache}/") for cache in CACHES):
            found.append(Leak(kind="cache", where=where, what="a package cache"))
        if not _is_ours(file.path) and _probe.is_metadata(folders, names):
            found.append(
                Leak(kind="site_packages", where=where, what="another copy of the project")
            )
        if version := _probe.release_of(folders[-1], names):
            report["releases"].append([where, version])
        there = _probe.whole_lines(file.content)
        hits = [line.decode() for line in wanted if line in there]
        found += _contents(where, hits, secrets)
    return (*dict.fromkeys(found), *_copies(report, secrets))


def _share(count: int, lines: Sequence[str], path: str) -> str:
    return f"{count} of the {len(lines)} distinctive lines added to {path}"


def _is_ours(place: str) -> bool:
    """The slice's own metadata, and what the base commit itself holds."""
    return place.startswith(("/opt/project/", "/work/")) or "/project/" in place


def _all(secrets: Secrets) -> list[str]:
    return sorted({line for lines in secrets.lines.values() for line in lines})


def _history(report: dict[str, Any], image: Image) -> Iterable[Leak]:
    commits = [o.split()[0] for o in report["objects"] if " commit " in f" {o} "]
    tags = [o for o in report["objects"] if " tag " in f" {o} "]
    for commit in commits:
        if commit != image.work_commit:
            yield Leak(kind="git_object", where=commit, what="a commit that is not the root commit")
    if image.work_commit not in commits:
        yield Leak(kind="git_object", where=".git", what="the root commit is missing or unreadable")
    for tag in tags:
        yield Leak(kind="git_object", where=tag, what="a tag")
    for ref in report["refs"]:
        if ref != f"refs/heads/main {image.work_commit}":
            yield Leak(kind="git_ref", where=ref, what="a ref other than main")
    for remote in report["remotes"]:
        yield Leak(kind="git_ref", where=remote, what="a remote")


def _meaningful(hits: Sequence[str], lines: Sequence[str]) -> int:
    """How many of one changed file's new lines are there, or 0 if that is no more than chance.

    A copy of the fixed file has all of them. Single lines recur everywhere (`from collections.abc
    import Iterable`), so at least half of them must be there, and together say enough.
    """
    mine = [line for line in lines if line in set(hits)]
    if len(mine) * 2 < len(lines) or sum(map(len, mine)) < ENOUGH:
        return 0
    return len(mine)
