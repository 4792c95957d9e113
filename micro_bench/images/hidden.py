"""What lower layers of an image hold though later ones took it away: it is still in the image.

Whoever has the image can read it, so it may not give the answer away either.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import IO

from micro_bench.edge import stock
from micro_bench.edge.engine import Engine
from micro_bench.edge.layers import Whiteouts
from micro_bench.errors import EngineError

BIG_FILES = "/var/tmp"  # noqa: S108 - a nameless file
LARGEST = 2**25
"""Bytes of a file that is looked into."""


@dataclass(frozen=True)
class Hidden:
    """A file of a lower layer that nobody sees in a container."""

    path: str
    """From the root: `/etc/passwd`."""
    layer: int
    """The lowest is 1."""
    content: bytes
    """Empty where it is larger than can be looked into."""


def find(engine: Engine, image: str) -> tuple[Hidden, ...]:
    """Look through every layer of an image.

    Raises:
        EngineError: The export is not what an engine writes; nothing is known then.
    """
    with TemporaryFile(prefix="micro-bench-layers-", dir=BIG_FILES) as file:
        stock.export(engine, [image], file)
        file.seek(0)
        try:
            return tuple(_hidden(file))
        except (tarfile.TarError, KeyError, ValueError, IndexError) as error:
            raise EngineError(f"the layers of {image[:19]} cannot be read: {error}") from error


def _hidden(file: IO[bytes]) -> Iterator[Hidden]:
    with tarfile.open(fileobj=file, mode="r:") as archive:
        source = archive.extractfile("manifest.json")
        (told,) = json.loads(source.read() if source else b"")
        layers = [archive.extractfile(name) for name in told["Layers"]]
        opened = [tarfile.open(fileobj=layer, mode="r:*") for layer in layers if layer]  # noqa: SIM115
        trees = [{_path(member.name): member for member in one} for one in opened]
        for number, tree in enumerate(trees):
            gone = covered(tree, trees[number + 1 :])
            for path in sorted(gone):
                member = tree[path]
                if member.isreg() and not PurePosixPath(path).name.startswith(Whiteouts.PREFIX):
                    small = member.size <= LARGEST
                    content = opened[number].extractfile(member) if small else None
                    yield Hidden(path, number + 1, content.read() if content else b"")


def _path(name: str) -> str:
    return f"/{name.removeprefix('./').strip('/')}"


def covered(
    tree: Mapping[str, tarfile.TarInfo], above: Iterable[Mapping[str, tarfile.TarInfo]]
) -> set[str]:
    """Paths of a layer that a later one replaces or takes away, with all that was below them."""
    folders, replaced = set[str](), set[str]()
    for layer in above:
        for path, member in layer.items():
            place = PurePosixPath(path)
            if place.name == f"{Whiteouts.PREFIX}{Whiteouts.PREFIX}.opq":
                folders.add(str(place.parent))
            elif place.name.startswith(Whiteouts.PREFIX):
                gone = str(place.with_name(place.name.removeprefix(Whiteouts.PREFIX)))
                replaced.add(gone)
                folders.add(gone)
            elif not member.isdir():
                replaced.add(path)
                folders.add(path)
    return {
        path for path in tree
        if path in replaced or any(str(up) in folders for up in PurePosixPath(path).parents)
    }  # fmt: skip
