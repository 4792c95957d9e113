"""How the stages tell where they are; a front end listens, and a test may too."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Hears of the work as it goes on. Called from several threads."""

    def begin(self, phase: str, total: int) -> None:
        """So many items are to be done now: `verify`, 12."""

    def stage(self, item: str, doing: str) -> None:
        """What happens to an item at this moment: `parcel-4`, `cutting its slice`."""

    def done(self, item: str, became: str, failed: str = "") -> None:
        """An item is done. `failed` is the kind of failure in a word or two; empty if none."""


class Silent:
    """For who does not want to know."""

    def begin(self, phase: str, total: int) -> None:
        """Nothing."""

    def stage(self, item: str, doing: str) -> None:
        """Nothing."""

    def done(self, item: str, became: str, failed: str = "") -> None:
        """Nothing."""
