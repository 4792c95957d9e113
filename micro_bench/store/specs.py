"""Task specs with their patches, slice manifests, graphs, locks and verifications."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from micro_bench import codec
from micro_bench.edge.files import Stamp, stamp, write_atomic
from micro_bench.errors import BadInputError, Mistake, NotFoundError
from micro_bench.languages._recipe import Recipe
from micro_bench.model.image import BrokenEnvironment, Image, Verification
from micro_bench.model.slice import Slice
from micro_bench.model.task import PatchFile, Status, Task
from micro_bench.paths import Workspace
from micro_bench.plurals import count

CLONES = "clones.json"
SCHEMA = "docs/reference/task.schema.json"


class SpecStore:
    """The specs of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._read: dict[Path, tuple[Stamp, Task]] = {}
        self._hashed: dict[Path, tuple[Stamp, str]] = {}
        """What was read of files that are as they were: a page looks at a thousand at a time."""

    def spec_files(self) -> tuple[Path, ...]:
        """Every spec, sorted."""
        return self._specs_in("*")

    def _specs_in(self, folder: str) -> tuple[Path, ...]:
        """The specs of a repository's folder.

        Raises:
            BadInputError: A recipe lies where none is read: passing over it would be silent.
        """
        if lost := self._lost_recipes():
            raise BadInputError(
                f"{lost[0]} is a recipe in a place where none is read",
                next_step=f"move it to {self.workspace.slices}/REPOSITORY/{lost[0].stem}.yaml",
            )
        return tuple(sorted(self.workspace.tickets.glob(f"{folder}/*.yaml")))

    def _lost_recipes(self) -> list[Path]:
        tickets, slices = self.workspace.tickets, self.workspace.slices
        return sorted(
            [
                *tickets.glob("recipe.y*ml"), *tickets.glob("*/recipe.y*ml"),
                *slices.glob("recipe.y*ml"), *slices.glob("*/recipe.yml"),
            ]
        )  # fmt: skip

    def tasks(
        self, patterns: Sequence[str] = (), tiers: Sequence[int] = (), *, retired: bool = False
    ) -> tuple[Task, ...]:
        """The tasks that match, by tier and id.

        Raises:
            BadInputError: With the mistakes of all spec files at once.
            NotFoundError: A pattern matches nothing.
        """
        found = self._all()
        self._check(found)
        for pattern in patterns:
            if not any(fnmatchcase(task.id, pattern) for task in found):
                close = get_close_matches(pattern, [task.id for task in found], n=1)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                raise NotFoundError(
                    f"no task matches {pattern!r} in {self.workspace.tickets}{hint}",
                    next_step="`micro-bench task list` shows those there are",
                )
        chosen = [
            task for task in found
            if (not patterns or any(fnmatchcase(task.id, p) for p in patterns))
            and (not tiers or task.tier.number in tiers)
            and (retired or task.status is not Status.RETIRED)
        ]  # fmt: skip
        return tuple(sorted(chosen, key=lambda task: (task.tier.number, natural(task.id))))

    def _all(self) -> tuple[Task, ...]:
        paths = self.spec_files()
        stamps = {path: stamp(path) for path in paths}
        new = [
            path
            for path in paths
            if not (known := self._read.get(path)) or known[0] != stamps[path]
        ]
        loaded = zip(new, codec.load_all(new, Task), strict=True)
        self._read |= {path: (stamps[path], task) for path, task in loaded}
        return tuple(self._read[path][1] for path in paths)

    def _check(self, tasks: Iterable[Task]) -> None:
        """Ids are names of folders and images: they must be the file's name, and unique."""
        mistakes, seen = [], dict[str, str]()
        for task in tasks:
            path = self.path(task)
            if not path.exists():
                mistakes.append(self._mistake(task, "id", "is not the name of its file or folder"))
            if task.id in seen:
                mistakes.append(self._mistake(task, "id", f"is also used in {seen[task.id]}"))
            seen[task.id] = str(path)
            for name, patch in (("gold_patch", task.gold_patch), ("test_patch", task.test_patch)):
                if problem := self._patch_problem(task, patch):
                    mistakes.append(self._mistake(task, name, problem))
        if mistakes:
            raise BadInputError(
                f"{count(len(mistakes), 'mistake')} in the specs",
                mistakes=mistakes,
            )

    def _mistake(self, task: Task, where: str, message: str) -> Mistake:
        return Mistake(str(self.path(task)), 0, 0, where, message)

    def _patch_problem(self, task: Task, patch: PatchFile) -> str:
        path = self.workspace.repo_tickets(task.repo.name) / patch.file
        if Path(patch.file).name != patch.file:
            return "must be a file beside the spec"
        if not path.is_file():
            return f"names {patch.file}, which is not there"
        if self._sha256(path) != patch.sha256:
            return f"{patch.file} is not what it was: its SHA-256 differs from the spec's"
        return ""

    def _sha256(self, path: Path) -> str:
        now = stamp(path)
        known = self._hashed.get(path)
        if known is None or known[0] != now:
            known = (now, hashlib.sha256(path.read_bytes()).hexdigest())
            self._hashed[path] = known
        return known[1]

    def task(self, ident: str) -> Task:
        """One task by id."""
        return self.tasks([ident], retired=True)[0]

    def path(self, task: Task) -> Path:
        """Where a task's spec is."""
        return self.workspace.spec(task.repo.name, task.id)

    def save_task(self, task: Task, gold: bytes, test: bytes) -> bool:
        """Write a spec and its patches; returns whether anything changed on disk."""
        folder = self.workspace.repo_tickets(task.repo.name)
        changed = _update(folder / task.gold_patch.file, gold)
        changed |= _update(folder / task.test_patch.file, test)
        path = self.path(task)
        if path.exists() and codec.load(path, Task) == task:
            return changed  # a person's comments and layout stay
        hint = os.path.relpath(self.schema(), path.parent)
        return _update(path, codec.dump(task, hint).encode()) or changed

    def schema(self) -> Path:
        """Where the editors' JSON Schema of specs is: beside the workspace's own files."""
        local = self.workspace.root / "task.schema.json"
        return self.workspace.root / SCHEMA if not local.exists() else local

    def of_repository(self, repo: str) -> tuple[Task, ...]:
        """The specs of earlier imports of one repository.

        Raises:
            BadInputError: With the mistakes of all of them at once.
        """
        folder = self.workspace.repo_tickets(repo)
        return codec.load_all(self._specs_in(folder.name), Task)

    def gold_patch(self, task: Task) -> bytes:
        """The fix without its tests."""
        return self._patch(task, task.gold_patch)

    def test_patch(self, task: Task) -> bytes:
        """The hidden tests."""
        return self._patch(task, task.test_patch)

    def _patch(self, task: Task, patch: PatchFile) -> bytes:
        path = self.workspace.repo_tickets(task.repo.name) / patch.file
        if problem := self._patch_problem(task, patch):
            raise BadInputError(f"{self.path(task)}: {problem}")
        return path.read_bytes()

    def recipe(self, repo: str) -> Recipe:
        """What the lead adds for a repository; defaults if there is no file."""
        path = self.workspace.recipe(repo)
        return codec.load(path, Recipe) if path.exists() else Recipe()

    def save_slice(self, piece: Slice, graph: str) -> None:
        """Write a manifest and its graph."""
        _update(self.workspace.graph(piece.repo, piece.task), graph.encode())
        self.save_manifest(piece)

    def save_manifest(self, piece: Slice) -> None:
        """Write a manifest, where it says something new."""
        path = self.workspace.manifest(piece.repo, piece.task)
        if not (path.exists() and codec.load(path, Slice) == piece):
            codec.save(path, piece)

    def manifest(self, task: Task) -> Slice | None:
        """The task's slice as it was last cut, of this base commit; None if there is none."""
        path = self.workspace.manifest(task.repo.name, task.id)
        found = codec.load(path, Slice) if path.exists() else None
        return found if found and found.base_commit == task.repo.base_commit else None

    def environment_findings(self, task: Task) -> tuple[str, ...]:
        """What in the task's environment is not of the base commit's date, as last made."""
        path = self.workspace.manifest(task.repo.name, task.id)
        return codec.load(path, Slice).findings() if path.exists() else ()

    def environment_origin(self, task: Task) -> str:
        """What the task's environment was made from, as last made; empty if it never was."""
        path = self.workspace.manifest(task.repo.name, task.id)
        if not path.exists() or self.lock(task) is None:
            return ""
        piece = codec.load(path, Slice)
        return piece.environment.origin(piece.lock_facts)

    def lock(self, task: Task) -> str | None:
        """The resolved lock, if there is one."""
        path = self.workspace.lock(task.repo.name, task.id)
        return path.read_text(encoding="utf-8") if path.exists() else None

    def save_lock(self, task: Task, text: str) -> None:
        """Write a lock."""
        _update(self.workspace.lock(task.repo.name, task.id), text.encode())

    def clones(self) -> dict[str, Path]:
        """Repository -> local clone, as remembered on this machine."""
        path = self.workspace.runs / CLONES
        return {} if not path.exists() else {
            str(name): Path(str(place)) for name, place in json.loads(path.read_bytes()).items()
        }  # fmt: skip

    def remember_clone(self, repo: str, place: Path) -> None:
        """Remember where a repository's clone is. A fact of this machine: not for committing."""
        known = {name: str(path) for name, path in self.clones().items()}
        content = json.dumps({**known, repo: str(place.resolve())}, indent=2, sort_keys=True)
        _update(self.workspace.runs / CLONES, content.encode() + b"\n")

    def save_broken(self, found: BrokenEnvironment) -> None:
        """Remember an environment that could not be made."""
        codec.save(self._broken(found.task), found)

    def forget_broken(self, task: str) -> None:
        """It could be made."""
        self._broken(task).unlink(missing_ok=True)

    def broken(self, task: str) -> BrokenEnvironment | None:
        """The environment that could not be made, if the last one could not."""
        try:
            return codec.load(self._broken(task), BrokenEnvironment)
        except (BadInputError, NotFoundError):
            return None

    def _broken(self, task: str) -> Path:
        return self.workspace.verification(task) / "environment.json"

    def image(self, task: str) -> Image | None:
        """The task's image as it was last built on this machine."""
        path = self.workspace.image(task)
        try:
            return codec.load(path, Image) if path.exists() else None
        except BadInputError:
            return None  # of another version

    def images(self) -> tuple[Image, ...]:
        """All that were built on this machine, also of tasks that are no more."""
        found = sorted(self.workspace.image("x").parent.glob("*.json"))
        read = (self.image(path.stem) for path in found)
        return tuple(image for image in read if image)

    def save_image(self, image: Image) -> None:
        """Remember which image is a task's. A fact of this machine: not for committing."""
        path = self.workspace.image(image.task)
        if self.image(image.task) != image:
            codec.save(path, image)

    def sbom(self, task: Task) -> str:
        """What is in a task's image, as last written; empty if it never was."""
        path = self.workspace.sbom(task.repo.name, task.id)
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def save_sbom(self, task: Task, text: str) -> None:
        """Write what is in a task's image."""
        _update(self.workspace.sbom(task.repo.name, task.id), text.encode())

    def verification(self, task: str) -> Verification | None:
        """The last verification on this machine, if there is one that this version can read."""
        path = self.workspace.verification(task) / "verification.json"
        if not path.exists():
            return None
        try:
            return codec.load(path, Verification)
        except BadInputError:
            return None  # of another version: what it says must be executed again

    def save_verification(self, found: Verification) -> None:
        """Write a verification."""
        codec.save(self.workspace.verification(found.task) / "verification.json", found)


def _update(path: Path, content: bytes) -> bool:
    """Write only what differs: unchanged files keep their times."""
    if path.exists() and path.read_bytes() == content:
        return False
    write_atomic(path, content)
    return True


def natural(name: str) -> tuple[str, int]:
    """`parcel-9` before `parcel-12`."""
    stem, _, number = name.rpartition("-")
    return (stem, int(number)) if number.isdigit() else (name, 0)
