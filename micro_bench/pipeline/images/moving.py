"""`image save`, `load` and `push`: tasks with their images to another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import history, stock
from micro_bench.edge.engine import Engine
from micro_bench.edge.files import storage_errors, write_atomic
from micro_bench.errors import BadInputError, EngineError
from micro_bench.images import crate
from micro_bench.images import described as words
from micro_bench.images.bases import tag_of
from micro_bench.images.crate import IMAGES, Contents, Crate, Loaded
from micro_bench.model.image import Image
from micro_bench.model.task import Task
from micro_bench.paths import SETTINGS_FILE, Workspace, slug
from micro_bench.pipeline.choosing import chosen
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import prepare
from micro_bench.plurals import count

SPACE, CLONES = "workspace", "clones"
PLACES = ("tickets/", "repo_slices/", "runs/images/", "runs/verification/")
"""Where an archive may put files."""


@dataclass(frozen=True)
class Saved:
    """An archive that was written."""

    file: Path
    tasks: tuple[str, ...]
    images: int
    bytes: int
    sha256: str
    """Of its list of contents, which names the hash of everything else."""


def save(line: Line, target: Path, patterns: Sequence[str]) -> Saved:
    """Write tasks, their images and the history they need into one archive.

    Raises:
        BuildError: An image is not there and cannot be built.
        StorageError: There is no room; nothing is left of the archive.
    """
    return pack(line, target, chosen(line, patterns, ()), Extra())


@dataclass(frozen=True)
class Extra:
    """What else goes into an archive."""

    run: str = ""
    files: Mapping[str, Path | bytes] = field(default_factory=dict)
    images: bool = True
    """Otherwise only their ids: the other machine has them, or builds them."""


def pack(line: Line, target: Path, tasks: Sequence[Task], extra: Extra) -> Saved:
    """The archive of these tasks. Errors as of `save`."""
    images = [prepare(line, task).image for task in tasks]
    kept = _chains(line.engine, images) if extra.images else []
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        work = TemporaryDirectory(prefix=".micro-bench-save-", dir=target.parent)
    with work as name:
        folder = Path(name)
        files: dict[str, Path | bytes] = {**_specs(line, tasks), **extra.files}
        for repo in sorted({task.repo.name for task in tasks}):
            files |= _history(line, repo, [t for t in tasks if t.repo.name == repo], folder)
        line.tell(f"writing {count(len(kept), 'image')} of {count(len(tasks), 'task')}")
        if extra.images:
            files[IMAGES] = folder / IMAGES
            with storage_errors(target), (folder / IMAGES).open("wb") as file:
                stock.export(line.engine, map(_reference, kept), file)
        sha = crate.write(target, files, _contents(tasks, images, kept, extra))
    size = target.stat().st_size
    return Saved(target, tuple(task.id for task in tasks), len(kept), size, sha)


def _contents(
    tasks: Sequence[Task], images: Sequence[Image], kept: Sequence[stock.Kept], extra: Extra
) -> Contents:
    return Contents(
        tasks=tuple(task.id for task in tasks),
        repositories=tuple(sorted({task.repo.name for task in tasks})),
        bases={image.python.rpartition(".")[0]: image.base_digest for image in images},
        images=tuple(Loaded(id=one.id, name=_reference(one)) for one in kept), files={},
        run=extra.run,
    )  # fmt: skip


def _chains(engine: Engine, images: Sequence[Image]) -> list[stock.Kept]:
    """The images with all that they were made on, the base image last."""
    known = {name: one for one in stock.images(engine) for name in (one.id, *one.tags)}
    found: dict[str, stock.Kept] = {}
    for image in images:
        name = image.digest
        while name in known and known[name].id not in found:
            found[known[name].id] = known[name]
            name = known[name].labels.get(words.BELOW, image.base_digest)
    return list(found.values())


def _reference(image: stock.Kept) -> str:
    """Base images go by their ids: those of the other machine keep their names."""
    return image.name if words.BELOW in image.labels else image.id


def _specs(line: Line, tasks: Sequence[Task]) -> dict[str, Path | bytes]:
    """Everything of the workspace that belongs to the tasks."""
    space, found = line.workspace, dict[str, Path | bytes]()
    for task in tasks:
        repo, ident = task.repo.name, task.id
        tickets = space.repo_tickets(repo)
        places = (
            space.spec(repo, ident), tickets / task.gold_patch.file,
            tickets / task.test_patch.file, space.recipe(repo), space.manifest(repo, ident),
            space.graph(repo, ident), space.lock(repo, ident), space.sbom(repo, ident),
            space.image(ident), space.verification(ident) / "verification.json",
        )  # fmt: skip
        for place in places:
            if place.is_file():
                found[f"{SPACE}/{place.relative_to(space.root).as_posix()}"] = place
    return found


def _history(line: Line, repo: str, tasks: Sequence[Task], folder: Path) -> dict[str, Path | bytes]:
    place = folder / slug(repo)
    place.mkdir()
    clone = {**line.specs.clones(), **line.clones}[repo]
    commits = [c for task in tasks for c in (task.repo.base_commit, task.repo.fix_commit)]
    files = history.pack(clone, list(dict.fromkeys(commits)), place)
    return {f"{CLONES}/{slug(repo)}/{file.name}": file for file in files}


@dataclass(frozen=True)
class Taken:
    """What was loaded."""

    workspace: Path
    tasks: tuple[str, ...]
    images: int
    sha256: str
    note: str = ""
    """What is left to do by hand; empty for nothing."""


def load(line: Line, source: Path, digest: str | None) -> Taken:
    """Check an archive, give its images to the engine and its specs to the workspace.

    Args:
        line: Where.
        source: The archive.
        digest: What `image save` said: the SHA-256 of the list of contents.

    Raises:
        BadInputError: The archive was changed, or the workspace has other files in its places;
            nothing was loaded.
        EngineError: The engine does not take the images.
    """
    with storage_errors(source), source.open("rb") as file:
        opened = Crate.check(source, file)
        if digest and digest.removeprefix("sha256:") != opened.sha256:
            raise BadInputError(
                f"{source} is refused: its list of contents has the SHA-256 {opened.sha256}",
                next_step="copy it again from where it was made",
            )
        files = dict(_placed(line.workspace, opened))
        _refuse_other_files(files)
        note = ""
        if IMAGES in opened.contents.files:
            stock.load(line.engine, opened.chunks(IMAGES))
            _check_images(line.engine, opened.contents)
            note = _pin_bases(line, opened.contents)
        for repo in opened.contents.repositories:
            line.specs.remember_clone(repo, _clone(line, opened, repo))
        for place, content in files.items():
            if not place.exists():
                write_atomic(place, content)
    told = opened.contents
    return Taken(line.workspace.root, told.tasks, len(told.images), opened.sha256, note)


def _placed(space: Workspace, opened: Crate) -> Iterator[tuple[Path, bytes]]:
    for name in opened.contents.files:
        if name.startswith(f"{SPACE}/"):
            place = name.removeprefix(f"{SPACE}/")
            if not place.startswith(PLACES):
                raise BadInputError(f"the archive has {place}, which belongs to no task")
            yield space.root / place, opened.read(name)


def _refuse_other_files(files: dict[Path, bytes]) -> None:
    """What a person may have edited is never overwritten."""
    other = [
        place for place, content in files.items()
        if place.exists() and place.read_bytes() != content
    ]  # fmt: skip
    if other:
        more = f" (and {len(other) - 1} more)" if len(other) > 1 else ""
        raise BadInputError(
            f"{other[0]} is there already, and is another{more}",
            next_step="load into a workspace of its own: `micro-bench init DIR`, then `-w DIR`",
        )


def _check_images(engine: Engine, told: Contents) -> None:
    """An image's id is the hash of everything in it."""
    for image in told.images:
        if engine.image_id(image.id) != image.id:
            raise EngineError(
                f"the archive did not bring {image.id[:19]} ({image.name})",
                next_step="make it anew with `image save`, with the same version of micro-bench",
            )


def _pin_bases(line: Line, told: Contents) -> str:
    """Name the base images, where their names are free; else the workspace's settings say which."""
    other = {}
    for python, image in told.bases.items():
        known = line.engine.image_id(tag_of(python))
        if known is None:
            line.engine.tag(image, tag_of(python))
        elif known != image:
            other[python] = image
    if not other:
        return ""
    wanted = {**line.settings.base_images, **other}
    text = "base_images:\n" + "".join(f'  "{p}": {image}\n' for p, image in wanted.items())
    place = line.workspace.root / SETTINGS_FILE
    now = place.read_text(encoding="utf-8") if place.exists() else ""
    if "\nbase_images:" in f"\n{now}":
        return f"this machine has another base image: write into {place}:\n{text}"
    write_atomic(place, f"{now}\n# of the tasks that were loaded\n{text}".lstrip("\n").encode())
    return ""


def _clone(line: Line, opened: Crate, repo: str) -> Path:
    names = [f"{CLONES}/{slug(repo)}/{name}" for name in (history.PACK, history.REFS)]
    sha = opened.contents.files[names[0]].sha256
    place = line.settings.cache_dir / "clones" / f"{slug(repo)}-{sha[:12]}.git"
    with TemporaryDirectory(prefix="micro-bench-load-") as name:
        pack, refs = (Path(name) / word for word in (history.PACK, history.REFS))
        pack.write_bytes(opened.read(names[0]))
        refs.write_bytes(opened.read(names[1]))
        return history.unpack(pack, refs, place.resolve())


@dataclass(frozen=True)
class Pushed:
    """What a registry has now."""

    registry: str
    images: tuple[dict[str, str], ...]


def push(line: Line, patterns: Sequence[str], registry: str | None) -> Pushed:
    """Send the tasks' images to a registry, each with all that it stands on.

    Raises:
        BadInputError: Nobody said which registry, or the address holds a password.
        RegistryError: It is not reached, or refuses; what was pushed before stays there.
    """
    place = (registry or line.settings.registry or "").rstrip("/")
    if not place or "://" in place or "@" in place or " " in place:
        shown = place.rpartition("@")[2] or "nothing"
        raise BadInputError(
            f"{shown} is no registry to push to: HOST[:PORT][/PATH] is wanted, "
            "without a scheme and without a password",
            next_step="give it: `micro-bench image push --to registry.example.org/team`, or set "
            "`registry:`; `docker login` keeps the password",
        )
    tasks, done = chosen(line, patterns, ()), []
    for task in tasks:
        image = prepare(line, task).image
        name = f"{place}/{image.tag}"
        line.tell(f"{task.id}: pushing {name}")
        done.append({
            "task": task.id, "image": name, "digest": stock.push(line.engine, image.tag, name),
        })  # fmt: skip
    return Pushed(place, tuple(done))
