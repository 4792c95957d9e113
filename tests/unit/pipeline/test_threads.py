"""Tasks are worked on in parallel: what they share must bear it."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe

BODY = "def test_{}():\n    assert [f(x) for x in (1, 2)] == {{'a': b}}\n\n"
MODULE = "".join(BODY.format(number) for number in range(100)).encode()


@pytest.fixture
def _restless() -> Iterator[None]:
    """The collector runs often, and each time another thread gets its turn."""

    def let_others_in(_phase: str, _info: object) -> None:
        time.sleep(0.0001)

    threshold = gc.get_threshold()
    gc.callbacks.append(let_others_in)
    gc.set_threshold(200)
    yield
    gc.set_threshold(*threshold)
    gc.callbacks.remove(let_others_in)


def count(depth: int) -> int:
    if depth:
        return count(depth - 1)
    return len(python.test_definitions("tests/test_a.py", MODULE, Recipe()))


@pytest.mark.usefixtures("_restless")
def test_sources_are_parsed_by_several_threads_at_once():
    """Python 3.11 has `SystemError: AST constructor recursion depth mismatch` for those who do."""
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(count, range(16))) == {100}
