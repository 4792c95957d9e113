"""`micro-bench` and `python -m micro_bench`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from micro_bench.cli._app import run  # noqa: PLC0415 - importing takes its time, too
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
