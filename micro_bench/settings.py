"""Settings: defaults < `micro-bench.yaml` < environment < command line, each value with its source.

A bad value is reported wherever it stands, all of them at once, also where a stronger source
overrides it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.fields import FieldInfo

from micro_bench import codec
from micro_bench.codec import Document
from micro_bench.edge import host
from micro_bench.errors import BadInputError, Mistake, NotFoundError
from micro_bench.model.base import Noun
from micro_bench.model.finding import FindingSettings
from micro_bench.model.provider import GatewaySettings
from micro_bench.model.rates import CostRates, Targets
from micro_bench.model.task import Limits
from micro_bench.paths import SETTINGS_FILE
from micro_bench.plurals import count

PREFIX = "MICRO_BENCH_"
FOREIGN = "MICRO_BENCH_TEST_"
"""Variables with this prefix belong to the test suite."""


class Settings(Noun):
    """How micro-bench works in one workspace."""

    model_config = ConfigDict(validate_default=False)  # a default path is no JSON value

    schema_version: Literal[1] = 1
    """Of the settings file."""
    workspace: Path = Path()
    """The team's folder. Default: the nearest folder upward that has a `micro-bench.yaml`, else the
    current one. Not a key of the file itself."""
    jobs: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many sandboxes work at a time. Default: one for each CPU."""
    backend: Literal["auto", "docker", "local"] = "auto"
    """Where attempts run: `docker`, `local` (no engine needed), or `auto`: docker if it answers."""
    engine_socket: str | None = None
    """The container engine's address, such as `unix:///run/podman/podman.sock`. Default: the usual
    places, `DOCKER_HOST` first."""
    engine_install: bool = True
    """Whether a missing engine may be installed (as root, on Debian and its like)."""
    allow_unsandboxed: bool = False
    """Whether agents may run as plain processes, where neither an engine nor bubblewrap works."""
    agent_network: Literal["none", "bridge"] = "none"
    """The network an agent's sandbox has. Grading never has one."""
    use_registry: bool = True
    """Pull base images from a registry where one answers; else they are built from packages."""
    base_images: dict[str, str] = {
        "3.8": "ubuntu:focal", "3.9": "debian:bullseye", "3.10": "ubuntu:jammy",
        "3.11": "debian:bookworm", "3.12": "ubuntu:noble", "3.13": "debian:trixie",
        "3.14": "debian:forky",
    }  # fmt: skip
    """Python version -> what provides it where no registry answers: a suite of `debian:` or
    `ubuntu:`, or an image that the engine already has."""
    registry: str | None = None
    """Where `image push` sends images: `registry.example.org/team`. A password is kept by `docker
    login`, never here."""
    undated_packages: Literal["allow", "forbid"] = "allow"
    """Whether an environment may hold packages whose index gives no upload times. They are those of
    the day of the lock and not of the base commit; allowed ones are named wherever the task is
    shown."""
    late_packages: Literal["allow", "forbid"] = "allow"
    """Whether an environment may hold a package that is newer than the base commit because nothing
    older fits; allowed ones are named wherever the task is shown."""
    cache_dir: Path = Path("~/.cache/micro-bench")
    """Clones, wheels and locks that can be fetched again."""
    github_api: Annotated[str, Field(pattern=r"^https?://")] = "https://api.github.com"
    """The GitHub API, or that of your own GitHub Enterprise server."""
    github_token_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "GITHUB_TOKEN"
    """Name of the environment variable that holds the token. The token itself is never stored."""
    k: Annotated[int, Field(ge=1, le=1000)] = 3
    """Attempts for each task and agent."""
    repetitions: Annotated[int, Field(ge=1, le=100)] = 3
    """How often a verification runs each test, to find the flaky ones."""
    load_check: bool = True
    """Whether a verification also runs the tests once on busy CPUs, to leave out those that depend
    on how fast it goes. It costs two executions at about a quarter of the speed."""
    limits: Limits = Limits()
    """What one attempt may use, in tasks drafted from now on."""
    findings: FindingSettings = FindingSettings()
    """Which rules look at tasks."""
    gateway: GatewaySettings = GatewaySettings()
    """How attempts reach models."""
    costs: CostRates = CostRates()
    """What things cost, and how costs are told."""
    targets: Targets = Targets()
    """What the team wants of an agent."""
    use_cases: dict[str, tuple[str, ...]] = {
        "bug fix": ("bug", "defect", "regression"),
        "feature": ("feature", "enhancement", "story"),
        "refactoring": ("refactor", "refactoring", "tech-debt"),
        "performance": ("performance",),
        "documentation": ("docs", "documentation"),
    }
    """Use case -> labels of tickets by which reports are split; a label also counts where it is a
    word of a longer one, as in `kind: bug`."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """How much is told on standard error."""


@dataclass(frozen=True)
class Resolved:
    """The settings and where each value was read."""

    settings: Settings
    sources: Mapping[str, str]
    """Dotted key -> `default`, `file <path>:<line>`, `env <NAME>` or `option --<name>`."""

    def rows(self) -> Iterator[tuple[str, Any, str]]:
        """Key, value and source, in the order of the model. No secrets."""
        dumped = self.settings.model_dump(mode="json")
        for key in fields():
            yield key, _redacted(_pick(dumped, key)), self.sources[key]


def fields(kind: type[Noun] = Settings, prefix: str = "") -> dict[str, FieldInfo]:
    """Every key, dotted: `jobs`, `limits.cpus`."""
    found: dict[str, FieldInfo] = {}
    for name, field in kind.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Noun):
            found |= fields(annotation, f"{prefix}{name}.")
        else:
            found[prefix + name] = field
    return found


def variable(key: str) -> str:
    """The environment variable of a key: `limits.cpus` -> `MICRO_BENCH_LIMITS_CPUS`."""
    return PREFIX + key.replace(".", "_").upper()


def resolve(options: Mapping[str, object], environ: Mapping[str, str], current: Path) -> Resolved:
    """The settings that hold for a command.

    Args:
        options: Dotted key -> value from the command line; None means not given.
        environ: The environment.
        current: The directory to look upward from.

    Raises:
        BadInputError: With the bad values of all sources.
        NotFoundError: The workspace that was named does not exist.

    """
    layers = [_host_layer(environ), _file_layer(), _environment_layer(environ)]
    layers.append(_option_layer({key: v for key, v in options.items() if v is not None}))
    named = layers[3].values.get("workspace", layers[2].values.get("workspace"))
    root, source = _workspace(named, current)
    layers[1] = _file_layer(root / SETTINGS_FILE)
    mistakes = [mistake for layer in layers for mistake in layer.mistakes]
    if mistakes:
        raise BadInputError(count(len(mistakes), "bad setting"), mistakes=mistakes)
    values = {key: value for layer in layers for key, value in layer.values.items()}
    sources = dict.fromkeys(fields(), "default") | {
        key: origin for layer in layers for key, origin in layer.sources.items()
    }
    values |= {"workspace": str(root), "cache_dir": _absolute(values["cache_dir"], environ, root)}
    sources["workspace"] = sources["workspace"] if named else source
    return Resolved(_settings(values), sources)


def find_workspace(current: Path) -> Path | None:
    """The nearest directory upward with a settings file."""
    return next((d for d in (current, *current.parents) if (d / SETTINGS_FILE).is_file()), None)


@dataclass(frozen=True)
class _Layer:
    """The values of one source, by dotted key."""

    values: Mapping[str, Any]
    sources: Mapping[str, str]
    mistakes: tuple[Mistake, ...] = ()


def _workspace(named: object, current: Path) -> tuple[Path, str]:
    if named is not None:
        root = current / Path(str(named)).expanduser()
        if not root.is_dir():
            raise NotFoundError(
                f"there is no workspace {root}", next_step=f"micro-bench init {root}"
            )
        return root.resolve(), ""
    found = find_workspace(current)
    return (found, f"file {found / SETTINGS_FILE}") if found else (current, "default")


def _absolute(path: str, environ: Mapping[str, str], root: Path) -> str:
    home = environ.get("HOME") or str(Path.home())
    return str(root / re.sub(r"^~(?=/|$)", lambda _: home, path))


def _host_layer(environ: Mapping[str, str]) -> _Layer:
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    values = {"jobs": host.cpus(), "cache_dir": f"{cache}/micro-bench"}
    return _Layer(values, dict.fromkeys(values, "default"))


def _file_layer(path: Path | None = None) -> _Layer:
    text = path.read_text("utf-8", "replace") if path and path.is_file() else ""
    if path is None or not re.sub(r"(?m)^\s*#.*$", "", text).strip():
        return _Layer({}, {})
    document = codec.read(path.read_bytes(), str(path))
    values = dict(_flat(document.data))
    mistakes = _mistakes(document)
    if isinstance(document.data, dict) and "workspace" in document.data:
        line = document.place(("workspace",)).line
        message = "the workspace is the folder of this file"
        mistakes = (*mistakes, Mistake(str(path), line, 1, "workspace", message, "remove it"))
    lines = {key: document.place(tuple(key.split("."))).line for key in values}
    return _Layer(values, {key: f"file {path}:{line}" for key, line in lines.items()}, mistakes)


def _environment_layer(environ: Mapping[str, str]) -> _Layer:
    names = {variable(key): key for key in fields()}
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for name in sorted(n for n in environ if n.startswith(PREFIX) and not n.startswith(FOREIGN)):
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else ""
            mistakes.append(Mistake(f"env {name}", 0, 0, "", "there is no such setting", hint))
            continue
        values[names[name]] = value = _parsed(environ[name], names[name])
        found = _mistakes(Document("", _nested({names[name]: value})))
        mistakes += [replace(m, file=f"env {name}", path="") for m in found]
    return _Layer(values, {key: f"env {variable(key)}" for key in values}, tuple(mistakes))


def _option_layer(options: Mapping[str, object]) -> _Layer:
    values = {k: str(v) if isinstance(v, Path) else v for k, v in options.items()}
    names = {key: f"option --{key.replace('_', '-').replace('.', '-')}" for key in values}
    mistakes = [
        replace(mistake, file=names[key], path="")
        for key, value in values.items()
        for mistake in _mistakes(Document("", _nested({key: value})))
    ]
    return _Layer(values, names, tuple(mistakes))


def _parsed(text: str, key: str) -> object:
    """The value of a variable: text where the setting is text, else as YAML would read it."""
    if fields()[key].annotation in {str, Path, str | None}:
        return text or None
    try:
        return codec.read(text, variable(key)).data
    except BadInputError:
        return text


def _mistakes(document: Document) -> tuple[Mistake, ...]:
    try:
        codec.valid(document, Settings)
    except BadInputError as error:
        return error.mistakes
    return ()


def _settings(values: Mapping[str, Any]) -> Settings:
    return Settings.model_validate_json(json.dumps(_nested(values)))


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"limits.cpus": 2}` -> `{"limits": {"cpus": 2}}`."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *groups, name = key.split(".")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[name] = value
    return tree


def _flat(data: object) -> Iterator[tuple[str, Any]]:
    for key in fields():
        part: Any = data
        for name in key.split("."):
            if not isinstance(part, dict) or name not in part:
                break
            part = part[name]
        else:
            yield key, part


def _pick(data: Any, key: str) -> Any:
    for name in key.split("."):
        data = data[name]
    return data


def _redacted(value: Any) -> Any:
    """Without the password of an address."""
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", value) if isinstance(value, str) else value
