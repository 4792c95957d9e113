"""Who serves models, and under which names: the part of the settings that a gateway reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Noun
from micro_bench.model.usage import Caps

Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Provider(Noun):
    """A place that serves models: a vendor, or a gateway of your own."""

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    """Where the paths of the wire formats begin: `https://api.anthropic.com`, with or without the
    `/v1`; one that ends in `/` stands for everything up to the version. Never with a password."""
    wires: tuple[str, ...]
    """The wire formats it speaks: `anthropic`, `openai-chat`, `openai-responses`, `gemini`."""
    key_env: Variable | None = None
    """Name of the environment variable with the key. The key itself is never stored."""
    login: Literal["claude-code", "codex"] | None = None
    """Instead of a key, the login of this program on the host: a subscription."""
    auth: Literal["bearer", "x-api-key", "x-goog-api-key"] | None = None
    """The header that carries the key. Default: that of the wire format."""
    prices: str | None = None
    """Whose price list holds, as genai-prices names it: `anthropic`, `openai`, `google`, `azure`.
    Default: found by the address; none means that only `prices.yaml` can tell."""


class GatewaySettings(Noun):
    """How attempts reach models."""

    providers: dict[str, Provider] = {}
    """Beside `anthropic`, `openai`, `google` and `openrouter`, or instead of them."""
    models: dict[str, Annotated[str, Field(pattern=r"^[^/\s]+/\S+$")]] = {}
    """Short names: `sonnet: anthropic/claude-sonnet-4-5`."""
    caps: Caps = Caps()
    """For one attempt."""
    run_caps: Caps = Caps()
    """For a whole run. A run whose worst case is more asks first."""
    prices: str | None = None
    """A file of prices, relative to the workspace, that override those of genai-prices."""
    reserve_output: Annotated[int, Field(ge=1)] = 32_000
    """Output tokens to reserve where a request names no limit of its own."""
    reserve_at_most: Annotated[int, Field(ge=1)] | None = None
    """Reserve no more output tokens than so many, whatever a request asks for: an attempt comes
    closer to its cap, and may pass it by one answer."""
    provider_tools: Literal["withhold", "allow"] = "withhold"
    """Tools that the provider runs, such as a search of the web: they reach where no sandbox
    may."""
    timeout_s: Annotated[float, Field(gt=0)] = 600.0
    """How long a provider may be silent."""
    log_mb: Annotated[float, Field(gt=0)] = 64.0
    """Most of one attempt's log of exchanges."""
