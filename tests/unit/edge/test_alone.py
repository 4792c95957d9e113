"""One at a time, of threads and of processes; who dies lets go."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from micro_bench.edge.alone import alone
from micro_bench.errors import BusyError, StorageError

HOLD = """
import pathlib, sys
from micro_bench.edge.alone import alone
with alone(pathlib.Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


def nobody() -> None:
    pytest.fail("it is free")


def busy() -> None:
    raise BusyError("taken")


def test_a_process_keeps_others_out_until_it_dies(tmp_path: Path):
    place = tmp_path / "below" / ".busy"
    command = [sys.executable, "-c", HOLD, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BusyError), alone(place, busy):
            pytest.fail("two at once")
        other.kill()
        other.wait()
        with alone(place, nobody):
            pass


def test_who_does_not_mind_waits(tmp_path: Path):
    waiting, order = threading.Event(), []

    def second() -> None:
        with alone(tmp_path / "x", waiting.set):
            order.append("second")

    with alone(tmp_path / "x", nobody):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(timeout=60)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/x"), alone(tmp_path / "file" / "x", nobody):
        pytest.fail("no such place")
