"""`micro-bench` and `python -m micro_bench`."""

from __future__ import annotations

import sys

from micro_bench.cli._app import run


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
