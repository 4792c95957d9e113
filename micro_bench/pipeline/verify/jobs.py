"""A task's grading, as its prepared image and its hidden tests make it."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.edge.patching import applied, patch_paths
from micro_bench.pipeline.prepare import Prepared, build_program
from micro_bench.scores import grade as grading

SCANNERS = "scores.scanners"
_STARTED = {"django": "python {script} test", "unittest": "python -m unittest"}
"""What agents are told of runners that are called otherwise than they are started."""


def scanners() -> tuple[ModuleType, ...]:
    """Every scanner, in the order of their names."""
    return tuple(plugins.discover(SCANNERS).values())


def job(prepared: Prepared, test_patch: bytes, *, own: bool = False) -> grading.Job:
    """A task's grading. With `own`, the base's tests as they are in the hidden ones' files."""
    task, language = prepared.task, prepared.language
    touched = test_modules(prepared, task.tests.hidden)
    wanted = tuple(dict.fromkeys((*touched, *task.tests.run)))
    hidden = hidden_tests(prepared, test_patch)
    like = {path: hidden.files[path][1] for path in test_modules(prepared, tuple(hidden.files))}
    if own:
        hidden = grading.Hidden()
        tests = tuple(path for path in touched if path in prepared.base)
    else:
        tests = tuple(path for path in wanted if path in prepared.base or path in hidden.files)
        tests = tuple(path for path in tests if path not in hidden.deleted)
    infrastructure = {
        path: content for path, content in prepared.everything.items()
        if language.is_infrastructure(path)
    }  # fmt: skip
    return grading.Job(
        task,
        prepared.image,
        language,
        prepared.recipe,
        infrastructure,
        hidden,
        tests,
        scanners(),
        like,
        *_build(prepared),
    )


def _build(
    prepared: Prepared,
) -> tuple[Callable[[str, str], str] | None, Callable[[str], bool]]:
    """How extensions are built anew, and for which changes; not where the base's did not build."""
    piece = prepared.piece
    if piece.build is None or not prepared.image.compiled:
        return None, grading.never
    return partial(build_program, prepared.language, piece), piece.build.reads


def how_tested(prepared: Prepared) -> attempts.HowTested:
    """What the recipe says of how the tests are started, for agents that run them."""
    recipe = prepared.recipe
    folder = posixpath.normpath(recipe.workdir or ".")
    started = _STARTED.get(recipe.runner or "", recipe.runner or "pytest").format(
        script=posixpath.basename(recipe.test_script or "manage.py")
    )
    return attempts.HowTested(
        " ".join((*map(shlex.quote, recipe.command), started)),
        "" if folder == "." else folder,
        recipe.env,
    )


def test_modules(prepared: Prepared, paths: Sequence[str]) -> tuple[str, ...]:
    """The test files that are run anyway and those that the recipe calls so."""
    language, recipe, run = prepared.language, prepared.recipe, prepared.task.tests.run
    return tuple(path for path in paths if path in run or language.is_test_module(path, recipe))


def hidden_tests(prepared: Prepared, test_patch: bytes) -> grading.Hidden:
    """What the test patch leaves behind: files to lay over, and files to delete."""
    paths = patch_paths(test_patch)
    files = applied(prepared.base, test_patch, paths)
    return grading.Hidden(files, tuple(path for path in paths if path not in files))
