"""Recorded patches: the spelling is mended, nothing else; then git decides."""

from __future__ import annotations

import pytest

from micro_bench.edge.patching import applied, patch_paths
from micro_bench.errors import BuildError
from micro_bench.pipeline.run.recordings import mended

BEFORE = {"src/calc.py": (0o100644, b"def add(a, b):\n    return a - b\n")}
AFTER = b"def add(a, b):\n    return a + b\n"
PLAIN = (
    b"diff --git a/src/calc.py b/src/calc.py\n"
    b"--- a/src/calc.py\n+++ b/src/calc.py\n@@ -1,2 +1,2 @@\n"
    b" def add(a, b):\n-    return a - b\n+    return a + b\n"
)
BARE = PLAIN.replace(b"a/src", b"src").replace(b"b/src", b"src")
HARMLESS = {
    "as git writes it": PLAIN,
    "without a last newline": PLAIN[:-1],
    "line ends of another system": PLAIN.replace(b"\n", b"\r\n"),
    "both": PLAIN.replace(b"\n", b"\r\n")[:-2],
    "no prefixes": BARE,
    "words around it": b"Here is the fix:\n\n```diff\n" + PLAIN + b"```\n",
    "a mail": b"From 123\nSubject: fix\n---\n calc.py | 2 +-\n\n" + PLAIN + b"-- \n2.39.2\n\n",
}
REFUSED = {
    "wrong counts": PLAIN.replace(b"-1,2 +1,2", b"-10,3 +10,3"),
    "cut": PLAIN[: PLAIN.index(b"+    return")],
    "out of the folder": b"diff --git a/../x b/../x\nnew file mode 100644\n--- /dev/null\n"
    b"+++ b/../x\n@@ -0,0 +1 @@\n+x\n",
    "another version": PLAIN.replace(b"a - b", b"a * b"),
    "twice": PLAIN + PLAIN,
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_spelling_is_taken(name: str):
    patch = mended(HARMLESS[name])
    assert applied(BEFORE, patch, patch_paths(patch))["src/calc.py"][1] == AFTER


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_have_to_be_guessed_is_refused(name: str):
    patch = mended(REFUSED[name])
    with pytest.raises(BuildError):
        applied(BEFORE, patch, ("src/calc.py",))


@pytest.mark.parametrize("patch", [b"", b"\n", b" \r\n"])
def test_an_empty_recording_changes_nothing(patch: bytes):
    assert mended(patch) == b""


def test_a_patch_of_files_with_such_line_ends_is_left_alone():
    patch = PLAIN.replace(b"a - b\n", b"a - b\r\n").replace(b"a + b\n", b"a + b\r\n")
    assert mended(patch) == patch


def test_lines_of_a_hunk_that_look_like_headers_stay():
    hunk = b"@@ -1,2 +1,2 @@\n x\n--- old\n+++ new\n"
    found = mended(b"diff --git x.sql x.sql\n--- x.sql\n+++ x.sql\n" + hunk)
    assert found == b"diff --git a/x.sql b/x.sql\n--- a/x.sql\n+++ b/x.sql\n" + hunk
