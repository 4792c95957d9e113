"""One line of ours before the tests, their report after them."""

from __future__ import annotations

import json

import pytest

from micro_bench.scores import told as telling
from micro_bench.scores.told import Told


def told(chunks: list[bytes]) -> Told:
    made = Told()
    for chunk in chunks:
        assert made.write(chunk) == len(chunk)
    return made


LINE = json.dumps({"applied": True}).encode()


@pytest.mark.parametrize(
    "chunks",
    [
        [LINE + b"\n<one>\n</one>"],
        [LINE, b"\n", b"<one>\n", b"</one>"],
        [LINE[:5], LINE[5:] + b"\n<one>\n<", b"/one>"],
        [bytes([byte]) for byte in LINE + b"\n<one>\n</one>"],
    ],
)
def test_the_first_line_is_ours_and_the_rest_the_report(chunks: list[bytes]):
    made = told(chunks)
    assert made.prepared() == {"applied": True}
    assert made.report() == b"<one>\n</one>"


@pytest.mark.parametrize("chunks", [[], [b""], [LINE], [b"Traceback\n"], [b"[1]\n"], [b"\n"]])
def test_no_line_is_no_answer(chunks: list[bytes]):
    assert told(chunks).prepared() is None


def test_the_last_words_tell_why():
    assert told([b"Traceback\n", b"  MemoryError"]).tail() == b"Traceback  MemoryError"


def test_half_a_report_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "REPORT_LIMIT", 10)
    assert told([LINE + b"\n" + b"x" * 10]).report() == b"x" * 10
    made = told([LINE + b"\n" + b"x" * 7, b"y" * 7, *[b"z"] * 100])
    assert made.report() == b""
    assert b"z" not in made.tail()


def test_a_line_without_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "LINE_LIMIT", 10)
    made = told([b"x" * 8] * 5)
    assert made.prepared() is None
    assert len(made.head) <= 24


def test_a_line_nested_without_end_is_no_answer():
    made = told([b"[" * 100_000 + b"\n"])
    assert made.prepared() is None
