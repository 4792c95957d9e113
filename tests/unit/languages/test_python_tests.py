"""The tests that a module defines, told apart by a digest of their source."""

from __future__ import annotations

from textwrap import dedent

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe

MODULE = '''
    import unittest
    from unittest import TestCase

    def helper(): ...

    def test_plain():
        assert 1

    @pytest.mark.parametrize("x", [1, 2])
    async def test_many(x): ...

    if True:
        def test_conditional(): ...
    try:
        import x
    except ImportError:
        def test_without_x(): ...
    else:
        class TestX:
            def test_with_x(self): ...

    class TestGroup:
        """Not counted."""
        value = 1
        def setup_method(self): ...
        def test_inside(self): ...
        class TestNested:
            def test_deep(self): ...
        class Helper:
            def test_no(self): ...

    class Base:
        def test_shared(self):
            return 1

    class TestDerived(Base):
        def test_own(self): ...

    class Cases(TestCase):
        def test_case(self): ...

    class More(Cases):
        def test_case(self):
            return 2

    class DatabaseTests(module.DatabaseTest):
        def test_rows(self): ...

    class Plain:
        def test_not_collected(self): ...
'''


def definitions(text, path="tests/test_a.py", recipe=None):
    return python.test_definitions(path, dedent(text).encode(), recipe or Recipe())


def changed(old, new):
    assert old in MODULE
    before, after = definitions(MODULE), definitions(MODULE.replace(old, new))
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_which_tests_there_are():
    assert list(definitions(MODULE)) == [
        "Cases::test_case",
        "DatabaseTests::test_rows",
        "More::test_case",
        "TestDerived::test_own",
        "TestDerived::test_shared",
        "TestGroup::TestNested::test_deep",
        "TestGroup::test_inside",
        "TestX::test_with_x",
        "test_conditional",
        "test_many",
        "test_plain",
        "test_without_x",
    ]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("assert 1", "assert 2", {"test_plain"}),
        ("[1, 2]", "[1, 2, 3]", {"test_many"}),
        ("def helper(): ...", "def helper(): pass", set()),
        ("return 1", "return 3", {"TestDerived::test_shared"}),
        ("return 2", "return 3", {"More::test_case"}),
        ("test_conditional", "test_renamed", {"test_conditional", "test_renamed"}),
        ("value = 1", "value = 2", set()),
        (
            "class TestGroup:",
            "@mark.slow\n    class TestGroup:",
            {"TestGroup::test_inside", "TestGroup::TestNested::test_deep"},
        ),
    ],
)
def test_what_a_change_changes(old, new, names):
    assert changed(old, new) == names


def test_moving_and_indenting_a_test_changes_nothing():
    flat = "def test_a():\n    assert 1\n"
    assert definitions(flat) == definitions("x = 1\n\n\n" + flat)
    assert definitions(flat) == definitions("if x:\n    def test_a():\n        assert 1\n")


def test_of_two_definitions_the_last_counts():
    one, two = "def test_a():\n    return 1\n", "def test_a():\n    return 2\n"
    assert definitions(one + two) == definitions(two)


def test_bases_in_a_circle():
    text = "class TestA(TestB): ...\nclass TestB(TestA):\n    def test_x(self): ...\n"
    assert list(definitions(text)) == ["TestA::test_x", "TestB::test_x"]


def test_files_without_tests():
    assert definitions("def test_a(:\n") == {}
    assert definitions("def test_a(): ...\n", "tests/data.txt") == {}
    assert python.test_definitions("tests/test_a.py", b"\x00", Recipe()) == {}
    latin = "# coding: latin-1\ndef test_a():\n    return 'é'\n".encode("latin-1")
    assert list(python.test_definitions("tests/test_a.py", latin, Recipe())) == ["test_a"]
