"""Where packages without a wheel are built: a container with a compiler and what each one wants.

What does not build is tried again with the system package that its output asks for, if that is
known; after that it is left out, with the reason. Whether it mattered, verification finds out.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import package_words, packages, process
from micro_bench.edge.archive import Entry, pack
from micro_bench.edge.engine import Engine
from micro_bench.edge.recipes import recipe_path
from micro_bench.errors import BuildError
from micro_bench.images import recipe, source_wheels, system_packages, wheel_cache
from micro_bench.images._builder import Base
from micro_bench.images.wheel_cache import WheelCache
from micro_bench.model.slice import BuiltFromSource, LeftOut

MOST_TRIES = 3
OUTPUT_LIMIT = 2**24
KEPT_OUTPUT = 4000
Ensure = Callable[[recipe.Recipe, str], str]
"""Builds the image of a recipe, if it is not there; the second is what to call it for people."""


@dataclass(frozen=True)
class Order:
    """What is to be built, on what, for whom."""

    missing: Sequence[str]
    """Lines of the lock that have no wheel."""
    base: Base
    apt: Sequence[str]
    """System packages of the recipe."""
    before: datetime
    task: str


@dataclass
class Outcome:
    """What came of an order."""

    built: list[BuiltFromSource] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    libraries: set[str] = field(default_factory=set)


class Workbench:
    """Builds in the containers of one engine."""

    def __init__(self, engine: Engine, ensure: Ensure, cache: WheelCache) -> None:
        self._engine = engine
        self._ensure = ensure
        self._cache = cache

    def wheels(self, order: Order, target: Path, log: Callable[[str], None]) -> Outcome:
        """Put a wheel into `target` for every package that builds.

        Raises:
            BuildError: The index refused a source archive that is there, or did not answer a build.
        """
        outcome = Outcome()
        rest = [line for line in order.missing if not self._known(line, order, target, outcome)]
        if not rest:
            return outcome
        names = ", ".join(package_words.pinned(packages.pin_of(line)) for line in rest)
        log(f"{order.task}: building from source in a container: {names}")
        with TemporaryDirectory(prefix="micro-bench-sources-") as folder:
            files, absent = packages.fetch_sources(rest, order.base.python, Path(folder))
            outcome.left_out += [_left(pin, why) for pin, why in absent.items()]
            archives = source_wheels.Archives(files, order.before)
            made = self._made(order, archives, target)
        for line in rest:
            self._take(line, order, made, target, outcome)
        return outcome

    def _made(
        self, order: Order, archives: source_wheels.Archives, target: Path
    ) -> source_wheels.Made:
        """Build, and build again with what the outputs ask for.

        Each with its own system packages alone: what others brought would decide what is found,
        and the cache would not know of it.
        """
        found = source_wheels.Made()
        waiting = {pin: (path, frozenset[str]()) for pin, path in archives.files.items()}
        for _ in range(MOST_TRIES):
            failed: dict[str, str] = {}
            for (known, extra), pins in _alike(waiting).items():
                image = self._image(order.base, order.apt, known, extra)
                files = {pin: waiting[pin][0] for pin in pins}
                todo = source_wheels.Archives(files, archives.before)
                made = source_wheels.build(self._engine, image, todo, target)
                failed |= made.failed
                found = source_wheels.Made(
                    (*found.built, *made.built),
                    {p: o for p, o in found.failed.items() if p not in files} | {**made.failed},
                    {**found.libraries, **made.libraries},
                )
            waiting = {
                pin: (waiting[pin][0], waiting[pin][1] | {*_asked(output)})
                for pin, output in failed.items()
                if {*_asked(output)} - waiting[pin][1]
            }
        return found

    def _image(
        self, base: Base, apt: Sequence[str], known: Iterable[str], extra: Iterable[str] = ()
    ) -> str:
        template = recipe_path("builder.Dockerfile.j2").read_text(encoding="utf-8")
        made = recipe.builder_recipe(template, base.digest, apt, {*known, *extra})
        what = ", ".join(sorted({*known, *extra, *apt})) or "nothing else"
        return self._ensure(made, f"a builder with a compiler and {what}")

    def _known(self, line: str, order: Order, target: Path, outcome: Outcome) -> bool:
        entry = self._cache.take(self._key(line, order), order.before, target)
        if entry is None:
            return False
        if entry.built:
            outcome.built.append(entry.built)
            outcome.libraries |= {*entry.libraries}
        else:
            outcome.left_out.append(_left(packages.pin_of(line), entry.output))
        return True

    def _take(
        self, line: str, order: Order, made: source_wheels.Made, target: Path, outcome: Outcome
    ) -> None:
        """Note what came of one line, and keep it."""
        pin = packages.pin_of(line)
        built = next((b for b in made.built if f"{b.name}=={b.version}" == pin), None)
        if built:
            entry = wheel_cache.Entry(built=built, libraries=made.libraries.get(pin, ()))
            wheel = source_wheels.wheel_of(pin, target)
        elif pin in made.failed:
            output = made.failed[pin]
            why = source_wheels.why_not(output)
            if asked := package_words.elsewhere(output):  # not kept: tomorrow it may answer
                outcome.left_out.append(_left(pin, asked))
                return
            if asked := package_words.unreachable(output):  # not a word on the package itself
                raise BuildError(
                    f"{package_words.pinned(pin)} cannot be built: {asked}",
                    next_step="what builds fetch must be reachable from containers; then try "
                    f"again, or go on without it: `leave_out: [{_name(pin)}]` in recipe.yaml",
                )
            entry, wheel = wheel_cache.Entry(output=why), None
        else:
            return
        self._cache.keep(self._key(line, order), entry, wheel)
        if built:
            outcome.built.append(built)
            outcome.libraries |= {*entry.libraries}
        else:
            outcome.left_out.append(_left(pin, entry.output))

    def _key(self, line: str, order: Order) -> str:
        template = recipe_path("builder.Dockerfile.j2").read_text(encoding="utf-8")
        table = system_packages.for_building([_name(line)])
        known = (order.base.digest, *sorted(order.apt), *table, template)
        builder = " ".join((*known, package_words.PROVIDERS_DIGEST))
        return wheel_cache.key_of(line, order.base.python, builder)

    def run(
        self,
        base: Base,
        apt: Sequence[str],
        names: Iterable[str],
        argv: Sequence[str],
        files: Mapping[str, bytes],
    ) -> process.Result:
        """A command of uv where these packages can be built; the files lie beside it.

        Args:
            base: The interpreter.
            apt: System packages of the recipe.
            names: Distributions that must be built for it to come to an end.
            argv: What follows `uv`, with `python3` for the interpreter.
            files: Name -> content.
        """
        image = self._image(base, apt, system_packages.for_building(names))
        output, errors = io.BytesIO(), io.BytesIO()
        with source_wheels.working(self._engine, image) as (container, env):
            container.put("/tmp", pack([Entry(name, data) for name, data in files.items()]))  # noqa: S108
            end = container.exec(
                ("sh", "-c", 'exec "$@" 2> errors', "sh", f"{source_wheels.INPUT}/uv", *argv),
                output=output, deadline_s=source_wheels.DEADLINE_S, limit=OUTPUT_LIMIT, env=env,
            )  # fmt: skip
            container.exec(("cat", "errors"), output=errors, deadline_s=60, limit=OUTPUT_LIMIT)
        return process.Result(end.exit_code, output.getvalue(), errors.getvalue(), end.seconds)


def _alike(
    waiting: Mapping[str, tuple[Path, frozenset[str]]],
) -> dict[tuple[tuple[str, ...], frozenset[str]], list[str]]:
    """Pins by the system packages that they are built with: by the table, and by their outputs."""
    found: dict[tuple[tuple[str, ...], frozenset[str]], list[str]] = {}
    for pin, (_path, extra) in waiting.items():
        known = system_packages.for_building([_name(pin)])
        found.setdefault((known, extra), []).append(pin)
    return found


def _asked(output: str) -> tuple[str, ...]:
    return package_words.providers(package_words.missing_thing(output))


def _name(line: str) -> str:
    return packages.pin_of(line).partition("==")[0].partition("[")[0]


def _left(pin: str, why: str) -> LeftOut:
    name, _, version = pin.partition("==")
    return LeftOut(name=name, version=version, why=why[-KEPT_OUTPUT:])
