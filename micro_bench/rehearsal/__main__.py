"""`python -m micro_bench.rehearsal --port N --script FILE`: the scripted provider by itself.

It prints its address, and with `--log` a line of JSON for each request, until it is stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from micro_bench.rehearsal.script import EXAMPLE, load
from micro_bench.rehearsal.server import ModelServer


def main() -> None:
    """Serve until the end."""
    parser = argparse.ArgumentParser(prog="python -m micro_bench.rehearsal")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--key", help="the only key that is let in; default: any")
    parser.add_argument("--root", help="the agent's folder; default: read from its prompt")
    parser.add_argument("--log", type=Path, help="a file that gets each request")
    given = parser.parse_args()
    script = load(given.script) if given.script else EXAMPLE
    with ModelServer(script, key=given.key, port=given.port, root=given.root) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        _log(server, given.log)


def _log(server: ModelServer, path: Path | None) -> None:
    written = 0
    while True:
        time.sleep(0.1)
        fresh = server.requests[written:]
        written += len(fresh)
        if path and fresh:
            with path.open("a", encoding="utf-8") as log:
                log.writelines(f"{r.as_json()}\n" for r in fresh)


if __name__ == "__main__":
    main()
