"""No look for garbage meanwhile, and as it was afterwards."""

from __future__ import annotations

import gc

import pytest

from micro_bench.edge.garbage import uncollected


def test_it_is_off_meanwhile_and_as_it_was_afterwards():
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


@uncollected()
def broken() -> None:
    raise ValueError("broken")


def test_an_error_leaves_it_as_it_was():
    with pytest.raises(ValueError, match="broken"):
        broken()
    assert gc.isenabled()
