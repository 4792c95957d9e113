"""The images that an engine has, with their layers, and what works with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from docker.errors import APIError, ImageNotFound

from micro_bench.edge.containers import engine_errors, engine_failure
from micro_bench.edge.engine import LABEL, Engine
from micro_bench.edge.files import place_of, storage_errors
from micro_bench.errors import RegistryError

CHUNK = 2**20
PREFIX = f"{LABEL}/"
"""Of the names of our images."""


@dataclass(frozen=True)
class Kept:
    """One image."""

    id: str
    tags: tuple[str, ...]
    """All its names, sorted; none for what lost its name."""
    labels: dict[str, str]
    layers: tuple[str, ...]
    """Digests, the lowest first: what begins alike is on the disk once."""
    sizes: tuple[int, ...]
    """Bytes of each layer."""
    created: float
    """Seconds since 1970, by its own word."""

    @property
    def size(self) -> int:
        """Bytes of all its layers."""
        return sum(self.sizes)

    @property
    def own(self) -> int:
        """Bytes of its highest layer."""
        return self.sizes[-1] if self.sizes else 0

    @property
    def is_ours(self) -> bool:
        """Whether this program made it or named it."""
        return LABEL in self.labels or any(tag.startswith(PREFIX) for tag in self.tags)

    @property
    def name(self) -> str:
        """Its first name of ours, or what it is known by otherwise."""
        ours = [tag for tag in self.tags if tag.startswith(PREFIX)]
        return (ours or [*self.tags, self.id[:19]])[0]


def images(engine: Engine) -> tuple[Kept, ...]:
    """Every image with a name, and ours without one; sorted by name."""
    found = []
    with engine_errors("list images"):
        for row in engine.client.images():
            with suppress(ImageNotFound):  # removed since
                found.append(_kept(engine, row))
    return tuple(sorted(found, key=lambda one: (one.name, one.id)))


def _kept(engine: Engine, row: dict[str, Any]) -> Kept:
    image: dict[str, Any] = engine.client.inspect_image(str(row["Id"]))
    history: list[dict[str, Any]] = engine.client.history(str(row["Id"]))
    tags = [str(tag) for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
    layers = tuple(str(one) for one in image["RootFS"].get("Layers") or ())
    return Kept(
        id=str(image["Id"]), tags=tuple(sorted(tags)),
        labels=dict((image.get("Config") or {}).get("Labels") or {}),
        layers=layers, sizes=_sizes(history, len(layers), int(image["Size"])),
        created=float(row.get("Created") or 0),
    )  # fmt: skip


def _sizes(history: list[dict[str, Any]], layers: int, size: int) -> tuple[int, ...]:
    """Bytes of each layer; an image whose history has other steps than layers is one lump."""
    steps = [int(one["Size"]) for one in reversed(history)]
    for told in (steps, [step for step in steps if step]):
        if len(told) == layers:
            return tuple(told)
    return (size, *([0] * (layers - 1))) if layers else ()


def in_use(engine: Engine) -> frozenset[str]:
    """Ids of the images that any container was made of, whether it runs or not."""
    with engine_errors("list containers"):
        return frozenset(str(one["ImageID"]) for one in engine.client.containers(all=True))


def drop(engine: Engine, image: Kept) -> bool:
    """Take our names from an image, and the image with the last; False if somebody uses it."""
    ours = [tag for tag in image.tags if tag.startswith(PREFIX)]
    with engine_errors("remove image"):
        try:
            for name in ours or ([] if image.tags else [image.id]):
                engine.client.remove_image(name)
        except ImageNotFound:
            return True
        except APIError as error:
            if error.status_code == 409:
                return False
            raise
    return True


def bytes_of(kept: Iterable[Kept]) -> int:
    """What images take on the disk together: a layer on the same layers counts once."""
    sizes: dict[tuple[str, ...], int] = {}
    for image in kept:
        for number, size in enumerate(image.sizes, 1):
            sizes[image.layers[:number]] = size
    return sum(sizes.values())


def export(engine: Engine, names: Iterable[str], target: BinaryIO) -> None:
    """Write images into one archive, as the engine reads it; layers that they share are in it once.

    Raises:
        EngineError: There is no such image, or the engine broke.
    """
    client: Any = engine.client  # its own export takes one image at a time
    with engine_errors("export images"):
        place = client._url("/images/get")
        answer = client._get(place, params={"names": list(names)}, stream=True)
        client._raise_for_status(answer)
        for chunk in answer.iter_content(CHUNK):
            with storage_errors(place_of(target)):
                target.write(chunk)


def load(engine: Engine, archive: Iterator[bytes]) -> None:
    """Let the engine read such an archive.

    Raises:
        EngineError: It could not.
    """
    with engine_errors("load images"):
        events = list(engine.client.load_image(archive))
    for event in events:
        if "error" in event:
            raise engine_failure("load images", str(event["error"]))


def push(engine: Engine, image: str, name: str) -> str:
    """Send an image to a registry under this name; returns the registry's digest.

    Credentials are those of the user's `docker login`: the SDK reads them, and nothing else does.

    Raises:
        RegistryError: The registry is not reached, or refuses.
    """
    place, _, version = name.rpartition(":")
    engine.tag(image, name)
    digest = ""
    try:
        with engine_errors("push an image"):
            for event in engine.client.push(place, version, stream=True, decode=True):
                if "error" in event:
                    raise RegistryError(
                        f"{name} was not pushed: {' '.join(str(event['error']).split())[:300]}",
                        next_step=f"is the registry there, and did you `docker login "
                        f"{place.partition('/')[0]}`? What was pushed before stays",
                    )
                digest = str(event.get("aux", {}).get("Digest") or digest)
    finally:
        with suppress(APIError), engine_errors("remove a name"):
            engine.client.remove_image(name, noprune=True)
    return digest
