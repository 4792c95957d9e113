"""Every importer against its contract and its cases.

A case is a directory `tests/cases/importers/<importer>/<case>/` with an `input` (a directory)
and the `expected.json` that reading it gives.
"""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import pytest

from micro_bench.errors import MicroBenchError, NotFoundError
from micro_bench.model.ticket import Export
from micro_bench.pipeline.intake.reading import Clones
from micro_bench.plugins import discover, load
from micro_bench.tickets.importers._importer import ImportContext
from micro_bench.tickets.sources import find_importer

CASES = Path(__file__).parent.parent / "cases" / "importers"
IMPORTERS = discover("tickets.importers")
KNOW_CODE = {"git", "github", "gitlab"}


def cases() -> list[Path]:
    return sorted(path.parent for path in CASES.glob("*/*/input"))


def read(case: Path) -> Export:
    # Trackers that know no code are told which repository their tickets are about.
    told = None if case.parent.name in KNOW_CODE else "shop/parcel"
    return load("tickets.importers", case.parent.name).read(str(case / "input"), context(told))


def context(repo: str | None = None) -> ImportContext:
    return ImportContext(clone=Clones(), repo=repo)


def test_every_importer_has_cases_and_every_case_an_importer() -> None:
    assert {case.parent.name for case in cases()} == set(IMPORTERS)


@pytest.mark.parametrize("name", IMPORTERS)
def test_an_importer_keeps_the_contract(name: str) -> None:
    importer = IMPORTERS[name]
    assert name == importer.NAME
    assert list(inspect.signature(importer.recognises).parameters) == ["source"]
    assert list(inspect.signature(importer.read).parameters) == ["source", "context"]


@pytest.mark.parametrize("name", IMPORTERS)
def test_an_importer_does_not_claim_what_is_not_its_own(name: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "data.json").write_text('{"a": [1, "b", {"c": null}]}')
    (tmp_path / "bytes.json").write_bytes(bytes(range(256)))
    sources = ["", "nothing", "/does/not/exist", "ftp://x", str(tmp_path), str(tmp_path / "x")]
    for source in [*sources, str(tmp_path / "bytes.json"), str(tmp_path / "notes.txt")]:
        assert IMPORTERS[name].recognises(source) is False


@pytest.mark.parametrize("name", IMPORTERS)
def test_an_importer_refuses_with_an_error_that_can_be_acted_on(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        IMPORTERS[name].read(str(tmp_path / "absent"), context())
    with pytest.raises(MicroBenchError) as caught:
        IMPORTERS[name].read(str(tmp_path), context())
    assert caught.value.next_step


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_case_reads_as_expected(case: Path) -> None:
    export = read(case)
    file = case / "expected.json"
    expected = file.read_text(encoding="utf-8") if file.exists() else ""
    if os.environ.get("RECORD_CASES"):
        expected = export.model_dump_json(indent=2) + "\n"
        (case / "expected.json").write_text(expected, encoding="utf-8")
    assert export.model_dump_json(indent=2) + "\n" == expected
    assert export == Export.model_validate_json(expected)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_case_is_recognised_by_its_own_importer_alone(case: Path) -> None:
    assert case.parent.name == find_importer(str(case / "input")).NAME


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}-{case.name}")
def test_reading_twice_gives_the_same(case: Path) -> None:
    assert read(case).content_digest() == read(case).content_digest()
