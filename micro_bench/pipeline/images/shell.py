"""`image shell`: a shell in a task's image, or where its build stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from micro_bench.errors import BadInputError, BuildError, NotFoundError
from micro_bench.images import described as words
from micro_bench.images.layering import failed_tag
from micro_bench.model.image import Image
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import prepare
from micro_bench.sandboxes._sandbox import StartRequest

FAILED = "failed"
PLACES = (words.SLICE, words.TOOLS, words.ENVIRONMENT, words.SYSTEM, words.BASE_IMAGE, FAILED)
NO_KEY = "0" * 64
SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash --norc || exec sh")
LONGEST_SCRIPT = 100_000
"""Bytes: a command line takes no more."""


@dataclass(frozen=True)
class Door:
    """Where a shell opens."""

    task: Task
    image: Image
    at: str
    why: str = ""
    """Why it is not where it was asked for."""


def door(line: Line, ident: str, at: str | None) -> Door:
    """Find or build what the shell opens in.

    Args:
        line: Where.
        ident: The task.
        at: One of `PLACES`; None for the slice, or where its build stops.

    Raises:
        BadInputError: There is no such place.
        NotFoundError: There is no such task, or nothing of it failed.
        BuildError: The build fails before it comes to the place that was asked for.
    """
    if at is not None and at not in PLACES:
        raise BadInputError(f"--at {at}: is none of {', '.join(PLACES)}")
    task = line.specs.task(ident)
    if at == FAILED:
        return Door(task, _failed(line, task), FAILED)
    try:
        image = prepare(line, task).image
    except BuildError as error:
        if at is not None:
            raise
        return _where_it_stopped(line, task, error)
    return Door(task, _layer(line, image, at or words.SLICE), at or words.SLICE)


def _where_it_stopped(line: Line, task: Task, error: BuildError) -> Door:
    """The failed step's own files, or the environment as far as it came."""
    why = error.describe()
    try:
        return Door(task, _failed(line, task), FAILED, why)
    except NotFoundError:
        manifest = line.specs.manifest(task)
        if manifest is None:
            raise error from None
    base = line.builder.base(manifest.environment.python)
    return Door(task, _bare(task, base.digest, base.digest), words.BASE_IMAGE, why)


def _failed(line: Line, task: Task) -> Image:
    tag = failed_tag(task.id)
    image = line.engine.image_id(tag)
    if image is None:
        raise NotFoundError(
            f"no step of a build of {task.id} has failed here since its last build",
            next_step=f"`micro-bench image shell {task.id}` opens its image",
        )
    return _bare(task, tag, image)


def _layer(line: Line, image: Image, kind: str) -> Image:
    """The image itself, or one that it stands on."""
    if kind == words.SLICE:
        return image
    if kind == words.BASE_IMAGE:
        return _bare_like(image, image.base_digest, image.base_digest)
    engine, tag = line.engine, image.tag
    while engine.labels(tag).get(words.KIND, kind) != kind:
        tag = engine.labels(tag)[words.BELOW]
    found = engine.image_id(tag)
    if found is None:
        raise NotFoundError(
            f"the image {tag}, which {image.tag} was made on, is not there any more",
            next_step=f"`micro-bench image {image.task}` makes it again",
        )
    return _bare_like(image, tag, found)


def _bare_like(image: Image, tag: str, digest: str) -> Image:
    return Image.model_validate({**dict(image), "tag": tag, "digest": digest})


def _bare(task: Task, tag: str, digest: str) -> Image:
    return Image(
        task=task.id, key=NO_KEY, env_key=NO_KEY, tag=tag, digest=digest, base_digest=digest,
        python="", backend="docker", work_tree="", work_commit="",
    )  # fmt: skip


def on_terminal(line: Line, opened: Door) -> int:
    """A shell on this process's terminal; its exit code."""
    sandbox = line.start(StartRequest(opened.image, opened.task.limits))
    try:
        return sandbox.terminal(SHELL)
    finally:
        sandbox.close()


def piped(line: Line, opened: Door, script: bytes, output: BinaryIO, errors: BinaryIO) -> int:
    """Run a script in the place of a person; its exit code, 124 at the task's time limit.

    Raises:
        BadInputError: It is no text, or too long.
    """
    if len(script) > LONGEST_SCRIPT or b"\0" in script:
        raise BadInputError(f"a script of at most {LONGEST_SCRIPT} bytes of text is run")
    sandbox = line.start(StartRequest(opened.image, opened.task.limits))
    try:
        end = sandbox.run(
            ("sh", "-c", script.decode("utf-8", "surrogateescape")),
            output=output, errors=errors, deadline_s=opened.task.limits.agent_s,
        )  # fmt: skip
    finally:
        sandbox.close()
    return 124 if end.exit_code is None else end.exit_code
