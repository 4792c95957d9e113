"""A realistic run, built in code: 4 agents and a control, 12 tasks, 3 to 5 attempts each."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from micro_bench.model.attempt import (
    AgentFailed,
    AgentRef,
    Attempt,
    BudgetStop,
    Finished,
    InfraFailed,
    Outcome,
    PatchRef,
    Timings,
)
from micro_bench.model.rates import CostRates, Targets
from micro_bench.model.report import Report, RunFacts, SkippedTask, TaskFacts
from micro_bench.model.score import Criterion, CriterionName, CriterionResult, Score, Verdict
from micro_bench.model.session import Conduct
from micro_bench.model.task import Limits
from micro_bench.model.usage import Metered, ModelUsage, PriceSource, Tokens
from micro_bench.reports.tabulate import tabulate

START = datetime(2026, 3, 14, 2, 30, tzinfo=UTC)
PASSED, FAILED = CriterionResult.PASSED, CriterionResult.FAILED
WAIVED, UNSCORED = CriterionResult.WAIVED, CriterionResult.UNSCORED

TITLES = (
    ("money-rounding", "Totals are off by one cent when a discount splits unevenly", 1, "S"),
    ("slug-unicode", "Slugs of titles with combining accents collide", 1, "S"),
    ("retry-jitter", "Retry back-off ignores the jitter setting", 1, "S"),
    ("csv-bom", "CSV import keeps the byte order mark in the first column's name", 1, "M"),
    ("label-reprint", "Reprinting a label changes its tracking number", 2, "M"),
    ("tz-cutoff", "Same-day cut-off uses the server's time zone", 2, "M"),
    ("bulk-cancel", "Bulk cancel leaves refunds pending", 2, "M"),
    ("rate-cache", "Rate cache serves prices of a closed contract", 2, "L"),
    ("webhook-order", "Webhooks arrive before the transaction commits", 3, "M"),
    ("carrier-failover", "Failover books the same parcel at two carriers", 3, "L"),
    ("audit-trail", "Audit trail misses changes made by background jobs", 3, "L"),
    ("tenant-split", "Move tenants to their own schema without a stop", 4, "L"),
)
SKILL = {"strong": 1.7, "steady": 0.9, "quick": 0.2, "weak": -1.6}


def agent(name: str, kind: str = "command", version: str = "1.0") -> AgentRef:
    return AgentRef(name=name, kind=kind, version=version)


AGENTS = (
    AgentRef(name="strong", kind="command", version="4.1.0", options={"effort": "high"}),
    AgentRef(name="steady", kind="command", version="2.8.3", options={"effort": "medium"}),
    AgentRef(name="quick", kind="command", version="2026.2", options={"mode": "fast"}),
    AgentRef(name="weak", kind="command", version="0.3.1"),
    AgentRef(name="oracle", kind="oracle", version="1"),
)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def patch(text: str = "patch") -> PatchRef:
    return PatchRef(sha256=digest(text), bytes=840, files=("src/parcel/rates.py",), lines=24)


def finished() -> Finished:
    return Finished(patch=patch(), exit_code=0)


def stopped(limit: str = "agent_s") -> BudgetStop:
    return BudgetStop(limit=limit, patch=patch())


def attempt(
    task: str,
    who: AgentRef,
    number: int,
    outcome: Outcome,
    *,
    seconds: float = 120.0,
    isolation: str = "docker",
) -> Attempt:
    return Attempt(
        run="nightly-2026-03-14",
        task=task,
        task_digest=digest(task),
        tier=1,
        agent=who,
        number=number,
        image_key=digest(f"image {task}"),
        image_digest=f"sha256:{digest(f'built {task}')}",
        isolation=isolation,
        limits=Limits(),
        started=START,
        finished=START + timedelta(seconds=seconds + 35),
        outcome=outcome,
        timings=Timings(total=seconds + 35, agent_command=seconds, grade=20, test_command=12),
    )


RESULTS = {
    "pass": (PASSED, PASSED, PASSED, PASSED),
    "waived": (PASSED, PASSED, PASSED, WAIVED),
    "tests": (FAILED, PASSED, PASSED, PASSED),
    "regression": (PASSED, FAILED, PASSED, PASSED),
    "messy": (FAILED, PASSED, FAILED, FAILED),
    "lint": (PASSED, PASSED, FAILED, PASSED),
    "sast": (PASSED, PASSED, PASSED, FAILED),
    "unscored": (PASSED, PASSED, PASSED, UNSCORED),
    "tampered": (PASSED, PASSED, PASSED, PASSED),
    "no_change": (FAILED, PASSED, PASSED, PASSED),
    "patch_rejected": (FAILED, FAILED, UNSCORED, UNSCORED),
}
DETAILS = {
    CriterionName.FAIL_TO_PASS: "2 of 4 tests pass",
    CriterionName.PASS_TO_PASS: "318 of 320 tests pass",
    CriterionName.LINT: "3 new findings >= low",
    CriterionName.SAST: "1 new finding >= medium",
}
VERDICTS = {
    "pass": Verdict.PASS,
    "waived": Verdict.PASS,
    "unscored": Verdict.UNSCORED,
    "tampered": Verdict.TAMPERED,
    "invalid": Verdict.INVALID,
}


def score(of: Attempt, what: str, *, red: bool | None = None, reason: str | None = None) -> Score:
    """The score of an attempt; `what` is a key of RESULTS, or `invalid`."""
    results = RESULTS.get(what, ())
    verdict = VERDICTS.get(what, Verdict.FAIL)
    tests = len(results) == 4 and results[:2] == (PASSED, PASSED)
    criteria = tuple(
        Criterion(name=name, result=result, detail="" if result is PASSED else DETAILS[name])
        for name, result in zip(CriterionName, results, strict=False)
    )
    return Score(
        attempt=of.id,
        run=of.run,
        sequence=1,
        verdict=verdict,
        reason=("" if verdict is Verdict.PASS else what) if reason is None else reason,
        criteria=criteria,
        tests_passed=tests,
        unit_green_system_red=red,
        failed_tests=(),
        scans=(),
        fail_to_pass=(4, 4) if tests else (2, 4),
        pass_to_pass=(320, 320),
        patch_sha256=digest("patch"),
        image_digest=of.image_digest,
        isolation=of.isolation,
        harness="micro_bench 0.1.0 (5d41402a)",
        graded=of.finished,
        seconds=20.0,
        test_seconds=12.0,
    )


def run_facts(
    *,
    agents: tuple[AgentRef, ...] = AGENTS,
    tasks: tuple[TaskFacts, ...] | None = None,
    ks: tuple[int, ...] = (1, 3, 5),
    **more: object,
) -> RunFacts:
    shown = tuple(TaskFacts(id=i, title=t, tier=n, effort=e) for i, t, n, e in TITLES)
    facts: dict[str, object] = {
        "run": "nightly-2026-03-14",
        "created": START,
        "harness": "micro_bench 0.1.0 (5d41402a)",
        "agents": agents,
        "ks": ks,
        "tasks": shown if tasks is None else tasks,
        "isolation": "docker",
    }
    return RunFacts.model_validate({**facts, **more})


def _one(
    rng: random.Random, task: str, tier: int, who: AgentRef, number: int, ease: float
) -> tuple[Attempt, Score | None]:
    seconds = rng.lognormvariate(5.2 + 0.35 * tier, 0.45)
    if who.kind == "oracle":
        made = attempt(task, who, number, finished(), seconds=1.4)
        return made, score(made, "pass", red=False if tier > 2 else None)
    odd = rng.random()
    if odd < 0.04:
        return attempt(
            task, who, number, InfraFailed(stage="start", message="engine: timeout")
        ), None
    if odd < 0.06:
        failed = AgentFailed(exit_code=1, tail="Traceback\nConnectionError: model endpoint\n")
        return attempt(task, who, number, failed), None
    solves = rng.random() < 1 / (1 + 2.718 ** -(SKILL[who.name] + ease))
    late = odd > 0.94
    made = attempt(task, who, number, stopped() if late else finished(), seconds=seconds)
    good = ("pass",) * 14 + ("lint", "sast", "unscored")
    bad = ("tests",) * 6 + ("regression", "regression", "messy", "no_change")
    what = rng.choice(good if solves else bad)
    if who.name == "quick" and not solves and odd > 0.9:
        what = "tampered"
    red = (not solves and rng.random() < 0.4) if tier > 2 else None
    return made, score(made, what, red=red)


def realistic(seed: int = 4) -> tuple[RunFacts, list[Attempt], dict[str, Score]]:
    """Infrastructure failures, budget stops, tampering, unscored, all-pass and zero cells."""
    rng = random.Random(seed)  # noqa: S311
    run = run_facts(
        skipped=(
            SkippedTask(id="pdf-fonts", reason="not verified: gold patch fails 1 of 6 tests"),
            SkippedTask(id="geo-index", reason="not verified: 2 flaky tests", title="Slow search"),
        ),
        host={"cpu": "8 x x86-64", "memory": "32 GB", "engine": "Docker 27.3", "kernel": "6.8"},
        planned=5,
        title="Parcel backlog, nightly",
    )
    attempts: list[Attempt] = []
    scores: dict[str, Score] = {}
    for task in run.tasks:
        ease = rng.gauss(1.9 - 0.9 * task.tier, 1.3)
        for who in run.agents:
            for number in range(1, 4 if task.tier == 4 else 6):
                made, graded = _one(rng, task.id, task.tier, who, number, ease)
                attempts.append(made)
                if graded:
                    scores[made.id] = graded
    return run, attempts, scores


def realistic_report() -> Report:
    return tabulate(*realistic())


def small_report() -> Report:
    """Three tasks, two agents, one of each kind of ending: the recorded cases."""
    agents = (agent("alpha"), agent("beta", version="2.0"))
    tasks = (
        TaskFacts(
            id="one",
            title="Plain title",
            tier=1,
            effort="S",
            labels=("bug",),
            use_case="bug fix",
            packages=("src/parcel",),
            graded_by=digest("g"),
        ),
        TaskFacts(id="two", title="Pipes | and <b>tags</b>", tier=1, effort="M"),
        TaskFacts(
            id="three",
            title="=1+1",
            tier=3,
            effort="L",
            labels=("=cmd|' /C calc'!A0", "ui"),
            use_case="feature",
            packages=("src/parcel", "src/web"),
            graded_by=digest("g"),
        ),
    )
    run = run_facts(
        agents=agents,
        tasks=tasks,
        ks=(1, 3, 5),
        skipped=(SkippedTask(id="four", reason="not verified: 1 flaky test"),),
        host={"cpu": "4 x x86-64"},
        targets=Targets(
            small_tasks=Decimal("0.5"), safety=Decimal("0.99"), infrastructure=Decimal("0.01"),
            per_success=Decimal(5), communication=Decimal("0.8"),
        ),
        prompt=digest("template"),
        rates=CostRates(
            sandbox_hour=Decimal("0.36"), ci_minute=Decimal("0.006"), person_hour=Decimal(90),
            ticket_hours={"S": Decimal(1), "M": Decimal(4), "L": Decimal(16)},
        ),
    )  # fmt: skip
    endings = {
        ("one", "alpha"): ("pass", "pass", "waived"),
        ("one", "beta"): ("pass", "lint", "tests"),
        ("two", "alpha"): ("pass", "unscored", "sast"),
        ("two", "beta"): ("tampered", "messy", "no_change"),
        ("three", "alpha"): ("pass", "regression", "invalid"),
        ("three", "beta"): ("infra", "agent", "budget"),
    }
    attempts, scores = [], {}
    for (task, name), kinds in endings.items():
        who = next(one for one in agents if one.name == name)
        for number, kind in enumerate(kinds, 1):
            made = metered(attempt(task, who, number, _outcome(kind), seconds=60.0 * number))
            attempts.append(made)
            if kind not in {"infra", "agent"}:
                what = "tests" if kind == "budget" else kind
                scores[made.id] = score(made, what, red=kind == "regression")
    return tabulate(run, attempts, scores)


def metered(one: Attempt) -> Attempt:
    """Through the gateway; what beta's second task cost is not known."""
    known = (one.agent.name, one.task) != ("beta", "two")
    usd = Decimal("0.0425") * one.number if known else None
    tokens = Tokens(input=1000, cached=9000, output=500)
    model = ModelUsage(model="m", provider="p", requests=3, tokens=tokens, cost_usd=usd)
    found = Metered(
        requests=3, models=(model,), cost_usd=usd, known_usd=usd or Decimal(0),
        prices=PriceSource(name="genai-prices 0.2.3", digest=digest("prices")),
        systems=(digest("system"),), sampling={"temperature": "1.0"},
    )  # fmt: skip
    conduct = Conduct(
        commands=5 * one.number, opened=one.number, test_runs=1, gold_files=2,
        first_tests="failed" if one.number < 3 else "passed", located=one.number % 3,
    )  # fmt: skip
    told = {"metered": found, "conduct": conduct if one.agent.name == "alpha" else None}
    return Attempt.model_validate({**dict(one), **told})


def _outcome(kind: str) -> Outcome:
    special: dict[str, Outcome] = {
        "infra": InfraFailed(stage="start", message="no space left | on device"),
        "agent": AgentFailed(exit_code=2, tail="usage: agent [options]\n"),
        "budget": stopped(),
    }
    return special.get(kind, finished())
