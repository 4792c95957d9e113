"""Which tests decide: by what they execute, within a budget, the same on every machine."""

from __future__ import annotations

from micro_bench.images.scope import ALIKE, FEWEST, Passing, choose, traces_of, words


def cases(function: str, number: int, trace: str, seconds: float = 0.01) -> list[Passing]:
    return [Passing(f"t.py::{function}[{n}]", seconds, trace) for n in range(number)]


def test_what_may_be_fail_to_pass_runs_whatever_it_takes():
    found = choose(cases("a", 3, "", 100.0), ["t.py::a[0]", "t.py::a[2]"], 1.0)
    assert found.tests == {"t.py::a[0]", "t.py::a[2]"}
    assert found.told.over_budget == 1


def test_of_tests_that_execute_the_same_lines_a_few_are_kept():
    tests = [*cases("a", 500, "3:aa"), *cases("a2", 500, "3:aa"), Passing("t.py::a[x]", 0, "3:bb")]
    found = choose(tests, (), 1000)
    assert len(found.tests) == 2 * ALIKE + 1
    assert "t.py::a[x]" in found.tests
    assert found.told.alike == 1000 - 2 * ALIKE


def test_the_nearest_come_first_when_the_budget_is_short():
    tests = [*cases("far", 2, "1:aa", 1.0), *cases("near", 2, "3:bb", 1.0)]
    tests += cases("touched", 2, "2:cc", 1.0)
    assert choose(tests, (), 2.0).tests == {"t.py::near[0]", "t.py::near[1]"}
    four = choose(tests, (), 4.5)
    assert four.tests >= {"t.py::near[0]", "t.py::near[1]", "t.py::touched[0]", "t.py::touched[1]"}
    assert (len(four.tests), four.told.over_budget) == (4, 2)


def test_a_test_that_does_not_fit_makes_room_for_a_shorter_one():
    tests = [*cases("a", 1, "3:aa", 5.0), *cases("b", 1, "1:aa", 0.5)]
    assert choose(tests, (), 1.0).tests == {"t.py::b[0]"}


def test_of_the_others_there_is_a_sample_that_favours_no_function_with_many_cases():
    tests = [*cases("many", 5000, "0"), *(Passing(f"t.py::f{n}", 0.01, "0") for n in range(20))]
    found = choose(tests, (), 1000)
    assert len(found.tests) == max(FEWEST, 50)
    assert {f"t.py::f{n}" for n in range(20)} < found.tests
    assert found.told.distant == len(tests) - len(found.tests)


def test_the_order_in_which_the_tests_ran_changes_nothing():
    tests = [*cases("a", 50, "3:aa"), *cases("b", 50, "0"), *cases("c", 300, "", 0.02)]
    first = choose(tests, (), 3.0)
    again = choose(tests[::-1], (), 3.0)
    assert again.tests == first.tests


def test_what_the_runner_takes_beside_the_tests_counts_for_the_budget():
    found = traces_of({"t.py::a": 1.0, "t.py::b": 0.0}, {"t.py::b": "3:aa"}, 5.0)
    assert [(test.seconds, test.near) for test in found] == [(3.0, 0), (2.0, 3)]


def test_what_is_left_out_is_counted_in_words():
    tests = [*cases("a", 10, "3:aa"), *cases("d", 90, "0"), *cases("e", 1, "2:aa", 50.0)]
    told = words(choose(tests, (), 10).told)
    assert "a grading runs 53 of 101 passing tests" in told
    assert "7 execute the same lines as others of their function" in told
    assert "40 execute nothing of the change and are not in the sample" in told
    assert "1 do not fit the time budget" in told
