"""Services made ready for local sandboxes: their data as folders, their programs this machine's."""

from __future__ import annotations

import hashlib
import io
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from micro_bench.edge import files
from micro_bench.edge.alone import alone
from micro_bench.errors import BuildError, EngineError
from micro_bench.model.image import Image
from micro_bench.model.service import Sidecar
from micro_bench.model.task import Limits
from micro_bench.sandboxes._sandbox import Sandbox, Start, StartRequest
from micro_bench.sandboxes.local import LocalSandbox
from micro_bench.services.declared import Declared, first

MIGRATE_S = 900.0
TAIL = 15
_LIMITS = Limits()


class Folders:
    """The prepared data below the cache."""

    def __init__(self, start: Start, tell: Callable[[str], None], root: Path) -> None:
        self._start, self._tell, self._root = start, tell, root

    def made(
        self, services: Sequence[Declared], image: Image, env: Mapping[str, str]
    ) -> tuple[Sidecar, ...]:
        """See `Services.made`."""
        for one in services:
            _check(one)
        place = self._root / _key(services, image, env)[:20]
        with alone(
            place.with_suffix(".lock"), lambda: self._tell("waiting for another's services")
        ):
            if not (place / ".complete").exists():
                self._tell(f"making services ready: {', '.join(one.name for one in services)}")
                files.remove(place)
                self._make(services, image, env, place)
        return tuple(_sidecar(one, place) for one in services)

    def _make(
        self, services: Sequence[Declared], image: Image, env: Mapping[str, str], place: Path
    ) -> None:
        empty = place.with_suffix(".empty")
        provisional = tuple(_sidecar(one, empty) for one in services)
        asked = Image.model_validate({**dict(image), "services": provisional})
        sandbox = self._start(StartRequest(asked, _LIMITS))
        try:
            _run(sandbox, "true", env, "the first start")
            for key in ("migrate", "seed"):
                for one in services:
                    for text in getattr(one.service, key):
                        _run(sandbox, text, env, f"services.{one.name}.{key}")
            if isinstance(sandbox, LocalSandbox):
                sandbox.save_services(place)
            (place / ".complete").touch()
        finally:
            sandbox.close()


def _run(sandbox: Sandbox, text: str, env: Mapping[str, str], what: str) -> None:
    output = io.BytesIO()
    try:
        end = sandbox.run(shlex.split(text), output=output, deadline_s=MIGRATE_S, env=env)
    except EngineError as error:
        raise BuildError(error.message, next_step="look at `services` in recipe.yaml") from error
    if end.exit_code != 0:
        said = output.getvalue().decode("utf-8", "replace").strip().splitlines()
        raise BuildError(
            f"`{text}` ({what}) fails (exit code {end.exit_code}):\n" + "\n".join(said[-TAIL:]),
            next_step=f"correct `{what}` in recipe.yaml",
        )


def _check(one: Declared) -> None:
    """That this machine has the server.

    Raises:
        BuildError: It has not.
    """
    if one.kind is None:
        raise BuildError(
            f"the service {one.name} is an image, and the local sandbox has none",
            next_step="start a container engine, or name a `kind`",
        )
    if not any(any(Path("/").glob(pattern[1:])) for pattern in one.kind.PROGRAMS):
        raise BuildError(
            f"the service {one.name} needs {one.kind.NAME} on this machine: there is no "
            f"{' or '.join(one.kind.PROGRAMS)}",
            next_step=f"apt-get install {' '.join(one.kind.PACKAGES)}, or start a container engine",
        )


def _key(services: Sequence[Declared], image: Image, env: Mapping[str, str]) -> str:
    told = [
        [one.name, one.service.model_dump(mode="json"), first(one.kind), one.env]
        for one in services
        if one.kind
    ]
    text = json.dumps([told, image.key, dict(env)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _sidecar(one: Declared, place: Path) -> Sidecar:
    assert one.kind is not None  # noqa: S101 - `_check` has seen to it
    return Sidecar(
        name=one.name, digest=str(place), main=first(one.kind), health=one.health,
        own={name: text for name, text in one.own.items() if name != "SERVICE_DATA"},
        env=one.env, memory_mb=one.service.memory_mb,
    )  # fmt: skip
