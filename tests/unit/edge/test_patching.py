"""Which paths a patch names, held to what git says; and patches applied in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micro_bench.edge.patching import applied, patch_paths
from micro_bench.errors import BuildError
from tests.fakes.shop import Link, Program, git, init, patch_between

BODY = b"def f():\n    return 1\n"

HEADERS = {
    "changed": (b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n", ("x.py",)),
    "new": (b"diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n", ("x",)),
    "new and empty": (b"diff --git a/x b/x\nnew file mode 100644\nindex 0..e\n", ("x",)),
    "gone": (b"--- a/d/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", ("d/x",)),
    "mode": (b"diff --git a/a b c b/a b c\nold mode 100644\nnew mode 100755\n", ("a b c",)),
    "binary": (b"diff --git a/x b/x\nGIT binary patch\nliteral 3\nKcmZ\n\nliteral 0\n", ("x",)),
    "renamed": (
        b"diff --git a/one b/two\nsimilarity index 100%\nrename from one\nrename to two\n",
        ("one", "two"),
    ),
    "renamed below a": (
        b"diff --git a/a/one b/a/two\nrename from a/one\nrename to a/two\n", ("a/one", "a/two"),
    ),
    "copied": (b"diff --git a/one b/two\ncopy from one\ncopy to two\n", ("one", "two")),
    "space": (b"--- a/with space\t\n+++ b/with space\t\n", ("with space",)),
    "quoted": (b'--- /dev/null\n+++ "b/t\\tn\\nq\\"b\\\\e\\303\\251"\n', ('t\tn\nq"b\\e\u00e9',)),
    "quoted quote at the end": (b'diff --git "a/x\\"" "b/x\\""\n', ('x"',)),
    "not UTF-8": (b'+++ "b/\\351"\n', (b"\xe9".decode("utf-8", "surrogateescape"),)),
    "a file called null": (b"--- a/dev/null\n+++ b/dev/null\n", ("dev/null",)),
    "CRLF": (b"--- a/x\r\n+++ b/x\r\n", ("x",)),
    "half an escape": (b'+++ "b/x\\"\n', ("x\\",)),
    "no octal": (b'+++ "b/x\\9"\n', ("x9",)),
    "nothing": (b"", ()),
    "noise": (b"Subject: x\n\n--- \n+++ \n", ()),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_the_paths_of_a_header(name: str):
    text, paths = HEADERS[name]
    assert patch_paths(text) == paths


def test_lines_inside_a_hunk_are_no_headers():
    text = (
        b"--- a/x\n+++ b/x\n@@ -1,4 +1,4 @@\n"
        b"--- a/conftest.py\n"  # removes `-- a/conftest.py`
        b"+++ b/conftest.py\n"  # adds `++ b/conftest.py`
        b" diff --git a/y b/y\n"
        b"-rename from y\n+rename to y\n"
        b"--- \"b/half\\\n+++ \"\n"
        b"\\ No newline at end of file\n"
        b"diff --git a/z b/z\nold mode 100644\nnew mode 100755\n"
    )  # fmt: skip
    assert patch_paths(text) == ("x", "z")


def test_a_hunk_of_one_line_and_one_without_its_newline():
    text = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
    assert patch_paths(text + b"--- a/y\n+++ b/y\n@@ -0,0 +1 @@\n+--- a/no\n") == ("x", "y")


odd = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12)
name = st.lists(odd, min_size=1, max_size=3).map("/".join)
names = name.filter(
    lambda n: (
        not {".", "..", ".git"} & {part.lower() for part in n.split("/")}
        and not any("git" in part.lower() for part in n.split("/"))
    )
)


@settings(max_examples=25)
@given(path=names, body=st.binary(max_size=200))
def test_they_are_those_that_git_touches(path: str, body: bytes):
    """Whatever the name and the content."""
    patch = patch_between({"kept": BODY}, {path: body, "kept": BODY + b"--- a/other\n"})
    assert patch_paths(patch) == tuple(sorted({path, "kept"}))
    after = applied({"kept": (0o100644, BODY)}, patch, patch_paths(patch))
    assert after[path] == (0o100644, body)


def test_every_kind_of_file_is_applied(tmp_path: Path):
    before = {"gone": b"x\n", "kept": b"a\r\nb\n", "bin": bytes(range(256)), "old/name": b"1\n"}
    change = {
        "gone": None, "kept": b"a\r\nB\n", "bin": bytes(range(255, -1, -1)),
        "run": Program(b"#!/bin/sh\n"), "link": Link("kept"), "old/name": None, "new/name": b"1\n",
        ".gitattributes": b"* text eol=crlf\n*.x filter=lfs\n", "deep/empty": b"",
    }  # fmt: skip
    patch = patch_between(before, change)
    files = {path: (0o100644, content) for path, content in before.items()}
    assert applied(files, patch, patch_paths(patch)) == {
        "kept": (0o100644, b"a\r\nB\n"),
        "bin": (0o100644, bytes(range(255, -1, -1))),
        "run": (0o100755, b"#!/bin/sh\n"),
        "link": (0o120000, b"kept"),
        "new/name": (0o100644, b"1\n"),
        ".gitattributes": (0o100644, b"* text eol=crlf\n*.x filter=lfs\n"),
        "deep/empty": (0o100644, b""),
    }


def test_a_patch_for_other_content_is_refused():
    patch = patch_between({"x": b"one\ntwo\n"}, {"x": b"one\nthree\n"})
    with pytest.raises(BuildError, match="does not apply"):
        applied({"x": (0o100644, b"something else\n")}, patch, ("x",))
    assert applied({}, b"", ()) == {}


def test_a_rename_in_a_patch_by_hand(tmp_path: Path):
    init_with = {"a": BODY, "b": BODY + b"# b\n"}
    init(tmp_path)
    for path, content in init_with.items():
        (tmp_path / path).write_bytes(content)
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    git(tmp_path, "mv", "a", "a name")
    patch = git(tmp_path, "diff", "--cached", "--find-renames", "HEAD")
    assert patch_paths(patch) == ("a", "a name")
