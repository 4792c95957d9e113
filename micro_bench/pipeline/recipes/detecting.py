"""What detection finds for each key of a recipe, and from which file. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from micro_bench import codec
from micro_bench.languages._language import Obstacle
from micro_bench.languages._recipe import Recipe
from micro_bench.model.slice import Environment
from micro_bench.pipeline.recipes.looked_at import LookedAt
from micro_bench.plurals import count

OURS = "micro_bench"
"""The source of what this program adds to run the tests."""
PYTEST = "pytest"
"""What starts the tests where nothing else is known to."""
_SHOWN = 6


@dataclass(frozen=True)
class Found:
    """One key, as detection has it."""

    key: str
    value: object
    source: str
    """The file that says so, or what it was gathered from."""
    wanted: bool = False
    """Whether detection does not do it by itself: a lead must write it."""


@dataclass(frozen=True)
class Detection:
    """A tree, as far as a recipe is concerned."""

    found: tuple[Found, ...]
    notes: tuple[str, ...]
    """What stands in the way, and what could not be used."""
    environment: Environment


def detect(tree: LookedAt, offered: Sequence[str], own: Recipe) -> Detection:
    """Look at a tree as if there were no recipe, but for what the lead says of tests and roots."""
    language = tree.language
    plain = Recipe(tests=own.tests, test_names=own.test_names, roots=own.roots)
    completed: Recipe = language.completed(plain, tree.files)
    wanted: Environment = language.environment(tree.files, tree.committed, completed, offered)
    survey = language.survey(tree.files, completed)
    found = [
        *_interpreter(wanted),
        *_packages(wanted),
        *_built(tree, completed),
        *_tested(completed, survey.runner, survey.runner_from),
    ]
    found = _with(found, _asked_for(survey.obstacles, {one.key for one in found}))
    notes = [f"{one.what} [{one.seen_in}]" for one in survey.obstacles]
    return Detection(tuple(found), tuple(dict.fromkeys((*notes, *wanted.complaints))), wanted)


def _with(found: Sequence[Found], asked: Iterable[Found]) -> list[Found]:
    """One line a key: what only a lead can add counts with what detection has itself."""
    by_key = {one.key: one for one in found}
    added = [_both(by_key.pop(one.key, None), one) for one in asked]
    return [*by_key.values(), *added]


def _interpreter(wanted: Environment) -> Iterator[Found]:
    yield Found("python", wanted.python, wanted.python_source)
    if wanted.lock:
        told = count(len(wanted.pins), "package")
        first = wanted.lock.partition(", ")
        value = "auto" if first[1] else wanted.lock
        yield Found("lock", value, f"{wanted.lock}: {told} pinned")
    else:
        yield Found("lock", "none", "the repository has no lock file")


def _packages(wanted: Environment) -> Iterator[Found]:
    theirs = [one for one in wanted.requirements if one.source != OURS]
    sources = Counter(one.source.partition(":")[0] for one in theirs)
    told = [f"{number} of {source}" for source, number in sources.items()]
    more = f", and {len(told) - _SHOWN} further places" if len(told) > _SHOWN else ""
    yield Found("requirements", [], f"beside these: {', '.join(told[:_SHOWN])}{more}")
    if wanted.apt:
        yield Found("apt", list(wanted.apt), "what its own extensions are built with")


def _built(tree: LookedAt, completed: Recipe) -> Iterator[Found]:
    plan = tree.language.build_plan(tree.files, completed)
    if plan is not None:
        backends = dict.fromkeys(f"{one.backend} in {one.directory or '.'}" for one in plan.steps)
        yield Found("build", "auto", ", ".join(backends))
    for one in tree.language.distributions(tree.files, tree.tag, completed)[:1]:
        yield Found("roots", list(one.roots), f"where {one.name} {one.version} is imported from")


def _tested(completed: Recipe, runner: str, runner_from: str) -> Iterator[Found]:
    said = completed.model_dump(mode="json")
    if not said["runner"]:
        doubt = "" if runner == PYTEST else f"; the project starts {runner}"
        yield Found("runner", PYTEST, f"{runner_from}{doubt}")
    for key, source in (
        ("tests", "by the configuration of the test runner"),
        ("test_names", "by the configuration of the test runner"),
        ("runner", runner_from), ("test_script", runner_from), ("workdir", runner_from),
        ("env", "by what starts the tests"),
    ):  # fmt: skip
        if said[key]:
            yield Found(key, said[key], source)


def _asked_for(obstacles: Sequence[Obstacle], known: set[str]) -> Iterator[Found]:
    """What obstacles propose, where detection has no word on the key itself."""
    joined: dict[str, Found] = {}
    for one in obstacles:
        stated = codec.read(one.recipe.encode(), "recipe.yaml").data if one.recipe else {}
        for key, value in stated.items() if isinstance(stated, dict) else ():
            if key not in known or isinstance(value, list):
                joined[key] = _both(joined.get(key), Found(key, value, one.seen_in, wanted=True))
    yield from joined.values()


def _both(before: Found | None, now: Found) -> Found:
    """Two obstacles may ask for items of one list."""
    if before is None or not isinstance(before.value, list) or not isinstance(now.value, list):
        return now if before is None or not before.wanted else before
    value = [*before.value, *(item for item in now.value if item not in before.value)]
    places = dict.fromkeys((*before.source.split(", "), now.source))
    return Found(now.key, value, ", ".join(places), wanted=True)
