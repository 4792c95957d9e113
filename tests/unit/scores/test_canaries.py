"""Canaries must not be known before, and not be told apart by their names."""

from __future__ import annotations

from micro_bench import plugins
from micro_bench.languages._recipe import Recipe
from micro_bench.scores import canaries
from micro_bench.scores.canaries import Canaries

TESTS = b"def test_weights_with_commas():\n    pass\n\nclass TestA:\n    def test_b(self): pass\n"


def _made() -> Canaries:
    hidden = {"tests/unit/test_weights.py": TESTS, "tests/x.json": b""}
    tests = ("tests/unit/test_weights.py",)
    return canaries.make(tests, hidden, plugins.load("languages", "python"), Recipe())


def test_they_differ_each_time_and_from_one_another() -> None:
    seen = [_made() for _ in range(200)]
    names = [name for c in seen for name in (c.passing, c.failing, c.first.path, c.last.path)]
    assert len(set(names)) > 790


def test_they_are_made_of_the_words_of_tests_and_lie_beside_them() -> None:
    words = {*canaries.COMMON_WORDS, "test", "weights", "with", "commas", "b"}
    made = _made()
    for name in (made.passing, made.failing):
        assert set(name.split("_")) <= words
    for file in (made.first.path, made.last.path):
        assert file.startswith("tests/unit/test_")
        assert file.endswith(".py")


def test_no_real_test_has_their_name() -> None:
    assert {_made().passing for _ in range(300)}.isdisjoint({"test_weights_with_commas", "test_b"})
