"""Writes the reference pages that come from the code; `make reference` runs it.

A test holds the committed pages to what this script would write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from typer.main import get_command

from micro_bench import codec, errors, plugins, settings
from micro_bench.cli import _app
from micro_bench.edge.files import write_atomic
from micro_bench.languages._recipe import Recipe, TestNames
from micro_bench.model.comparison import NIGHT_CODES
from micro_bench.model.task import Task

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py: change the code, then run `make reference`. -->\n\n"


def pages() -> dict[str, str]:
    """File name -> text."""
    return {
        "commands.md": commands(),
        "exit-codes.md": exit_codes(),
        "settings.md": settings_page(),
        "recipe.md": recipe_page(),
        "findings.md": findings_page(),
        "importers.md": importers_page(),
        "recipe.schema.json": codec.json_schema(Recipe),
        "task.schema.json": codec.json_schema(Task),
    }


def commands() -> str:
    """Every command with its arguments and options."""
    root = get_command(_app.build())
    head = "# Commands\n\nData goes to standard output, everything else to standard error.\n\n"
    body = f"## micro-bench\n\n{_parameters(root)}"
    body += "\nThe options of `micro-bench` itself may stand before or after the command.\n"
    return NOTE + head + body + "".join(_command(root, "micro-bench"))


def exit_codes() -> str:
    """Every exit code with its cause."""
    known: list[type[errors.MicroBenchError]] = [_app.UsageError, *_subclasses(errors)]
    rows = {0: ("", "Done."), errors.INTERRUPTED: ("interrupted", "Ctrl-C. " + _after_ctrl_c())}
    rows |= {kind.exit_code: (kind.title, _first_paragraph(kind.__doc__)) for kind in known}
    rows |= {
        code: (title, f"`nightly`, `gate`: {cause}") for code, title, cause in NIGHT_CODES.values()
    }
    lines = [f"| {code} | {title} | {text} |" for code, (title, text) in sorted(rows.items())]
    head = (
        "# Exit codes\n\nScripts and nightly jobs may branch on them: each cause has its own.\n\n"
        "| code | title in the message | cause |\n|---|---|---|\n"
    )
    return NOTE + head + "\n".join(lines) + "\n"


def settings_page() -> str:
    """Every setting with its default and its variable."""
    head = (
        "# Settings\n\nDefaults < `micro-bench.yaml` < environment < command line. "
        "`micro-bench settings` shows the values that hold, each with its source.\n\n"
        "| key | default | environment | what |\n|---|---|---|---|\n"
    )
    lines = [
        f"| `{key}` | `{_json(field.get_default(call_default_factory=True))}` "
        f"| `{settings.variable(key)}` | {_cell(field.description)} |"
        for key, field in settings.fields().items()
    ]
    return NOTE + head + "\n".join(lines) + "\n"


def recipe_page() -> str:
    """Every key of a recipe with its default."""
    head = (
        "# Recipes\n\n`repo_slices/<owner>__<name>/recipe.yaml` says what holds for a whole "
        "repository; every key may be left out. `micro-bench recipe propose --write` writes what "
        "detection finds into it, as comments; `recipe show` tells what holds and from where, "
        "`recipe check` every mistake at once. Each key but `schema_version` decides results: a "
        "change makes verifications of the repository outdated. "
        "[The guide](../guides/from-ticket-to-report.md#recipes) has an example, "
        "[recipe.schema.json](recipe.schema.json) is for editors.\n\n"
        "| key | default | what |\n|---|---|---|\n"
    )
    return NOTE + head + _keys(Recipe) + "\n## `test_names`\n\n" + _entries(TestNames)


def findings_page() -> str:
    """Every rule that looks at tasks."""
    found = sorted(plugins.discover("tasks.findings").values(), key=lambda rule: rule.CODE)
    head = (
        "# Findings\n\n`micro-bench task lint` and the page of `micro-bench curate` show "
        "what these "
        "rules find in a task. They are deterministic and ask no model. `error` means: unfair or "
        "unfit unless somebody says why not; `warning`: look at it before you accept the task; "
        "`note`: good to know. That no rule has anything to say does **not** make a task fair. "
        "Choose among them with `--select` and `--ignore` or with `findings` in the "
        "[settings](settings.md), which have the thresholds, too.\n\n"
        "TL1: the words. TL2: what hidden tests ask for by its spelling; these need the clone. "
        "TL3: the fix. TL4: how it was executed; these need a verification.\n"
    )
    rules = "".join(f"\n### {one.CODE} {one.NAME}\n\n{one.__doc__} {one.ABOUT}\n" for one in found)
    return NOTE + head + rules


def importers_page() -> str:
    """Every importer with what it reads."""
    head = (
        "# Importers\n\n`micro-bench import SOURCE` finds the importer by what the "
        "source is; `--from NAME` "
        "names it. A record that cannot be read is told with its place and the reason, "
        "and the rest go on. "
        "Trackers that know no code (all but `git`, `github` and `gitlab`) need the "
        "repository: `--clone "
        "PATH` of a clone with a remote says it, or `--repo OWNER/NAME`. Their keys "
        "(`SHOP-12`) are looked "
        "for in titles of commits and pull requests, in names of branches, after closing "
        "keywords and in "
        "smart commits.\n"
    )
    found = plugins.discover("tickets.importers")
    return (
        NOTE
        + head
        + "".join(
            f"\n## {name}\n\n{_paragraphs(module.__doc__)}\n" for name, module in found.items()
        )
    )


def _keys(noun: type[BaseModel]) -> str:
    lines = [
        f"| `{key}` | `{_json(_shown(field.get_default(call_default_factory=True)))}` "
        f"| {_cell(field.description)} |"
        for key, field in noun.model_fields.items()
    ]
    return "\n".join(lines) + "\n"


def _entries(noun: type[BaseModel]) -> str:
    return f"{_paragraphs(noun.__doc__)}\n\n| key | default | what |\n|---|---|---|\n{_keys(noun)}"


def _shown(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _command(group: Any, path: str) -> Iterator[str]:
    for name, command in sorted(getattr(group, "commands", {}).items()):
        if not command.hidden:
            title = f"{path} {name}"
            yield f"\n## {title}\n\n{_paragraphs(command.help)}\n\n{_parameters(command)}"
            yield from _command(command, title)


def _parameters(command: Any) -> str:
    shown = [p for p in command.params if not getattr(p, "hidden", False)]
    rows = [f"| `{_spelling(p)}` | {_cell(getattr(p, 'help', ''))} |" for p in shown]
    return "\n".join(["| parameter | what |", "|---|---|", *rows]) + "\n" if rows else ""


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def _subclasses(module: Any) -> list[type[errors.MicroBenchError]]:
    found = [value for value in vars(module).values() if isinstance(value, type)]
    return [kind for kind in found if issubclass(kind, errors.MicroBenchError)]


def _after_ctrl_c() -> str:
    return "Everything finished is stored; the same command resumes."


def _first_paragraph(text: str | None) -> str:
    return _cell((text or "").split("\n\n")[0])


def _paragraphs(text: str | None) -> str:
    return "\n\n".join(_cell(part) for part in (text or "").split("\n\n"))


def _cell(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip().replace("|", "\\|")


def _json(value: object) -> str:
    return json.dumps(value, default=str)


if __name__ == "__main__":
    for name, text in pages().items():
        write_atomic(REFERENCE / name, text.encode())
