"""What every page has: its frame, its style, how its addresses are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from micro_bench.model.task import TIER_NAMES
from micro_bench.pages import colours, diffs

STATIC = {
    "page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml",
}  # fmt: skip
"""Files that pages load: all there are."""


@dataclass(frozen=True)
class Frame:
    """Around one page."""

    name: str
    """`runs`, `run`, ...: what its script looks for."""
    path: str
    """Of the page, below the top: `run/r1/a/b/1.html`."""
    live: bool = True
    """False in a copy in files, where nobody answers."""

    @property
    def up(self) -> str:
        """From the page to the top: all addresses are relative, so that a copy can lie anywhere."""
        return "../" * self.path.count("/")

    def to(self, place: str, **query: str) -> str:
        """The address of another page, as this one names it."""
        asked = {key: value for key, value in query.items() if value}
        return f"{self.up}{quote(place)}" + (f"?{urlencode(asked)}" if asked else "")


def render(template: str, frame: Frame, values: Mapping[str, object]) -> str:
    """A page."""
    return _environment().get_template(template).render(frame=frame, **values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("micro_bench.pages", "_templates"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    made.globals.update(prose=colours.prose, read_diff=diffs.read, TIER_NAMES=TIER_NAMES)
    return made


@lru_cache(maxsize=8)
def static(name: str) -> bytes:
    """One of the files that pages load."""
    return (files("micro_bench.pages") / "_static" / name).read_bytes()
