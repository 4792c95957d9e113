"""The gateway of a run: opened before the first attempt, closed after the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from micro_bench.attempts.way_out import Lease, OpenLease
from micro_bench.gateway import routes
from micro_bench.gateway.gateway import Gateway
from micro_bench.gateway.routes import Route
from micro_bench.model.provider import GatewaySettings
from micro_bench.pipeline.run.agents import Chosen
from micro_bench.settings import Settings

USUAL = {
    "anthropic": "anthropic", "gemini": "google", "openai-chat": "openai",
    "openai-responses": "openai",
}  # fmt: skip
"""Wire format -> the provider of a model that is named without one."""


@dataclass(frozen=True)
class Way:
    """How one agent's models are reached."""

    model: str
    """What the agent is told; empty where it takes its own."""
    opens: OpenLease


Ways = Callable[[Chosen], Way | None]


def model_text(settings: GatewaySettings, agent: Chosen) -> str:
    """The model of an agent as a name of the settings or `provider/model`.

    A name without a provider is one of the first provider that speaks the agent's wire format:
    those of the settings come before the built-in ones.
    """
    model = agent.ref.options.get("model", routes.ANY)
    known = {**routes.PROVIDERS, **settings.providers}
    if model in settings.models or model.partition("/")[0] in known:
        return model
    wire = agent.ref.options.get("wire", agent.plugin.WIRES[0])
    own = [name for name, each in settings.providers.items() if wire in each.wires]
    return f"{(own or [USUAL[wire]])[0]}/{model}"


@contextmanager
def ways(
    settings: Settings,
    folder: Path,
    agents: tuple[Chosen, ...],
    environ: Mapping[str, str] | None = None,
) -> Iterator[Ways]:
    """What opens the way out for each agent; nothing is served where none asks a model.

    Args:
        settings: Of the workspace.
        folder: Of the run: gets `prices.json`.
        agents: Of the run.
        environ: Where keys are read; the process's own by default.

    Raises:
        NotFoundError: No route leads to a model.
        BadInputError: A key is missing, or a cap in dollars has no price to go by.
    """
    asking = [agent for agent in agents if agent.asks]
    if not asking:
        yield lambda _agent: None
        return
    with Gateway(
        settings.gateway, folder, workspace=settings.workspace, environ=environ
    ) as gateway:
        found = {agent.ref.name: _way(gateway, settings, agent) for agent in asking}
        yield lambda agent: found.get(agent.ref.name)


def _way(gateway: Gateway, settings: Settings, agent: Chosen) -> Way:
    text = model_text(settings.gateway, agent)
    route = gateway.check(text)

    def opens(attempt: str, socket: Path, log: Path) -> Lease:
        return gateway.lease(attempt, socket, log, model=text)

    return Way(_told(route, agent), opens)


def _told(route: Route, agent: Chosen) -> str:
    """The provider's own name of the model: programs know what their models can do by it."""
    return route.model if agent.ref.options.get("model") and route.model != routes.ANY else ""
