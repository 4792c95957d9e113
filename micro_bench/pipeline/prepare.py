"""Task -> slice -> image."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType

from micro_bench import graphs
from micro_bench.edge import clock
from micro_bench.edge.git import Repository
from micro_bench.edge.git_output import is_lfs_pointer
from micro_bench.edge.packages import fitting, split_lock
from micro_bench.edge.patching import patch_paths
from micro_bench.edge.question import Wanted
from micro_bench.edge.recipes import recipe_path
from micro_bench.edge.resolving import compile_lock
from micro_bench.edge.seal import seal
from micro_bench.errors import BuildError, NotFoundError
from micro_bench.images import lock as locks
from micro_bench.images import recipe as images
from micro_bench.images._builder import BUILT, WORK, Base, Material
from micro_bench.languages._language import BuildPlaces
from micro_bench.languages._recipe import Recipe
from micro_bench.model.graph import Graph
from micro_bench.model.image import BrokenEnvironment, Image
from micro_bench.model.slice import Environment, LockFacts, Slice
from micro_bench.model.task import SliceLevel, SliceRequest, Task
from micro_bench.pipeline.line import Line
from micro_bench.plurals import count
from micro_bench.services.declared import declared
from micro_bench.slices import cut as slices
from micro_bench.slices.lines import lines_of

NONE = LockFacts()
SUBMODULE = 0o160000


@dataclass(frozen=True)
class Prepared:
    """A task with everything at its base commit that later stages read."""

    task: Task
    language: ModuleType
    recipe: Recipe
    """The repository's, completed with what the base commit says itself."""
    base: Mapping[str, tuple[int, bytes]]
    """The kept files at the base commit: path -> (git mode, content)."""
    everything: Mapping[str, bytes]
    """All files of the base commit."""
    piece: Slice
    image: Image

    def findings(self) -> tuple[str, ...]:
        """What of its environment is not of the base commit's date."""
        return self.piece.findings()


@dataclass(frozen=True)
class Decided:
    """A slice with all that decided it."""

    piece: Slice
    asked: Task
    """The task with what the recipe asks of every slice."""
    tree: slices.TreeFiles
    graph: Graph
    tests: frozenset[str]
    changed: frozenset[str]
    chosen: slices.Cut
    everything: Mapping[str, bytes]


def cut(
    line: Line, task: Task
) -> tuple[Slice, Mapping[str, tuple[int, bytes]], Mapping[str, bytes]]:
    """Cut a task's slice and write its manifest and graph.

    Raises:
        NotFoundError: The clone lacks the base or the fix commit.
    """
    made = decide(line, task)
    tree, everything, chosen = made.tree, made.everything, made.chosen
    line.specs.save_slice(made.piece, graphs.encode(made.graph))
    _check_contents(task, chosen.kept, tree, everything)
    kept = {path: (tree[path][0], everything[path]) for path in chosen.kept if path in everything}
    return made.piece, kept, everything


def decide(line: Line, task: Task) -> Decided:
    """What goes into a task's slice; nothing is written.

    Raises:
        NotFoundError: The clone lacks the base or the fix commit.
    """
    repo = line.repository(task.repo.name)
    _check_commits(repo, task)
    language = line.language(task.language)
    commit = task.repo.base_commit
    tree = {path: (int(file.mode, 8), file.blob) for path, file in repo.tree_files(commit).items()}
    everything = repo.read_files(commit, lenient=True)
    recipe = language.completed(line.specs.recipe(task.repo.name), everything)
    graph = graphs.build(language, everything, recipe)
    source = slices.Source(
        repo.tree_id(commit), tree,
        language.distributions(everything, repo.describe_tag(commit), recipe),
        language.environment(
            everything, repo.commit(commit).committed, recipe, line.builder.offered
        ),
        language.build_plan(everything, recipe), _raised(line, task),
        frozenset(path for path, content in everything.items() if is_lfs_pointer(content)),
    )  # fmt: skip
    tests = frozenset(path for path in tree if language.is_test(path, recipe))
    changed = frozenset(patch_paths(line.specs.gold_patch(task)))
    asked = _with_recipe(task, recipe, whole=bool(source.raised))
    chosen = slices.cut(asked, tree, graph, tests, changed)
    facts = _known_facts(line, task, source.environment)
    piece = slices.manifest(asked, chosen, source, facts, lines_of(everything))
    return Decided(piece, asked, tree, graph, tests, changed, chosen, everything)


def _check_contents(
    task: Task, kept: Sequence[str], tree: slices.TreeFiles, everything: Mapping[str, bytes]
) -> None:
    lost = [path for path in kept if path not in everything and tree[path][0] != SUBMODULE]
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise NotFoundError(
            f"{task.id}: the clone of {task.repo.name} lacks the content of {lost[0]}{more}",
            next_step="`git fetch --refetch`, or clone again; or leave it out: `exclude:` in "
            "recipe.yaml",
        )


def _raised(line: Line, task: Task) -> str:
    """Why verification raised the slice's level, if it did."""
    known = line.specs.manifest(task)
    return known.raised if known and task.slice.level is SliceLevel.PACKAGE else ""


def _with_recipe(task: Task, recipe: Recipe, *, whole: bool) -> Task:
    """The task with what the whole repository's slices keep and leave out."""
    own = task.slice
    merged = SliceRequest(
        level=SliceLevel.FULL if whole else own.level,
        include=own.include + recipe.include,
        exclude=own.exclude + recipe.exclude,
    )
    return Task.model_validate({**dict(task), "slice": merged})


def _check_commits(repo: Repository, task: Task) -> None:
    for name, commit in (("base", task.repo.base_commit), ("fix", task.repo.fix_commit)):
        if not repo.contains(commit):
            raise NotFoundError(
                f"{task.id}: the {name} commit {commit} is not in the clone of {task.repo.name}",
                next_step="fetch it (`git fetch --unshallow`), or give another clone with --clone",
            )


def prepare(line: Line, task: Task) -> Prepared:
    """Cut the slice, resolve its environment, build its image; what exists is used again."""
    line.watch.stage(task.id, "cutting its slice")
    piece, kept, everything = cut(line, task)
    if not _can_be_had(line, piece.environment):
        piece, kept, everything = cut(line, task)  # perhaps another Python will do
    own = [distribution.name for distribution in piece.distributions]
    out = line.specs.recipe(task.repo.name).leave_out
    lock = resolve(line, task, piece.environment, own, out)
    allow(line, task, locks.read(lock))
    origin = piece.environment.origin(locks.read(lock), len(split_lock(lock)))
    line.tell(f"{task.id}: environment {origin}")
    files = {**kept, **images.generated(piece.distributions)}
    program = build_program(line.language(task.language), piece, WORK, BUILT)
    material = Material(piece, files, seal(files, piece.environment.before), lock, program)
    line.watch.stage(task.id, "building its environment and image")
    with named(line, task, "building its environment and image"):
        image = line.builder.build(material)
    language = line.language(task.language)
    recipe = language.completed(line.specs.recipe(task.repo.name), everything)
    with named(line, task, "making its services ready"):
        image = _with_services(line, task, recipe, image)
    line.specs.forget_broken(task.id)
    told = _with_facts(line, task, piece, lock, image)
    _tell_contents(line, task, told, lock, image)
    return Prepared(task, language, recipe, kept, everything, told, image)


def _tell_contents(line: Line, task: Task, piece: Slice, lock: str, image: Image) -> None:
    """Which image is the task's, and what is in it; the bill is made once for an image."""
    line.specs.save_image(image)
    if image.digest in line.specs.sbom(task):
        return
    from micro_bench.images import sbom  # noqa: PLC0415 - its library costs 0.1 s

    tools = fitting(recipe_path("tools.lock").read_text(encoding="utf-8"), image.python)
    locks_ = {sbom.ENVIRONMENT: lock, sbom.TOOLS: tools}
    line.specs.save_sbom(task, sbom.sbom(image, piece, locks_, line.builder.installed(image)))


def _with_services(line: Line, task: Task, recipe: Recipe, image: Image) -> Image:
    """With what its tests talk to, made ready for it."""
    if not recipe.services:
        return image
    line.watch.stage(task.id, "making its services ready")
    services = declared(recipe.services, line.workspace.recipe(task.repo.name))
    made = line.services.made(services, image, recipe.env)
    return Image.model_validate({**dict(image), "services": made})


def build_program(language: ModuleType, piece: Slice, work: str, out: str) -> str:
    """The text of the program that builds the slice's extensions; empty where it has none."""
    if piece.build is None:
        return ""
    versions = {one.name: one.version for one in piece.distributions}
    text: str = language.build_program(
        piece.build, BuildPlaces(work=work, out=out, versions=versions)
    )
    return text


def resolve(
    line: Line, task: Task, wanted: Environment, own: Sequence[str], out: Sequence[str] = ()
) -> str:
    """The environment's lock: the stored one while its requirements hold, else resolved anew.

    Args:
        line: Where.
        task: For whom.
        wanted: What is asked for.
        own: The project's distributions.
        out: Distributions that a lead leaves out.
    """
    base = _base(line, task, wanted)
    sha = _digest(wanted, out)
    stored = line.specs.lock(task)
    if stored and locks.holds(stored, wanted, sha):
        return stored
    line.watch.stage(task.id, "resolving its environment")
    what = count(len(wanted.requirements), "requirement")
    pinned = f", pinned by {wanted.lock}" if wanted.pins else ""
    line.tell(f"{task.id}: resolving {what} as of {wanted.before:%Y-%m-%d}{pinned}")
    with named(line, task, "resolving its environment"):
        made = compile_lock(
            Wanted(
                wanted.requirements,
                base.python,
                wanted.before,
                own,
                out,
                _elsewhere(line, task, wanted),
                wanted.pins,
                wanted.lock,
            ),
            lambda words: line.tell(f"{task.id}: {words}"),
            partial(line.builder.compile, wanted.interpreter(), wanted.apt),
        )
    text = locks.write(base.python, wanted, sha, made.facts, made.body)
    line.specs.save_lock(task, text)
    return text


def _elsewhere(line: Line, task: Task, wanted: Environment) -> tuple[str, ...]:
    """The sources of requirements of projects in which the fix and its tests change nothing."""
    patches = (line.specs.gold_patch(task), line.specs.test_patch(task))
    changed = [path for patch in patches for path in patch_paths(patch)]
    places = {one.source: one.source.partition(" ")[0] for one in wanted.requirements}
    parts = {folder for place in places.values() if (folder := _folder_of_manifest(place))}
    return tuple(
        source for source, place in places.items()
        if (folder := _folder_of_manifest(place) or _folder_of_list(place)) in parts
        and not any(path.startswith(f"{folder}/") for path in changed)
    )  # fmt: skip


def _folder_of_manifest(place: str) -> str:
    folder, _, name = place.rpartition("/")
    return folder if name in ("pyproject.toml", "setup.cfg", "setup.py") else ""


def _folder_of_list(place: str) -> str:
    """Of `api/test-requirements.txt:3`."""
    folder, _, name = place.rpartition("/")
    return folder if re.fullmatch(r"[\w.-]*requirements[\w.-]*:\d+", name) else ""


def _digest(wanted: Environment, out: Sequence[str] = ()) -> str:
    texts = sorted(requirement.text for requirement in wanted.requirements)
    texts += [f"left out: {name}" for name in sorted(out)]
    texts += [f"pinned: {pin}" for pin in sorted(wanted.pins)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _can_be_had(line: Line, wanted: Environment) -> bool:
    try:
        line.builder.base(wanted.interpreter())
    except BuildError as error:
        line.tell(error.message)
        return False
    return True


def _base(line: Line, task: Task, wanted: Environment) -> Base:
    try:
        return line.builder.base(wanted.interpreter())
    except BuildError as error:
        raise BuildError(
            f"{task.id} wants Python {wanted.python} ({wanted.python_source}): {error.message}",
            next_step=f'{error.next_step}; or write `python: "{_other(line, wanted)}"` into '
            f"{line.workspace.recipe(task.repo.name)} if the code runs with that, too",
        ) from error


def _other(line: Line, wanted: Environment) -> str:
    """A Python that can be had here."""
    known = (*line.builder.offered, *line.settings.base_images)
    return next((minor for minor in known if minor != wanted.python), "3.x")


@contextmanager
def named(line: Line, task: Task, doing: str) -> Iterator[None]:
    """A failure to make an environment begins with the task and names its recipe.

    It is remembered, for `task explain`.
    """
    try:
        yield
    except BuildError as error:
        place = str(line.workspace.recipe(task.repo.name))
        step = re.sub(r"(the )?recipe\.yaml", lambda _: place, error.next_step, count=1)
        recipe = line.specs.recipe(task.repo.name).content_digest()
        line.specs.save_broken(
            BrokenEnvironment(
                task=task.id,
                recipe_digest=recipe,
                step=doing,
                message=error.message,
                next_step=step,
                when=clock.now(),
            )
        )
        raise BuildError(f"{task.id}: {error.message}", next_step=step) from error


def allow(line: Line, task: Task, facts: LockFacts) -> None:
    """The workspace's settings may forbid packages of another date than the base commit's."""
    dateless = [one for one in facts.exempt if one.until is None]
    late = [one for one in facts.exempt if one.until is not None]
    rules = (
        ("undated_packages", line.settings.undated_packages, dateless),
        ("late_packages", line.settings.late_packages, late),
    )
    for name, rule, exempt in rules:
        if rule == "forbid" and exempt:
            first, more = exempt[0].words(), len(exempt) - 1
            raise BuildError(
                f"{task.id}: {first}" + (f" (and {more} more)" if more else ""),
                next_step=f"pin a version of that time under `requirements:` in "
                f"{line.workspace.recipe(task.repo.name)}, or set `{name}: allow`",
            )


def _known_facts(line: Line, task: Task, wanted: Environment) -> LockFacts:
    """What the stored lock says of itself, where it still holds."""
    stored = line.specs.lock(task)
    sha = _digest(wanted, line.specs.recipe(task.repo.name).leave_out)
    return locks.read(stored) if stored and locks.holds(stored, wanted, sha) else NONE


def _with_facts(line: Line, task: Task, piece: Slice, lock: str, image: Image) -> Slice:
    """The slice with what came to light while its environment was made; kept with the lock."""
    known = locks.read(lock)
    # What the resolver left out has no version; the rest is of the image, as it is now.
    left = dict.fromkeys((*(one for one in known.left_out if not one.version), *image.left_out))
    found = {"built": image.built, "left_out": tuple(left), "libraries": image.libraries}
    facts = LockFacts.model_validate({**dict(known), **found})
    line.specs.save_lock(task, locks.with_facts(lock, facts))
    told = Slice.model_validate({**dict(piece), "lock_facts": facts})
    line.specs.save_manifest(told)
    return told
