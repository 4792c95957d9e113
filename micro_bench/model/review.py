"""What a person thinks of a passing patch: whether it would be merged, and how long that took."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Digest, Noun, Time


class Review(Noun):
    """One line of a run's `reviews.jsonl`. The reader did not see whose patch it is."""

    schema_version: Literal[1] = 1
    attempt: str
    """`task/agent/number`."""
    patch_sha256: Digest
    merge: bool
    minutes: Annotated[float, Field(ge=0, le=10_000)]
    by: Annotated[str, Field(min_length=1, max_length=200)]
    words: str = ""
    at: Time
