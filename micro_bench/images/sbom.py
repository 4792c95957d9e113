"""What is in an image, as a CycloneDX 1.5 bill of materials: the same text for the same image."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot5
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from micro_bench.edge import packages
from micro_bench.images._builder import Installed
from micro_bench.model.image import Image
from micro_bench.model.slice import LeftOut, Slice

OURS = "micro-bench"
ENVIRONMENT, TOOLS = "/opt/venv", "/opt/tools"


def sbom(image: Image, piece: Slice, locks: Mapping[str, str], installed: Installed) -> str:
    """The bill as JSON.

    Args:
        image: The image.
        piece: Its slice.
        locks: Folder in the image -> the lock that was installed there.
        installed: What its builder knows.
    """
    root = Component(
        name=image.tag, version=image.digest, type=ComponentType.CONTAINER, bom_ref=image.tag,
        properties=_told(
            task=image.task, repository=piece.repo, commit=piece.base_commit, python=image.python,
            base=image.base_digest, key=image.key,
        ),
    )  # fmt: skip
    left = {one.name: one for one in image.left_out}
    parts = [
        *_projects(piece), *_left_out(left.values()),
        *(c for place, lock in locks.items() for c in _packages(place, lock, left, installed)),
        *(_debian(pin, installed.suite) for pin in installed.debian),
    ]  # fmt: skip
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{OURS}:{image.digest}"), components=parts
    )
    bom.metadata.component = root
    bom.metadata.timestamp = piece.environment.before
    bom.metadata.tools.components.add(Component(name=OURS, type=ComponentType.APPLICATION))
    bom.register_dependency(root, [part for part in parts if part.scope is None])
    document = json.loads(JsonV1Dot5(bom).output_as_string())
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _told(**values: str) -> list[Property]:
    return [Property(name=f"{OURS}:{name}", value=text) for name, text in values.items() if text]


def _projects(piece: Slice) -> Iterator[Component]:
    """The code under test."""
    for one in piece.distributions:
        yield Component(
            name=one.name, version=one.version, type=ComponentType.APPLICATION,
            bom_ref=f"project:{one.name}", properties=_told(version_source=one.version_source),
        )  # fmt: skip


def _left_out(left: Iterable[LeftOut]) -> Iterator[Component]:
    for one in left:
        yield Component(
            name=one.name, version=one.version or None, scope=ComponentScope.EXCLUDED,
            bom_ref=f"left-out:{one.name}", properties=_told(left_out=one.why),
        )  # fmt: skip


def _packages(
    place: str, lock: str, left: Mapping[str, LeftOut], installed: Installed
) -> Iterator[Component]:
    """Each package of a lock, with the hash of its wheel; else with those that were allowed."""
    for line in packages.split_lock(lock):
        name, _, version = packages.pin_of(line).partition("==")
        name = name.partition("[")[0]
        if place == ENVIRONMENT and name in left:
            continue
        file = _wheel(name, version, installed.wheels) if place == ENVIRONMENT else ""
        allowed = re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
        hashes = [installed.wheels[file]] if file else allowed
        yield Component(
            name=name, version=version, bom_ref=f"{place}:{name}",
            purl=PackageURL(
                "pypi", None, canonicalize_name(name), version,
                {"file_name": file} if file else None,
            ),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in hashes],
            properties=_told(place=place),
        )  # fmt: skip


def _wheel(name: str, version: str, wheels: Mapping[str, str]) -> str:
    wanted = (_plain(name), _plain(version))
    for file in wheels:
        found = file.split("-")
        if (_plain(found[0]), _plain(found[1])) == wanted:
            return file
    return ""


def _plain(text: str) -> str:
    return re.sub(r"[-_.]+", "_", text).lower()


def _debian(pin: str, suite: str) -> Component:
    name, _, version = pin.partition("=")
    told = {"distro": suite} if suite else None
    return Component(
        name=name, version=version, bom_ref=f"deb:{name}",
        purl=PackageURL("deb", "debian", name, version, told),
    )  # fmt: skip
