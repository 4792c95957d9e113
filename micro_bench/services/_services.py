"""What the pipeline asks of a way to make services ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from micro_bench.model.image import Image
from micro_bench.model.service import Sidecar
from micro_bench.services.declared import Declared


class Services(Protocol):
    """Makes services ready, each at most once for what goes into it."""

    def made(
        self, services: Sequence[Declared], image: Image, env: Mapping[str, str]
    ) -> tuple[Sidecar, ...]:
        """A snapshot of each service, migrated and seeded; what is there is used again.

        Args:
            services: At least one.
            image: The task's: migrations run in it.
            env: The variables that the recipe gives to the tests.

        Raises:
            BuildError: A server does not come up, or a migration fails.
        """
