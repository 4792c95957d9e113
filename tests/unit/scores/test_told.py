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


FRAMES = b'S 3\nabcC 7\n["x/y"]S 2\ndeR 10\n<one>\n</o>S 0\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_first_line_is_ours_and_frames_follow(size: int):
    whole = LINE + b"\n" + FRAMES
    made = told([whole[at : at + size] for at in range(0, len(whole), size)])
    assert made.prepared() == {"applied": True}
    assert made.report() == b"<one>\n</o>"
    assert made.stream() == b"abcde"
    assert made.changed() == ("x/y",)


def test_frames_of_a_second_command_count_alone():
    made = told([LINE + b"\n" + FRAMES])
    made.forget()
    made.write(b"R 2\nhi")
    assert (made.report(), made.stream(), made.changed()) == (b"hi", b"", ())


@pytest.mark.parametrize("odd", [b"Traceback (most recent", b"X 3\nabc", b"R x\n", b"R" * 40])
def test_what_is_no_frame_is_the_last_word(odd: bytes):
    made = told([LINE + b"\nS 1\na", odd, b"\nR 3\nend"])
    assert made.report() == b""
    assert made.stream() == b"a"
    assert odd[:8] in made.tail()


@pytest.mark.parametrize("chunks", [[], [b""], [LINE], [b"Traceback\n"], [b"[1]\n"], [b"\n"]])
def test_no_line_is_no_answer(chunks: list[bytes]):
    assert told(chunks).prepared() is None


def test_the_last_words_tell_why():
    assert told([b"Traceback\n", b"  MemoryError"]).tail() == b"Traceback  MemoryError"


def test_half_a_report_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "REPORT_LIMIT", 10)
    assert told([LINE + b"\nR 10\n" + b"x" * 10]).report() == b"x" * 10
    made = told([LINE + b"\nR 114\n" + b"x" * 7, b"y" * 7, *[b"z"] * 100])
    assert (made.report(), made.problem()) == (b"", "the test report is larger than 0 MiB")
    assert b"z" not in made.tail()


def test_a_stream_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "STREAM_LIMIT", 10)
    made = told([LINE + b"\n", *[b"S 4\nabcd"] * 5, b"R 1\nx"])
    assert (made.stream(), made.report()) == (None, b"x")


def test_a_line_without_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "LINE_LIMIT", 10)
    made = told([b"x" * 8] * 5)
    assert made.prepared() is None
    assert len(made.head) <= 24


def test_a_line_nested_without_end_is_no_answer():
    made = told([b"[" * 100_000 + b"\n"])
    assert made.prepared() is None
