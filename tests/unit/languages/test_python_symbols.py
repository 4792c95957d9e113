"""Definitions that a change touches, and the names it breaks for callers."""

from __future__ import annotations

from textwrap import dedent

import pytest

from micro_bench.languages import python

BEFORE = '''
    """A module."""

    import os
    from typing import overload

    LIMIT = 3


    @cache
    def free(a, b=1):
        """Do it."""
        return a + b  # a comment


    class Box(Base):
        """A box."""

        size: int = 1

        def __init__(self, a):
            self.a = a

        @property
        def area(self):
            return self.a

        class Inner:
            def deep(self): ...


    if LIMIT:

        def maybe():
            return 1
'''


def change(before, after, path="pkg/a.py"):
    texts = (None if text is None else dedent(text).encode() for text in (before, after))
    return python.symbol_change(path, *texts)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("Do it.", "Do it at once.", ()),
        ("A module.", "Another.", ()),
        ("A box.", "", ()),
        ("  # a comment", "", ()),
        ("a + b", "(a + b)", ()),
        ("a + b", "a - b", ("free",)),
        ("b=1", "b=2", ("free",)),
        ("@cache\n", "@lru_cache\n", ("free",)),
        ("size: int = 1", "size: int = 2", ("Box",)),
        ("Box(Base)", "Box(Other)", ("Box",)),
        ("self.a = a", "self.b = a", ("Box.__init__",)),
        ("def deep(self): ...", "def deep(self): pass", ("Box.Inner.deep",)),
        ("return 1", "return 2", ("maybe",)),
        ("if LIMIT:", "if not LIMIT:", ("<module>",)),
        ("LIMIT = 3", "LIMIT = 4", ("<module>",)),
        ("import os\n", "import os, sys\n", ("<module>",)),
        ("    @property\n", "    @cached_property\n", ("Box.area",)),
        ("def maybe", "async def maybe", ("maybe",)),
        ("def area", "def surface", ("Box.area", "Box.surface")),
    ],
)
def test_what_changed(old, new, changed):
    assert old in BEFORE
    assert change(BEFORE, BEFORE.replace(old, new)).changed == changed


def test_an_import_beside_another_change_is_not_counted():
    after = BEFORE.replace("a + b", "a - b").replace("import os\n", "import sys\n")
    assert change(BEFORE, after).changed == ("free",)


def test_the_order_of_imports_and_definitions_does_not_matter():
    one = "import a\nimport b\ndef f(): ...\ndef g(): ...\n"
    two = "import b\nimport a\ndef g(): ...\ndef f(): ...\n"
    assert change(one, two).changed == ()


def test_new_and_deleted_files():
    text = "X = 1\ndef f(): ...\nclass A:\n    def m(self): ...\n"
    every = ("<module>", "A", "A.m", "f")
    assert change(None, text).changed == every
    assert change(text, None).changed == every
    assert change(None, text).public_breaks == ()
    assert change(text, None).public_breaks == (
        "A: public object was removed",
        "X: public object was removed",
        "f: public object was removed",
    )


def test_a_file_that_does_not_parse_is_one_change():
    assert change("def f(:\n", "def f(): ...\n").changed == ("<module>",)
    assert change("def f(:\n", "def f(:\n").changed == ()


def test_overloads_are_compared_in_order():
    before = "@overload\ndef f(a: int): ...\n@overload\ndef f(a: str): ...\ndef f(a): ...\n"
    assert change(before, before.replace("str", "bytes")).changed == ("f",)


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        ("def f(a): ...", "def f(a, b=1): ...", ()),
        ("def f(a): ...", "def f(a, *, b=1): ...", ()),
        ("def f(a): ...", "def f(a, b): ...", ("f(b): parameter was added as required",)),
        ("def f(a=1): ...", "def f(a): ...", ("f(a): parameter is now required",)),
        ("def f(a=1): ...", "def f(a=2): ...", ()),
        ("def f(a, b): ...", "def f(a): ...", ("f(b): parameter was removed",)),
        ("def f(a): ...", "def f(*, a): ...", ("f(a): parameter kind was changed",)),
        (
            "def f(a, b): ...",
            "def f(b, a): ...",
            ("f(a): positional parameter was moved", "f(b): positional parameter was moved"),
        ),
        ("def f(a): ...", "def _f(a): ...", ("f: public object was removed",)),
        ("def f(a): ...", "from .b import f", ()),
        (
            "def f(): ...",
            "class f: ...",
            ("f: public object points to a different kind of object",),
        ),
        ("def _f(a): ...", "", ()),
        ("class _A:\n    def m(self): ...", "class _A: ...", ()),
        ("class A:\n    def _m(self, a): ...", "class A:\n    def _m(self): ...", ()),
        (
            "class A:\n    def m(self, a): ...",
            "class A:\n    def m(self): ...",
            ("A.m(a): parameter was removed",),
        ),
        ("class A(B): ...", "class A: ...", ("A: base class was removed",)),
        ("class A(Generic[T]): ...", "class A: ...", ()),
        ("T = TypeVar('T')", "", ()),
        ("X = 1", "X = 2", ()),
        ("def f() -> int: ...", "def f(): ...", ()),
        ("@cli.command()\ndef f(a): ...", "@cli.command()\ndef f(b): ...", ()),
    ],
)
def test_what_breaks_callers(before, after, breaks):
    assert change(before, after).public_breaks == breaks


def test_private_modules_and_tests_break_nobody():
    before, after = "def f(): ...\n", "\n"
    assert change(before, after, "pkg/_inner.py").public_breaks == ()
    assert change(before, after, "pkg/_inner/a.py").public_breaks == ()
    assert change(before, after, "tests/helpers.py").public_breaks == ()
    assert change(before, after, "pkg/__init__.py").public_breaks != ()


def test_a_private_module_may_say_what_is_public():
    before = "__all__ = ['f']\ndef f(): ...\ndef g(): ...\n"
    broken = change(before, "__all__ = []\n", "pkg/_inner.py").public_breaks
    assert broken == ("f: public object was removed",)


def test_a_re_export_that_goes_is_a_break():
    before = "from ._f import f as f, _g\nfrom . import module\nimport os\n"
    broken = ("f: public object was removed",)
    assert change(before, "", "pkg/__init__.py").public_breaks == broken
    assert change(before, "def f(): ...\n", "pkg/__init__.py").public_breaks == ()
    assert change(before + "__all__ = []\n", "", "pkg/__init__.py").public_breaks == ()
    assert change(before, "", "pkg/a.py").public_breaks == ()


def test_other_files_are_one_change():
    assert change("a", "b", "pkg/a.pyx").changed == ("<module>",)
