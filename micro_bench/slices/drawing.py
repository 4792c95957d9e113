"""A slice's parts as a picture: the change in the middle, its importers left, its imports right.

Plain SVG with text that is escaped and styles of its own: nothing in it runs or is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from micro_bench.slices.shown import Part, Parts, neighbours

WIDTH, MARGIN, ROW, HEAD = 1200, 24, 46, 74
BOX_WIDTH, BOX_HEIGHT = 300, 34
COLUMNS = {
    "before": MARGIN,
    "changed": (WIDTH - BOX_WIDTH) // 2,
    "after": WIDTH - MARGIN - BOX_WIDTH,
}
TITLES = {"before": "import the change", "changed": "the fix changes", "after": "imported by it"}
REST_COLUMNS, REST_WIDTH, REST_GAP = 5, 216, 18
LETTERS, REST_LETTERS = 29, 20
_STYLE = """
svg { background: #fff; font: 13px system-ui, sans-serif; }
text { fill: #1f2328; } .soft { fill: #59636e; font-size: 12px; }
rect { fill: #f6f8fa; stroke: #d1d9e0; rx: 6px; } .changed rect { fill: #fff1c2; stroke: #d4a72c; }
.tests rect { stroke-dasharray: 4 3; stroke: #0969da; }
path { fill: none; stroke: #8c959f; stroke-opacity: .55; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #f0f6fc; } .soft { fill: #9198a1; }
  rect { fill: #151b23; stroke: #3d444d; } .changed rect { fill: #3b2e0a; stroke: #9e6a03; }
  .tests rect { stroke: #4493f8; } path { stroke: #9198a1; }
}
"""


def svg(title: str, found: Parts) -> str:
    """The picture; equal parts give equal text."""
    places = neighbours(found)
    spots, height = _spots(found.parts, places)
    body = [f'<text x="{MARGIN}" y="30" font-size="17" font-weight="600">{_text(title)}</text>']
    body += [
        f'<text class="soft" x="{x}" y="58">{TITLES[name]}</text>'
        for name, x in COLUMNS.items()
        if name in places.values()
    ]
    if any(place == "rest" for place in places.values()):
        top = min(y for name, (_x, y) in spots.items() if places[name] == "rest") - 14
        body.append(f'<text class="soft" x="{MARGIN}" y="{top}">the rest of the slice</text>')
    body += [_edge(spots[a], spots[b], n) for a, b, n in found.imports if _told(a, b, places)]
    body += [_box(part, spots[part.name], places[part.name]) for part in found.parts]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-label={quoteattr(_text(title))}>'
        f"<style>{_STYLE}</style>{''.join(body)}</svg>\n"
    )


def _told(a: str, b: str, places: Mapping[str, str]) -> bool:
    """Lines that do not touch the change would hide those that do."""
    return places[a] != places[b] and "changed" in (places[a], places[b])


def _spots(
    parts: Sequence[Part], places: Mapping[str, str]
) -> tuple[dict[str, tuple[int, int]], int]:
    """Where each box begins, and the height of all."""
    spots: dict[str, tuple[int, int]] = {}
    rows = dict.fromkeys(COLUMNS, 0)
    for part in parts:
        column = places[part.name]
        if column in COLUMNS:
            spots[part.name] = (COLUMNS[column], HEAD + rows[column] * ROW)
            rows[column] += 1
    bottom = HEAD + max(rows.values()) * ROW + MARGIN
    others = [part for part in parts if part.name not in spots]
    for index, part in enumerate(others):
        row, place = divmod(index, REST_COLUMNS)
        spots[part.name] = (MARGIN + place * (REST_WIDTH + REST_GAP), bottom + 12 + row * ROW)
    lines = -(-len(others) // REST_COLUMNS)
    return spots, bottom + (12 + lines * ROW if others else 0) + MARGIN


def _box(part: Part, spot: tuple[int, int], place: str) -> str:
    x, y = spot
    width, most = (REST_WIDTH, REST_LETTERS) if place == "rest" else (BOX_WIDTH, LETTERS)
    kind = " ".join(
        word for word, true in (("changed", part.changed), ("tests", part.hidden)) if true
    )
    told = f"{part.changed} of {part.files}" if part.changed else f"{part.files}"
    return (
        f'<g class="{kind}"><title>{_text(_words(part))}</title>'
        f'<rect x="{x}" y="{y}" width="{width}" height="{BOX_HEIGHT}"/>'
        f'<text x="{x + 10}" y="{y + 22}">{_text(_short(part.name, most))}</text>'
        f'<text class="soft" x="{x + width - 10}" y="{y + 22}" text-anchor="end">{told}</text></g>'
    )


def _words(part: Part) -> str:
    words = f"{part.name}: {part.files} files"
    words += f", {part.changed} changed by the fix" if part.changed else ""
    return words + (f", {part.hidden} hidden test files" if part.hidden else "")


def _edge(start: tuple[int, int], end: tuple[int, int], number: int) -> str:
    (x1, y1), (x2, y2) = start, end
    y1, y2 = y1 + BOX_HEIGHT // 2, y2 + BOX_HEIGHT // 2
    x1 += BOX_WIDTH if x1 < x2 else 0
    x2 += BOX_WIDTH if x2 < x1 - BOX_WIDTH else 0
    middle = (x1 + x2) // 2
    width = min(1 + number // 8, 5)
    return f'<path stroke-width="{width}" d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"/>'


def _short(name: str, most: int) -> str:
    """The end of a path tells most."""
    return name if len(name) <= most else f"…{name[1 - most :]}"


def _text(words: str) -> str:
    """For a picture: what XML cannot hold is shown as a box."""
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in words)
    return escape(plain.encode("utf-8", "replace").decode())
