"""What a lead declares, made whole: kinds' own words filled in, mistakes named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from micro_bench import plugins
from micro_bench.errors import BadInputError, Mistake
from micro_bench.model.service import Service
from micro_bench.services.kinds._kind import Access

DATA = "/srv/service/data"
USER = "1000:1000"


@dataclass(frozen=True)
class Declared:
    """One service, ready to be made."""

    name: str
    service: Service
    kind: ModuleType | None
    """None: an image."""
    access: Access

    @property
    def own(self) -> dict[str, str]:
        """The variables of the service itself."""
        if self.kind is None:
            return dict(self.service.settings)
        return {
            "SERVICE_USER": self.access.user, "SERVICE_PASSWORD": self.access.password,
            "SERVICE_DATABASE": self.access.database, "SERVICE_PORT": str(self.access.port),
            "SERVICE_DATA": DATA,
        }  # fmt: skip

    @property
    def env(self) -> dict[str, str]:
        """The variables of the tests."""
        usual = self.kind.environment(self.access) if self.kind else {}
        return {**usual, **self.service.env}

    @property
    def main(self) -> tuple[str, ...]:
        """What it runs."""
        return shell(self.kind.START) if self.kind else self.service.command

    @property
    def health(self) -> tuple[str, ...]:
        """What succeeds once it answers."""
        if self.service.health or self.kind is None:
            return self.service.health
        return shell(self.kind.HEALTH)


def first(kind: ModuleType) -> tuple[str, ...]:
    """Makes its data where there are none, and becomes the server."""
    text = '[ -d "$SERVICE_DATA" ] || sh -c "$1" || exit 3; exec sh -c "$2"'
    return (*shell(text), "sh", kind.PREPARE, kind.START)


def shell(text: str) -> tuple[str, ...]:
    """A fixed text for the shell; what a lead writes reaches it as variables alone."""
    return ("sh", "-c", text)


def declared(services: Mapping[str, Service], place: Path) -> tuple[Declared, ...]:
    """The services of a recipe, in the order in which they stand.

    Raises:
        BadInputError: A kind or a version that there is not, or a port that two have; all such
            mistakes at once.
    """
    kinds = plugins.discover("services.kinds")
    found = [
        Mistake(str(place), 0, 0, f"services.{key}", words) for key, words in mistakes(services)
    ]
    if found:
        raise BadInputError(f"{place} declares services that cannot be", mistakes=found)
    return tuple(
        Declared(name, one, kinds.get(one.kind), _access(one, kinds.get(one.kind)))
        for name, one in services.items()
    )


def mistakes(services: Mapping[str, Service]) -> Iterator[tuple[str, str]]:
    """What cannot be: its key below `services` (`db.version`), and why."""
    kinds = plugins.discover("services.kinds")
    for name, one in services.items():
        for key, words in (*_mistakes(one, kinds), *_taken(name, services, kinds)):
            yield f"{name}.{key}", words


def _mistakes(one: Service, kinds: Mapping[str, ModuleType]) -> Iterator[tuple[str, str]]:
    kind = kinds.get(one.kind)
    if one.kind and kind is None:
        yield "kind", f"there is no kind {one.kind!r}: {', '.join(kinds)}; or name an `image`"
    if kind and one.version and one.version not in kind.VERSIONS:
        known = ", ".join(sorted(filter(None, kind.VERSIONS))) or "only the packages' own"
        yield "version", f"the packages have no {kind.NAME} {one.version}: {known}"


def _taken(
    name: str, services: Mapping[str, Service], kinds: Mapping[str, ModuleType]
) -> Iterator[tuple[str, str]]:
    """All share one loopback."""
    port = _access(services[name], kinds.get(services[name].kind)).port
    for other in services:
        if other == name:
            return
        if port and port == _access(services[other], kinds.get(services[other].kind)).port:
            yield "port", f"{port} is taken by {other}"


def _access(one: Service, kind: ModuleType | None) -> Access:
    usual: Access = kind.DEFAULT if kind else Access(0, "", "", "")
    user = usual.user if one.user is None else one.user
    return Access(
        port=one.port or usual.port,
        user=user,
        password=usual.password if one.password is None else one.password,
        database=usual.database if one.database is None else one.database,
    )
