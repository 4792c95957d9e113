"""What commands changed in a container, as a layer in which nothing tells when that was."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micro_bench.edge.archive import Entry, pack
from micro_bench.edge.containers import engine_errors
from micro_bench.edge.files import storage_errors
from micro_bench.edge.layers import Layer, Whiteouts
from micro_bench.errors import BuildError

if TYPE_CHECKING:
    from micro_bench.edge.containers import Container

DELETED = 2
OWN = ("/dev", "/proc", "/sys", "/run", "/tmp", "/var/tmp", "/etc/hosts", "/etc/hostname",  # noqa: S108
       "/etc/resolv.conf", "/etc/mtab", "/.dockerenv", "/root/.cache")  # fmt: skip
"""What an engine or a build leaves everywhere."""
LIST = "/tmp/micro-bench-changes"  # noqa: S108 - inside the container
DEADLINE_S = 1800
LARGEST = 2**36
TAR = (
    "tar --create --file=- --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,"
    "delete=atime,delete=ctime --numeric-owner --no-recursion --null --verbatim-files-from"
)
SCRIPT = f"""
cd /
xargs -0 -r sh -c 'find "$@" -maxdepth 0 -newer {LIST}.before -print0' sh < {LIST}/paths \
  | xargs -0 -r touch -h -d 1980-01-01T00:00:00Z
exec {TAR} --files-from={LIST}/paths
"""
"""Files that the commands wrote get one and the same time; those that came with a time keep it."""
MARK = ("touch", "-d", "10 minutes ago", f"{LIST}.before")
"""Starting the container changed files, too; what packages bring along is older."""


def begin(container: Container) -> None:
    """Remember the moment before the first command."""
    container.exec(MARK, output=io.BytesIO(), deadline_s=60, limit=1000)


def layer(
    container: Container, diff: Sequence[dict[str, Any]], roots: Sequence[str], target: Path
) -> Layer:
    """Write what was changed since `begin` into a file.

    Args:
        container: It still runs; its commands are root's.
        diff: The engine's list of changes.
        roots: Only below these folders; none for everywhere.
        target: The file.

    Raises:
        BuildError: The changes could not be read.
    """
    paths = sorted(str(one["Path"]) for one in diff if _counts(str(one["Path"]), roots))
    deleted = {str(one["Path"]) for one in diff if one["Kind"] == DELETED}
    there = [path for path in paths if path not in deleted]
    listed = "".join(f"{path.lstrip('/')}\0" for path in there).encode("utf-8", "surrogateescape")
    errors = io.BytesIO()
    with storage_errors(target), target.open("wb") as file:
        file.write(Whiteouts.tar([path for path in paths if path in deleted]))
        end = container.exec(
            ("sh", "-c", SCRIPT), output=file, errors=errors, deadline_s=DEADLINE_S, limit=LARGEST,
            files=("/tmp", pack([Entry(f"{Path(LIST).name}/paths", listed)])),  # noqa: S108
        )  # fmt: skip
    if end.exit_code != 0:
        said = errors.getvalue()[-300:].decode("utf-8", "replace")
        raise BuildError(f"what a step changed cannot be read ({end.exit_code}): {said}")
    return Layer.of(target)


def diff_of(container: Container) -> list[dict[str, Any]]:
    """The engine's list of changes: `Path`, and `Kind`: 0 changed, 1 new, 2 gone."""
    with engine_errors("list changes"):
        return list(container.client.diff(container.id) or [])


def _counts(path: str, roots: Sequence[str]) -> bool:
    if any(path == own or path.startswith(f"{own}/") for own in OWN):
        return False
    return not roots or any(path == root or path.startswith(f"{root}/") for root in roots)
