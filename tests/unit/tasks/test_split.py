"""Which files of a fix are its tests."""

from __future__ import annotations

from micro_bench.edge.git_output import ChangedFile
from micro_bench.languages._recipe import Recipe
from micro_bench.tasks.split import Split, split, touches_both
from tests.fakes.fake_language import FakeLanguage

TOY = FakeLanguage()


def changed(path: str, status: str = "M", old: str | None = None, **more: bool) -> ChangedFile:
    return ChangedFile(path, status, old, 1, 1, **more)


def parts(*files: ChangedFile) -> Split:
    return split(files, TOY, Recipe())


def test_everything_that_is_no_test_is_the_fix() -> None:
    found = parts(
        changed("shop/core.toy"),
        changed("CHANGES.md"),
        changed("tests/test_a.toy", "A"),
        changed("tests/data/x.json", "A"),
        changed("shop/latest.toy"),
        changed("contest/a.toy"),
    )
    assert found.gold == ("CHANGES.md", "contest/a.toy", "shop/core.toy", "shop/latest.toy")
    assert found.test == found.hidden == ("tests/data/x.json", "tests/test_a.toy")


def test_deleted_tests_are_in_the_patch_and_not_hidden() -> None:
    found = parts(changed("tests/test_a.toy", "D"), changed("tests/test_b.toy"))
    assert found.test == ("tests/test_a.toy", "tests/test_b.toy")
    assert found.hidden == ("tests/test_b.toy",)


def test_both_sides_of_a_rename_are_sorted_by_themselves() -> None:
    found = parts(
        changed("tests/test_new.toy", "R", "tests/test_old.toy"),
        changed("tests/helper.toy", "R", "shop/helper.toy"),
        changed("shop/b.toy", "R", "shop/a.toy"),
        changed("shop/copy.toy", "C", "shop/core.toy"),
    )
    assert found.gold == ("shop/a.toy", "shop/b.toy", "shop/copy.toy", "shop/helper.toy")
    assert found.test == ("tests/helper.toy", "tests/test_new.toy", "tests/test_old.toy")
    assert found.hidden == ("tests/helper.toy", "tests/test_new.toy")


def test_submodules_are_in_neither_patch() -> None:
    found = parts(changed("tests/suite", submodule=True), changed("lib", submodule=True))
    assert found == Split((), (), (), ("lib", "tests/suite"))


def test_a_change_touches_both_or_not() -> None:
    def both(*paths: str) -> bool:
        return touches_both(paths, TOY, Recipe())

    assert both("shop/a.toy", "tests/test_a.toy")
    assert not both("shop/a.toy")
    assert not both("tests/test_a.toy")
    assert not both("README.md", "tests/test_a.toy")
    assert not both("shop/data.json", "tests/test_a.toy")
    assert not both()
