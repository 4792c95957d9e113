"""Which images go, and what they take: by their layers, without an engine."""

from __future__ import annotations

import pytest

from micro_bench.edge.stock import Kept, bytes_of
from micro_bench.images.stock import Choice, Needs, plan, usage

NOW = 1_800_000_000.0
DAY = 86400.0


def image(name: str, layers: str, *, below: str = "", created: float = 0, **labels: str) -> Kept:
    """An image whose layers are letters, of a hundred bytes each."""
    told = {"micro-bench": "image", **({"micro-bench.below": below} if below else {}), **labels}
    tags = (name,) if name else ()
    return Kept(
        f"sha256:{name or layers}", tags, told, tuple(layers), (100,) * len(layers), created
    )


BASE = image("micro-bench/base:py3.11", "a")
SYSTEM = image("micro-bench/system:1", "ab", below="sha256:a")
ENVIRONMENT = image("micro-bench/environment:1", "abc", below=SYSTEM.name)
TOOLS = image("micro-bench/tools:1", "abcd", below=ENVIRONMENT.name)
ONE = image("micro-bench/slice:1", "abcde", below=TOOLS.name)
TWO = image("micro-bench/slice:2", "abcdf", below=TOOLS.name)
OTHER = image("micro-bench/environment:2", "abx", below=SYSTEM.name)
ALL = [BASE, SYSTEM, ENVIRONMENT, TOOLS, ONE, TWO, OTHER]


def gone(*images: Kept, needs: Needs | None = None, choice: Choice | None = None) -> list[str]:
    made = plan(images or ALL, needs or Needs({}), choice or Choice(NOW))
    return [one.name for one in made.go]


def test_what_is_needed_stays_with_all_that_it_stands_on():
    needs = Needs({ONE.id: "task a"})
    assert gone(needs=needs) == [TWO.name, OTHER.name]
    made = plan(ALL, needs, Choice(NOW))
    assert made.stay[SYSTEM.name] == made.stay[ONE.name] == "task a"
    assert made.freed == 200


@pytest.mark.parametrize("needs", [Needs({}, in_use={TWO.id}), Needs({}, held={TWO.name})])
def test_what_is_worked_with_stays(needs: Needs):
    assert gone(needs=needs) == [ONE.name, OTHER.name]


def test_the_highest_go_first_and_the_base_only_when_asked_for():
    assert gone() == [ONE.name, TWO.name, TOOLS.name, ENVIRONMENT.name, OTHER.name, SYSTEM.name]
    assert gone(choice=Choice(NOW, everything=True))[-1] == BASE.name
    assert gone(choice=Choice(NOW, names=("micro-bench/slice:*",))) == [ONE.name, TWO.name]


def test_what_is_not_ours_is_never_touched():
    foreign = Kept("sha256:f", ("debian:12",), {}, ("a",), (100,), 0)
    assert gone(foreign) == []


@pytest.mark.parametrize(
    ("one", "goes"),
    [
        (image("micro-bench/snapshot:1", "a", created=NOW - 60), False),
        (image("micro-bench/snapshot:1", "a", created=NOW - DAY), True),
        (image("micro-bench/failed:x", "a", **{"micro-bench.failed": "step"}), True),
        (image("", "a", created=NOW - DAY), False),
        (image("", "a", created=NOW - 60, **{"micro-bench.build": "1"}), False),
        (image("", "a", created=NOW - DAY, **{"micro-bench.build": "1"}), True),
    ],
)
def test_what_may_be_on_its_way_to_a_name_stays(one: Kept, goes: bool):
    assert bool(gone(one)) is goes


def test_layers_on_the_same_layers_count_once():
    assert bytes_of(ALL) == 700
    assert bytes_of([ONE, ONE]) == 500
    assert bytes_of([]) == 0


def test_usage_is_told_by_environment():
    found = usage(ALL, {ONE.id: {"task-2", "task-1"}})
    one, two = found.environments
    assert (one.environment, one.own, one.tools, one.shared) == (ENVIRONMENT.name, 100, 100, 200)
    assert [(piece.image, piece.tasks) for piece in one.slices] == [
        (ONE.name, ("task-1", "task-2")), (TWO.name, ()),
    ]  # fmt: skip
    assert (two.environment, two.slices) == (OTHER.name, ())
    assert (found.below, found.other, found.total, found.alone) == (200, 0, 700, 1000)
