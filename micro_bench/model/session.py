"""What an agent tells of its own work. Nobody has checked it: the gateway counts for itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Noun, Seconds

Count = Annotated[int, Field(ge=0)]


class SessionUsage(Noun):
    """Tokens and price by the agent's own account; None where it does not say."""

    input: Count | None = None
    """All that was sent, cached or not."""
    cached: Count | None = None
    output: Count | None = None
    """Reasoning included."""
    cost_usd: Decimal | None = None


class Call(Noun):
    """A tool that the agent used."""

    tool: str
    """By the agent's own name for it."""
    command: str = ""
    """The command line, where the tool runs one."""
    path: str = ""
    """The file, where it is about one."""
    kind: str = "other"
    """`command`, `read`, `edit`, `search` or `other`."""
    exit_code: int | None = None
    """None: not a command, or not disclosed."""
    seconds: Seconds | None = None
    failed: bool | None = None
    """Whether the tool said so; None: not disclosed."""
    output: str = ""
    """The beginning of what came back."""
    ident: str = ""
    """The agent's own id of the call."""


class Step(Noun):
    """One thing that the agent said, with the calls that came with it."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()


class Conduct(Noun):
    """How an attempt went about it, out of the calls that its agent tells."""

    commands: Count
    opened: Count
    """Files that were read before the first edit."""
    test_runs: Count = 0
    first_tests: Literal["passed", "failed"] | None = None
    """How its own first run of tests ended; None: there was none, or it is not disclosed."""
    gold_files: Count = 0
    """That the reference fix changes."""
    located: Count = 0
    """Those of them that were opened or edited."""


class Session(Noun):
    """All of it."""

    version: str | None = None
    model: str | None = None
    usage: SessionUsage | None = None
    steps: tuple[Step, ...] = ()
    problem: str = ""
    """An error by which it says that it ended."""
