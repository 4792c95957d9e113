"""The tests' output is split off the one line that is ours."""

from __future__ import annotations

import io
import json

import pytest

from micro_bench.scores import grade
from micro_bench.scores.grade import _Split


def split(chunks: list[bytes]) -> tuple[_Split, bytes]:
    rest = io.BytesIO()
    made = _Split(rest)
    for chunk in chunks:
        assert made.write(chunk) == len(chunk)
    return made, rest.getvalue()


LINE = json.dumps({"applied": True}).encode()


@pytest.mark.parametrize(
    "chunks",
    [
        [LINE + b"\none\ntwo\n"],
        [LINE, b"\n", b"one\n", b"two\n"],
        [LINE[:5], LINE[5:] + b"\none\nt", b"wo\n"],
        [bytes([byte]) for byte in LINE + b"\none\ntwo\n"],
    ],
)
def test_the_first_line_is_ours_and_the_rest_the_tests(chunks: list[bytes]):
    made, rest = split(chunks)
    assert made.prepared() == {"applied": True}
    assert rest == b"one\ntwo\n"


@pytest.mark.parametrize("chunks", [[], [b""], [LINE], [b"Traceback\n"], [b"[1]\n"], [b"\n"]])
def test_no_line_is_no_answer(chunks: list[bytes]):
    assert split(chunks)[0].prepared() is None


def test_the_rest_is_cut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(grade, "OUTPUT_LIMIT", 10)
    assert split([LINE + b"\n" + b"x" * 7, b"y" * 7, b"z"])[1] == b"x" * 7 + b"y" * 3


def test_a_line_without_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(grade, "LINE_LIMIT", 10)
    made, _rest = split([b"x" * 8] * 5)
    assert made.prepared() is None
    assert len(made.head) <= 24
