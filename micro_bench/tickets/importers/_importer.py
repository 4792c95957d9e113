"""What an importer offers, and what it is given.

An importer is a module of this folder with `NAME`, `recognises` and `read`.
It reads one tracker's exports or API and returns an `Export`. It never stops at a record it
cannot read: the record becomes a complaint, and the rest go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from micro_bench.edge.http import Page
from micro_bench.model.ticket import Export


class JsonApi(Protocol):
    """Reads a tracker's API; `micro_bench.edge.http.Api` is one."""

    def url(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """The whole address of a path below the base."""

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path."""

    def page(self, url: str) -> Page:
        """One page by its whole address."""


class Progress(Protocol):
    """Is told what was done so far; `total` is None as long as nobody knows it."""

    def __call__(self, what: str, done: int, total: int | None) -> None: ...


def silent(what: str, done: int, total: int | None) -> None:
    """A progress that nobody watches."""


def no_network(base_url: str) -> JsonApi:
    """The `http` of a context that reads files only."""
    raise NotImplementedError(f"no connection to {base_url} was provided")


@dataclass(frozen=True)
class ImportContext:
    """What an importer may use."""

    repo: str | None = None
    """`owner/name`, where the source does not say it or says more than one."""
    http: Callable[[str], JsonApi] = no_network
    """Base address -> API, with the token already in it."""
    api_url: str | None = None
    """The API's base address on an own server (`https://HOST/api/v3`)."""
    cache: Path | None = None
    """Where pages of the API are kept, so that an interrupted import goes on where it stopped."""
    refresh: bool = False
    """Ask for everything again, whatever is cached."""
    progress: Progress = silent


class Importer(Protocol):
    """A module under `micro_bench/tickets/importers/`."""

    NAME: str

    def recognises(self, source: str) -> bool:
        """Whether the source (a path, an address or `name:...`) is for this importer."""

    def read(self, source: str, context: ImportContext) -> Export:
        """Everything the source holds."""
