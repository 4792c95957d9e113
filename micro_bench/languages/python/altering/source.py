"""Places of a syntax tree in the bytes that it was made of."""

from __future__ import annotations

import ast

from micro_bench.model.execution import Edit


class Source:
    """A module's text, UTF-8, with the offsets of its lines."""

    def __init__(self, text: bytes) -> None:
        """Raises UnicodeDecodeError where it is anything else, or its lines end oddly."""
        text.decode("utf-8")
        self.text = text
        self.begins = [0]
        for line in text.split(b"\n"):
            self.begins.append(self.begins[-1] + len(line) + 1)

    @staticmethod
    def is_plain(text: bytes) -> bool:
        """Whether lines here are lines to the parser, too."""
        odd = b"\r" in text.replace(b"\r\n", b"") or b"\f" in text or text[:3] == b"\xef\xbb\xbf"
        return not odd

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Where it begins."""
        return self.begins[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Behind its last byte."""
        return self.begins[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Its own text."""
        return self.between(self.start(node), self.end(node))

    def between(self, start: int, end: int) -> str:
        """The text of a stretch."""
        return self.text[start:end].decode("utf-8")

    def replace(self, node: ast.expr | ast.stmt, text: str) -> Edit:
        """Something else in its place."""
        return Edit(start=self.start(node), end=self.end(node), text=text)
