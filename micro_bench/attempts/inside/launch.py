"""Becomes a command, beside a forwarder from the loopback to the one way out.

    python -I -c PROGRAM SOCKET PORT COMMAND...

Agents speak TCP, and a sandbox has no network: what is sent to the port goes to the socket, which
the harness laid there for this attempt alone. Standard library only.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import suppress

WAITING = 512
"""Connections that may wait to be taken."""
PIECE = 65536


def main(argv: list[str]) -> int:
    """Returns only where the command cannot be started: 127 or 126, as a shell."""
    place, port, command = argv[0], int(argv[1]), argv[2:]
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(WAITING)
    if os.fork() == 0:
        _let_go()
        asyncio.run(forward(server, place))
        os._exit(0)
    server.close()
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell, as it should be
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126


def _let_go() -> None:
    """Whoever reads what the command prints waits for every copy of its streams."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


async def forward(server: socket.socket, place: str) -> None:
    """Hand on every connection, for as long as the sandbox lives."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            away, back = await asyncio.open_unix_connection(place)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, back), _pump(away, writer))

    listening = await asyncio.start_server(serve, sock=server)
    await listening.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction; its end is handed on, the other goes on."""
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            return
    writer.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
