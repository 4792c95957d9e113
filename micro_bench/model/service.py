"""Services that a project's tests talk to: as a lead declares them, and as they were made."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from micro_bench.model.base import Noun

_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_SECRET = re.compile(r"[A-Za-z0-9_.~!@#%^*+=:,?-]{0,64}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError("may hold letters, digits, _, . and - only")
    return text


def _secret(text: str) -> str:
    if not _SECRET.fullmatch(text):
        raise ValueError("may hold no blanks, quotes, slashes, brackets or $ (it is a test's)")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r} is no host name: small letters, digits and - only")
    return text


Word = Annotated[str, AfterValidator(_word)]
Secret = Annotated[str, AfterValidator(_secret)]
ServiceName = Annotated[str, AfterValidator(_host)]
"""Also the host name by which tests reach it, beside `localhost`."""


class Service(Noun):
    """What a lead declares below `services` in `recipe.yaml`: a kind, or an image."""

    kind: str = ""
    """`postgres`, `mysql`, `redis`, `rabbitmq`, `memcached`: built from packages."""
    image: str = ""
    """Any other image, which the engine has or can pull."""
    version: str = ""
    """Of the kind: `16`. Empty: the usual one."""
    port: int = Field(default=0, ge=0, le=65535)
    """0: the kind's own."""
    user: Word | None = None
    password: Secret | None = None
    database: Word | None = None
    env: dict[str, str] = Field(default_factory=dict)
    """Variables for the tests, beside those that the kind sets."""
    settings: dict[str, str] = Field(default_factory=dict)
    """Variables for the service's own container, where it is an image."""
    command: tuple[str, ...] = ()
    """What the image runs, where it is not its own command."""
    health: tuple[str, ...] = ()
    """A command that succeeds inside the service once it answers. An image needs one."""
    migrate: tuple[str, ...] = ()
    """Commands that run in the task's environment, without a shell, once the service is up: their
    results are part of the snapshot that every attempt begins with."""
    seed: tuple[str, ...] = ()
    """As `migrate`, after all migrations."""
    memory_mb: int = Field(default=1024, ge=64, le=65536)

    @model_validator(mode="after")
    def _kind_or_image(self) -> Service:
        if bool(self.kind) == bool(self.image):
            raise ValueError("say either `kind` or `image`")
        if self.image and not self.health:
            raise ValueError("an image needs `health`: a command that succeeds once it answers")
        if self.kind and (self.settings or self.command):
            raise ValueError("`settings` and `command` are an image's; a kind has its own")
        return self


class Sidecar(Noun):
    """A service made ready: every sandbox of its task gets a fresh one."""

    name: ServiceName
    digest: str
    """The engine's id of the snapshot; for local sandboxes, the folder that holds its data."""
    main: tuple[str, ...] = ()
    """What it runs; empty: the image's own command."""
    user: str = ""
    """Of its processes; empty: the image's own."""
    health: tuple[str, ...]
    own: dict[str, str]
    """Variables of the service itself."""
    env: dict[str, str]
    """Variables of the tests."""
    memory_mb: int
