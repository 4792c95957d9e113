"""Jira's two ways of writing, wiki markup and the Atlassian Document Format, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from micro_bench.tickets.importers._rows import list_of, mapping_of, text_of

_BLOCK = re.compile(
    r"\{(?P<kind>code|noformat|quote)(?::(?P<option>[^}\n]{0,200}))?\}(?P<text>.*?)\{(?P=kind)\}",
    re.DOTALL,
)
_LINES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"^h([1-6])\.[ \t]+", re.MULTILINE), lambda m: "#" * int(m[1]) + " "),
    (re.compile(r"^bq\.[ \t]+", re.MULTILINE), "> "),
    (re.compile(r"^(\*{1,6})[ \t]+", re.MULTILINE), lambda m: "  " * (len(m[1]) - 1) + "- "),
    (re.compile(r"^(#{1,6})[ \t]+(?=\S)", re.MULTILINE), lambda m: "   " * (len(m[1]) - 1) + "1. "),
    (re.compile(r"\{\{([^{}\n]{1,400})\}\}"), r"`\1`"),
    (re.compile(r"\[([^\]|\n]{1,300})\|(https?://[^\]\s|]{1,500})[^\]\n]{0,100}\]"), r"[\1](\2)"),
    (re.compile(r"\[(https?://[^\]\s|]{1,500})\]"), r"<\1>"),
    (re.compile(r"!([^!|\s][^!|\n]{0,200}\.\w{2,5})(?:\|[^!\n]{0,100})?!"), r"![\1](\1)"),
    (re.compile(r"(?<![\w*])\*([^\s*][^*\n]{0,300}?[^\s*]|[^\s*])\*(?![\w*])"), r"**\1**"),
    (re.compile(r"\{color(?::[^}\n]{0,40})?\}|\{panel(?::[^}\n]{0,200})?\}"), ""),
)
DEEPEST = 60


def wiki(text: str) -> str:
    """Wiki markup. Code and logs stay byte for byte."""
    parts: list[str] = []
    position = 0
    for block in _BLOCK.finditer(text):
        parts += [_inline(text[position : block.start()]), _fenced(block)]
        position = block.end()
    return "".join([*parts, _inline(text[position:])])


def _inline(text: str) -> str:
    # Ordered lists before headings would take `# ` of Markdown for theirs.
    order = [_LINES[3], _LINES[0], *_LINES[1:3], *_LINES[4:]]
    for pattern, put in order:
        text = pattern.sub(put, text)
    return text


def _fenced(block: re.Match[str]) -> str:
    inside = block["text"].strip("\n")
    if block["kind"] == "quote":
        return "\n".join(f"> {line}" for line in inside.split("\n"))
    language = (block["option"] or "").partition("|")[0]
    word = language if re.fullmatch(r"[A-Za-z0-9+#-]{1,20}", language) else ""
    return f"\n```{word}\n{inside}\n```\n"


def adf(value: object) -> str:
    """A document of the Atlassian Document Format; what is unknown gives its text."""
    return re.sub(r"\n{3,}", "\n\n", _node(mapping_of(value), 0)).strip("\n")


def _node(node: Mapping[str, object], depth: int) -> str:
    if depth > DEEPEST:
        return ""
    kind, attrs = text_of(node.get("type")), mapping_of(node.get("attrs"))
    if kind == "text":
        return _marked(text_of(node.get("text")), list_of(node.get("marks")))
    inside = [_node(mapping_of(one), depth + 1) for one in list_of(node.get("content"))]
    made = _KINDS.get(kind)
    return made("".join(inside), inside, attrs) if made else "".join(inside)


def _marked(text: str, marks: Any) -> str:
    for mark in (mapping_of(one) for one in marks):
        kind = text_of(mark.get("type"))
        if kind == "code":
            text = f"`{text}`"
        elif kind in {"strong", "em", "strike"}:
            sign = {"strong": "**", "em": "*", "strike": "~~"}[kind]
            text = f"{sign}{text}{sign}"
        elif kind == "link":
            text = f"[{text}]({text_of(mapping_of(mark.get('attrs')).get('href'))})"
    return text


def _indented(text: str, first: str) -> str:
    rest = " " * len(first)
    lines = text.strip("\n").split("\n")
    return (
        "\n".join([first + lines[0], *(rest + line if line else "" for line in lines[1:])]) + "\n"
    )


def _heading(text: str, level: object) -> str:
    depth = level if isinstance(level, int) and 1 <= level <= 6 else 2
    return f"\n{'#' * depth} {text}\n\n"


Made = Callable[[str, list[str], Mapping[str, object]], str]
_KINDS: dict[str, Made] = {
    "paragraph": lambda text, _parts, _attrs: f"{text}\n\n",
    "heading": lambda text, _parts, attrs: _heading(text, attrs.get("level")),
    "hardBreak": lambda _text, _parts, _attrs: "\n",
    "rule": lambda _text, _parts, _attrs: "\n---\n\n",
    "codeBlock": lambda text, _parts, attrs: (
        f"\n```{text_of(attrs.get('language'))}\n{text}\n```\n\n"
    ),
    "blockquote": lambda text, _parts, _attrs: (
        "\n".join(f"> {line}" for line in text.strip().split("\n")) + "\n\n"
    ),
    "bulletList": lambda _text, parts, _attrs: "".join(_indented(p, "- ") for p in parts) + "\n",
    "orderedList": lambda _text, parts, _attrs: (
        "".join(_indented(p, f"{n}. ") for n, p in enumerate(parts, 1)) + "\n"
    ),
    "mention": lambda _text, _parts, attrs: text_of(attrs.get("text")) or "@somebody",
    "emoji": lambda _text, _parts, attrs: text_of(attrs.get("text") or attrs.get("shortName")),
    "inlineCard": lambda _text, _parts, attrs: f"<{text_of(attrs.get('url'))}>",
    "blockCard": lambda _text, _parts, attrs: f"<{text_of(attrs.get('url'))}>\n\n",
    "media": lambda _text, _parts, attrs: (
        f"![{text_of(attrs.get('alt')) or 'attachment'}]({text_of(attrs.get('id'))})\n"
    ),
    "tableRow": lambda _text, parts, _attrs: (
        "| " + " | ".join(p.strip().replace("\n", " ") for p in parts) + " |\n"
    ),
    "table": lambda _text, parts, _attrs: _table(parts),
    "date": lambda _text, _parts, attrs: text_of(attrs.get("timestamp")),
    "status": lambda _text, _parts, attrs: text_of(attrs.get("text")),
}


def _table(rows: list[str]) -> str:
    if not rows:
        return ""
    columns = max(1, rows[0].count(" | ") + 1)
    rule = "| " + " | ".join(["---"] * columns) + " |\n"
    return f"\n{rows[0]}{rule}{''.join(rows[1:])}\n"
