"""`task health`: how good the tasks are, and what deciding about them took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from micro_bench.model.decision import Decision, Why
from micro_bench.model.task import TIER_NAMES
from micro_bench.pipeline.curation.queue import Entry, Filter, queue
from micro_bench.pipeline.line import Line
from micro_bench.plurals import count
from micro_bench.store import Decisions
from micro_bench.tasks.standing import Agreement, Effort, agreement, effort, latest


@dataclass(frozen=True)
class Health:
    """Of one workspace."""

    entries: tuple[Entry, ...]
    rules: dict[str, int]
    """Rule and name -> tasks, of those that are not retired."""
    unlooked: int
    """Tasks that the rules have not looked at."""
    effort: Effort
    agreement: Agreement
    retired: dict[str, int]
    """Reason -> tasks."""

    def text(self) -> str:
        """For people."""
        return "\n".join(self._lines())

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "tasks": len(self.entries), "states": self._states(), "tiers": self._tiers(),
            "findings": self.rules, "not_looked_at": self.unlooked,
            "decisions": asdict(self.effort), "retired": self.retired,
            "agreement": {
                "both": self.agreement.both, "agreed": self.agreement.agreed,
                "kappa": self.agreement.kappa,
                "differing": [
                    {"task": one.task, "first": _said(one), "second": _said(other)}
                    for one, other in self.agreement.differing
                ],
            },
        }  # fmt: skip

    def _states(self) -> dict[str, int]:
        return dict(Counter(one.state for one in self.entries))

    def _tiers(self) -> dict[str, int]:
        kept = (one.task.tier.number for one in self.entries if one.state == "reviewed")
        return {str(tier): number for tier, number in sorted(Counter(kept).items())}

    def _lines(self) -> Iterator[str]:
        states = ", ".join(f"{number} {state}" for state, number in self._states().items())
        yield f"{count(len(self.entries), 'task')}: {states or 'none'}"
        for tier, number in self._tiers().items():
            yield f"  tier {tier} ({TIER_NAMES[int(tier)]}): {number} reviewed"
        yield "findings, of tasks that are not retired:"
        for name, number in self.rules.items():
            yield f"  {number:>4} {name}"
        if not self.rules:
            yield "  no rule has anything to say"
        if self.unlooked:
            yield f"  {count(self.unlooked, 'task')} not looked at (micro-bench task lint)"
        found, median = self.effort, self.effort.median_s
        seconds = "unknown" if median is None else f"{median:.0f} s"
        yield (
            f"decisions: {found.decisions}, median {seconds}; {found.overrides} other tiers, "
            f"{found.flagged} accepted in spite of a finding"
        )
        yield from (f"  retired as {why}: {number}" for why, number in self.retired.items())
        yield from self._second()

    def _second(self) -> Iterator[str]:
        both = self.agreement
        kappa = "no number" if both.kappa is None else f"{both.kappa:.2f}"
        yield f"second opinions: {both.both}, {both.agreed} agree, kappa {kappa}"
        for one, other in both.differing:
            yield f"  {one.task}: {_said(one)}; {_said(other)}"


def health(line: Line) -> Health:
    """Of the workspace, as it is."""
    entries = queue(line, Filter("all")).every
    decisions = Decisions(line.workspace).all()
    live = [one for one in entries if one.state != "retired"]
    rules = Counter(
        f"{found.rule} {found.name}"
        for one in live
        if one.found
        for found in {(f.rule, f.name): f for f in one.found.findings}.values()
    )
    why = Counter((one.why or Why.VAGUE).value for one in latest(decisions).values() if one.why)
    return Health(
        entries, dict(rules.most_common()), sum(one.found is None for one in live),
        effort(decisions), agreement(decisions), dict(why.most_common()),
    )  # fmt: skip


def _said(one: Decision) -> str:
    reason = f" ({one.why.value})" if one.why else ""
    return f"{one.by} {one.act.value}{reason}{f': {one.words}' if one.words else ''}"
