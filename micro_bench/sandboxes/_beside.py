"""Runs a command beside services, inside the sandbox that they share. Standard library only.

    python -I -c PROGRAM SERVICES TOKEN COMMAND...

`SERVICES` is a folder with `services.json` and a folder of data for each. A service that does not
come up, or is down when the command ends, leaves `down-TOKEN` with the reason there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Tuple  # noqa: UP035 -- Python 3.8 reads it

UP_S, HEALTH_S, STOP_S = 60.0, 10.0, 20.0
DOWN = 98
Running = List[Tuple[Dict[str, Any], "subprocess.Popen[bytes]"]]  # noqa: UP006 -- as above


def main(services: Path, token: str, argv: list[str]) -> int:
    """The command's exit code, or `DOWN`."""
    running: Running = []
    try:
        for one in json.loads((services / "services.json").read_text(encoding="utf-8")):
            running.append((one, start(services, one)))
        trouble = next(filter(None, (comes_up(*pair) for pair in running)), "")
        code = DOWN if trouble else subprocess.call(argv)
        trouble = trouble or next(filter(None, (is_down(*pair) for pair in running)), "")
    finally:
        for _one, process in running:
            stop(process)
    if trouble:
        (services / f"down-{token}").write_text(f"{trouble}{last_words(services)}")
        return DOWN
    return code


def start(services: Path, one: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A session of its own: what the command does to its group does not end the service."""
    with (services / f"{one['name']}.log").open("wb") as log:
        return subprocess.Popen(
            one["main"], env={**os.environ, **one["own"]}, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def comes_up(one: dict[str, Any], process: subprocess.Popen[bytes]) -> str:
    """Empty, or why not."""
    end = time.monotonic() + UP_S
    while process.poll() is None and time.monotonic() < end:
        if healthy(one):
            return ""
        time.sleep(0.05)
    return f"the service {one['name']} does not come up (exit code {process.poll()})"


def is_down(one: dict[str, Any], process: subprocess.Popen[bytes]) -> str:
    """Empty, or that it is."""
    if process.poll() is None and healthy(one):
        return ""
    return f"the service {one['name']} is down (exit code {process.poll()})"


def healthy(one: dict[str, Any]) -> bool:
    """Whether it answers."""
    try:
        done = subprocess.run(
            one["health"], env={**os.environ, **one["own"]}, timeout=HEALTH_S, check=False,
            capture_output=True,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def stop(process: subprocess.Popen[bytes]) -> None:
    """In order, so that its data are whole for the next command; else by force."""
    if process.poll() is not None:
        return
    for act, seconds in ((process.terminate, STOP_S), (partial(_kill, process.pid), STOP_S)):
        act()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def _kill(group: int) -> None:
    os.killpg(group, signal.SIGKILL)


def last_words(services: Path) -> str:
    """What the logs end with."""
    tails = (file.read_text("utf-8", "replace")[-600:] for file in sorted(services.glob("*.log")))
    return "".join(f"\n{tail.strip()}" for tail in tails if tail.strip())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
