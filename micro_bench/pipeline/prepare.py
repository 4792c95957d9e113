"""Task -> slice -> image."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from micro_bench import graphs
from micro_bench.edge import packages
from micro_bench.edge.git import Repository
from micro_bench.edge.patching import patch_paths
from micro_bench.edge.seal import seal
from micro_bench.errors import NotFoundError
from micro_bench.images import recipe as images
from micro_bench.images._builder import Material
from micro_bench.languages._language import Recipe
from micro_bench.model.image import Image
from micro_bench.model.slice import Environment, Slice
from micro_bench.model.task import SliceRequest, Task
from micro_bench.pipeline.line import Line
from micro_bench.reports.wording import count
from micro_bench.slices import cut as slices

LOCK_HEAD = (
    "# micro-bench environment lock\n# python {python}, as of {date}\n# requirements {sha}\n"
)


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


def cut(
    line: Line, task: Task
) -> tuple[Slice, Mapping[str, tuple[int, bytes]], Mapping[str, bytes]]:
    """Cut a task's slice and write its manifest and graph.

    Raises:
        NotFoundError: The clone lacks the base or the fix commit.
    """
    repo = line.repository(task.repo.name)
    _check_commits(repo, task)
    language = line.language(task.language)
    commit = task.repo.base_commit
    tree = {path: (int(file.mode, 8), file.blob) for path, file in repo.tree_files(commit).items()}
    everything = repo.read_files(commit)
    recipe = language.completed(line.specs.recipe(task.repo.name), everything)
    graph = graphs.build(language, everything, recipe)
    source = slices.Source(
        repo.tree_id(commit), tree,
        language.distributions(everything, repo.describe_tag(commit), recipe),
        language.environment(
            everything, repo.commit(commit).committed, recipe, line.builder.offered
        ),
    )  # fmt: skip
    tests = frozenset(path for path in tree if language.is_test(path, recipe))
    changed = frozenset(patch_paths(line.specs.gold_patch(task)))
    chosen = slices.cut(_with_recipe(task, recipe), tree, graph, tests, changed)
    piece = slices.manifest(task, chosen, source)
    line.specs.save_slice(piece, graphs.encode(graph))
    kept = {path: (tree[path][0], everything[path]) for path in chosen.kept if path in everything}
    return piece, kept, everything


def _with_recipe(task: Task, recipe: Recipe) -> Task:
    """The task with what the whole repository's slices keep and leave out."""
    own = task.slice
    merged = SliceRequest(
        level=own.level, include=own.include + recipe.include, exclude=own.exclude + recipe.exclude
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
    own = [distribution.name for distribution in piece.distributions]
    lock = resolve(line, task, piece.environment, own)
    files = {**kept, **images.generated(piece.distributions)}
    material = Material(piece, files, seal(files, piece.environment.before), lock)
    line.watch.stage(task.id, "building its environment and image")
    image = line.builder.build(material)
    language = line.language(task.language)
    recipe = language.completed(line.specs.recipe(task.repo.name), everything)
    return Prepared(
        task, language, recipe, kept, everything, piece, image,
    )  # fmt: skip


def resolve(line: Line, task: Task, wanted: Environment, own: Sequence[str]) -> str:
    """The environment's lock: the stored one while its requirements hold, else resolved anew."""
    base = line.builder.base(wanted.python)
    texts = [requirement.text for requirement in wanted.requirements]
    sha = hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
    stored = line.specs.lock(task)
    if stored and f"# requirements {sha}\n" in stored and f"# python {wanted.python}." in stored:
        return stored
    line.watch.stage(task.id, "resolving its environment")
    line.tell(
        f"{task.id}: resolving {count(len(texts), 'requirement')} as of {wanted.before:%Y-%m-%d}"
    )
    body = packages.compile_lock(texts, base.python, wanted.before, own)
    head = LOCK_HEAD.format(python=base.python, date=wanted.before.isoformat(), sha=sha)
    line.specs.save_lock(task, head + body)
    return head + body
