"""Whose sandbox it is: only the dead of this machine leave orphans."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from micro_bench.edge.owners import owner_alive, owner_id


def test_this_process_lives():
    assert owner_alive(owner_id())
    assert owner_id().startswith(f"{os.getpid()}.")
    assert "-" not in owner_id(), "names of folders are divided by it"


def test_a_process_that_ended_is_dead():
    code = "from micro_bench.edge.owners import owner_id; print(owner_id())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert not owner_alive(done.stdout.strip())


def test_another_process_with_the_same_number_is_not_it():
    pid, started, host = owner_id().split(".")
    assert not owner_alive(f"{pid}.{int(started) + 1}.{host}")


def test_the_processes_of_other_machines_are_not_ours_to_judge():
    pid, started, _host = owner_id().split(".")
    assert owner_alive(f"{pid}.{int(started) + 1}.another")
    assert owner_alive("4194304.1.another")


@pytest.mark.parametrize("owner", ["", ".", "..", "x.y", "-1.5", "1"])
def test_no_owner_is_a_dead_one(owner: str):
    assert not owner_alive(owner)
