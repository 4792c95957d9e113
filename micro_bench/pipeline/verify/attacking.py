"""Known attacks on a grading, tried on any task: none of them may pass.

An attack is a folder: `attack.json` says what it is and how it must end, `payload.py` is put below
the first source file that the reference fix changes, `files/` is added to the tree (and so is what
`repeat` says, a text so many times), `patch.diff` is taken as it is. In names and texts `@SOURCE@`
and `@FOLDER@` stand for that file and its folder, `@HIDDEN@` and `@TESTS@` for a hidden test's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from micro_bench.edge.archive import REGULAR, SYMLINK
from micro_bench.edge.patching import Contents, applied, made, patch_paths
from micro_bench.edge.recipes import attacks_path
from micro_bench.errors import NotFoundError
from micro_bench.pipeline.prepare import Prepared

LINK = ".link"
"""Files of `files/` that end so are links to what they hold."""


@dataclass(frozen=True)
class Attack:
    """One folder, read."""

    name: str
    what: str
    on: str
    """`base` or `gold`: what it is put on top of. On the fix it is honest, and must pass."""
    verdicts: tuple[str, ...]
    """Of which its own must be one."""
    reason: str
    """How its reason must begin; empty for any."""
    never: str
    """A text that must not be in the log: what the attack prints when it reached something."""
    payload: str
    files: Mapping[str, tuple[int, bytes]]
    patch: bytes | None


def attacks(folder: Path | None = None) -> tuple[Attack, ...]:
    """All known ones, by name."""
    root = folder or attacks_path()
    return tuple(_read(place) for place in sorted(root.iterdir()) if place.is_dir())


def _read(place: Path) -> Attack:
    told: dict[str, Any] = json.loads((place / "attack.json").read_text(encoding="utf-8"))
    payload, patch = place / "payload.py", place / "patch.diff"
    return Attack(
        name=place.name,
        what=told["what"],
        on=told.get("on", "base"),
        verdicts=tuple(told.get("verdicts", ("fail", "tampered"))),
        reason=told.get("reason", ""),
        never=told.get("never", ""),
        payload=payload.read_text(encoding="utf-8") if payload.is_file() else "",
        files={**dict(_files(place / "files")), **_repeated(told.get("repeat", {}))},
        patch=patch.read_bytes() if patch.is_file() else None,
    )


def _repeated(told: Mapping[str, Any]) -> dict[str, tuple[int, bytes]]:
    return {name: (REGULAR, text.encode() * times) for name, (text, times) in told.items()}


def _files(root: Path) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for path in sorted(root.rglob("*")) if root.is_dir() else ():
        if path.is_file():
            name, mode = path.relative_to(root).as_posix(), REGULAR
            if name.endswith(LINK):
                name, mode = name.removesuffix(LINK), SYMLINK
            yield name, (mode, path.read_bytes().strip() if mode == SYMLINK else path.read_bytes())


def patch_of(attack: Attack, prepared: Prepared, gold: bytes, hidden: Sequence[str]) -> bytes:
    """The attack as a patch of this task.

    Raises:
        NotFoundError: The reference fix changes no source file that the base has.
    """
    source = target(prepared, gold)
    words = {
        "@SOURCE@": source, "@FOLDER@": str(PurePosixPath(source).parent), "@HIDDEN@": hidden[0],
        "@TESTS@": str(PurePosixPath(hidden[0]).parent),
    }  # fmt: skip
    if attack.patch is not None:
        return _filled(attack.patch.decode("utf-8", "surrogateescape"), words)
    before: Contents = prepared.base
    after = dict(before)
    if attack.on == "gold":
        paths = patch_paths(gold)
        after = {path: text for path, text in after.items() if path not in paths}
        after |= applied(before, gold, paths)
    if attack.payload:
        mode, text = after[source]
        after[source] = (mode, text.rstrip() + b"\n\n\n" + _filled(attack.payload, words))
    for name, (mode, content) in attack.files.items():
        path = _filled(name, words).decode()
        after = {p: text for p, text in after.items() if not p.startswith(f"{path}/")}
        after[path] = (mode, _filled(content.decode("utf-8", "surrogateescape"), words))
    changed = [p for p in {*before, *after} if before.get(p) != after.get(p)]
    return made(_only(before, changed), _only(after, changed))


def _only(files: Contents, paths: Sequence[str]) -> Contents:
    return {path: files[path] for path in paths if path in files}


def _filled(text: str, words: Mapping[str, str]) -> bytes:
    for word, value in words.items():
        text = text.replace(word, value)
    return text.encode("utf-8", "surrogateescape")


def target(prepared: Prepared, gold: bytes) -> str:
    """The first source file that the reference fix changes and the base has."""
    for path in patch_paths(gold):
        source = prepared.language.owns(path) and path.endswith(".py")
        if (
            source
            and path in prepared.base
            and not prepared.language.is_test(path, prepared.recipe)
        ):
            return path
    raise NotFoundError(
        f"{prepared.task.id}: its reference fix changes no source file of the base",
        next_step="try the attacks on another task",
    )
