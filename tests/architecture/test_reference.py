"""The reference pages say what the code does."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from micro_bench import errors, settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES: dict[str, str] = runpy.run_path(str(DOCS / "generate.py"))["pages"]()


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_committed_page_is_what_the_code_says(page: str) -> None:
    assert (DOCS / "reference" / page).read_text(encoding="utf-8") == PAGES[page], (
        "run `make reference`"
    )


def test_every_exit_code_has_a_cause_of_its_own() -> None:
    kinds: list[Any] = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.MicroBenchError)
    ]
    codes = [kind.exit_code for kind in kinds]
    assert len(set(codes)) == len(codes)
    for code in (0, 2, errors.INTERRUPTED, *codes):
        assert f"\n| {code} |" in PAGES["exit-codes.md"]


def test_every_setting_is_documented() -> None:
    for key in settings.fields():
        assert f"| `{key}` |" in PAGES["settings.md"]


def test_every_page_is_generated() -> None:
    found = {path.name for path in (DOCS / "reference").glob("*") if path.name in PAGES}
    assert found == set(PAGES)
