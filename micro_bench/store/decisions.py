"""What people decided of tasks: a file of lines in the team's folder, only ever added to."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import ValidationError

from micro_bench.edge.files import append_line
from micro_bench.errors import BadInputError, Mistake
from micro_bench.model.decision import Decision
from micro_bench.paths import Workspace


class Decisions:
    """Of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.path = workspace.decisions

    def all(self) -> tuple[Decision, ...]:
        """Every line, the oldest first. Lines that a merge has doubled count once.

        Raises:
            BadInputError: With every line that cannot be read.
        """
        if not self.path.exists():
            return ()
        found: dict[str, Decision] = {}
        mistakes: list[Mistake] = []
        for number, line in enumerate(self._lines(), 1):
            try:
                if line.strip():
                    found.setdefault(line.strip(), Decision.model_validate_json(line))
            except ValidationError as error:
                said = error.errors()[0]
                where = ".".join(map(str, said["loc"]))
                mistakes.append(Mistake(str(self.path), number, 1, where, said["msg"]))
        if mistakes:
            raise BadInputError("decisions cannot be read", mistakes=mistakes)
        return tuple(sorted(found.values(), key=lambda one: one.at))

    def add(self, decision: Decision) -> None:
        """Write one at the end, on the disk before this returns."""
        data = decision.model_dump(mode="json", exclude_defaults=True)
        text = json.dumps({"schema_version": 1, **data}, ensure_ascii=False)
        append_line(self.path, text)

    def _lines(self) -> Iterator[str]:
        yield from self.path.read_bytes().decode("utf-8", "replace").splitlines()
