"""Waits for a command and becomes it, inside a sandbox. Standard library only.

    python -I -c PROGRAM

It reads the length of what it is told (eight bytes), that (JSON), and a tar; unpacks the tar, says
that the command begins, and is gone.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from typing import Any


def main() -> int:
    """Returns only where the command cannot be started: 127 or 126, as a shell."""
    os.write(1, b"\0ready\n")
    told = json.loads(_read(int.from_bytes(_read(8), "big")))
    if told["bytes"]:
        _unpack(_read(told["bytes"]), told["folder"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.write(1, b"\0unpacked\n")
    argv = [_name(part) for part in told["argv"]]
    env = dict(os.environb)
    env.update({_name(key): _name(value) for key, value in told["env"].items()})
    try:
        os.execvpe(argv[0], argv, env)  # noqa: S606 - no shell, as it should be
    except OSError as error:
        os.write(2, argv[0] + b": " + str(error.strerror).encode() + b"\n")
        return 127 if isinstance(error, FileNotFoundError) else 126


def _name(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _read(length: int) -> bytes:
    """So many bytes; none are taken that belong to nobody here."""
    pieces = []
    while length:
        piece = os.read(0, min(length, 2**20))
        if not piece:
            sys.exit(125)
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _unpack(archive: bytes, folder: str) -> None:
    """The harness's own files: they are laid as they are."""
    options: Any = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, **options)  # noqa: S202 - see above


if __name__ == "__main__":
    sys.exit(main())
