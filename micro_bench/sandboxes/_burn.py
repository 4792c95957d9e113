"""Runs a command on CPUs that are busy with other work. Standard library only; sent as text.

    python -c TEXT CPUS BURNERS COMMAND...

takes CPUS of the processors it may use, starts BURNERS processes there that only count, and runs
the command beside them, on the same processors. Its exit code is the command's.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys

BURN = "while True: pass"


def main(cpus: int, burners: int, command: list[str]) -> int:
    """Pin, burn, run, and end the burners."""
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, random.sample(allowed, min(cpus, len(allowed))))
    argv = [sys.executable, "-I", "-S", "-c", BURN]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": -3}
    burning = [subprocess.Popen(argv, **quiet) for _ in range(burners)]  # type: ignore[call-overload]
    try:
        return subprocess.call(command)
    finally:
        for process in burning:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
