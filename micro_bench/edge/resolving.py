"""Requirements -> exact versions with hashes, as the index stood on a day. On the host."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from packaging.utils import canonicalize_name

from micro_bench.edge import clock, package_words, process
from micro_bench.edge.lock_pins import LockPins, loosened, name_of, names_in, without_rivals
from micro_bench.edge.package_words import Late
from micro_bench.edge.packages import split_lock
from micro_bench.edge.pip_settings import redacted
from micro_bench.edge.question import Limits, Question, Wanted, run_here
from micro_bench.errors import BuildError
from micro_bench.model.slice import Exemption, LeftOut, LockFacts, Requirement

MOST_LATE = 25
"""Packages that may be newer than the base date. Where there are more, it is not that date's
environment any more."""
MOST_ROUNDS = 400
DEADLINE_S = 300
TRIAL_S = 60
DAY = timedelta(days=1)
Tell = Callable[[str], None]
Elsewhere = Callable[[Sequence[str], Sequence[str], Mapping[str, bytes]], "process.Result | None"]
"""Runs uv where these distributions can be built: their names, what follows `uv`, its files."""


def _nowhere(
    _names: Sequence[str], _argv: Sequence[str], _files: Mapping[str, bytes]
) -> process.Result | None:
    return None


def _silent(_words: str) -> None:
    return


@dataclass(frozen=True)
class Lock:
    """Exact versions with hashes, and what is not of the base date."""

    body: str
    facts: LockFacts


def compile_lock(wanted: Wanted, tell: Tell = _silent, elsewhere: Elsewhere = _nowhere) -> Lock:
    """Resolve to exact versions with hashes, as the index stood at `wanted.before`.

    A package of which nothing older fits is exempt from the date, and no other: it is taken as
    of the earliest day on which something fits. One whose index gives no upload times is taken
    as it is now. One that does not tell its metadata without being built is asked for it
    `elsewhere`; where that fails too, and where no index has a package, it is left out. All of
    them are named.

    Raises:
        BuildError: There is no solution; the first line says which package and why.
    """
    search = _Search(wanted, tell, elsewhere)
    for _ in range(MOST_ROUNDS):
        done = search.attempt()
        if done.code == 0:
            body = search.without_needless(done.output.decode())
            facts = _facts(body, search.limits, wanted.before)
            left = (*search.left_out.values(), *search.gave_way.values())
            told = {"left_out": left, **search.pins.facts(body)}
            return Lock(body, LockFacts.model_validate({**dict(facts), **told}))
        errors = done.errors.decode("utf-8", "replace")
        if done.code is None:
            errors = f"the resolver did not come to an end within {DEADLINE_S} s\n{errors}"
        if not (search.exempt_one(errors) or search.leave_one_out(errors)):
            why = search.broken or _about_credentials(wanted, errors)
            raise _failure(wanted, why, search.tried())
    raise _failure(wanted, "the search for versions does not come to an end", search.tried())


@dataclass
class _Search:
    """The packages that are exempt so far, and runs of the resolver under them."""

    wanted: Wanted
    tell: Tell
    elsewhere: Elsewhere
    limits: dict[str, datetime | None] = field(default_factory=dict)
    wheels: set[str] = field(default_factory=set)
    """Packages of which no archive is looked at."""
    broken: str = ""
    """The first build that failed: the cause, where there is no way round it."""
    to_build: list[str] = field(default_factory=list)
    """Packages that this host cannot build: the resolver runs elsewhere from then on."""
    unbuilt: dict[str, str] = field(default_factory=dict)
    """Package -> why it does not build, of those that only a wheel can help."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    gave_way: dict[str, LeftOut] = field(default_factory=dict)
    """Requirements of parts that the task does not touch."""
    pins: LockPins = field(init=False)
    """Of the repository's own lock file, those that hold so far."""

    def __post_init__(self) -> None:
        self.pins = LockPins(self.wanted.pins, self.wanted.pins_from)
        self._loosen(self.pins.names(), f"{self.wanted.pins_from} has it")
        kept, rivals = without_rivals(self.wanted.requirements, self.wanted.elsewhere)
        self.wanted = replace(self.wanted, requirements=kept)
        self.pins.gone += rivals
        for name in map(canonicalize_name, self.wanted.leave_out):
            self.left_out[name] = LeftOut(name=name, why="`leave_out` in recipe.yaml says so")

    def tried(self) -> str:
        """What was done to find a way round, for a message."""
        newer = [name for name, until in self.limits.items() if until]
        done = (
            ("newer than the date", newer), ("built in a container", self.to_build),
            ("left out", sorted(self.left_out)),
            (f"without the pins of {self.wanted.pins_from}", [one.pin for one in self.pins.gone]),
        )  # fmt: skip
        return "; ".join(f"{what}: {', '.join(names[:10])}" for what, names in done if names)

    def attempt(self, changed: Limits | None = None) -> process.Result:
        """One run of the resolver."""
        limits = self.limits if changed is None else changed
        return self._run(Question(self.wanted, limits, self.wheels, self.left_out))

    def _run(self, asked: Question, deadline_s: float = DEADLINE_S) -> process.Result:
        asked = replace(asked, wanted=replace(asked.wanted, pins=self.pins.lines()))
        if self.to_build:
            argv = (*asked.argv(), "--python", "python3")
            done = self.elsewhere(self.to_build, argv, asked.files())
            if done is not None:
                return done
        return run_here(asked, deadline_s)

    def leave_one_out(self, errors: str) -> bool:
        """Leave out a package that cannot be had, whoever asks for it; False if none is to blame.

        One that does not build, and is blamed for having no wheel that fits; one that no index
        has. An index that does not answer is another matter.
        """
        if package_words.unreachable(errors) or package_words.unreachable(
            _about_credentials(self.wanted, errors)
        ):
            return False
        blamed = [name for name in self.unbuilt if name not in self.left_out]
        absent = canonicalize_name(package_words.nowhere(errors))
        if (not absent and self._other_versions(errors)) or self.give_way(errors):
            return True
        if blamed:
            why = f"it does not build: {self.unbuilt[blamed[-1]]}"
            self.left_out[blamed[-1]] = LeftOut(name=blamed[-1], why=why)
            self.wheels.discard(blamed[-1])
        elif absent and absent not in self.left_out and absent not in self._ours():
            self.left_out[absent] = LeftOut(name=absent, why="no package index has it")
        else:
            return self.pins.give_up_for(package_words.conflict(errors))
        self.tell(f"{blamed[-1] if blamed else absent}: cannot be had; going on without it")
        return True

    def _other_versions(self, errors: str) -> bool:
        """Give up exact versions of what is in conflict: of untouched parts, then of the lock."""
        why = package_words.conflict(errors)
        names = names_in(why)
        unbuilt = next((name for name in self.unbuilt if name in names), "")
        said = f"{unbuilt} does not build: {self.unbuilt[unbuilt]}" if unbuilt else why
        return (
            self._loosen(names, why)
            or self._drop(names, self.pins.contradicted_by)
            or self.pins.give_up(names, said)
        )

    def _loosen(self, names: Collection[str], why: str) -> bool:
        """Take these packages in whatever version, as far as untouched parts pin them."""
        kept, gone = loosened(self.wanted.requirements, self.wanted.elsewhere, names, why)
        self.wanted = replace(self.wanted, requirements=kept)
        self.pins.gone += gone
        return bool(gone)

    def give_way(self, errors: str) -> bool:
        """Drop what untouched parts of the repository ask for of the packages in conflict."""
        return self._drop(names_in(package_words.conflict(errors)), lambda _one: True)

    def _drop(self, names: Collection[str], which: Callable[[Requirement], bool]) -> bool:
        """Drop requirements of untouched parts for these packages, and say so."""
        dropped = [
            one for one in self.wanted.requirements
            if one.source in self.wanted.elsewhere and name_of(one.text) in names and which(one)
        ]  # fmt: skip
        kept = [one for one in self.wanted.requirements if one not in dropped]
        self.wanted = replace(self.wanted, requirements=kept)
        for one in dropped:
            why = f"{one.text} of {one.source.partition(' ')[0]} does not go with the rest"
            key = f"{name_of(one.text)} {one.source}"
            self.gave_way[key] = LeftOut(name=name_of(one.text), why=why)
        return bool(dropped)

    def _ours(self) -> set[str]:
        """What this program adds: nothing can be graded without it."""
        return {name_of(one.text) for one in self.wanted.requirements if one.source == _OURS}

    def exempt_one(self, errors: str) -> bool:
        """Exempt the first package that the date stands in the way of; False if there is none.

        Archives that do not build here are passed over, where something else will do.
        """
        # where registries do not answer a build, that is not a word on the package itself
        blind = bool(package_words.unreachable(errors))
        unbuilt = canonicalize_name("" if blind else package_words.unbuilt(errors))
        if unbuilt and unbuilt not in self.to_build and self.elsewhere is not _nowhere:
            self.to_build.append(unbuilt)
            self.tell(f"{unbuilt}: has to be built to tell what it needs")
            return True
        if unbuilt and unbuilt not in self.wheels:
            self.wheels.add(unbuilt)
            self.unbuilt[unbuilt] = package_words.missing_thing(errors)
            self.broken = self.broken or errors
            return True
        blamed = package_words.late(errors)
        fresh = [one for one in blamed if canonicalize_name(one.name) not in self.limits]
        for one in fresh or blamed:
            name = canonicalize_name(one.name)
            known = name in self.limits
            if one.published is None and not (known and self.limits[name] is None):
                self.limits[name] = None
                return True
            since = self.limits.get(name) or self.wanted.before
            if one.published is None or _end_of_day(one.published) <= since:
                continue
            if not known and self._late() == MOST_LATE:
                return self._without_pins(self._too_many())
            self.tell(
                f"{name}: nothing fits as of {since:%Y-%m-%d}; looking for the first that does"
            )
            # blamed again, together with others: all that it has
            self.limits[name] = _end_of_day(one.published) if known else self._earliest(one, name)
            return True
        return False

    def _without_pins(self, error: BuildError) -> bool:
        """Begin again as if there were no lock file; raises the error where there is none."""
        if not self.pins.give_up_all(error.message):
            raise error
        self.limits.clear()
        return True

    def _late(self) -> int:
        return sum(until is not None for until in self.limits.values())

    def _too_many(self) -> BuildError:
        names = ", ".join(sorted(name for name, until in self.limits.items() if until))
        return BuildError(
            f"more than {MOST_LATE} packages have nothing that is old enough for "
            f"{self.wanted.before:%Y-%m-%d}: {names}, ...",
            next_step="the requirements are of another time than the base commit: pin them under "
            "`requirements:` in the recipe.yaml, or retire the task",
        )

    def _earliest(self, one: Late, name: str) -> datetime:
        """The end of the first day on which uploads of the package fit, by halving.

        Where it has wheels that fit, the first of those: the oldest archives want build tools
        that are as old.
        """
        assert one.published is not None  # noqa: S101 - the caller has looked
        first, last = _end_of_day(self.wanted.before), _end_of_day(one.published)
        if one.exact:
            return last
        wheels_of = name if self._fits(name, last, name) else ""
        self.wheels |= {wheels_of} - {""}
        if (near := self._neighbours(name)) and near < last and self._fits(name, near, wheels_of):
            return near
        while first < last:
            middle = first + (last - first) // 2 // DAY * DAY
            if self._fits(name, middle, wheels_of):
                last = middle
            else:
                first = middle + DAY
        return last

    def _neighbours(self, name: str) -> datetime | None:
        """The date of the late packages that brought this one in: they want it of their own time,
        and not the oldest that their bounds let through.
        """
        if name in {name_of(one.text) for one in self.wanted.requirements}:
            return None
        return max((until for until in self.limits.values() if until), default=None)

    def _fits(self, name: str, until: datetime, wheels_of: str) -> bool:
        """Whether there is a solution with this date for the one package and none for the others.

        Under the others' dates, it could not be told whose turn it is.
        """
        free = replace(self.wanted, before=max(clock.now(), until))
        limits = {**self.limits, name: until}
        wheels = {*self.wheels, wheels_of} - {""}
        return self._run(Question(free, limits, wheels, self.left_out), TRIAL_S).code == 0

    def without_needless(self, body: str) -> str:
        """Take back what turned out not to be needed, once later packages were exempt too."""
        dated = [name for name, until in self.limits.items() if until]
        for name in dated if len(self.limits) > 1 else ():
            fewer = {other: until for other, until in self.limits.items() if other != name}
            done = self.attempt(fewer)
            if done.code == 0:
                self.limits, body = fewer, done.output.decode()
        return body


def _end_of_day(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return utc.replace(hour=0, minute=0, second=0, microsecond=0) + DAY


def _facts(body: str, limits: Limits, before: datetime) -> LockFacts:
    pins = [line.split()[0].partition("==") for line in split_lock(body)]
    versions = {canonicalize_name(name.partition("[")[0]): version for name, _, version in pins}
    exempt = tuple(
        Exemption(name=name, version=versions[canonicalize_name(name)], until=until)
        for name, until in sorted(limits.items()) if canonicalize_name(name) in versions
    )  # fmt: skip
    dateless = {one.name for one in exempt if one.until is None}
    now = clock.now()
    return LockFacts(
        exempt=exempt, undated=bool(versions) and dateless == set(versions),
        made=now if before > now else None,
    )  # fmt: skip


def _failure(wanted: Wanted, errors: str, tried: str = "") -> BuildError:
    why = package_words.conflict(errors)
    asked = _asked_for(wanted.requirements, why)
    return BuildError(
        f"the environment cannot be resolved for Python {wanted.python} as of "
        f"{wanted.before:%Y-%m-%d}: {why}{asked}\n{redacted(_tail(errors))}"
        + (f"\ntried in vain: {tried}" if tried else ""),
        next_step=_next_step(errors),
    )


def _about_credentials(wanted: Wanted, errors: str) -> str:
    """Where several indexes count alike, one that lets nobody in is passed over without a word."""
    if not package_words.nowhere(errors):
        return errors
    done = run_here(Question(wanted, strategy="first-index"), TRIAL_S)
    again = done.errors.decode("utf-8", "replace")
    return again if package_words.unreachable(again) else errors


def _next_step(errors: str) -> str:
    if package_words.unwritable(errors):
        return "name a folder that can be written: XDG_CACHE_HOME (or UV_CACHE_DIR)"
    if package_words.unreachable(errors):
        name = package_words.unbuilt(errors)
        if name:
            return (
                "what builds fetch must be reachable from containers; or go on without it: "
                f"`leave_out: [{name}]` in the recipe.yaml"
            )
        return "the index must be reachable from here: `pip download six` tells"
    return "add or pin what is missing under `requirements:` in the recipe.yaml"


_OURS = "micro_bench"
"""The source of what this program adds to run the tests."""


def _asked_for(requirements: Sequence[Requirement], why: str) -> str:
    """Where the packages that the sentence names were asked for."""
    words = names_in(why)
    places = dict.fromkeys(
        f"{one.text} by micro-bench itself"
        if one.source == _OURS
        else f"{one.text} in {one.source}"
        for one in requirements
        if name_of(one.text) in words
    )
    return f" (asked for: {'; '.join(places)})" if places else ""


def _tail(errors: str) -> str:
    return "\n".join(errors.strip().splitlines()[-20:])
