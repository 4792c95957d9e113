"""A test that opens what the slice left out: the path that says why."""

from __future__ import annotations

import pytest

from micro_bench.slices.sought import Sought, sought

GONE = ("docs/guide.md", "examples/config.toml", "examples/deep/er.json", "site/x.html")
TEST = b"ROOT = 1\nassert list(ROOT.glob('exam*/*.toml')) and (ROOT / 'examples' / \"docs\")\n"


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: '/work/examples/config.toml'",
         "examples/config.toml"),
        ("[Errno 2] No such file or directory: 'examples/deep/er.json'", "examples/deep/er.json"),
        ("[Errno 2] No such file or directory: 'er.json'", "examples/deep/er.json"),
        ("[Errno 2] No such file or directory: '/work/tests/../docs/guide.md'", "docs/guide.md"),
        ("assert (False)\n + where False = exists()\n + where (PosixPath('/work/docs') / 'a.md')",
         "docs/"),
        ("assert [] == ['a']\n + where [] = listdir('/work/examples/deep')", "examples/deep/"),
    ],
)  # fmt: skip
def test_the_words_of_the_failure_name_it(said: str, path: str):
    assert sought(said, [], GONE) == Sought((path,), "")


def test_else_the_source_of_the_test_does():
    found = sought("assert ([])", [("tests/t.py", TEST)], GONE)
    assert found == Sought(("examples/", "docs/"), "tests/t.py")


@pytest.mark.parametrize(
    "said",
    [
        "AssertionError: assert 'docs' == 'guide'",
        "assert 1 == 2",
        "[Errno 2] No such file or directory: '/etc/nothing.toml'",
        "[Errno 2] No such file or directory: 'git'",
        "https://example.org/x/y",
    ],
)
def test_what_is_elsewhere_is_no_path_of_the_slice(said: str):
    assert sought(said, [("tests/t.py", b"assert 'doc' != \"other\"\n")], GONE) is None


def test_a_whole_slice_lacks_nothing():
    assert sought("No such file or directory: 'docs/guide.md'", [("t.py", TEST)], ()) is None


@pytest.mark.parametrize(("path", "top"), [("docs/a/b.md", "docs/"), ("x.toml", "x.toml")])
def test_the_whole_folder_is_to_be_included(path: str, top: str):
    assert Sought((path, path), "").tops == (top,)
