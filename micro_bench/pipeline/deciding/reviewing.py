"""`review`: a sample of passing patches, read by people who do not see whose they are."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from micro_bench.edge import clock
from micro_bench.edge.files import append_line
from micro_bench.errors import BadInputError, Mistake, NotFoundError
from micro_bench.model.attempt import Attempt
from micro_bench.model.report import CONTROLS, Estimate
from micro_bench.model.review import Review
from micro_bench.pipeline.line import Line
from micro_bench.reports.marks import judge
from micro_bench.reports.statistics import Tally, posterior
from micro_bench.store import RunStore, open_run

REVIEWS = "reviews.jsonl"
CODE = 8
"""Hexadecimal digits by which a patch is called while nobody shall know whose it is."""


@dataclass(frozen=True)
class Item:
    """A patch of the sample."""

    code: str
    task: str
    title: str
    patch: str
    read: bool


@dataclass(frozen=True)
class Rate:
    """How many of an agent's passing patches people would merge."""

    agent: str
    mergeable: Estimate
    minutes: float
    """Median of a reading."""


@dataclass(frozen=True)
class Reviewed:
    """Where the reading of a run stands."""

    run: str
    items: tuple[Item, ...]
    rates: tuple[Rate, ...]
    """Empty until every patch of the sample was read: then whose they are may be known."""

    @property
    def next(self) -> Item | None:
        """The first that nobody read yet."""
        return next((one for one in self.items if not one.read), None)


def standing(line: Line, run: str, share: float) -> Reviewed:
    """The sample of a run, and what is known of it.

    Args:
        line: Where.
        run: Its name.
        share: Of the passing attempts of all agents but the controls.

    Raises:
        NotFoundError: There is no such run, or nothing passed.
    """
    store = open_run(line.workspace, run)
    sample = _sample(store, share)
    if not sample:
        raise NotFoundError(f"no attempt of run {store.lock.run} passed: there is nothing to read")
    known = {one.attempt: one for one in reviews(store)}
    titles = {task.id: task.title for task in store.lock.tasks}
    items = tuple(
        Item(
            _code(store, one), one.task, titles.get(one.task, ""),
            store.patch(one.id).decode("utf-8", "replace"), one.id in known,
        )
        for one in sample
    )  # fmt: skip
    done = all(one.read for one in items)
    return Reviewed(store.lock.run, items, _rates(sample, known) if done else ())


def keep(line: Line, run: str, code: str, share: float, told: Review | dict[str, object]) -> Review:
    """Keep what somebody thinks of a patch.

    Raises:
        NotFoundError: No patch of the sample has the code.
        BadInputError: Something of it is no review.
    """
    store = open_run(line.workspace, run)
    attempt = next((a for a in _sample(store, share) if _code(store, a) == code), None)
    if attempt is None:
        raise NotFoundError(
            f"no patch of the sample is called {code}", next_step="micro-bench review"
        )
    digest = hashlib.sha256(store.patch(attempt.id)).hexdigest()
    try:
        made = Review.model_validate(
            {**dict(told), "attempt": attempt.id, "patch_sha256": digest, "at": clock.now()}
        )
    except ValidationError as error:
        raise BadInputError("; ".join(one["msg"] for one in error.errors())) from None
    append_line(store.root / REVIEWS, made.model_dump_json())
    return made


def reviews(store: RunStore) -> tuple[Review, ...]:
    """All of a run's, the latest of each attempt.

    Raises:
        BadInputError: With every line that cannot be read.
    """
    path = store.root / REVIEWS
    found: dict[str, Review] = {}
    mistakes = []
    for number, line in enumerate(path.read_text("utf-8").splitlines() if path.exists() else (), 1):
        try:
            one = Review.model_validate_json(line)
            found[one.attempt] = one
        except ValidationError as error:
            mistakes.append(Mistake(str(path), number, 1, "", error.errors()[0]["msg"]))
    if mistakes:
        raise BadInputError("reviews cannot be read", mistakes=mistakes)
    return tuple(found.values())


def _sample(store: RunStore, share: float) -> list[Attempt]:
    """The same for everybody, in an order that says nothing of whose they are."""
    kinds = {agent.name: agent.kind for agent in store.lock.agents}
    scores = store.scores()
    passing = [
        one for one in store.attempts()
        if kinds.get(one.agent.name) not in CONTROLS and judge(one, scores).passed
    ]  # fmt: skip
    passing.sort(key=lambda one: _code(store, one))
    return passing[: max(1, round(share * len(passing)))] if passing else []


def _code(store: RunStore, attempt: Attempt) -> str:
    text = json.dumps([store.lock.run, store.lock.plan, attempt.id])
    return hashlib.sha256(text.encode()).hexdigest()[:CODE]


def _rates(sample: Sequence[Attempt], known: dict[str, Review]) -> tuple[Rate, ...]:
    by_agent: dict[str, dict[str, list[Review]]] = defaultdict(lambda: defaultdict(list))
    for one in sample:
        by_agent[one.agent.name][one.task].append(known[one.id])
    return tuple(_rate(agent, tasks) for agent, tasks in sorted(by_agent.items()))


def _rate(agent: str, tasks: dict[str, list[Review]]) -> Rate:
    tallies = [Tally(len(found), sum(one.merge for one in found)) for found in tasks.values()]
    every = [one for found in tasks.values() for one in found]
    value = sum(tally.c / tally.n for tally in tallies) / len(tallies)
    interval = posterior(tallies).pass_at(1)
    minutes = sorted(one.minutes for one in every)[len(every) // 2]
    return Rate(
        agent,
        Estimate(
            value=value, lo=min(interval.lo, value), hi=max(interval.hi, value),
            tasks=len(tallies), attempts=len(every),
        ),
        minutes,
    )  # fmt: skip
