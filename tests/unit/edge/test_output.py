"""Output that cannot be written is trouble with the disk, never with the engine or the command."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from micro_bench.edge.engine import _drain, engine_errors
from micro_bench.edge.process import stream
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
        _drain(iter([b"x" * 20] * 3), Full(), 1000)


def test_a_broken_stream_is():
    def breaks():
        yield b"x"
        raise ConnectionResetError

    with pytest.raises(EngineError, match="exec"), engine_errors("exec"):
        _drain(breaks(), io.BytesIO(), 1000)


def test_a_full_disk_does_not_stop_a_local_command_in_the_middle(tmp_path: Path):
    """It is read to its end, or it would wait on a full pipe until the deadline."""
    script = "head -c 1000000 /dev/zero; echo done > done"
    with pytest.raises(StorageError, match="No space left"):
        stream(
            ("sh", "-c", script), output=Full(), env={"PATH": os.environ["PATH"]}, cwd=tmp_path,
            deadline_s=60, limit=10**7,
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
    assert _drain(iter(chunks), output, limit) is cut
    assert output.getvalue() == kept
