"""Canaries must not be known before, and not be told apart by their names."""

from __future__ import annotations

from types import SimpleNamespace

from micro_bench import plugins
from micro_bench.scores import grade

TESTS = b"def test_weights_with_commas():\n    pass\n\nclass TestA:\n    def test_b(self): pass\n"


def _made() -> grade._Canaries:
    hidden = grade.Hidden(
        {"tests/unit/test_weights.py": (0o100644, TESTS), "tests/x.json": (0, b"")}
    )
    job = SimpleNamespace(
        tests=("tests/unit/test_weights.py",),
        hidden=hidden,
        language=plugins.load("languages", "python"),
    )
    return grade._canaries(job)  # type: ignore[arg-type]


def test_they_differ_each_time_and_from_one_another() -> None:
    seen = [_made() for _ in range(200)]
    names = [name for c in seen for name in (c.passing, c.failing, c.first, c.last)]
    assert len(set(names)) > 790


def test_they_are_made_of_the_words_of_tests_and_lie_beside_them() -> None:
    words = {*grade.COMMON_WORDS, "test", "weights", "with", "commas", "b"}
    made = _made()
    for name in (made.passing, made.failing):
        assert set(name.split("_")) <= words
    for file in (made.first, made.last):
        assert file.startswith("tests/unit/test_")
        assert file.endswith(".py")


def test_no_real_test_has_their_name() -> None:
    assert {_made().passing for _ in range(300)}.isdisjoint({"test_weights_with_commas", "test_b"})
