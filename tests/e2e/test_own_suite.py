"""The suite in this repository's own tickets/ and repo_slices/ is what the program makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from micro_bench.demo import content
from micro_bench.pipeline.intake.importing import Source, import_tickets
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.looking import cut_all
from micro_bench.settings import resolve
from micro_bench.tickets.importers._importer import silent

ROOT = Path(__file__).parents[2]
FOLDERS = ("tickets", "repo_slices")


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """A copy of this repository's workspace, and the example's clone."""
    root = tmp_path / "ws"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name)
    schema = root / "docs" / "reference"
    schema.mkdir(parents=True)
    shutil.copy(ROOT / "docs/reference/task.schema.json", schema)
    shutil.copy(ROOT / "micro-bench.yaml", root)
    settings = resolve({"workspace": root, "backend": "local"}, {}, root).settings
    clone = content.repository(tmp_path / "clone")
    return Line(settings, lambda _event: None, {"parcel-labs/parcel": clone})


def _bytes(root: Path) -> dict[str, bytes]:
    files = (path for name in FOLDERS for path in (root / name).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_importing_and_slicing_again_changes_no_byte(line: Line) -> None:
    before = _bytes(line.workspace.root)
    source = Source(str(content.tickets()), line.clones["parcel-labs/parcel"])
    result = import_tickets(line, source, silent)
    assert (len(result.unchanged), result.written) == (12, [])
    cut_all(line, (), ())
    assert _bytes(line.workspace.root) == before


def test_what_a_person_wrote_survives(line: Line) -> None:
    path = line.workspace.spec("parcel-labs/parcel", "parcel-8")
    text = path.read_text(encoding="utf-8")
    edited = "# a note of ours\n" + text.replace(
        "  confidence: high",
        "  human: 4\n  why: it spans the worker's contract\n  confidence: high",
    )
    path.write_text(edited, encoding="utf-8")
    source = Source(str(content.tickets()), line.clones["parcel-labs/parcel"])
    import_tickets(line, source, silent)
    assert path.read_text(encoding="utf-8") == edited
    assert line.specs.task("parcel-8").tier.number == 4


def test_three_tasks_a_tier(line: Line) -> None:
    tiers = [task.tier.number for task in line.specs.tasks()]
    assert tiers == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
