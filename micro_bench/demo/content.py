"""Where the example's parts are: repository, tickets, recorded agents."""

from __future__ import annotations

from pathlib import Path

from micro_bench.demo.materialise import materialise

HERE = Path(__file__).parent


def repository(destination: Path) -> Path:
    """The example's git history, made out of the text in this package."""
    return materialise(destination)


def tickets() -> Path:
    """The export of its tickets, in GitHub's shape."""
    return HERE / "tickets" / "export"


def agents() -> dict[str, Path]:
    """Agent -> folder of its recorded attempts."""
    root = HERE / "recordings"
    return {path.name: path for path in sorted(root.iterdir()) if path.is_dir()}
