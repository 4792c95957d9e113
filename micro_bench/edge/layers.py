"""Images out of layers of our own: the same layers and the same words give the same image id.

An engine's own builds are of the moment: the creation date is in what an image's id is made of, and
files carry the time at which they were written. So a layer is a tar that we make, and the image's
description is written here; the engine gets both as an archive to load. Of an image that it has
already only the new layer is sent.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound

from micro_bench.edge.containers import engine_errors, engine_failure
from micro_bench.errors import BuildError

EPOCH = "1980-01-01T00:00:00Z"
"""When everything was made that has no date of its own."""
CHUNK = 2**20
KEPT = ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Labels", "ExposedPorts", "Volumes")
"""What an image takes over from the one below."""
BLOCK = 512


@dataclass(frozen=True)
class Layer:
    """A tar, in memory or in a file, and the hash that the engine knows it by."""

    content: bytes | Path
    digest: str
    """`sha256:...` of the tar as it is."""
    size: int

    @classmethod
    def of(cls, content: bytes | Path) -> Layer:
        """Hash it."""
        if isinstance(content, bytes):
            digest, size = hashlib.sha256(content).hexdigest(), len(content)
        else:
            with content.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = content.stat().st_size
        return cls(content, f"sha256:{digest}", size)

    def chunks(self) -> Iterator[bytes]:
        """The tar, piece by piece."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


@dataclass(frozen=True)
class Described:
    """What an image says of itself, beside what it has from the image below."""

    made_by: str
    """One line of its history."""
    labels: Mapping[str, str] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    cmd: tuple[str, ...] = ()
    created: str = EPOCH


def load(
    client: docker.APIClient,
    parent: str | None,
    layer: Layer,
    described: Described,
    tag: str,
    *,
    whole: bool = False,
) -> str:
    """Make the image of a layer on top of another image; returns its id.

    Args:
        client: Of the engine.
        parent: The image below; None for none.
        layer: What is new.
        described: What the image says of itself.
        tag: Its name, for engines that know images by something else than the description's hash.
        whole: Send all layers, for engines that ask for them. Tried by itself, too.

    Raises:
        BuildError: The engine did not take it; there is no such image then.
    """
    below = _inspected(client, parent)
    layers = [*below["RootFS"].get("Layers", []), layer.digest]
    config = _config(below, _history(client, parent, len(layers) - 1), layers, described)
    ident = f"sha256:{hashlib.sha256(config).hexdigest()}"
    wanted = _Wanted(ident, tag, tuple(layers))
    if found := wanted.found(client):
        return found
    said, new = "", {layer.digest: layer}
    if not whole:
        with suppress(APIError):  # below, with all layers, the engine says why
            said = _sent(client, _archive(config, layers, new, tag))
    if not wanted.found(client):
        with TemporaryDirectory(prefix="micro-bench-layers-", dir="/var/tmp") as folder:
            known = _exported(client, parent, Path(folder), layers) if parent else {}
            said = _sent(client, _archive(config, layers, {**known, **new}, tag))
    if found := wanted.found(client):
        return found
    if "no space left" in said:
        raise engine_failure("add a layer", said[-300:])
    raise BuildError(f"the engine did not take a layer of {layer.size} bytes: {said[-300:]}")


@dataclass(frozen=True)
class _Wanted:
    """An image that shall be there."""

    ident: str
    """The hash of its description, by which most engines know it."""
    tag: str
    layers: tuple[str, ...]

    def found(self, client: docker.APIClient) -> str:
        """Its id; empty while it is not there. By name, it must be of the very layers."""
        for name in (self.ident, self.tag):
            with suppress(ImageNotFound):
                image = client.inspect_image(name)
                if tuple(image["RootFS"].get("Layers") or ()) == self.layers:
                    return str(image["Id"])
        return ""


def _inspected(client: docker.APIClient, parent: str | None) -> dict[str, Any]:
    if parent is None:
        version = client.version()
        return {
            "Architecture": str(version.get("Arch", "amd64")), "Os": "linux", "RootFS": {},
            "Config": {},
        }  # fmt: skip
    return dict(client.inspect_image(parent))


def _history(client: docker.APIClient, parent: str | None, layers: int) -> list[str]:
    """What each layer below was made by, the lowest first."""
    if parent is None:
        return []
    told = [str(one.get("CreatedBy") or "") for one in reversed(client.history(parent))]
    return told if len(told) == layers else ["a layer of the base image"] * layers


def _config(
    below: Mapping[str, Any], history: list[str], layers: list[str], described: Described
) -> bytes:
    """An image's description as its id is made of: sorted, nothing of the moment."""
    own = {
        "Env": [*_other_variables(below, described.env), *described.env],
        "User": described.user, "WorkingDir": described.workdir, "Cmd": list(described.cmd),
        "Labels": {**(below["Config"].get("Labels") or {}), **described.labels},
    }  # fmt: skip
    kept = {name: below["Config"].get(name) for name in KEPT}
    values = {**kept, **{name: value for name, value in own.items() if value}}
    told = [*history, described.made_by]
    document = {
        "architecture": below["Architecture"], "os": below["Os"], "created": described.created,
        "config": {name: value for name, value in values.items() if value},
        "rootfs": {"type": "layers", "diff_ids": layers},
        "history": [{"created": described.created, "created_by": text} for text in told],
    }  # fmt: skip
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _other_variables(below: Mapping[str, Any], env: tuple[str, ...]) -> list[str]:
    names = {one.partition("=")[0] for one in env}
    there: list[str] = below["Config"].get("Env") or []
    return [one for one in there if one.partition("=")[0] not in names]


def _archive(
    config: bytes, layers: list[str], given: Mapping[str, Layer], tag: str
) -> Iterator[bytes]:
    """What `docker load` reads: the description, and those layers that it is given."""
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    places = [f"{digest.partition(':')[2]}/layer.tar" for digest in layers]
    manifest = [{"Config": name, "RepoTags": [tag], "Layers": places}]
    for digest, layer in given.items():
        yield from _member(f"{digest.partition(':')[2]}/layer.tar", layer)
    yield from _member(name, Layer.of(config))
    yield from _member("manifest.json", Layer.of(json.dumps(manifest).encode()))
    yield bytes(2 * BLOCK)


def _member(name: str, layer: Layer) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size = layer.size
    yield info.tobuf(tarfile.GNU_FORMAT)
    yield from layer.chunks()
    yield bytes(-layer.size % BLOCK)


def _sent(client: docker.APIClient, chunks: Iterator[bytes]) -> str:
    with engine_errors("load a layer"):
        events = list(client.load_image(chunks))
    told = [str(one.get("error") or one.get("stream") or "") for one in events]
    if any("error" in one for one in events):
        return " ".join(told).strip()
    return ""


def _exported(
    client: docker.APIClient, image: str, folder: Path, layers: list[str]
) -> dict[str, Layer]:
    """All layers of an image, as files."""
    file = folder / "image.tar"
    with engine_errors("export an image"), file.open("wb") as target:
        for chunk in client.get_image(image):
            target.write(chunk)
    found: dict[str, Layer] = {}
    with tarfile.open(file, "r:") as archive:
        manifest = json.loads(_read(archive, "manifest.json"))
        for number, (place, digest) in enumerate(
            zip(manifest[0]["Layers"], layers, strict=False)
        ):  # the last is new
            path = folder / f"{number}.tar"
            path.write_bytes(_read(archive, place))
            found[digest] = Layer(path, digest, path.stat().st_size)
    return found


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    source = archive.extractfile(name)
    return source.read() if source else b""


class Whiteouts:
    """The marks of files that a layer takes away."""

    PREFIX = ".wh."

    @classmethod
    def tar(cls, paths: list[str]) -> bytes:
        """The beginning of a tar that takes these paths away; its end is not in it."""
        buffer = io.BytesIO()
        for path in paths:
            folder, _, name = path.rpartition("/")
            info = tarfile.TarInfo(f"{folder}/{cls.PREFIX}{name}".lstrip("/"))
            buffer.write(info.tobuf(tarfile.PAX_FORMAT))
        return buffer.getvalue()
