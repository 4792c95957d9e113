"""A repository's own lock file decides versions, and gives way visibly where it cannot hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from micro_bench.edge.lock_pins import without_rivals
from micro_bench.edge.question import Wanted
from micro_bench.edge.resolving import Lock, compile_lock
from micro_bench.errors import BuildError
from micro_bench.images import lock as locks
from micro_bench.model.slice import Environment, LockFacts, Requirement, Unpinned
from tests.fakes.package_index import Index
from tests.unit.edge.test_resolving import BASE, PYTHON, index, pins

__all__ = ["index"]


def locked(texts: Sequence[str], given: Sequence[str], before: datetime = BASE) -> Lock:
    wanted = [Requirement(text=text, source="setup.cfg") for text in texts]
    return compile_lock(Wanted(wanted, PYTHON, before, pins=given, pins_from="uv.lock"))


def versions(index: Index, name: str, *found: str, needs: tuple[str, ...] = ()) -> None:
    for version in found:
        index.add(name, version, "2022-01-01", needs)


def test_its_versions_are_taken_and_what_it_does_not_know_is_resolved(index: Index):
    versions(index, "apple", "1.0", "2.0", needs=("pear",))
    versions(index, "pear", "1.0", "2.0")
    versions(index, "plum", "1.0", "2.0")
    lock = locked(("apple", "plum"), ("Apple==1.0", "pear==1.0", "never-asked-for==3"))
    assert pins(lock) == ["apple==1.0", "pear==1.0", "plum==2.0"]
    assert (lock.facts.locked_from, lock.facts.as_locked) == ("uv.lock", 2)
    assert not lock.facts.unpinned


def test_of_several_versions_that_of_this_python_is_taken(index: Index):
    versions(index, "apple", "1.0", "2.0", "3.0")
    given = (
        "apple==1.0 ; (python_full_version < '3.11')",
        "apple==2.0 ; (python_full_version >= '3.11') or (sys_platform == 'win32')",
    )
    assert pins(locked(("apple",), given)) == ["apple==2.0"]


def test_a_pin_that_contradicts_a_manifest_gives_way_alone_and_says_why(index: Index):
    versions(index, "apple", "1.0", "2.0")
    versions(index, "pear", "1.0", "2.0")
    lock = locked(("apple>=2", "pear"), ("apple==1.0", "pear==1.0"))
    assert pins(lock) == ["apple==2.0", "pear==1.0"]
    (gone,) = lock.facts.unpinned
    assert gone.words().startswith("apple==1.0 of uv.lock gave way: you require apple>=2")
    assert lock.facts.as_locked == 1


def test_a_version_that_no_index_has_any_more_gives_way(index: Index):
    versions(index, "apple", "1.0")
    lock = locked(("apple",), ("apple==0.9",))
    assert pins(lock) == ["apple==1.0"]
    assert lock.facts.locked_from == ""
    assert [one.pin for one in lock.facts.unpinned] == ["apple==0.9"]


def test_a_pinned_version_that_does_not_build_gives_way_to_one_with_a_wheel(index: Index):
    index.add("stone", "1.0", "2022-01-01")
    index.add_broken("stone", "2.0", "2022-01-01")
    lock = locked(("stone",), ("stone==2.0",))
    assert pins(lock) == ["stone==1.0"]
    assert lock.facts.unpinned[0].pin == "stone==2.0"
    assert not lock.facts.left_out


def test_a_lock_of_another_time_is_given_up_as_a_whole(index: Index):
    names = [f"fruit{number}" for number in range(27)]
    for name in names:
        index.add(name, "1.0", "2022-01-01")
        index.add(name, "2.0", "2024-01-01")
    lock = locked(names, [f"{name}==2.0" for name in names])
    assert set(pins(lock)) == {f"{name}==1.0" for name in names}
    assert len(lock.facts.unpinned) == 27
    assert lock.facts.unpinned[0].why.startswith("more than 25 packages have nothing")
    assert not lock.facts.exempt


def test_a_conflict_that_no_lock_is_to_blame_for_is_an_error_as_before(index: Index):
    versions(index, "apple", "1.0")
    versions(index, "pear", "1.0")
    with pytest.raises(BuildError, match="apple"):
        locked(("apple>=2", "pear"), ("pear==1.0",))


def test_an_index_that_is_gone_gives_no_pin_up(index: Index):
    index.status = 503
    with pytest.raises(BuildError, match="does not answer"):
        locked(("apple",), ("apple==1.0",))


def test_of_pins_of_several_parts_that_of_the_part_in_question_counts():
    def asked(text: str, part: str) -> Requirement:
        return Requirement(text=text, source=f"{part}/test-requirements.txt:1")

    wanted = [
        asked("a==1", "far"),
        asked("a==2", "near"),
        asked("b==1", "far"),
        asked("c>=1", "far"),
    ]
    away = ("far/test-requirements.txt:1",)
    kept, gone = without_rivals(wanted, away)
    assert [item.text for item in kept] == ["a==2", "b==1", "c>=1"]
    (one,) = gone
    assert one.words() == (
        "a==1 of far/test-requirements.txt:1 gave way: "
        "a==2 in near/test-requirements.txt:1 counts for this task"
    )
    assert [item.text for item in without_rivals(wanted, ())[0]] == ["a==2", "b==1", "c>=1"]


def test_a_lock_and_untouched_parts_that_pin_the_same_lose_no_package(index: Index):
    """The lock's version is taken where the task does not touch the part, else the part's own."""
    versions(index, "apple", "1.0", "2.0")
    versions(index, "pear", "1.0", "2.0")
    far = "far/test-requirements.txt:1"
    wanted = [
        Requirement(text="apple==1.0 ; python_version > '3'", source=far),
        Requirement(text="pear==1.0", source="near/test-requirements.txt:1"),
        Requirement(text="apple", source="far/pyproject.toml x"),
    ]
    given = Wanted(
        wanted, PYTHON, BASE, elsewhere=(far, "far/pyproject.toml x"),
        pins=("apple==2.0", "pear==2.0"), pins_from="uv.lock",
    )  # fmt: skip
    lock = compile_lock(given)
    assert pins(lock) == ["apple==2.0", "pear==1.0"]
    assert {(one.pin, one.source) for one in lock.facts.unpinned} == {
        ("apple==1.0", far), ("pear==2.0", "uv.lock"),
    }  # fmt: skip
    assert not lock.facts.left_out


def test_an_untouched_part_that_rules_the_lock_s_version_out_gives_way(index: Index):
    """It is no part of what was locked; the others' requirement stays, and so does the pin."""
    versions(index, "apple", "1.0", "2.0", "3.0")
    wanted = [
        Requirement(text="apple<2", source="outside/pyproject.toml x"),
        Requirement(text="apple>=2", source="inside/pyproject.toml x"),
    ]
    lock = compile_lock(
        Wanted(
            wanted,
            PYTHON,
            BASE,
            elsewhere=tuple(one.source for one in wanted),
            pins=("apple==2.0",),
            pins_from="uv.lock",
        )
    )
    assert pins(lock) == ["apple==2.0"]
    assert [one.why for one in lock.facts.left_out] == [
        "apple<2 of outside/pyproject.toml does not go with the rest"
    ]
    assert not lock.facts.unpinned


def test_two_pins_of_one_file_or_of_manifests_are_a_conflict_as_before():
    def asked(text: str, source: str) -> Requirement:
        return Requirement(text=text, source=source)

    one_file = [asked("a==1", "r.txt:1"), asked("a==2", "r.txt:2")]
    manifests = [asked("a==1", "setup.cfg x"), asked("a==2", "r.txt:2")]
    markers = [asked("a==1; x", "r.txt:1"), asked("a==2; y", "s.txt:1")]
    for wanted in (one_file, manifests, markers):
        assert without_rivals(wanted, ()) == (wanted, [])


def test_the_head_of_a_lock_says_what_it_was_locked_from():
    facts = LockFacts(
        locked_from="requirements.txt, requirements/test.txt", as_locked=3,
        unpinned=(Unpinned(pin="a==1", source="far/x.txt:3", why="a: b: no"),),
    )  # fmt: skip
    wanted = Environment(python="3.11", python_source="x", requirements=(), before=BASE)
    text = locks.write(PYTHON, wanted, "00", facts, "a==2\n")
    assert "# locked from requirements.txt, requirements/test.txt: 3 packages" in text
    assert locks.read(text) == facts
    assert locks.holds(text, wanted, "00")
    assert wanted.origin(facts, 4) == (
        "locked from requirements.txt, requirements/test.txt (3 of 4 packages as it has them); "
        "requirements of no manifest"
    )
