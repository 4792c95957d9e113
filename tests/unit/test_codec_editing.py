"""Values change where they stand; every other byte of a spec is a person's."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from micro_bench import codec
from micro_bench.errors import BadInputError

SPEC = """\
# what the team wrote
schema_version: 1
status: draft   # not read yet
tier:
  auto: 2
  # because
  rule: "3 modules"
  evidence: {files: 3, names: [a, b]}
# about the words
instruction: |-
  # Title

  Text with  spaces.

  - a list
tests:
    hidden:
        - tests/test_a.py
last: no
"""


EVIDENCE = "  evidence: {files: 3, names: [a, b]}"
WORDS = ["instruction: |-", "  # Title", "  Text with  spaces.", "  - a list"]


@pytest.mark.parametrize(
    ("changes", "gone", "come"),
    [
        (
            {("status",): "reviewed"},
            ["status: draft   # not read yet"], ["status: reviewed   # not read yet"],
        ),
        ({("tier", "human"): 3}, [], ["  human: 3"]),
        ({("tier", "evidence", "files"): 4}, [EVIDENCE], [EVIDENCE.replace("3", "4")]),
        (
            {("tier", "evidence", "more"): "no"},
            [EVIDENCE], [EVIDENCE.replace("]}", "], more: 'no'}")],
        ),
        ({("tier", "rule"): None}, ['  rule: "3 modules"'], []),
        ({("last",): "yes"}, ["last: no"], ["last: 'yes'"]),
        ({("instruction",): "one line"}, WORDS, ["instruction: one line"]),
        ({("tests", "run"): ["a", "b"]}, [], ["    run:", "      - a", "      - b"]),
    ],
)  # fmt: skip
def test_only_what_is_asked_for_changes(changes, gone, come):
    new = codec.edited(SPEC, changes, "spec.yaml")
    before, after = SPEC.split("\n"), new.split("\n")
    left = list(after)
    removed = [line for line in before if not (line in left and (left.remove(line) or True))]
    assert [line for line in removed if line] == gone
    assert [line for line in left if line] == come
    for location, value in changes.items():
        found = codec.read(new, "spec.yaml").data
        for key in location[:-1]:
            found = found[key]
        assert found.get(location[-1]) == value


def test_a_place_that_is_no_mapping_is_an_error():
    with pytest.raises(BadInputError, match="no mapping at last"):
        codec.edited(SPEC, {("last", "below"): 1}, "spec.yaml")
    with pytest.raises(BadInputError, match="no YAML"):
        codec.edited("a: [", {("a",): 1}, "spec.yaml")


TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters="\n"
    )
)


@given(
    TEXT.filter(lambda text: "\ufeff" not in text), TEXT.filter(lambda text: "\ufeff" not in text)
)
def test_any_words_come_back_as_they_were(first, second):
    text = codec.edited(SPEC, {("instruction",): first, ("title",): second}, "spec.yaml")
    again = codec.edited(text, {("instruction",): second}, "spec.yaml")
    found = codec.read(again, "spec.yaml").data
    assert (found["instruction"], found["title"]) == (second, second)
    assert yaml.safe_load(again)["tier"] == yaml.safe_load(SPEC)["tier"]
    assert "# about the words" in again
    assert "# not read yet" in again
