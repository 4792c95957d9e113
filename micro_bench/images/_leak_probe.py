"""Runs inside a pristine sandbox and lists what could give the answer away. Standard library only.

python _leak_probe.py PROBE     (JSON: work, patterns file, skip, names)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

TRACES = (
    "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "logs", "packed-refs", "shallow", "modules",
    "refs/notes", "refs/stash", "refs/remotes", "refs/tags", "objects/info/alternates", "worktrees",
)  # fmt: skip


def main(probe: dict[str, Any]) -> dict[str, Any]:
    """All four looks."""
    work = Path(probe["work"])
    return {
        "objects": git(work, "cat-file", "--batch-all-objects", "--batch-check"),
        "refs": git(work, "for-each-ref", "--format=%(refname) %(objectname)"),
        "remotes": git(work, "remote", "-v"),
        "traces": [name for name in TRACES if (work / ".git" / name).exists()],
        "nested": [str(p) for p in work.rglob(".git") if p != work / ".git"],
        "metadata": metadata(probe["names"], probe["skip"], probe["roots"]),
        "matches": matches(probe["patterns"], probe["skip"], probe["roots"]),
        "caches": [place for place in probe["caches"] if is_filled(place)],
    }


def is_filled(place: str) -> bool:
    """Whether there is a folder with something in it."""
    try:
        return any(Path(place).iterdir())
    except OSError:  # not there, no folder, or not for this user's eyes: nor for an agent's
        return False


def git(work: Path, *argv: str) -> list[str]:
    """Lines that git prints, or the error as one line."""
    done = subprocess.run(["git", "-C", str(work), *argv], capture_output=True, check=False)
    if done.returncode:
        return [f"error {done.stderr.decode('utf-8', 'replace').strip()}"]
    return done.stdout.decode("utf-8", "replace").splitlines()


def metadata(names: list[str], skip: list[str], roots: list[str]) -> list[str]:
    """Installed copies of the project: `*.dist-info` and `*.egg-info` folders with its name."""
    wanted = {name.lower().replace("-", "_").replace(".", "_") for name in names}
    found = []
    for folder, subfolders, _files in chain.from_iterable(map(os.walk, roots)):
        subfolders[:] = [s for s in subfolders if not skipped(os.path.join(folder, s), skip)]  # noqa: PTH118
        for name in subfolders:
            stem, dot, kind = name.rpartition(".")
            project = stem.partition("-")[0].lower().replace("-", "_").replace(".", "_")
            if dot and kind in ("dist-info", "egg-info") and project in wanted:
                found.append(f"{folder}/{name}")
    return found


def skipped(path: str, skip: list[str]) -> bool:
    """Whether a folder is none of ours to look at."""
    return any(path == place or path.startswith(f"{place}/") for place in skip)


def matches(patterns: str, skip: list[str], roots: list[str]) -> dict[str, list[str]]:
    """File -> the distinctive lines found in it."""
    if not Path(patterns).stat().st_size:
        return {}
    argv = ["grep", "-r", "-l", "-s", "-a", "-F", "--devices=skip", "-f", patterns]
    done = subprocess.run([*argv, "--", *searched(roots, skip)], capture_output=True, check=False)
    wanted = Path(patterns).read_bytes().splitlines()
    found = {}
    for name in done.stdout.decode("utf-8", "surrogateescape").splitlines():
        there = whole_lines(Path(name).read_bytes())
        hits = [line.decode("utf-8", "replace") for line in wanted if line in there]
        if hits:
            found[name] = hits
    return found


def searched(roots: list[str], skip: list[str]) -> list[str]:
    """The roots without what is to be skipped, which is always at the top."""
    inner = [Path(place).parent for place in skip]
    found = [
        [str(path) for path in Path(root).iterdir()] if Path(root) in inner else [root]
        for root in roots
    ]
    return [path for paths in found for path in sorted(paths) if not skipped(path, skip)]


def whole_lines(content: bytes) -> set[bytes]:
    """The stripped lines of a file; of a stored patch also without its `+`, `-` or blank."""
    lines = content.split(b"\n")
    patched = (line[1:] for line in lines if line[:1] in b"+- " and line)
    return {line.strip() for line in (*lines, *patched)}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))  # noqa: T201
