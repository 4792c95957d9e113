"""Groups of commands that do the usual thing where no command is named."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


def defaulting(usual: str) -> type[TyperGroup]:
    """A group in which what is no command is an argument of the usual one."""

    class Defaulting(TyperGroup):
        """With the names of tasks, or nothing, the usual command."""

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """As its parent, with the usual command in the place of what is no command."""
            if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
                args = [usual, *args]
            return super().parse_args(ctx, args)

    return Defaulting
