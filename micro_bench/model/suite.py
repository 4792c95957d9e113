"""A frozen suite: which tasks, as they were, and what will be asked of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from micro_bench.model.base import Digest, Noun, Slug, Time
from micro_bench.model.task import EffortSize, TierNumber


class Member(Noun):
    """A task of a suite."""

    id: Slug
    tier: TierNumber
    effort: EffortSize
    fixed: date
    """The day of its reference fix: to be held against a model's training cut-off."""
    digest: Digest
    """Over all of the spec and its patches: the words as well."""


class Suite(Noun):
    """`suites/<name>.yaml`. What is changed later makes another version."""

    schema_version: Literal[1] = 1
    name: Slug
    version: Annotated[int, Field(ge=1)] = 1
    frozen: Time
    why: str = ""
    """Of a version after the first."""
    primary_endpoint: str = "pass@1 over all tiers, all gates"
    """The one question that is asked first; written down before there are results."""
    k: Annotated[int, Field(ge=1, le=1000)]
    canary: str
    """A string that stands in every artefact: a model that knows it has read the suite."""
    tasks: Annotated[tuple[Member, ...], Field(min_length=1)]
