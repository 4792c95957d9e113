"""Caps that hold: what a request may cost at worst is reserved before it is sent.

A request passes only if what is spent, what is reserved for those under way and its own worst case
fit into the cap together. Where it would fit once those under way have settled for less, it waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from micro_bench.model.usage import Caps, Stop

Cap = Literal["usd", "tokens", "requests"]


@dataclass(frozen=True)
class Amount:
    """What something costs. `usd` is None where there is no price."""

    usd: Decimal | None = Decimal(0)
    tokens: int = 0
    requests: int = 0

    def __add__(self, other: Amount) -> Amount:
        """Together; an unknown price counts nothing here: caps in dollars need prices."""
        usd = (self.usd or Decimal(0)) + (other.usd or Decimal(0))
        return Amount(usd, self.tokens + other.tokens, self.requests + other.requests)

    def __sub__(self, other: Amount) -> Amount:
        """What is left."""
        usd = (self.usd or Decimal(0)) - (other.usd or Decimal(0))
        return Amount(usd, self.tokens - other.tokens, self.requests - other.requests)


@dataclass
class Budget:
    """One scope's cap with what was used of it. Not thread-safe: for one event loop."""

    scope: Literal["attempt", "run"]
    caps: Caps
    spent: Amount = field(default_factory=Amount)
    reserved: Amount = field(default_factory=Amount)

    def refuses(self, worst: Amount) -> Stop | None:
        """The cap that this would break even if nothing else was under way."""
        return self._broken(self.spent + worst, worst)

    def waits(self, worst: Amount) -> bool:
        """Whether it does not fit beside what is under way."""
        return self._broken(self.spent + self.reserved + worst, worst) is not None

    def reserve(self, worst: Amount) -> None:
        """Set it aside."""
        self.reserved += worst

    def settle(self, worst: Amount, actual: Amount) -> None:
        """Give the reserve back and take what was used."""
        self.reserved -= worst
        self.spent += actual

    def _broken(self, whole: Amount, worst: Amount) -> Stop | None:
        caps = self.caps
        if caps.requests is not None and whole.requests > caps.requests:
            return self._stop("requests", f"{caps.requests} requests", "", "")
        if caps.tokens is not None and whole.tokens > caps.tokens:
            spent, asked = f"{self.spent.tokens} tokens", f"{worst.tokens} tokens"
            return self._stop("tokens", f"{caps.tokens} tokens", spent, asked)
        if caps.usd is not None and (whole.usd or Decimal(0)) > caps.usd:
            spent, asked = f"{dollars(self.spent.usd)} USD", f"{dollars(worst.usd)} USD"
            return self._stop("usd", f"{dollars(caps.usd)} USD", spent, asked)
        return None

    def _stop(self, cap: Cap, most: str, spent: str, asked: str) -> Stop:
        limit = f"{most} {'an attempt' if self.scope == 'attempt' else 'for the run'}"
        used = f": {spent} are used and this request may take {asked}" if spent else ""
        message = f"micro-bench: the budget of {limit} is reached{used}. No further request passes."
        return Stop(cap=cap, scope=self.scope, limit=limit, message=message)


def dollars(value: Decimal | None) -> str:
    """As people read it: at least cents, at most a ten-thousandth of a dollar."""
    if value is None:
        return "?"
    text = f"{value:.4f}"
    return text[:-2] if text.endswith("00") else text
