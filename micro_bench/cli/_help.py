"""The first page of help: commands in the order of the work, in named groups."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

GROUPS: dict[str, tuple[str, ...]] = {
    "Begin": ("demo", "assess", "init", "doctor", "settings"),
    "Tickets and tasks": ("import", "task", "curate", "suite"),
    "Verify": ("recipe", "slice", "image", "verify"),
    "Run": ("agents", "run", "score"),
    "Look": ("runs", "report", "view", "attempt", "compare", "review", "bundle", "reproduce"),
    "Night after night": ("nightly", "baseline", "gate", "ci"),
    "For coding agents": ("skill",),
}
REST = "More"
"""Where a command stands that no group names."""

EPILOG = (
    "Without a checkout: `uvx --from SOURCE micro-bench demo --quick`, or "
    "`pipx run --spec SOURCE micro-bench demo --quick`, where SOURCE is a wheel, a folder with "
    "the project, or git+https://ADDRESS."
)


class Grouped(TyperGroup):
    """The root command."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as its parent
        """One section a group."""
        named = [name for names in GROUPS.values() for name in names]
        rest = tuple(name for name in self.commands if name not in named)
        widest = max(map(len, self.commands), default=0)
        for title, names in {**GROUPS, REST: rest}.items():
            found = [(name, self.commands[name]) for name in names if name in self.commands]
            rows = [
                (name.ljust(widest), command.get_short_help_str(formatter.width - widest - 6))
                for name, command in found
                if not command.hidden
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
