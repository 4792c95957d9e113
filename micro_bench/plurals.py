"""How a number of things is written."""

from __future__ import annotations


def count(number: int, noun: str, plural: str = "s") -> str:
    """`1 task`, `12 tasks`."""
    return f"{number} {noun}" + ("" if number == 1 else plural)
