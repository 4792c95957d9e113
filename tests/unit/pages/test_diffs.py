"""A patch is read for showing, whatever it claims to be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from micro_bench.pages import colours, diffs

PATCH = """\
diff --git a/old.py b/new.py
similarity index 90%
rename from old.py
rename to new.py
--- a/old.py
+++ b/new.py
@@ -10,3 +10,3 @@ def f():
 x = 1
-y = "a"
+y = "<b>"
\\ No newline at end of file
diff --git a/blob.bin b/blob.bin
new file mode 100644
index 0000000..1111111
GIT binary patch
literal 3
abc
"""


def test_files_lines_and_numbers():
    found = diffs.read(PATCH)
    first, second = found.files
    assert (first.path, first.was, first.about) == ("new.py", "old.py", "renamed")
    assert [(line.sign, line.old, line.new) for line in first.lines] == [
        ("@", None, None), (" ", 10, 10), ("-", 11, None), ("+", None, 11), ("\\", None, None),
    ]  # fmt: skip
    assert (second.path, second.about, second.lines) == ("blob.bin", "binary", [])
    assert (found.added, found.deleted) == (1, 1)


def test_code_has_colours_and_is_escaped():
    line = diffs.read(PATCH).files[0].lines[3]
    assert "&lt;b&gt;" in line.html
    assert 'class="s2"' in line.html


@given(st.text() | st.text(alphabet="+-@ \n\\dif/ab12,<>", max_size=300))
def test_no_patch_breaks_the_reading(text):
    for file in diffs.read(PATCH + text).files:
        for line in file.lines:
            assert "<script" not in line.html


@given(st.text(max_size=400))
def test_no_markdown_becomes_markup_of_its_own(text):
    html = colours.prose(f"<script>alert(1)</script> ![a](http://x/y.png) {text}")
    assert "<script" not in html
    assert "<img" not in html


def test_a_link_that_would_act_is_none():
    html = colours.prose("[a](javascript:alert(1)) [b](data:text/html,x) [c](https://example.org)")
    assert 'href="javascript' not in html
    assert 'href="data' not in html
    assert 'href="https://example.org"' in html
