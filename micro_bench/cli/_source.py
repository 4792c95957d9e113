"""Options that say where tickets come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Tickets = Annotated[
    str, typer.Argument(help="A clone, an export (file or folder), or github:OWNER/NAME.")
]
Clone = Annotated[
    Path | None,
    typer.Option("--clone", help="The local clone. [default: the source, or as remembered]"),
]
Repo = Annotated[
    str | None, typer.Option("--repo", help="OWNER/NAME, if the source does not say it.")
]
From = Annotated[str | None, typer.Option("--from", help="The importer. [default: recognised]")]
Branch = Annotated[
    str | None, typer.Option("--branch", help="Where fixes are. [default: the clone's own]")
]
Only = Annotated[
    list[str] | None, typer.Option("--only", help="Only these tickets, by number or name.")
]
Newest = Annotated[
    int | None, typer.Option("--newest", min=1, help="Only so many, the last ones closed.")
]
