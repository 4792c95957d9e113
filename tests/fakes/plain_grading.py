"""A grading of a few files, by the real program and the real pytest, without any image.

The local sandbox runs as a plain process on an environment that is this very one.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from micro_bench.model.image import Image
from micro_bench.sandboxes.local import LocalSandbox
from micro_bench.scores import grade
from tests.samples import A_TASK

IMAGE = Image(
    task="parcel-17", key="0" * 64, env_key="1" * 64, tag="a", digest="local:2", python="3.11.2",
    base_digest="local:" + "3" * 64, backend="local", work_tree="", work_commit="",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What came of it."""

    graded: grade.Graded
    log: str

    @property
    def trust(self) -> str:
        return self.graded.run.trust.value

    @property
    def statuses(self) -> dict[str, str]:
        return {result.id: result.status.value for result in self.graded.run.results}


def graded(
    folder: Path,
    tree: Mapping[str, str],
    hidden: Mapping[str, str],
    recipe: Recipe | None = None,
    patch: bytes = b"",
) -> Seen:
    """Grade a patch to a tree with hidden tests laid over it, all of them given as text."""
    base = {path: dedent(text).encode() for path, text in tree.items()}
    tests = {path: dedent(text).encode() for path, text in hidden.items()}
    settled = python.completed(recipe or Recipe(), {**base, **tests})
    modules = {p: text for p, text in tests.items() if python.is_test_module(p, settled)}
    job = grade.Job(
        task=A_TASK, image=IMAGE, language=python, recipe=settled,
        infrastructure={p: text for p, text in base.items() if python.is_infrastructure(p)},
        hidden=grade.Hidden({path: (0o100644, text) for path, text in tests.items()}),
        tests=tuple(modules), scanners=(), like=modules,
    )  # fmt: skip
    log = io.BytesIO()
    found = grade.grade_in(_sandbox(folder, base), job, patch, log)
    return Seen(found, log.getvalue().decode())


def _sandbox(folder: Path, tree: Mapping[str, bytes]) -> LocalSandbox:
    for kind, key in (("environments", IMAGE.env_key), ("tools", "3" * 64)):
        (folder / kind).mkdir()
        (folder / kind / key[:20]).symlink_to(sys.prefix)
    place = folder / "sandboxes" / "one"
    for path, content in tree.items():
        (place / "work" / path).parent.mkdir(parents=True, exist_ok=True)
        (place / "work" / path).write_bytes(content)
    for name in ("work", "project"):
        (place / name).mkdir(parents=True, exist_ok=True)
    (place / "project" / "micro_bench_roots.pth").write_text("")
    image = Image.model_validate({**dict(IMAGE), "place": str(folder / "slices" / "one")})
    sandbox = LocalSandbox(place, image, bubblewrap=False)
    sandbox.settle()
    return sandbox
