"""What this machine has and lacks for the work, each lack with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from micro_bench.edge import host
from micro_bench.edge.engine import Engine, EngineInfo
from micro_bench.edge.packages import uv_binary
from micro_bench.edge.recipes import recipe_path
from micro_bench.errors import EngineError
from micro_bench.settings import Settings

GB = 1_000_000_000
LEAST_DISK = 2 * GB
GOOD_DISK = 15 * GB


class State(StrEnum):
    """What a check found."""

    OK = "ok"
    WARNING = "warning"
    """Works, with a disadvantage."""
    MISSING = "missing"
    """The main job cannot run."""


@dataclass(frozen=True)
class Check:
    """One fact and what it means."""

    name: str
    state: State
    detail: str
    fix: str = ""
    """The command that mends it; empty if nothing is to be done."""


@dataclass(frozen=True)
class Facts:
    """What was found on the machine."""

    engine: EngineInfo | None
    engine_error: str
    bubblewrap: host.Isolation
    git: host.Program | None
    uv: host.Program | None
    debootstrap: bool
    root: bool
    apt: bool
    cpus: int
    memory: int
    disk_workspace: int
    disk_engine: int | None


def examine(settings: Settings) -> tuple[Check, ...]:
    """Every check of this machine, in the order in which they matter."""
    return checks(gather(settings), settings)


def able(found: tuple[Check, ...]) -> bool:
    """Whether the main job can run."""
    return all(check.state is not State.MISSING for check in found)


def gather(settings: Settings) -> Facts:
    """Ask the machine."""
    engine, problem = _engine(settings)
    return Facts(
        engine=engine,
        engine_error=problem,
        bubblewrap=host.bubblewrap(),
        git=host.program("git", "--version"),
        uv=_uv(),
        debootstrap=host.program("debootstrap") is not None,
        root=host.is_root(),
        apt=host.is_debian_like(),
        cpus=host.cpus(),
        memory=host.memory_bytes(),
        disk_workspace=host.disk_free_bytes(settings.workspace),
        disk_engine=_engine_disk(engine),
    )


def checks(facts: Facts, settings: Settings) -> tuple[Check, ...]:
    """What the facts mean under these settings."""
    found = [_isolation(facts, settings), _engine_check(facts, settings)]
    if facts.engine:
        found += _bases(facts, facts.engine, settings)
    found += [
        _bubblewrap(facts),
        _program("git", facts.git, "apt-get install git"),
        _program("uv", facts.uv, "pip install uv"),
        _disk("disk of the workspace", facts.disk_workspace, str(settings.workspace)),
    ]
    if facts.engine and facts.disk_engine is not None:
        found.append(_disk("disk of the engine", facts.disk_engine, facts.engine.root_dir))
    return (*found, _machine(facts, settings))


def isolation(facts: Facts, settings: Settings) -> str:
    """`docker`, `bubblewrap` or `none`: what attempts would run in."""
    if facts.engine and settings.backend != "local":
        return "docker"
    if settings.backend == "docker":
        return "none"
    return "bubblewrap" if facts.bubblewrap.works else "none"


def _isolation(facts: Facts, settings: Settings) -> Check:
    chosen = isolation(facts, settings)
    if chosen != "none":
        return Check("isolation", State.OK, f"{chosen} (backend: {settings.backend})")
    if settings.allow_unsandboxed and settings.backend != "docker":
        return Check("isolation", State.WARNING, "none: agents run as plain processes")
    fix = (
        "apt-get install bubblewrap"
        if settings.backend == "local"
        else _start_engine(facts, settings)
    )
    return Check("isolation", State.MISSING, f"none (backend: {settings.backend})", fix)


def _engine_check(facts: Facts, settings: Settings) -> Check:
    if engine := facts.engine:
        detail = (
            f"{engine.name} {engine.version}, API {engine.api_version}, {engine.storage_driver}, "
            f"cgroup {engine.cgroup}, runtimes {', '.join(engine.runtimes)}"
        )
        return Check("container engine", State.OK, detail)
    wanted = settings.backend == "docker"
    state = State.MISSING if wanted else State.WARNING
    return Check("container engine", state, facts.engine_error, _start_engine(facts, settings))


def _start_engine(facts: Facts, settings: Settings) -> str:
    if settings.engine_install and facts.root and facts.apt:
        return f"bash {recipe_path('engine.sh')}"
    return "install Docker or Podman and start it: systemctl --user start podman.socket"


def _bases(facts: Facts, engine: EngineInfo, settings: Settings) -> Iterator[Check]:
    for python, source in settings.base_images.items():
        name = f"base image for Python {python}"
        here = [tag for tag in _base_tags(python, source) if tag in engine.images]
        if here:
            yield Check(name, State.OK, here[0])
        elif facts.debootstrap and facts.root:
            yield Check(name, State.OK, f"not there yet; can be built from {source}")
        else:
            fix = (
                "apt-get install debootstrap" if facts.root else f"docker pull python:{python}-slim"
            )
            yield Check(name, State.WARNING, "not there; needs a registry", fix)


def _base_tags(python: str, source: str) -> tuple[str, ...]:
    return (f"micro-bench/base:py{python}", f"python:{python}-slim", source)


def _bubblewrap(facts: Facts) -> Check:
    if facts.bubblewrap.works:
        return Check("bubblewrap", State.OK, "works, network off included")
    fix = "apt-get install bubblewrap" if "not installed" in facts.bubblewrap.reason else ""
    return Check("bubblewrap", State.WARNING, facts.bubblewrap.reason, fix)


def _program(name: str, found: host.Program | None, fix: str) -> Check:
    if found is None:
        return Check(name, State.MISSING, "not found", fix)
    return Check(name, State.OK, f"{found.version} ({found.path})")


def _disk(name: str, free: int, where: str) -> Check:
    detail = f"{free / GB:.1f} GB free at {where}"
    if free >= GOOD_DISK:
        return Check(name, State.OK, detail)
    state = State.WARNING if free >= LEAST_DISK else State.MISSING
    return Check(name, state, f"{detail}; {GOOD_DISK // GB} GB is comfortable", "free some space")


def _machine(facts: Facts, settings: Settings) -> Check:
    needed = settings.jobs * settings.limits.memory_mb * 1_048_576
    detail = f"{facts.cpus} CPUs, {facts.memory / GB:.1f} GB memory, {settings.jobs} jobs"
    if 0 < facts.memory < needed:
        detail += f" of {settings.limits.memory_mb} MB each do not fit"
        return Check("machine", State.WARNING, detail, "set `jobs` or `limits.memory_mb` lower")
    return Check("machine", State.OK, detail)


def _engine(settings: Settings) -> tuple[EngineInfo | None, str]:
    try:
        return Engine.connect(settings.engine_socket).info(), ""
    except EngineError as error:
        return None, error.message


def _engine_disk(engine: EngineInfo | None) -> int | None:
    here = engine and Path(engine.root_dir).is_dir()
    return host.disk_free_bytes(Path(engine.root_dir)) if engine and here else None


def _uv() -> host.Program | None:
    try:
        return host.program(uv_binary(), "--version")
    except (ImportError, FileNotFoundError):
        return None
