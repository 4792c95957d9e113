"""A new workspace: the folders, commented settings, the editor's schema and the next steps."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from micro_bench import codec, settings
from micro_bench.edge.files import write_atomic
from micro_bench.errors import BadInputError, Mistake
from micro_bench.languages._recipe import Recipe
from micro_bench.model.task import Task
from micro_bench.paths import Workspace

SCHEMA_FILE = "task.schema.json"
RECIPE_SCHEMA_FILE = "recipe.schema.json"
"""The schema's name in a workspace. From a spec it is `../../task.schema.json`."""

_README = """\
# A private benchmark

What happens here is decided by the files in this folder; keep it in version control.

1. `micro-bench doctor` tells what this machine lacks, with the commands that mend it.
2. Import tickets with their fixes: `micro-bench import --help`.
3. Read each draft under `tickets/`: is the instruction fair, do the hidden tests ask for what it
   says? Then set its `status` to `reviewed`.
4. `micro-bench verify` proves every task: the base fails, the fix passes, nothing leaks.
5. `micro-bench run --help` lets agents try, `micro-bench report --help` shows how they did.

| here | what |
|---|---|
| `micro-bench.yaml` | settings; `micro-bench settings` shows those that hold, with their sources |
| `tickets/` | one spec for each task, edited by people |
| `repo_slices/` | what each task needs of its repository: manifests and locks, never source |
| `runs/` | results; not under version control |
| `task.schema.json`, `recipe.schema.json` | let editors complete and check specs and recipes |
"""


def create(root: Path) -> tuple[Path, ...]:
    """Make a workspace and return the files written.

    Raises:
        BadInputError: A file is already there, or where the folder would be; nothing was written.
        StorageError: A file could not be written.

    """
    if root.exists() and not root.is_dir():
        raise BadInputError(f"{root} is a file", next_step="choose another folder")
    space = Workspace(root)
    files = {
        space.settings: settings_text(),
        root / "README.md": _README,
        root / SCHEMA_FILE: codec.json_schema(Task),
        root / RECIPE_SCHEMA_FILE: codec.json_schema(Recipe),
        space.tickets / ".gitkeep": "",
        space.slices / ".gitkeep": "",
        space.runs / ".gitignore": "*\n!.gitignore\n",
    }
    taken = [Mistake(str(path), 0, 0, "", "is already there") for path in files if path.exists()]
    if taken:
        raise BadInputError(
            f"{root} is not empty enough: nothing was written",
            mistakes=taken,
            next_step="choose another folder, or move these files away",
        )
    for path, text in files.items():
        write_atomic(path, text.encode())
    return tuple(files)


def settings_text() -> str:
    """A settings file in which every key stands as a comment with its default."""
    lines = ["# Settings of this workspace. Remove a '#' to change a value.", "schema_version: 1"]
    groups: set[str] = set()
    for key, field in settings.fields().items():
        *group, name = key.split(".")
        if key in {"schema_version", "workspace"}:
            continue
        if not group:
            lines.append("")
        for depth in range(len(group)):
            lines += _group(tuple(group[: depth + 1]), groups)
        value = _yaml(field.get_default(call_default_factory=True))
        lines += [*_comment(field), f"#{'  ' * len(group)}{name}: {value}"]
    return "\n".join(lines) + "\n"


def _group(path: tuple[str, ...], known: set[str]) -> list[str]:
    """The line that begins a group of keys, before the first of them."""
    if ".".join(path) in known:
        return []
    known.add(".".join(path))
    kind: Any = settings.Settings
    for name in path[:-1]:
        kind = kind.model_fields[name].annotation
    space = [""] if len(path) == 1 else []
    indent = "  " * (len(path) - 1)
    return [*space, *_comment(kind.model_fields[path[-1]]), f"#{indent}{path[-1]}:"]


def _comment(field: FieldInfo) -> list[str]:
    return textwrap.wrap(field.description or "", 96, initial_indent="# ", subsequent_indent="# ")


def _yaml(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
