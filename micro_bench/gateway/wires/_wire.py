"""What a wire format offers. All functions are pure: values in, values out.

A request is JSON that a hostile agent may have made: nothing here trusts its shape, and whatever
has another one than it should is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from micro_bench.model.usage import Tokens

KEPT = 200_000
"""Characters kept of what an answer says."""
MODEL = r"[A-Za-z0-9][A-Za-z0-9._@:\[\]-]*(?:/[A-Za-z0-9][A-Za-z0-9._@:-]*)*"
"""A model's name in a path."""
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """What a path stands for."""

    kind: Literal["generate", "count", "models"]
    model: str = ""
    """Where the path names it."""
    stream: bool = False
    """Where the path tells it."""


@dataclass(frozen=True)
class Asked:
    """What is read out of a request."""

    model: str
    stream: bool
    most_output: int | None
    """Tokens, over all of the answers that are asked for."""
    items: tuple[Any, ...] = ()
    """The conversation."""
    system: str = ""
    tools: tuple[str, ...] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    """Why it must not pass: it would reach other places, or escape the metering."""


@dataclass(frozen=True)
class Prepared:
    """What goes to the provider."""

    path: str
    body: dict[str, Any]
    changed: bool
    """Whether the body differs from what came; else it passes byte for byte."""
    withheld: tuple[str, ...] = ()
    """Tools of the provider's own that were taken out."""
    hides_usage: bool = False
    """Usage was asked for on behalf of the gateway; the agent does not expect it."""


@dataclass
class Heard:
    """What is gathered from an answer, event by event."""

    tokens: Tokens | None = None
    """None until the provider tells."""
    final: bool = False
    """Whether the usage is complete."""
    model: str = ""
    tier: str = ""
    """The provider's service tier, which has prices of its own."""
    text: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""
    """Why the answer ended."""
    ended: bool = False
    """Whether the answer's end was seen."""
    size: int = 0

    def say(self, text: object) -> None:
        """Keep a part of the text, within bounds."""
        if isinstance(text, str) and self.size < KEPT:
            self.text.append(text[: KEPT - self.size])
            self.size += len(text)

    def call(self, index: object, **parts: object) -> None:
        """Keep a part of a call of a tool; texts of the same call are joined."""
        found = next((c for c in self.calls if c["index"] == index), None)
        if found is None and len(self.calls) < 200:
            found = {"index": index}
            self.calls.append(found)
        for name, part in parts.items():
            if found is None or part is None or self.size > KEPT:
                continue
            old = found.get(name)
            joined = isinstance(old, str) and isinstance(part, str) and name == "arguments"
            found[name] = f"{old}{part}" if joined else part
            self.size += len(str(part))


class Wire(Protocol):
    """A way to talk to models over HTTP."""

    NAME: str
    """As it stands in the settings."""
    AUTH: str
    """The header that carries a key: `bearer`, `x-api-key` or `x-goog-api-key`."""

    @staticmethod
    def endpoint(method: str, path: str) -> Endpoint | None:
        """What a path stands for; None if it is none of this format."""

    @staticmethod
    def asked(body: Json, endpoint: Endpoint) -> Asked:
        """What a request wants."""

    @staticmethod
    def prepared(body: Json, endpoint: Endpoint, model: str, *, own_tools: bool) -> Prepared:
        """The request as it goes to the provider.

        Args:
            body: As it came.
            endpoint: What its path stands for.
            model: The provider's name of the model.
            own_tools: Whether tools that the provider runs may stay.

        """

    @staticmethod
    def hear(heard: Heard, data: Json) -> None:
        """Take in an event of a stream, or a whole answer."""

    @staticmethod
    def only_usage(data: Json) -> bool:
        """Whether an event of a stream tells nothing but usage."""

    @staticmethod
    def error(status: int, message: str) -> dict[str, Any]:
        """A refusal in the words of this format."""

    @staticmethod
    def models(names: Sequence[str]) -> dict[str, Any]:
        """A list of models."""


def _at(data: Any, path: Sequence[str]) -> Any:
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def number(data: Any, *path: str) -> int:
    """The count at a path; 0 if there is none."""
    data = _at(data, path)
    return data if isinstance(data, int) and not isinstance(data, bool) and data > 0 else 0


def text(data: Any, *path: str) -> str:
    """The text at a path; empty if there is none."""
    data = _at(data, path)
    return data if isinstance(data, str) else ""


def part(data: Any, *path: str) -> Json:
    """The mapping at a path; empty if there is none."""
    data = _at(data, path)
    return data if isinstance(data, Mapping) else {}


def items(data: Any, *path: str) -> list[Any]:
    """The list at a path; empty if there is none."""
    data = _at(data, path)
    return data if isinstance(data, list) else []


def limit(*values: object) -> int | None:
    """The first that is a number of tokens."""
    found = (v for v in values if isinstance(v, int) and not isinstance(v, bool) and v > 0)
    return next(found, None)


def words(content: Any) -> str:
    """The text of a message: itself, or its parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(t for p in parts if (t := text(p, "text")))


def chosen(body: Json, names: Sequence[str]) -> dict[str, Any]:
    """Those of the keys that are there."""
    return {name: body[name] for name in names if name in body}


OUTWARD = ("image_url", "file_url", "fileUri", "file_uri", "url")
OPAQUE = ("input", "args", "arguments", "response", "function_call", "input_schema", "parameters")
"""What agents' own tools say and get: no provider follows an address in it."""


def addresses(value: Any, depth: int = 0) -> Iterator[str]:
    """Addresses in a conversation that the provider would fetch: a way out of the sandbox."""
    if depth > 12:
        return
    if isinstance(value, list):
        for entry in value:
            yield from addresses(entry, depth + 1)
    elif isinstance(value, dict):
        for name, entry in value.items():
            if name in OUTWARD and isinstance(entry, str):
                if not entry.startswith("data:"):
                    yield entry[:200]
            elif name not in OPAQUE and isinstance(entry, list | dict):
                yield from addresses(entry, depth + 1)
