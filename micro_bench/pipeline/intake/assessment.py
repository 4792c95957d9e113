"""What an assessment found, and how people read it: one screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

from micro_bench.languages._language import Obstacle, Survey
from micro_bench.model.base import Noun, Time
from micro_bench.model.slice import Environment
from micro_bench.model.task import TIER_NAMES
from micro_bench.plurals import count
from micro_bench.reports.precision import ASSUMED, Precision, share_interval

_WIDTH = 96
_MOST_LINES = 40
"""One screen."""


class Yield(Noun):
    """How many tickets would become tasks."""

    tickets: int
    """Closed tickets, or changes that look like one's fix."""
    lost: dict[str, int]
    """Reason -> tickets without a task, found without reading the trees."""
    candidates: int
    """What is left."""
    sampled: int
    """How many of them were drafted."""
    drafted: int
    """How many of those gave a task."""
    sample_lost: dict[str, int]
    tiers: dict[str, int]
    """Of the drafts."""
    words: dict[str, int]
    """Whose words the candidates have."""
    links: dict[str, int]
    """How the candidates' fixes were found."""

    @property
    def exact(self) -> bool:
        """Whether every candidate was drafted."""
        return self.sampled == self.candidates

    @property
    def expected(self) -> int:
        """Tasks: counted, or estimated from the sample."""
        return round(self.candidates * self.drafted / self.sampled) if self.sampled else 0


class Assessment(Noun):
    """What a repository would give before anyone spends an hour. Nothing was run."""

    repo: str
    commits: int
    first: Time | None
    last: Time | None
    found: Yield
    expected_tasks: int
    estimated: bool
    environment: Environment
    distribution: str | None
    """Name and version of the project, with where the version was read."""
    survey: Survey
    recipe: str
    """The smallest file that holds what the obstacles ask for; empty where none helps."""
    recipe_file: str
    """Where it belongs, below the workspace."""
    precision: tuple[Precision, ...]
    complaints: tuple[str, ...]
    seconds: float


def screen(found: Assessment) -> str:
    """At most forty lines of at most a hundred columns."""
    above, below = [*_yield(found), *_environment(found)], [*_precision(found)]
    below.append(f"assessed in {found.seconds:.0f} s; nothing was run or written")
    recipe = [*_recipe(found)]
    room = _MOST_LINES - len(above) - len(recipe) - len(below)
    lines = [*above, *_obstacles(found, room), *recipe, *below]
    return "\n".join(map(_inert, lines))


def _inert(line: str) -> str:
    """Names and versions are the repository's: nothing of them may move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in line)


def _yield(found: Assessment) -> Iterator[str]:
    had = found.found
    span = f" from {found.first:%Y-%m} to {found.last:%Y-%m}" if found.first and found.last else ""
    tickets = count(had.tickets, "possible ticket")
    yield f"{found.repo}: {count(found.commits, 'commit')}{span}, {tickets}"
    about = "about " if found.estimated else ""
    yield f"tasks      {about}{found.expected_tasks} of {had.tickets}; by tier {_tiers(found)}"
    if found.expected_tasks:
        yield "           these are drafts: those that `micro-bench verify` cannot prove drop out"
    if found.estimated:
        yield from _folded(
            "",
            f"estimated from {had.sampled} of {had.candidates} candidates, spread over the history:"
            f" {had.drafted} of them gave a task; ranges are 95 % intervals",
        )
    for complaint in found.complaints[:1]:
        more = len(found.complaints) - 1
        yield from _folded("but", complaint + (f"; and {more} more (--json)" if more else ""))
    if had.lost:
        yield from _folded("lost", _counts(had.lost))
    if had.sample_lost:
        where = "in the sample" if found.estimated else "when read"
        yield from _folded("", f"{where}: {_counts(had.sample_lost)}")
    yield from _folded("linked by", _shares(had.links))
    yield from _folded("words", _shares(had.words))


def _tiers(found: Assessment) -> str:
    """Counts, or the range that a sample leaves open."""
    had = found.found
    counted = {number: had.tiers.get(str(number), 0) for number in TIER_NAMES}
    if not found.estimated:
        return ", ".join(f"{number}: {seen}" for number, seen in counted.items())
    ranges = ((n, share_interval(seen, had.sampled)) for n, seen in counted.items())
    return ", ".join(
        f"{number}: {had.candidates * low:.0f}-{had.candidates * high:.0f}"
        for number, (low, high) in ranges
    )


def _environment(found: Assessment) -> Iterator[str]:
    wanted, survey = found.environment, found.survey
    yield f"python     {wanted.python} ({wanted.python_source})"
    sources = ", ".join(dict.fromkeys(_place(item.source) for item in wanted.requirements))
    wants = count(len(wanted.requirements), "requirement")
    yield from _folded("installs", f"{wants} from {sources}")
    if found.distribution:
        yield from _folded("project", found.distribution)
    modules = count(survey.test_modules, "test module")
    yield from _folded("tests", f"{survey.runner} ({survey.runner_from}), {modules}")


def _place(source: str) -> str:
    """The file, without its line; what no manifest asks for is added by this program."""
    return "micro-bench itself" if source == "micro_bench" else re.sub(r":\d+$", "", source)


def _obstacles(found: Assessment, room: int) -> Iterator[str]:
    said = [*map(_obstacle, found.survey.obstacles), *found.environment.complaints]
    if not said:
        yield "obstacles  none found; only `micro-bench verify` proves that the tests run"
    for index, text in enumerate(said):
        lines = _folded("obstacles" if index == 0 else "", text)
        last = index == len(said) - 1
        if len(lines) > room - (not last):
            yield f"           and {len(said) - index} more (--json)"
            return
        room -= len(lines)
        yield from lines


def _obstacle(one: Obstacle) -> str:
    keys = re.findall(r"^(\w+):", one.recipe, re.MULTILINE)
    helps = f"see {', '.join(keys)} below" if keys else "no recipe is known to help"
    return f"{one.what}; {helps} [{one.seen_in}]"


def _recipe(found: Assessment) -> Iterator[str]:
    """As a file to begin with; lines that are too long are whole in the JSON form."""
    if not found.recipe:
        return
    yield from _folded("recipe", f"{found.recipe_file} may begin with")
    for line in found.recipe.splitlines():
        fits = len(line) <= _WIDTH - 13
        yield f"             {line if fits else line[: _WIDTH - 30] + ' ... (--json)'}"


def _precision(found: Assessment) -> Iterator[str]:
    if not found.precision:
        return
    shown = "; ".join(
        f"{count(one.tasks, 'task')} x {one.attempts}: {100 * one.lo:.0f}-{100 * one.hi:.0f} %"
        for one in found.precision
    )
    yield from _folded("intervals", f"95 % of pass@1 with {shown} (for {ASSUMED} of the time)")


def _counts(counted: Mapping[str, int]) -> str:
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{number} {name}" for name, number in ordered)


def _shares(counted: Mapping[str, int]) -> str:
    total = sum(counted.values()) or 1
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{100 * n / total:.0f} % {name}" for name, n in ordered) or "nothing"


def _folded(label: str, text: str) -> list[str]:
    first = f"{label:<11}"
    return textwrap.wrap(
        " ".join(text.split()), _WIDTH, initial_indent=first, subsequent_indent=" " * 11,
        break_on_hyphens=False, max_lines=3, placeholder=" ...",
    )  # fmt: skip
