"""Altered tests: what passes the original must fail them, and they must look like it."""

from __future__ import annotations

import ast
import random
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.altering.literals import changed
from micro_bench.model.execution import Alteration, Altered
from micro_bench.scores.twins import edited

HEAD = "import pytest\nfrom code import f\n\n\n"


def forms(text: str, seed: int = 1) -> list[tuple[Altered, str]]:
    """How, and the test as it is then, without what is above."""
    whole = (HEAD + dedent(text)).encode()
    found = python.alterations("tests/test_a.py", whole, Recipe(), seed)
    return [(one.how, edited(whole, one.edits).decode().removeprefix(HEAD)) for one in found]


def values(text: str) -> set[str]:
    return {after for seed in range(30) for how, after in forms(text, seed) if how == "value"}


@pytest.mark.parametrize(
    ("asserted", "shape"),
    [
        ("f(1) == 3", r"f(1) == {d}"),
        ("3 == f(1)", r"{d} == f(1)"),
        ("f(1) == 'one'", r"f(1) == '{www}'"),
        ("f(1) == b'one'", r"f(1) == b'{www}'"),
        ("f(1) == [1]", r"f(1) == [{d}]"),
        ("f(1) == {'a': 1}", r"f(1) == {'a': {d}}"),
        ("f(1) == -3", r"f(1) == -{d}"),
        ("f(1) == 2.5", r"f(1) == {d}.5"),
        ("f(1) is True", r"f(1) is False"),
        ("f(1) == pytest.approx(2.5, abs=0.1)", r"f(1) == pytest.approx({d}.5, abs=0.1)"),
        ("f(2) and f(1) == 3", r"f(2) and f(1) == {d}"),
        ("f(1)[0] == f(2)[0] == 3", r"f(1)[0] == f(2)[0] == {d}"),
        ("'four' in f(4)", r"'{wwww}' in f(4)"),
    ],
)
def test_only_the_expected_value_changes_and_keeps_its_form(asserted: str, shape: str):
    found = values(f"def test_a():\n    assert {asserted}\n")
    assert found
    for after in found:
        line = after.split("assert ")[1].strip()
        wanted = shape.replace("{d}", "#").replace("{wwww}", "@@@@").replace("{www}", "@@@")
        assert len(line) == len(wanted) or "False" in line
        for mine, theirs in zip(line, wanted, strict=True):
            assert mine == theirs or (theirs == "#" and mine.isdigit()) or theirs == "@", line
        assert line != asserted


@pytest.mark.parametrize(
    "asserted",
    [
        "f(3) == f(4)",
        "f(1) == 3 or f(1) == 4",
        "not f(1) == 3",
        "f(1) != 3",
        "f(1) < 3",
        "f(1) in (3, 4)",
        "'a' in f(1)",
        "f(1) == f'{3}'",
        "f(1) == g(3)",
        "f(1) is None",
        "f(1) == []",
    ],
)
def test_values_that_prove_nothing_are_left_alone(asserted: str):
    """Another right solution may pass with the other value."""
    assert values(f"def test_a():\n    assert {asserted}\n") == set()


def test_a_name_or_parameter_counts_where_it_is_nothing_but_expected():
    text = """
    @pytest.mark.parametrize(("given", "expected"), [("a", 1), pytest.param("b", 2, id="x")])
    def test_a(given, expected):
        assert f(given) == expected
    """
    for after in values(text):
        assert '("a", 1)' not in after
        assert 'pytest.param("b", 2' not in after
        assert 'id="x"' in after
    assert values(text)
    assert values(text.replace("f(given)", "f(given, expected)")) == set()
    named = "def test_a():\n    wanted = 'abc'\n    assert f(1) == wanted\n"
    assert values(named)
    assert values(named.replace("f(1)", "f(wanted)")) == set()
    assert values(named.replace("assert", "wanted += f(2)\n    assert")) == set()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(1) == f(2)", "f(1) != f(2)"),
        ("f(1) < 3", "f(1) >= 3"),
        ("f(1) not in g", "f(1) in g"),
        ("f(1) is None", "f(1) is not None"),
        ("not f(1)", "f(1)"),
        ("f(1)", "not f(1)"),
        ("f(1) or f(2)", "not (f(1) or f(2))"),
        ("1 < f(1) < 3", "not (1 < f(1) < 3)"),
    ],
)
def test_a_comparison_is_turned_round(before: str, after: str):
    found = forms(f"def test_a():\n    assert {before}\n")
    assert ("comparison", f"def test_a():\n    assert {after}\n") in found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("assertTrue(f(1))", "assertFalse(f(1))"),
        ("assertEqual(f(1), g)", "assertNotEqual(f(1), g)"),
        ("assertIn(1, f(1))", "assertNotIn(1, f(1))"),
        ("assertIsNone(f(1))", "assertIsNotNone(f(1))"),
        ("assertLess(f(1), 3)", "assertGreaterEqual(f(1), 3)"),
    ],
)
def test_methods_of_unittest_are_too(before: str, after: str):
    text = (
        "import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        self.{}\n"
    )
    assert ("comparison", text.format(after)) in forms(text.format(before))
    assert any(how == "value" for how, _ in forms(text.format("assertEqual(f(1), 3)")))


def test_another_error_is_awaited():
    text = "def test_a():\n    with pytest.raises(ValueError, match='not good'):\n        f(1)\n"
    found = [after for how, after in forms(text) if how == "raises"]
    assert any("match='not good'" not in after and "ValueError" in after for after in found)
    assert any("match='not good'" in after and "ValueError" not in after for after in found)


def test_a_call_that_goes_well_is_one_that_is_to_raise():
    text = "def test_a():\n    f(1)\n\n\ndef test_b():\n    pytest.raises(TypeError, f, 2)\n"
    found = [after for how, after in forms(text) if how == "raises"]
    assert any("    with pytest.raises(TypeError):\n        f(1)\n" in after for after in found)


def test_nothing_behind_a_condition_or_in_another_function_is_altered():
    text = """
    def test_a():
        def inner():
            assert f(1) == 3
        if f(2):
            assert f(1) == 3
        try:
            assert f(1) == 3
        except TypeError:
            pass
        f(inner)
    """
    assert [how for how, _ in forms(text) if how != "raises"] == []


def test_both_branches_may_be():
    text = "def test_a():\n    if f(2):\n        assert f(1)\n    else:\n        assert f(3)\n"
    after = (
        "def test_a():\n    if f(2):\n        assert not f(1)\n    else:\n        assert not f(3)\n"
    )
    assert ("comparison", after) in forms(text)


def test_classes_that_inherit_a_test_have_its_alteration_in_common():
    text = (
        b"class TestA:\n    def test_x(self):\n        assert f(1) == 3\n\n\n"
        b"class TestB(TestA):\n    pass\n"
    )
    found = python.alterations("tests/test_a.py", text, Recipe(), 1)
    assert found
    assert {one.tests for one in found} == {("TestA::test_x", "TestB::test_x")}


@pytest.mark.parametrize(
    "text", [b"def test_a(:\n", b"\xff", b"# coding: latin-1\nx = '\xe9'\n", b"x\0"]
)
def test_what_is_no_plain_source_has_none(text: bytes):
    assert python.alterations("tests/test_a.py", text, Recipe(), 1) == ()


def test_another_seed_gives_other_values():
    text = b"def test_a():\n    assert f(1) == 'abcdefghijkl'\n"

    def made(seed: int) -> tuple[Alteration, ...]:
        return python.alterations("tests/test_a.py", text, Recipe(), seed)

    assert made(1) == made(1)
    assert len({made(seed)[0] for seed in range(20)}) > 10


@given(st.one_of(st.integers(), st.text(), st.binary(), st.booleans(), st.floats(allow_nan=False)))
def test_a_changed_literal_is_another_of_its_type(value: object):
    if isinstance(value, float) and repr(value) == "inf":
        return
    text = changed(repr(value), value, random.Random(3))  # noqa: S311
    if text is not None:
        other = ast.literal_eval(text)
        assert type(other) is type(value)
        assert other != value
        if not isinstance(value, bool):
            assert len(text) == len(repr(value))


@pytest.mark.parametrize(
    ("awaited", "others"),
    [
        ("ValueError", {"TypeError", "KeyError", "RuntimeError"}),
        ("KeyError", {"TypeError", "ValueError"}),
        ("OSError", {"BufferError", "EOFError"}),
        ("shop.BadOrder", {"BufferError", "EOFError"}),
    ],
)
def test_another_error_is_one_that_right_code_cannot_raise_as_well(awaited: str, others: set[str]):
    """Of a project's own error nobody knows what else it is: a rare one is taken then."""
    text = f"def test_a():\n    with pytest.raises({awaited}):\n        f(1)\n"
    seen = set()
    for seed in range(80):
        for how, after in forms(text, seed):
            if how == "raises":
                seen.add(after.partition("raises(")[2].partition(")")[0])
    assert others <= seen
    assert not seen & {awaited, "LookupError", "Exception"}
