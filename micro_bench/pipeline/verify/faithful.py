"""Whether a slice lacks what its tests look for: then its level is raised, with the reason."""

from __future__ import annotations

from micro_bench.model.image import Verification
from micro_bench.model.slice import Slice
from micro_bench.pipeline.prepare import Prepared
from micro_bench.slices.sought import sought


def lacking(prepared: Prepared, found: Verification) -> str:
    """Why hidden tests may pass with the whole repository that do not with the slice; empty if
    nothing says so. What the runner names, and the slice left out, is a reason.
    """
    gone = frozenset(prepared.everything) - frozenset(prepared.base)
    if prepared.piece.raised or not gone:
        return ""
    said = [*found.reasons, *(text for one in found.causes for text in (one.said, one.means))]
    what = sought("\n".join(said), (), gone)
    return f"tests look for {', '.join(what.paths)}, which the slice left out" if what else ""


def raised(piece: Slice, why: str) -> Slice:
    """The manifest with the reason: the next slice of the task is the whole repository."""
    return Slice.model_validate({**dict(piece), "raised": why})
