"""Pure: what the engine's images take, who needs them, and which may go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from micro_bench.edge.engine import ABANDONED_S, BUILD_LABEL
from micro_bench.edge.stock import Kept, bytes_of
from micro_bench.images import described as words

SNAPSHOT = "micro-bench/snapshot:"
YOUNG_S = 3600
"""A snapshot is used some moments after it was made."""
FAILED = "micro-bench.failed"
LASTING = ("base", "builder", "server")
"""They belong to no task, and take longest: they go only when asked for."""


@dataclass(frozen=True)
class Needs:
    """What must stay, by image id or name, each with the reason in words."""

    reasons: Mapping[str, str]
    in_use: Collection[str] = ()
    """Ids of the images that containers were made of."""
    held: Collection[str] = ()
    """Names that living processes work with."""


@dataclass(frozen=True)
class Plan:
    """What a prune would do."""

    go: tuple[Kept, ...] = ()
    stay: Mapping[str, str] = field(default_factory=dict)
    """Name -> why."""
    freed: int = 0
    """Bytes on the engine's disk."""


def kind_of(image: Kept) -> str:
    """The layer that an image adds, in one word."""
    if FAILED in image.labels:
        return "failed"
    if image.name.startswith("micro-bench/"):
        return image.name.removeprefix("micro-bench/").partition(":")[0]
    return image.labels.get(words.KIND, "other")


@dataclass(frozen=True)
class Choice:
    """Which images are asked for."""

    now: float
    """Seconds since 1970."""
    everything: bool = False
    """Base images and compilers, too."""
    names: tuple[str, ...] = ()
    """Only names that match one of these globs; none for all."""

    def spares(self, image: Kept) -> str:
        """Why an image stays though nothing needs it."""
        kind, age = kind_of(image), self.now - image.created
        if self.names and not any(fnmatchcase(image.name, glob) for glob in self.names):
            return "not asked for"
        if kind in LASTING and not self.everything:
            return f"belongs to no task ({kind}; --all takes it, too)"
        if image.name.startswith(SNAPSHOT) and age < YOUNG_S:
            return "a snapshot of some moments ago"
        if not image.tags and (age < ABANDONED_S or not {FAILED, BUILD_LABEL} & {*image.labels}):
            return "it has no name: it may be on its way to one"
        return ""


def plan(images: Sequence[Kept], needs: Needs, choice: Choice) -> Plan:
    """Which images go, those that stand on others first; what is needed stays with all below."""
    stay: dict[str, str] = {}
    for image in images:
        if why := _reason(image, needs):
            for below in _below(image, images):
                stay.setdefault(below.id, why)
    go = []
    for image in (one for one in images if one.is_ours and one.id not in stay):
        if why := choice.spares(image):
            stay[image.id] = why
        else:
            go.append(image)
    left = [image for image in images if image not in go]
    told = {image.name: stay[image.id] for image in images if image.is_ours and image.id in stay}
    highest = tuple(sorted(go, key=lambda one: (-len(one.layers), one.name)))
    return Plan(highest, told, bytes_of(images) - bytes_of(left))


def _reason(image: Kept, needs: Needs) -> str:
    if image.id in needs.in_use:
        return "a container was made of it"
    if any(tag in needs.held for tag in image.tags):
        return "a process works with it"
    names = (image.id, *image.tags)
    return next((needs.reasons[name] for name in names if name in needs.reasons), "")


def _below(image: Kept, images: Iterable[Kept]) -> list[Kept]:
    """An image and those that it stands on."""
    return [
        one for one in images
        if one.id == image.id
        or (one.layers and one.layers == image.layers[: len(one.layers)] and one.is_ours
            and len(one.layers) < len(image.layers))
    ]  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A slice in an environment."""

    image: str
    tasks: tuple[str, ...]
    own: int
    """Bytes of its one layer."""


@dataclass(frozen=True)
class Room:
    """An environment, with what stands on it."""

    environment: str
    python: str
    own: int
    """Bytes of its packages."""
    tools: int
    """Bytes of the scanners on it."""
    shared: int
    """Bytes below it, which other environments may share."""
    slices: tuple[Piece, ...]


@dataclass(frozen=True)
class Usage:
    """What our images take."""

    environments: tuple[Room, ...]
    below: int
    """Bytes of base images and system packages, each once."""
    other: int
    """Bytes of compilers, snapshots and what failed."""
    total: int
    alone: int
    """Bytes if no image shared a layer with another."""


def usage(images: Sequence[Kept], tasks: Mapping[str, Collection[str]]) -> Usage:
    """Environment by environment, the largest first.

    Args:
        images: All of the engine's.
        tasks: Id of an image -> the tasks of the workspace that it serves.
    """
    ours = [image for image in images if image.is_ours]
    rooms = [_room(image, ours, tasks) for image in ours if kind_of(image) == words.ENVIRONMENT]
    slices = [image for image in ours if kind_of(image) == words.SLICE]
    line = [image for image in ours if kind_of(image) in _ON_THE_LINE]
    ground = [image for image in ours if kind_of(image) in (words.BASE_IMAGE, words.SYSTEM)]
    total = bytes_of(ours)
    return Usage(
        tuple(sorted(rooms, key=lambda room: (-_whole(room), room.environment))),
        bytes_of(ground), total - bytes_of(line), total, sum(image.size for image in slices),
    )  # fmt: skip


_ON_THE_LINE = (words.BASE_IMAGE, words.SYSTEM, words.ENVIRONMENT, words.TOOLS, words.SLICE)


def _whole(room: Room) -> int:
    return room.own + room.tools + sum(piece.own for piece in room.slices)


def _room(image: Kept, ours: Sequence[Kept], tasks: Mapping[str, Collection[str]]) -> Room:
    """An environment with what says that it was made on it, by the names of what is below."""
    tools = [one for one in ours if _is_on(one, words.TOOLS, image.tags)]
    names = [tag for one in tools for tag in one.tags]
    slices = [one for one in ours if _is_on(one, words.SLICE, names)]
    return Room(
        environment=image.name, python=image.labels.get(f"{words.OCI}.base.name", ""),
        own=image.own, tools=sum(one.own for one in tools), shared=image.size - image.own,
        slices=tuple(
            Piece(one.name, tuple(sorted(tasks.get(one.id, ()))), one.own)
            for one in sorted(slices, key=lambda one: (-one.own, one.name))
        ),
    )  # fmt: skip


def _is_on(image: Kept, kind: str, names: Collection[str]) -> bool:
    return kind_of(image) == kind and image.labels.get(words.BELOW) in names
