"""The ticket is not in English."""

from __future__ import annotations

from collections.abc import Iterator

from micro_bench.model.finding import Level
from micro_bench.tasks.findings._finding import Case, Found

CODE = "TL105"
NAME = "not-english"
ABOUT = (
    "A flag and no reproach: agents differ in the languages they read well. Keep it if your "
    "team writes so; a report can be split by label."
)


_COMMON = """the a an is are was be to of and in it that this for on with as not when if by from or
at have has i we you can does do but there should which using use after before no then so"""
COMMON = frozenset(_COMMON.split())
FEWEST, SHARE = 20, 0.12


def find(case: Case) -> Iterator[Found]:
    """Few of the words that every English text is full of, or letters of other scripts."""
    letters = [c for c in case.prose if c.isalpha()]
    foreign = sum(not c.isascii() for c in letters)
    if len(letters) >= FEWEST and foreign > len(letters) / 3:
        yield Found(Level.NOTE, "most letters are of another script", "instruction")
    elif len(case.words) >= FEWEST:
        common = sum(word in COMMON for word in case.words) / len(case.words)
        if common < SHARE:
            message = f"{common:.0%} of the words are common English ones, fewer than {SHARE:.0%}"
            yield Found(Level.NOTE, message, "instruction")
