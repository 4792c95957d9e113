"""Code, diffs and prose as HTML in which nothing can act. Every text is escaped here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token as MarkdownToken
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

MOST_COLOURED = 100_000
"""Characters of a text that gets colours: they cost a millisecond for two lines."""
MOST_PROSE = 200_000


def lines(path: str, texts: Sequence[str]) -> list[Markup]:
    """Lines of a file, in the colours of its language."""
    text = "\n".join(texts)
    lexer = _lexer(path) if len(text) <= MOST_COLOURED else None
    if lexer is None:
        return [escape(line) for line in texts]
    found = list(_split(lexer, text))
    return [*found, *[Markup()] * len(texts)][: len(texts)]


def _split(lexer: Lexer, text: str) -> Iterator[Markup]:
    line = Markup()
    for kind, part in lexer.get_tokens(text):
        name = STANDARD_TYPES.get(kind, "")
        first, *rest = part.split("\n")
        line += _word(name, first)
        for other in rest:
            yield line
            line = _word(name, other)
    yield line


def _word(name: str, text: str) -> Markup:
    if not text:
        return Markup()
    return Markup('<span class="{}">{}</span>').format(name, text) if name else escape(text)


@lru_cache(maxsize=64)
def _lexer(path: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def prose(text: str) -> Markup:
    """Markdown as a tracker shows it: no HTML of its own, no pictures, links that say where to."""
    return Markup(_markdown().render(text[:MOST_PROSE]))  # noqa: S704 - markdown-it escapes


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
        ["table", "strikethrough"]
    )
    made.add_render_rule("image", _picture)
    made.add_render_rule("link_open", _link)
    return made


def _picture(
    self: RendererHTML,  # noqa: ARG001 - the library's signature
    tokens: Sequence[MarkdownToken],
    at: int,
    options: OptionsDict,  # noqa: ARG001
    env: object,  # noqa: ARG001
) -> str:
    """Named, never loaded: its address would tell who reads."""
    token = tokens[at]
    words = f"picture: {token.content or 'without words'} ({token.attrs.get('src', '')})"
    return str(Markup('<span class="picture">{}</span>').format(words))


def _link(
    self: RendererHTML,
    tokens: Sequence[MarkdownToken],
    at: int,
    options: OptionsDict,
    env: object,
) -> str:
    token = tokens[at]
    token.attrSet("rel", "noreferrer noopener")
    token.attrSet("target", "_blank")
    token.attrSet("title", str(token.attrs.get("href", "")))
    return str(self.renderToken(tokens, at, options, env))  # type: ignore[arg-type]
