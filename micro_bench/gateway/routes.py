"""Which provider a model's name leads to, and with which credential."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.provider import GatewaySettings, Provider

PROVIDERS = {
    "anthropic": Provider(
        base_url="https://api.anthropic.com", wires=("anthropic",), key_env="ANTHROPIC_API_KEY",
        prices="anthropic",
    ),
    "openai": Provider(
        base_url="https://api.openai.com", wires=("openai-chat", "openai-responses"),
        key_env="OPENAI_API_KEY", prices="openai",
    ),
    "google": Provider(
        base_url="https://generativelanguage.googleapis.com", wires=("gemini",),
        key_env="GEMINI_API_KEY", prices="google",
    ),
    "openrouter": Provider(
        base_url="https://openrouter.ai/api", wires=("openai-chat", "openai-responses"),
        key_env="OPENROUTER_API_KEY", prices="openrouter",
    ),
    "claude-plan": Provider(
        base_url="https://api.anthropic.com", wires=("anthropic",), login="claude-code",
        prices="anthropic",
    ),
    "chatgpt-plan": Provider(
        base_url="https://chatgpt.com/backend-api/codex/", wires=("openai-responses",),
        login="codex", prices="openai",
    ),
}  # fmt: skip
"""Known without any settings; the last two use the login of a program on this machine."""
ANY = "*"
"""In the place of a model: whatever the agent asks for, of that provider."""
HEADERS = {"x-api-key": "x-api-key", "x-goog-api-key": "x-goog-api-key"}
OAUTH_BETA = "oauth-2025-04-20"
LOGINS = {"claude-code": ".claude/.credentials.json", "codex": ".codex/auth.json"}


@dataclass(frozen=True)
class Route:
    """Where a model is served."""

    alias: str
    """As the run names it."""
    name: str
    """Of the provider."""
    provider: Provider
    model: str
    """As the provider is asked for it."""

    def answers_to(self, name: str) -> bool:
        """Whether an agent may call it so."""
        return self.model == ANY or name in {self.alias, self.model, f"{self.name}/{self.model}"}

    def to(self, name: str) -> Route:
        """The route itself, or, where it leads to any model of a provider, that to this one."""
        if self.model != ANY:
            return self
        model = name.removeprefix(f"{self.name}/")
        return Route(f"{self.name}/{model}", self.name, self.provider, model)


@dataclass(frozen=True)
class Credential:
    """What opens a provider's door. Its text form shows nothing."""

    token: str = field(repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers beside it."""
    bearer: bool = False
    """Whether it is one of a login, which goes into `authorization` whatever the wire format."""

    def headers(self, auth: str) -> dict[str, str]:
        """For a request."""
        if not self.token:
            return dict(self.extra)
        if self.bearer or auth == "bearer":
            return {"authorization": f"Bearer {self.token}", **self.extra}
        return {HEADERS[auth]: self.token, **self.extra}


def find(settings: GatewaySettings, model: str, wires: Collection[str]) -> Route:
    """The route of an alias or of `provider/model`.

    Raises:
        NotFoundError: No provider is called so.
        BadInputError: The provider speaks none of the wire formats there are.

    """
    whole = settings.models.get(model, model)
    name, slash, upstream = whole.partition("/")
    providers = {**PROVIDERS, **settings.providers}
    if not slash or name not in providers:
        known = [*settings.models, *(f"{p}/..." for p in providers)]
        close = get_close_matches(model, settings.models, 1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        raise NotFoundError(
            f"no route leads to the model {model!r} ({hint})",
            next_step="name it as provider/model, or under gateway.models in micro-bench.yaml",
        )
    unknown = [w for w in providers[name].wires if w not in wires]
    if unknown:
        raise BadInputError(
            f"the provider {name} names the wire format {unknown[0]!r}, which is none",
            next_step=f"use one of {', '.join(sorted(wires))} in gateway.providers.{name}.wires",
        )
    return Route(model, name, providers[name], upstream)


def credential(route: Route, environ: Mapping[str, str], home: Path) -> Credential:
    """The key or the login, read anew each time: programs renew their logins.

    Raises:
        BadInputError: There is none; the message names the variable or the program.

    """
    provider = route.provider
    if provider.login:
        return _login(provider.login, home / LOGINS[provider.login])
    if provider.key_env is None:
        return Credential("")
    token = environ.get(provider.key_env, "").strip()
    if not token or not token.isprintable() or " " in token:
        raise BadInputError(
            f"the provider {route.name} needs a key in the variable {provider.key_env}",
            next_step=f"export {provider.key_env}=...",
        )
    return Credential(token)


def _login(program: str, path: Path) -> Credential:
    try:
        data: Any = json.loads(path.read_bytes())
        if program == "claude-code":
            token = data["claudeAiOauth"]["accessToken"]
            return Credential(_token(token), {"anthropic-beta": OAUTH_BETA}, bearer=True)
        tokens = data["tokens"]
        extra = {"chatgpt-account-id": _token(tokens["account_id"])}
        return Credential(_token(tokens["access_token"]), extra, bearer=True)
    except (OSError, ValueError, LookupError, TypeError):
        raise BadInputError(
            f"{program} is not logged in on this machine: {path} holds no login",
            next_step=f"start {program} once and log in",
        ) from None


def _token(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError
    return value


def address(base: str, path: str) -> str:
    """A path below a base address, which may hold the version already: at its end, or, where it
    ends in `/`, in a form of its own.
    """
    version = f"/{path.split('/')[1]}"
    if base.endswith("/"):
        return base.rstrip("/") + path.removeprefix(version)
    return base.removesuffix(version) + path
