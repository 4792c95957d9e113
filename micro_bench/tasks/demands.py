"""What hidden tests ask for, and where an agent could have read it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from micro_bench.model.finding import Asked, Demand, DemandKind, Where
from micro_bench.tasks.patches import Patch

Occurring = Callable[[Iterable[str], bool], frozenset[str]]
"""Which texts stand in the base's code; as whole words if the second is true."""


def placed(
    asked: Iterable[Asked], words: str, gold: Patch, occurring: Occurring
) -> tuple[Demand, ...]:
    """Each with where it stands; what stands nowhere first.

    Args:
        asked: By all hidden tests.
        words: What the agent reads.
        gold: The reference fix.
        occurring: Looks into the base's code.
    """
    every = tuple({one.text: one for one in sorted(asked, key=_weight)}.values())
    names = {one.text for one in every if one.kind is DemandKind.NAME}
    texts = {one.text for one in every} - names
    code = occurring(names, True) | occurring(texts, False)
    said = frozenset(re.findall(r"\w+", words))
    found = (
        Demand(asked=one, where=_where(one, words, said, code), in_fix=_in_fix(one, gold))
        for one in every
    )
    return tuple(sorted(found, key=_order))


def _weight(one: Asked) -> int:
    """A text is told once, as the weightiest thing that it is: the last of these."""
    return [DemandKind.LITERAL, DemandKind.FILE, DemandKind.NAME, DemandKind.MESSAGE].index(
        one.kind
    )


def _where(one: Asked, words: str, said: frozenset[str], code: frozenset[str]) -> Where:
    in_ticket = one.text in said if one.kind is DemandKind.NAME else one.text in words
    if in_ticket:
        return Where.TICKET
    return Where.CODE if one.text in code else Where.NOWHERE


def _in_fix(one: Asked, gold: Patch) -> bool:
    if one.kind is DemandKind.NAME:
        return one.text in gold.words
    if " " in one.text or one.kind is DemandKind.FILE:
        return one.text in gold.text or one.text in gold.paths
    return any(f"{quote}{one.text}{quote}" in gold.text for quote in "\"'")


def _order(one: Demand) -> tuple[bool, bool, str, int]:
    return (one.where is not Where.NOWHERE, not one.in_fix, one.asked.path, one.asked.line)
