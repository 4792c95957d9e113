"""A project's own extensions, built in its environment and its slice, without a network.

What comes out becomes part of the slice's layer, beside the files of the base commit and outside of
its one commit: git does not see it. It is kept by what went in.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from micro_bench.edge import package_words
from micro_bench.edge.archive import EXECUTABLE, REGULAR, Entry, check_path, pack, unpack
from micro_bench.edge.containers import ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.files import write_atomic
from micro_bench.errors import MicroBenchError
from micro_bench.images._builder import BUILT, WORK

DEADLINE_S = 1800
LARGEST = 2**30
OUTPUT_LIMIT = 2**20
Files = Mapping[str, tuple[int, bytes]]
"""Path in the tree -> mode and content."""


class Compiled:
    """Builds in containers of one engine; remembers below a folder, if there is one."""

    def __init__(self, engine: Engine, root: Path | None) -> None:
        self._engine = engine
        self._root = root

    def build(self, image: str, program: str, key: str) -> tuple[Files, str]:
        """What the program builds in a container of the image, and why not, if it failed.

        Args:
            image: Environment and slice.
            program: Python's own; leaves its results in `BUILT`.
            key: Of all that goes in.
        """
        kept = self._root / f"{key}.tar" if self._root else None
        if kept and kept.is_file():
            return _files(kept.read_bytes()), ""
        if kept and kept.with_suffix(".json").is_file():
            return {}, str(json.loads(kept.with_suffix(".json").read_text(encoding="utf-8")))
        archive, why = self._built(image, program)
        if kept:
            with suppress(MicroBenchError):  # it is a cache
                if why:
                    write_atomic(kept.with_suffix(".json"), json.dumps(why).encode())
                else:
                    write_atomic(kept, archive)
        return (_files(archive), why) if not why else ({}, why)

    def _built(self, image: str, program: str) -> tuple[bytes, str]:
        spec = ContainerSpec(
            image=image, cpus=os.cpu_count() or 1, memory_mb=4096, pids=1024, workdir=WORK
        )
        container = self._engine.create(spec)
        output = io.BytesIO()
        try:
            container.put("/tmp", pack([Entry("build.py", program.encode())]))  # noqa: S108
            container.start()
            end = container.exec(
                ("/opt/venv/bin/python", "/tmp/build.py"),  # noqa: S108
                output=output, deadline_s=DEADLINE_S, limit=OUTPUT_LIMIT,
                env={"HOME": "/tmp", "SOURCE_DATE_EPOCH": "315532800"},  # noqa: S108
            )  # fmt: skip
            said = output.getvalue().decode("utf-8", "replace")
            if end.timed_out:
                return b"", f"its build took more than {DEADLINE_S} s"
            if end.exit_code != 0:
                return b"", package_words.missing_thing(said)
            return container.get(BUILT, LARGEST), ""
        finally:
            container.remove()


def _files(archive: bytes) -> Files:
    """The regular files of what was built, by their paths in the tree."""
    found: dict[str, tuple[int, bytes]] = {}
    top = f"{Path(BUILT).name}/"
    for entry in unpack(archive, LARGEST):
        path = entry.path.removeprefix(top)
        if path.startswith(".git/") or entry.mode not in (REGULAR, EXECUTABLE):
            continue
        check_path(path)
        found[path] = (entry.mode, entry.content)
    return found


def excluded(files: Files) -> bytes:
    """For `info/exclude`: each file by its own path, so that git does not call it new."""
    lines = sorted(_literal(path) for path in files)
    return "".join(f"/{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _literal(path: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\#! " else letter for letter in path)
