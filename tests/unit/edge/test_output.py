"""Output that cannot be written is trouble with the disk, never with the engine or the command."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from micro_bench.edge.containers import engine_errors
from micro_bench.edge.process import Deadline, stream
from micro_bench.edge.sinks import MARK, STDERR, STDOUT, Sinks
from micro_bench.errors import EngineError, StorageError


class Full(io.BytesIO):
    """A file on a disk with room for a few bytes."""

    name = "/runs/agent.log"

    def write(self, data: object) -> int:
        if self.tell() > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)  # type: ignore[arg-type]


def test_a_full_disk_is_not_the_engine_s_failure():
    with (
        pytest.raises(StorageError, match=r"/runs/agent.log.*No space left"),
        engine_errors("exec"),
    ):
        _feed(Sinks(Full(), None, 1000), [b"x" * 20] * 3)


def test_a_broken_stream_is():
    def breaks():
        yield b"x"
        raise ConnectionResetError

    with pytest.raises(EngineError, match="exec"), engine_errors("exec"):
        _feed(Sinks(io.BytesIO(), None, 1000), breaks())


def test_a_full_disk_does_not_stop_a_local_command_in_the_middle(tmp_path: Path):
    """It is read to its end, or it would wait on a full pipe until the deadline."""
    script = "head -c 1000000 /dev/zero; echo done > done"
    with pytest.raises(StorageError, match="No space left"):
        stream(
            ("sh", "-c", script), output=Full(), env={"PATH": os.environ["PATH"]}, cwd=tmp_path,
            deadline=Deadline(60), limit=10**7,
        )  # fmt: skip
    assert (tmp_path / "done").read_text() == "done\n"


@pytest.mark.parametrize(
    ("chunks", "limit", "kept", "cut"),
    [
        ([b"abc", b"def"], 6, b"abcdef", False),
        ([b"abc", b"def"], 5, b"abcde", True),
        ([b"abcdef"], 3, b"abc", True),
        ([b"abc", b"d", b"e"], 3, b"abc", True),
        ([], 3, b"", False),
        ([b"abc"], 0, b"", True),
    ],
)
def test_output_is_kept_up_to_the_limit(chunks: list[bytes], limit: int, kept: bytes, cut: bool):
    output = io.BytesIO()
    sinks = Sinks(output, None, limit)
    _feed(sinks, chunks)
    assert sinks.truncated is cut
    assert output.getvalue() == kept


def test_both_streams_share_a_limit_unless_the_second_has_a_place_of_its_own():
    output, errors = io.BytesIO(), io.BytesIO()
    shared, apart = Sinks(output, None, 4), Sinks(io.BytesIO(), errors, 4)
    for sinks in (shared, apart):
        sinks.take(STDOUT, b"abc")
        sinks.take(STDERR, b"defgh")
    assert (output.getvalue(), shared.truncated) == (b"abcd", True)
    assert (errors.getvalue(), apart.truncated) == (b"defgh", False)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_what_comes_before_the_command_is_not_its_output(size: int):
    """However the engine cuts the stream, and even if the command prints the mark once more."""
    said = b"a warning\n" + MARK + b"first" + MARK + b"last"
    output = io.BytesIO()
    sinks = Sinks(output, None, 1000, awaits_mark=True)
    _feed(sinks, [said[i : i + size] for i in range(0, len(said), size)])
    sinks.check_mark()
    assert output.getvalue() == b"first" + MARK + b"last"


def test_files_that_do_not_arrive_are_the_sandbox_s_failure():
    sinks = Sinks(io.BytesIO(), None, 1000, awaits_mark=True)
    sinks.take(STDERR, b"tar: write error: No space left on device")
    with pytest.raises(EngineError, match="No space left"):
        sinks.check_mark()


def _feed(sinks: Sinks, chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        sinks.take(STDOUT, chunk)


@pytest.mark.parametrize("apart", [True, False])
def test_errors_that_are_here_before_the_mark_of_the_output_are_not_lost(apart: bool):
    """An engine copies the two streams side by side."""
    output, errors = io.BytesIO(), io.BytesIO()
    sinks = Sinks(output, errors if apart else None, 100, awaits_mark=True)
    sinks.take(STDERR, b"prepared\n")
    sinks.take(STDOUT, b"tar: " + MARK[:4])
    sinks.take(STDOUT, MARK[4:] + b"tests\n")
    sinks.take(STDERR, b"done\n")
    sinks.check_mark()
    told = (b"tests\n", b"prepared\ndone\n") if apart else (b"prepared\ntests\ndone\n", b"")
    assert (output.getvalue(), errors.getvalue()) == told
