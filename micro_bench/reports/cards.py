"""What exactly was run, and whether the run holds what a repetition needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from micro_bench.model.attempt import AgentRef, Attempt
from micro_bench.model.grid import UNDISCLOSED, Badge, Card, Proof
from micro_bench.model.report import CONTROLS, Provenance, RunFacts
from micro_bench.model.usage import Metered
from micro_bench.plurals import count

REPLAYS = "replay"
"""Its patches are kept: nothing is asked of a model."""


def card(run: RunFacts, agent: AgentRef, attempts: Sequence[Attempt]) -> Card:
    """One agent's; `attempts` are its own."""
    metered = [one.metered for one in attempts if one.metered is not None]
    sampling = _sampling(metered)
    return Card(
        agent=agent.name, kind=agent.kind, version=agent.version,
        models=tuple(sorted({name for one in metered for name in _models(one)})),
        options=agent.options, instruction=run.prompt,
        systems=tuple(sorted({digest for one in metered for digest in one.systems})),
        sampling=sampling, temperature=sampling.get("temperature", UNDISCLOSED),
        prices="; ".join(sorted({f"{m.prices.name} {m.prices.digest[:12]}" for m in metered})),
        limits=tuple(sorted({one.limits.model_dump_json() for one in attempts})),
        k=run.planned or max((one.number for one in attempts), default=0),
    )  # fmt: skip


def _models(one: Metered) -> Iterator[str]:
    for model in one.models:
        answered = [name for name in model.answered if name != model.model]
        yield f"{model.provider}/{model.model}" + (f" ({', '.join(answered)})" if answered else "")


def _sampling(metered: Sequence[Metered]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for one in metered:
        for name, value in one.sampling.items():
            found.setdefault(name, set()).update(value.split(" | "))
    return {name: " | ".join(sorted(values)) for name, values in sorted(found.items())}


def badge(run: RunFacts, cards: Sequence[Card], provenance: Sequence[Provenance]) -> Badge:
    """Computed from what the run holds, not from what anybody says."""
    kinds = {agent.name: agent.kind for agent in run.agents}
    asking = [one for one in cards if kinds[one.agent] not in {*CONTROLS, REPLAYS}]
    proofs = (
        _code(run.harness), _prompt(run, asking), _parameters(asking),
        _variant(run, provenance), _images(provenance),
    )  # fmt: skip
    whole = all(proof.held for proof in proofs)
    return Badge(level="reproducible" if whole else "partial", proofs=proofs)


def _code(harness: str) -> Proof:
    commit = re.search(r"\b[0-9a-f]{7,40}\b", harness)
    if commit is None:
        return Proof(name="code", held=False, what=f"no commit is known of {harness}")
    clean = "dirty" not in harness
    return Proof(
        name="code", held=clean, what=harness if clean else f"{harness}: uncommitted changes"
    )


def _prompt(run: RunFacts, asking: Sequence[Card]) -> Proof:
    silent = [one.agent for one in asking if not one.systems]
    if run.prompt is None:
        return Proof(name="prompt", held=False, what="the instruction's template is not known")
    if silent:
        return _missing("prompt", "system messages", silent)
    systems = count(sum(len(one.systems) for one in asking), "system message")
    return Proof(name="prompt", held=True, what=f"template {run.prompt[:12]}, {systems}")


def _parameters(asking: Sequence[Card]) -> Proof:
    silent = [one.agent for one in asking if one.temperature == UNDISCLOSED]
    if silent:
        return _missing("parameters", "the temperature", silent)
    said = "; ".join(f"{one.agent}: temperature {one.temperature}" for one in asking)
    return Proof(name="parameters", held=True, what=said or "no model was asked")


def _missing(name: str, what: str, agents: Sequence[str]) -> Proof:
    told = {"name": name, "held": False, "what": f"{what} of {', '.join(agents)}: {UNDISCLOSED}"}
    return Proof.model_validate(told)


def _variant(run: RunFacts, provenance: Sequence[Provenance]) -> Proof:
    """Each task in one form, with what decides its grading."""
    mixed = [one.task for one in provenance if len(one.task_digests) > 1]
    blind = [task.id for task in run.tasks if task.graded_by is None]
    if mixed or blind:
        what = f"changed during the run: {', '.join(mixed)}" if mixed else (
            f"what graded {count(len(blind), 'task')} is not known"
        )  # fmt: skip
        return Proof(name="variant", held=False, what=what)
    return Proof(name="variant", held=True, what=f"{count(len(run.tasks), 'task')} by digest")


def _images(provenance: Sequence[Provenance]) -> Proof:
    digests = [digest for one in provenance for digest in one.image_digests]
    odd = [digest for digest in digests if not digest.startswith("sha256:")]
    if odd or not digests:
        what = f"{count(len(odd), 'image')} without a digest" if odd else "no image is known"
        return Proof(name="images", held=False, what=what)
    return Proof(name="images", held=True, what=f"{count(len(set(digests)), 'image')} by digest")
