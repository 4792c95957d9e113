"""The bundled example through the whole line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from micro_bench import starter
from micro_bench.demo import content
from micro_bench.paths import Workspace
from micro_bench.pipeline.commands import RunOptions, run_command
from micro_bench.pipeline.importing import Source, import_tickets
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.verifying import verify_all
from micro_bench.settings import Settings
from micro_bench.tickets.importers._importer import silent

Advance = Callable[[str], None]
REPO = "parcel-labs/parcel"


@dataclass(frozen=True)
class Demo:
    """Where the demo works; None for its own place in the cache."""

    folder: Path | None = None


def run_demo(line: Line, demo: Demo, advance: Advance) -> tuple[str, Path]:
    """Import, verify, run four recorded agents, report. Returns the table and the HTML page."""
    root = demo.folder or line.settings.cache_dir / "demo"
    if not Workspace(root).settings.exists():
        starter.create(root)
    settings = Settings.model_validate({**dict(line.settings), "workspace": root})
    here = replace(line, settings=settings)
    clone = content.repository(root / "clone")
    line.tell(f"workspace: {root}")
    line.tell(f"sandbox: {here.backend.isolation()}")
    imported = import_tickets(here, Source(str(content.tickets()), clone), silent)
    line.tell(f"{imported.funnel.total} tickets -> {len(imported.funnel.drafted)} tasks")
    for one in imported.rejected:
        line.tell(f"  #{one.ticket} gives none: {one.reason}: {one.detail}")
    verify_all(here, (), (), advance)
    specs = tuple(f"{name}=replay:{path}" for name, path in content.agents().items())
    ran = run_command(here, RunOptions(specs, new=True, demo=True), advance)
    return ran.table, ran.files["html"]
