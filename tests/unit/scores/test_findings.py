from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro_bench.model.score import FindingState
from micro_bench.model.task import Severity
from micro_bench.scores.findings import Located, compare, locate
from micro_bench.scores.scanners._scanner import Raw

NEW, UNCHANGED = FindingState.NEW, FindingState.UNCHANGED
UPDATED, ABSENT = FindingState.UPDATED, FindingState.ABSENT


def at(line: int, text: str, rule: str = "B602", path: str = "a.py", message: str = "") -> Located:
    raw = Raw(rule, Severity.LOW, f"head/{path}", line, message or f"{rule} is bad")
    return Located(raw, path, text)


def states(base: list[Located], head: list[Located]) -> Counter[tuple[str, str]]:
    return Counter((f.text, f.state.value) for f in compare("s", base, head))


def test_a_shifted_line_is_unchanged():
    assert states([at(3, "run(x)")], [at(300, "run(x)")]) == {("run(x)", UNCHANGED): 1}


def test_white_space_does_not_make_a_line_another():
    assert states([at(3, "run( x )")], [at(9, "run(x)")]) == {("run(x)", UNCHANGED): 1}


def test_a_line_moved_to_another_file_is_unchanged():
    (found,) = compare("s", [at(3, "run(x)", path="old.py")], [at(7, "run(x)", path="new.py")])
    assert (found.state, found.path) == (UNCHANGED, "new.py")


def test_a_line_edited_in_place_is_updated():
    assert states([at(3, "run(x)")], [at(3, "run(x, y)")]) == {("run(x, y)", UPDATED): 1}


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ("`a` is unused on line 3", "`b` is unused on line 44", UPDATED),
        ("name 'a' is long", "name 'bb' is long", UPDATED),
        ('name "a" is long', 'name "b" is short', NEW),
    ],
)
def test_numbers_and_quoted_words_of_a_message_do_not_count(before, after, state):
    found = compare("s", [at(3, "one", message=before)], [at(3, "two", message=after)])
    assert [f.state for f in found if f.text == "two"] == [state]


def test_an_edited_line_in_another_file_is_new():
    found = compare("s", [at(3, "run(x)", path="old.py")], [at(3, "run(y)", path="new.py")])
    assert [(f.path, f.state) for f in found] == [("new.py", NEW), ("old.py", ABSENT)]


def test_another_rule_on_the_same_line_is_new():
    found = compare("s", [at(3, "run(x)", "B602")], [at(3, "run(x)", "B607")])
    assert {(f.rule, f.state) for f in found} == {("B602", ABSENT), ("B607", NEW)}


def test_a_second_copy_of_a_known_finding_is_new():
    found = states([at(3, "run(x)")], [at(3, "run(x)"), at(9, "run(x)")])
    assert found == {("run(x)", UNCHANGED): 1, ("run(x)", NEW): 1}


def test_one_copy_fewer_is_absent():
    found = states([at(3, "run(x)"), at(9, "run(x)")], [at(5, "run(x)")])
    assert found == {("run(x)", UNCHANGED): 1, ("run(x)", ABSENT): 1}


def test_of_equal_candidates_the_nearest_line_is_taken():
    base = [at(3, "run(a)"), at(50, "run(b)")]
    found = compare("s", base, [at(51, "run(c)")])
    assert {(f.text, f.state) for f in found} == {("run(c)", UPDATED), ("run(a)", ABSENT)}


def test_an_exact_match_is_not_given_away_to_an_edited_line():
    base = [at(3, "run(a)")]
    found = compare("s", base, [at(3, "run(b)"), at(20, "run(a)")])
    assert {(f.text, f.state) for f in found} == {("run(a)", UNCHANGED), ("run(b)", NEW)}


def test_a_finding_that_is_gone_is_absent_and_nothing_new():
    assert states([at(3, "run(x)")], []) == {("run(x)", ABSENT): 1}


def test_an_empty_base_makes_everything_new():
    assert states([], [at(3, "run(x)")]) == {("run(x)", NEW): 1}


def test_the_order_is_by_place():
    head = [at(9, "z", path="b.py"), at(2, "y"), at(1, "x", "Z"), at(1, "x", "A")]
    order = [(f.path, f.line, f.rule) for f in compare("s", [], head)]
    assert order == sorted(order)


def test_locating_takes_one_side_and_its_line():
    raws = [
        Raw("R", Severity.LOW, "base/pkg/a.py", 2, "m"),
        Raw("R", Severity.LOW, "head/pkg/a.py", 2, "m"),
        Raw("R", Severity.LOW, "head/pkg/a.py", 99, "m"),
        Raw("R", Severity.LOW, "head/pkg/a.py", 0, "m"),
        Raw("R", Severity.LOW, "head/unknown.py", 1, "m"),
    ]
    found = locate(raws, "head", {"pkg/a.py": "first\n   second  \nthird"})
    assert [(f.path, f.text) for f in found] == [
        ("pkg/a.py", "second"),
        ("pkg/a.py", ""),
        ("pkg/a.py", ""),
        ("unknown.py", ""),
    ]


def test_a_very_long_line_is_cut():
    (found,) = locate([Raw("R", Severity.LOW, "head/a", 1, "m")], "head", {"a": "x" * 5000})
    assert found.text == "x" * 200


LINES = st.lists(
    st.sampled_from(["run(x)", " run( x )", "eval(y)", "", "pass", "x = 1"]), max_size=30
)
FLAGGED = {"run(x)": "B602", "run( x )": "B602", "eval(y)": "B307"}


def scanned(side: str, lines: list[str]) -> list[Located]:
    raws = [
        Raw(FLAGGED[line.strip()], Severity.LOW, f"{side}/a.py", number, f"{line!r} at {number}")
        for number, line in enumerate(lines, 1)
        if line.strip() in FLAGGED
    ]
    return locate(raws, side, {"a.py": "\n".join(lines)})


@given(LINES, st.lists(st.sampled_from(["", "# note", "x = 1"]), max_size=200))
def test_a_tree_shifted_against_itself_has_nothing_new(lines, above):
    found = compare("s", scanned("base", lines), scanned("head", above + lines))
    assert {f.state for f in found} <= {UNCHANGED}
    assert len(found) == sum(line.strip() in FLAGGED for line in lines)


@given(LINES, LINES)
def test_every_finding_of_the_head_is_shown_once_and_of_the_base_at_most_once(before, after):
    base, head = scanned("base", before), scanned("head", after)
    count = Counter(f.state for f in compare("s", base, head))
    assert count.total() - count[ABSENT] == len(head)
    assert count.total() - count[NEW] == len(base)


@given(LINES, st.integers(min_value=0, max_value=30))
def test_one_more_finding_than_before_is_exactly_one_new(lines, place):
    place = min(place, len(lines))
    after = [*lines[:place], "eval(y)", *lines[place:]]
    found = compare("s", scanned("base", lines), scanned("head", after))
    assert [f.rule for f in found if f.state is NEW] == ["B307"]
