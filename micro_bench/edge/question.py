"""One question to the resolver: what is wanted, under which dates, without what."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.utils import canonicalize_name

from micro_bench.edge import process
from micro_bench.edge.packages import uv_binary
from micro_bench.edge.pip_settings import UNFOLDED, no_index, pip_configuration, uv_environment
from micro_bench.model.slice import Requirement

Limits = Mapping[str, datetime | None]
"""Package -> until when its uploads count; None for all of them."""


@dataclass(frozen=True)
class Wanted:
    """What is to be resolved."""

    requirements: Sequence[Requirement]
    python: str
    """Full version, `3.11.2`: markers such as `python_version < "3.11.3"` decide by it."""
    before: datetime
    """Files uploaded later do not exist, but for those of packages that have nothing older."""
    own: Sequence[str] = ()
    """The project's own distributions. Something may depend on them (pytest on pluggy); a released
    copy must not lie beside the slice."""
    leave_out: Sequence[str] = ()
    """Distributions that shall not be there, whoever asks for them."""
    elsewhere: Sequence[str] = ()
    """Sources of requirements (`exporter/x/pyproject.toml ...`) of parts of the repository that the
    task does not touch: where all do not go together, these give way."""
    pins: Sequence[str] = ()
    """Versions of the repository's own lock file, with markers: limits to what is asked for."""
    pins_from: str = ""


@dataclass(frozen=True)
class Question:
    """One question to the resolver."""

    wanted: Wanted
    limits: Limits = field(default_factory=dict)
    wheels: Collection[str] = ()
    left_out: Collection[str] = ()
    strategy: str = "unsafe-best-match"

    def argv(self) -> list[str]:
        """What follows `uv`, but for the interpreter."""
        wanted = self.wanted
        own = [name for name in wanted.own if _NAME.fullmatch(name)]
        options = [word for name in own for word in ("--no-emit-package", name)]
        options += [word for name in sorted(self.wheels) for word in ("--only-binary", name)]
        options += ["--no-index"] if no_index(pip_configuration()) else []
        options += ["--override", _OVERRIDES] if self._absent() else []
        options += ["--constraint", _CONSTRAINTS] if wanted.pins else []
        for name, until in self.limits.items():
            date = "false" if until is None else until.isoformat()
            options += ["--exclude-newer-package", f"{name}={date}"]
        return [
            "pip", "compile", "--quiet", "--no-config", "--generate-hashes",
            "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
            "--index-strategy", self.strategy, "--python-version", wanted.python,
            "--python-platform", "x86_64-manylinux_2_28" if _x86() else "linux",
            "--exclude-newer", wanted.before.isoformat(), *options, _REQUIREMENTS,
        ]  # fmt: skip

    def files(self) -> dict[str, bytes]:
        """What lies beside it."""
        lines = [requirement.text for requirement in self.wanted.requirements]
        # A requirement that holds nowhere takes the place of every other one of that package.
        overrides = [f"{name} ; sys_platform == 'nowhere'" for name in self._absent()]
        return {
            _REQUIREMENTS: ("\n".join(lines) + "\n").encode(),
            _OVERRIDES: ("\n".join(overrides) + "\n").encode(),
            _CONSTRAINTS: ("\n".join(self.wanted.pins) + "\n").encode(),
        }

    def _absent(self) -> list[str]:
        """What is not resolved at all: what is left out, and released copies of the project's own,
        whose requirements would come in without them.
        """
        own = (name for name in self.wanted.own if _NAME.fullmatch(name))
        return sorted({*map(canonicalize_name, own), *self.left_out})


_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")
_REQUIREMENTS, _OVERRIDES, _CONSTRAINTS = "requirements.in", "overrides.in", "constraints.in"


def run_here(asked: Question, deadline_s: float) -> process.Result:
    """Ask it on this host."""
    with TemporaryDirectory(prefix="micro-bench-lock-") as folder:
        for name, content in asked.files().items():
            (Path(folder) / name).write_bytes(content)
        return process.run(
            [uv_binary(), *asked.argv(), "--python", sys.executable],
            env={**uv_environment(pip_configuration()), **UNFOLDED},
            cwd=Path(folder), deadline_s=deadline_s,
        )  # fmt: skip


def _x86() -> bool:
    return os.uname().machine == "x86_64"
