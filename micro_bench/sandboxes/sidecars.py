"""A task's services beside one container: fresh, on its own network, and gone with it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from micro_bench.edge.containers import BESIDE, Container, ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.errors import EngineError
from micro_bench.model.service import Sidecar

CPUS, PIDS = 1.0, 512
UP_S, HEALTH_S = 60.0, 10.0
LINES = 15
OWN = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""What the images of others need, to become the user that they chose."""
_WAIT = 'until "$@" >/dev/null 2>&1; do sleep 0.05; done'


class Sidecars:
    """The running services of one sandbox."""

    def __init__(self, engine: Engine, services: Sequence[Sidecar]) -> None:
        self._engine, self._services = engine, services
        self._running: list[tuple[Sidecar, Container]] = []

    @property
    def env(self) -> dict[str, str]:
        """What the tests are told of them."""
        return {name: text for one in self._services for name, text in one.env.items()}

    def start(self, container: str, labels: Mapping[str, str]) -> None:
        """Start each beside a container, and wait until all answer.

        Raises:
            EngineError: One does not come up; what was started is gone.
        """
        try:
            for one in self._services:
                made = self._engine.create(spec_of(one, f"{BESIDE}{container}", labels))
                self._running.append((one, made))
                made.start()
            for one, made in self._running:
                await_health(one, made)
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """That all still answer.

        Raises:
            EngineError: One is down. That says nothing about the code that talked to it.
        """
        for one, made in self._running:
            if not made.state().get("Running") or not _healthy(one, made):
                raise EngineError(
                    f"the service {one.name} is down: {_last_words(made)}",
                    next_step="run the same command again; more memory: `memory_mb` of the "
                    "service in recipe.yaml",
                )

    def close(self) -> None:
        """Remove them all."""
        running, self._running = self._running, []
        for _one, made in running:
            made.remove()


def spec_of(one: Sidecar, network: str, labels: Mapping[str, str]) -> ContainerSpec:
    """A container of the service."""
    return ContainerSpec(
        image=one.digest, cpus=CPUS, memory_mb=one.memory_mb, pids=PIDS, network=network,
        user=one.user, workdir="/", env=one.own, labels={**labels, "micro-bench.service": one.name},
        capabilities=() if one.main else OWN, main=one.main or None,
    )  # fmt: skip


def await_health(one: Sidecar, made: Container, within_s: float = UP_S) -> None:
    """Wait until it answers.

    Raises:
        EngineError: It does not.
    """
    if not comes_up(made, one.health, within_s):
        raise EngineError(
            f"the service {one.name} does not answer within {within_s:.0f} s: {_last_words(made)}",
            next_step=f"look at `services.{one.name}` in recipe.yaml: port, health, memory_mb",
        )


def comes_up(made: Container, health: Sequence[str], within_s: float) -> bool:
    """Whether a service answers in time.

    The container is killed at the deadline; where its main process ends, so does the command.
    """
    argv = ("sh", "-c", _WAIT, "sh", *health)
    end = made.exec(argv, output=io.BytesIO(), deadline_s=within_s, limit=2000)
    return end.exit_code == 0 and not end.timed_out


def _healthy(one: Sidecar, made: Container) -> bool:
    end = made.exec(one.health, output=io.BytesIO(), deadline_s=HEALTH_S, limit=2000)
    return end.exit_code == 0


def _last_words(made: Container) -> str:
    state = made.state()
    how = "out of memory" if state.get("OOMKilled") else f"exit code {state.get('ExitCode')}"
    said = made.logs(LINES).strip().splitlines()
    return f"{'it runs' if state.get('Running') else how}; {' / '.join(said[-3:]) or 'no output'}"
