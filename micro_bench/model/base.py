"""What every noun shares: frozen, strict, closed to unknown fields."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
"""A full git object id."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in hexadecimal."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""A name that is safe as a file name and as part of an image tag."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Time = AwareDatetime


class Noun(BaseModel):
    """A value that is checked once, when made, and never changes.

    Decode it from JSON text (`model_validate_json`) so that strict mode still reads
    enums, tuples and datetimes. There is no use of `model_copy(update=...)`: it skips
    validation; make a new value instead.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        ser_json_inf_nan="null",
        validate_default=True,
        use_attribute_docstrings=True,
    )

    def content_digest(self) -> str:
        """SHA-256 of the canonical JSON form (keys in field order, no white space)."""
        return self.digest_without(())

    def digest_without(self, harmless: Collection[str]) -> str:
        """The same without some keys. What nobody called harmless counts, whoever adds it."""
        text = self.model_dump_json(exclude=set(harmless))
        return hashlib.sha256(text.encode()).hexdigest()
