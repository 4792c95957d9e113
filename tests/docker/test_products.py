"""Agents as their makers ship them, each in a slice's container, against a scripted model.

No key, no provider: the model follows a script and speaks the provider's own wire format. What the
agent does with it is real: it reads, edits and runs with its own tools.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.attempts.run import Assignment, Tried
from micro_bench.attempts.toolboxes.shelf import Kept, Shelf
from micro_bench.edge.patching import patch_paths
from micro_bench.gateway.gateway import Gateway
from micro_bench.model.attempt import AgentRef, Finished
from micro_bench.model.provider import GatewaySettings, Provider
from micro_bench.model.task import Limits
from micro_bench.model.usage import Metered
from micro_bench.rehearsal.script import Script, script
from micro_bench.rehearsal.server import ModelServer
from tests.fakes.shop import BASE, FIXED_MONEY, MONEY, Shop

ROOM = "attempts.agents"
PRODUCTS = [name for name, agent in plugins.discover(ROOM).items() if agent.TOOLBOX]
OLD = "    return [total // parts] * parts\n"
NEW = FIXED_MONEY.decode().removeprefix(MONEY.decode().partition(OLD)[0])
NEW = NEW.partition("\n\n\ndef add")[0] + "\n"
TEST = "python -m pytest -q -p no:cacheprovider tests/test_money.py"
STEPS = script([
    {"text": "I read the code first."},
    {"read": "tinyshop/money.py"},
    {"edit": {"path": "tinyshop/money.py", "old": OLD, "new": NEW}},
    {"shell": TEST},
    {"finish": "No cent is lost now."},
])  # fmt: skip
MODEL = "scripted-1"
OPTIONS = {"aider": {"args": "--edit-format diff tinyshop/money.py"}}
"""Whole files are its way with a model that it does not know. It reads a file that is mentioned
first, and wants the edit again: the script has no such patience."""
LIMITS = Limits(agent_s=120, memory_mb=2048, pids=256)

pytestmark = [pytest.mark.network]
product = pytest.mark.parametrize("name", PRODUCTS)


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    """Of this machine: what is installed once is used by every test."""
    place = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    return Shelf(Path(place) / "micro-bench")


def installed(shelf: Shelf, name: str) -> Kept:
    return shelf.find(name) or shelf.install(name, plugins.load(ROOM, name).TOOLBOX)


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer(STEPS, key="the-providers-key") as server:
        yield server


@pytest.fixture(scope="session")
def plain_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Names that are not UTF-8, such as the shop has, keep aider from reading the index."""
    base = {name: text for name, text in BASE.items() if "\udce9" not in name}
    return Shop(tmp_path_factory.mktemp("plain-shop"), "docker", base=base)


def settings(server: ModelServer) -> GatewaySettings:
    wires = ("anthropic", "openai-chat", "openai-responses", "gemini")
    lab = Provider(base_url=server.url, wires=wires, key_env="LAB_KEY")
    return GatewaySettings(providers={"lab": lab})


def attempt(
    shop: Shop,
    kept: Kept,
    server: ModelServer,
    folder: Path,
    config: dict[str, bytes] | None = None,
    **options: str,
) -> Tried:
    name = kept.ref.agent
    told = {"model": MODEL, **OPTIONS.get(name, {}), **options}
    agent = AgentRef(name=name, kind=name, version=kept.ref.version, options=told)
    with Gateway(settings(server), folder, environ={"LAB_KEY": str(server.key)}) as gateway:
        what = Assignment(
            shop.task, shop.prepared.image, agent, plugins.load(ROOM, name), 1, None, {}, {},
            patch_paths, toolbox=kept, config=config or {}, limits=LIMITS,
            lease=lambda attempt, socket, log: gateway.lease(
                attempt, socket, log, model=f"lab/{MODEL}"
            ),
        )  # fmt: skip
        return attempts.attempt(shop.line.start, what, folder)


@product
def test_it_reads_edits_runs_a_test_and_finishes(
    name: str, shop: Shop, plain_shop: Shop, shelf: Shelf, model: ModelServer, tmp_path: Path
):
    kept, shop = installed(shelf, name), plain_shop if name == "aider" else shop
    tried = attempt(shop, kept, model, tmp_path)
    assert isinstance(tried.outcome, Finished), (tmp_path / "agent.log").read_text()[-3000:]
    assert tried.outcome.exit_code == 0
    assert tried.outcome.patch.files == ("tinyshop/money.py",)
    assert shop.grade(tried.patch).verdict == "pass"
    _check_session(name, tried)
    assert tried.metered is not None
    _check_metered(tried.metered, STEPS, model)


def _check_session(name: str, tried: Tried) -> None:
    """What it did can be read from what it prints, with the exit code of the test's command."""
    calls = [call for step in tried.session.steps for call in step.calls]
    kinds = [call.kind for call in calls]
    if name == "aider":  # it has no tools: it answers with blocks, and prints what it applied
        assert kinds == ["edit"]
        assert calls[0].path == "tinyshop/money.py"
        return
    tested = [call for call in calls if TEST in call.command]
    assert len(tested) == 1
    assert tested[0].exit_code in ((0,) if name != "gemini-cli" else (0, None))
    assert kinds.index("read" if "read" in kinds else "command") < len(kinds) - 1
    assert any("No cent is lost now." in step.text for step in tried.session.steps)


def _check_metered(found: Metered, steps: Script, model: ModelServer) -> None:
    """Every answer is counted once, class by class, by the provider's own numbers."""
    answers = found.requests
    usage = steps.usage
    assert answers == sum(r.status == 200 and r.method == "POST" for r in model.requests)
    assert found.tokens.total == answers * (usage.input + usage.output)
    assert found.tokens.cached == answers * usage.cached
    assert [m.provider for m in found.models] == ["lab"]
    assert not any(m.unmetered for m in found.models)
    assert found.cost_usd is None  # nobody knows what a scripted model costs: that is not 0


@product
def test_the_providers_key_is_nowhere(
    name: str, shop: Shop, shelf: Shelf, model: ModelServer, tmp_path: Path
):
    if name not in ("codex", "claude-code"):
        pytest.skip("two of them will do")
    attempt(shop, installed(shelf, name), model, tmp_path)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"the-providers-key" in path.read_bytes()]


def test_the_teams_instructions_and_servers_reach_the_model(
    shop: Shop, shelf: Shelf, model: ModelServer, tmp_path: Path
):
    config = {"AGENTS.md": b"Never use tabs: the warehouse forbids it.\n"}
    for name in ("claude-code", "codex", "gemini-cli", "opencode", "qwen-code"):
        model.requests.clear()
        (tmp_path / name).mkdir()
        tried = attempt(shop, installed(shelf, name), model, tmp_path / name, config)
        assert isinstance(tried.outcome, Finished)
        assert any("warehouse forbids" in r.as_json() for r in model.requests), name
        assert tried.outcome.patch.files == ("tinyshop/money.py",)


def test_what_was_saved_can_be_loaded_elsewhere(shelf: Shelf, tmp_path: Path):
    kept = installed(shelf, "gemini-cli")
    shelf.save(kept, tmp_path / "gemini.tar")
    elsewhere = Shelf(tmp_path / "cache")
    loaded = elsewhere.load(tmp_path / "gemini.tar")
    assert loaded.ref == kept.ref
    assert elsewhere.kept() == (loaded,)
