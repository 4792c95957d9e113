"""Agents as given on the command line or in a file -> checked references with what they need."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from jinja2 import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from micro_bench import plugins
from micro_bench.attempts.toolboxes.shelf import Kept
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.attempt import AgentRef
from micro_bench.model.task import Task
from micro_bench.paths import name_mistake, slug

ROOM = "attempts.agents"
FILES_LIMIT = 64 * 2**20
FORM = re.compile(
    r"(?:(?P<name>[^=:,]+)=)?(?P<kind>[A-Za-z0-9._-]+)(?P<extras>,[^:]*)?(?::(?P<tail>.*))?",
    re.DOTALL,
)
VARIABLE_LIMIT = 100_000
"""Bytes of an environment variable: no system takes one of any length (Linux: 128 KiB)."""


@dataclass(frozen=True)
class Chosen:
    """One agent of a run."""

    ref: AgentRef
    plugin: ModuleType
    recordings: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    config: Mapping[str, bytes] = field(default_factory=dict)
    """The team's own configuration: path in their folder -> content."""
    template: str = ""
    """Of the instruction; empty for the program's own."""
    toolbox: Kept | None = None
    """The program, for agents that are installed; found when a run begins."""

    @property
    def asks(self) -> bool:
        """Whether it asks a model, through the gateway."""
        named = self.plugin.TOOLBOX is not None or "model" in self.ref.options
        return bool(self.plugin.WIRES) and named

    def recording(self, task: Task, number: int) -> bytes:
        """The recorded patch of an attempt; a missing number falls back to the one before.

        Raises:
            NotFoundError: There is no recording for this task.
        """
        assert self.recordings is not None  # noqa: S101 - only asked of agents that have some
        for name in (task.id, str(task.ticket.number)):
            folder = self.recordings / name
            stored = [p for p in folder.glob("*.patch") if p.stem.isdigit()]
            fitting = [p for p in stored if int(p.stem) <= number] or stored
            if fitting:
                return max(fitting, key=lambda p: int(p.stem)).read_bytes()
        raise NotFoundError(f"{self.ref.name} has no recording for {task.id} in {self.recordings}")


def parse(texts: Sequence[str], network: str) -> tuple[Chosen, ...]:
    """Read `--agent` values.

    Forms: `oracle`, `noop`, `NAME=replay:FOLDER`, `NAME=command:COMMAND LINE`, and for agents that
    are installed `KIND[:key=value,...]` or `NAME=KIND[:key=value,...]`; a value with a comma stands
    in double quotes. Options of `command` stand before the colon:
    `NAME=command,version=1.2,env=API_KEY+ORG,files=DIR,network=bridge:...`; the command line behind
    it is taken as it is.

    Raises:
        BadInputError: With every mistake of every agent.
    """
    chosen, mistakes = list[Chosen](), list[str]()
    for text in texts:
        try:
            found = _one(text, network)
        except BadInputError as error:
            mistakes.append(error.message)
            continue
        wrong = found.plugin.mistakes(found.ref.options)
        mistakes += [f"--agent {text}: {problem}" for problem in wrong]
        chosen.append(found)
    names = [agent.ref.name for agent in chosen]
    mistakes += [f"two agents are called {n}" for n in sorted(set(names)) if names.count(n) > 1]
    if mistakes:
        raise BadInputError("\n".join(mistakes), next_step="see `micro-bench run --help`")
    return tuple(chosen)


def _one(text: str, network: str) -> Chosen:
    form = FORM.fullmatch(text)
    if form is None:
        raise BadInputError(f"--agent {text[:200]}: neither KIND, KIND:OPTIONS nor NAME=KIND:...")
    name, kind, tail = form["name"], form["kind"], form["tail"]
    extras = [extra for extra in (form["extras"] or "").split(",") if extra.strip()]
    try:
        plugin = plugins.load(ROOM, kind)
    except NotFoundError:
        known = ", ".join(plugins.discover(ROOM))
        raise BadInputError(f"--agent {text}: there is no such agent ({known})") from None
    options = dict(_option(text, extra) for extra in extras)
    if plugin.TOOLBOX is not None:
        options |= dict(_option(text, extra) for extra in _words(tail or ""))
    elif kind == "command":
        options = {"command": tail or "", "network": network, **options}
    elif kind == "replay":
        options["directory"] = tail or ""
    elif tail is not None or extras:
        raise BadInputError(f"--agent {text}: {kind} takes no options")
    label = slug(name or ".".join([kind, *([options["model"]] if options.get("model") else [])]))
    if wrong := name_mistake(label):
        raise BadInputError(f"--agent {text[:200]}: the name {label!r} {wrong}")
    return _ready(label, kind, plugin, options)


def _words(tail: str) -> list[str]:
    """What stands between commas; a comma within double quotes is none."""
    found, word, quoted = list[str](), "", False
    for letter in tail:
        if letter == '"':
            quoted = not quoted
        elif letter == "," and not quoted:
            found.append(word)
            word = ""
        else:
            word += letter
    return [one for one in (*found, word) if one.strip()]


def _option(text: str, extra: str) -> tuple[str, str]:
    key, equals, value = extra.partition("=")
    if not equals:
        raise BadInputError(f"--agent {text}: {extra!r} is not key=value")
    return key.strip(), value.strip()


def _ready(name: str, kind: str, plugin: ModuleType, options: dict[str, str]) -> Chosen:
    recordings = None
    if plugin.NEEDS == "recording" and options.get("directory"):
        recordings = Path(options["directory"])
        if not recordings.is_dir():
            raise BadInputError(f"agent {name}: there is no folder {recordings}")
        patches = sorted(recordings.glob("*/*.patch"))
        options["digest"] = _digest((p.relative_to(recordings), p.read_bytes()) for p in patches)
        options["directory"] = recordings.name
    files: dict[str, bytes] = {}
    if options.get("files"):
        files = _files(name, Path(options["files"]))
        options["files"] = f"{Path(options['files']).name} sha256:{_digest(files.items())[:12]}"
    config, template = _config(name, options), _template(name, options)
    ref = AgentRef(name=name, kind=kind, version=plugin.version(options), options=options)
    secrets = _secrets(name, options.get("env", ""))
    return Chosen(ref, plugin, recordings, secrets, files, config, template)


def _config(name: str, options: dict[str, str]) -> dict[str, bytes]:
    """The team's folder, named in the options by its digest; its MCP servers are checked here."""
    if not options.get("config"):
        return {}
    folder = Path(options["config"])
    found = _files(name, folder)
    if "mcp.json" in found:
        for wrong in _wrong_servers(found["mcp.json"]):
            raise BadInputError(f"agent {name}: {folder / 'mcp.json'}: {wrong}")
    options["config"] = f"{folder.resolve().name} sha256:{_digest(found.items())[:12]}"
    return found


def _template(name: str, options: dict[str, str]) -> str:
    """The lead's own words around a task, named in the options by their digest."""
    if not options.get("prompt"):
        return ""
    file = Path(options["prompt"])
    try:
        text = file.read_text(encoding="utf-8")
        SandboxedEnvironment().parse(text)
    except (OSError, UnicodeError) as error:
        raise BadInputError(f"agent {name}: prompt: {error}") from None
    except TemplateSyntaxError as error:
        raise BadInputError(f"agent {name}: {file}:{error.lineno}: {error.message}") from None
    options["prompt"] = f"{file.name} sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return text


def _wrong_servers(content: bytes) -> Iterable[str]:
    """What keeps a file from being what agents take: `{"mcpServers": {NAME: {"command": ...}}}`."""
    try:
        servers = json.loads(content)["mcpServers"]
    except (ValueError, KeyError, TypeError) as error:
        yield f'it is no JSON object with "mcpServers": {error}'
        return
    if not isinstance(servers, dict):
        yield '"mcpServers" is no object'
        return
    for name, server in servers.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            yield f"the name {name!r} is none of letters, digits, `_` and `-`"
        elif not isinstance(server, dict) or not isinstance(server.get("command"), str):
            yield f"{name} has no `command`: only servers that are started in the sandbox will do"
        elif not all(isinstance(a, str) for a in server.get("args", [])):
            yield f"{name}: `args` is no list of texts"
        elif not all(isinstance(v, str) for v in dict(server.get("env", {})).values()):
            yield f"{name}: `env` does not map names to texts"


def _digest(items: Iterable[tuple[object, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, content in items:
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _files(name: str, folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise BadInputError(f"agent {name}: there is no folder {folder}")
    found, total = {}, 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total += path.stat().st_size
        if total > FILES_LIMIT:
            raise BadInputError(f"agent {name}: {folder} holds more than {FILES_LIMIT} bytes")
        found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def _secrets(name: str, variables: str) -> dict[str, str]:
    """Values of the named variables; their names are all that is ever written down."""
    wanted = [word for word in variables.replace("+", " ").split() if word]
    missing = [word for word in wanted if word not in os.environ]
    if missing:
        raise BadInputError(f"agent {name}: the environment lacks {', '.join(missing)}")
    long = [word for word in wanted if len(os.fsencode(os.environ[word])) > VARIABLE_LIMIT]
    if long:
        raise BadInputError(
            f"agent {name}: longer than {VARIABLE_LIMIT} bytes: {', '.join(long)}",
            next_step="hand it in as a file: files=FOLDER",
        )
    return {word: os.environ[word] for word in wanted}
