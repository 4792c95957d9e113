"""Fetching Python packages on the host, where its mirror, proxy and CA are set up.

Nothing of that configuration enters an image: images get wheels and a lock.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from packaging.markers import Marker

from micro_bench.edge import package_words, process
from micro_bench.edge.pip_settings import (
    UNFOLDED,
    no_index,
    pip_configuration,
    redacted,
    uv_environment,
)
from micro_bench.errors import BuildError

FETCH_TIMEOUT_S = 120
NEWEST_GLIBC = 36
"""Of Debian bookworm: the C library that wheels are chosen for, where the base has no older one."""


def uv_binary() -> str:
    """The uv that came with this program."""
    from uv import find_uv_bin  # noqa: PLC0415 - raises if the wheel was stripped of its binary

    return str(find_uv_bin())


def split_lock(lock: str) -> tuple[str, ...]:
    """The lock's requirements one by one, each with its hashes (line continuations joined)."""
    joined = re.sub(r"\\\n\s*", " ", lock)
    lines = (line.strip() for line in joined.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def pin_of(requirement: str) -> str:
    """A lock line's `name==version`."""
    return requirement.split(maxsplit=1)[0]


def refuse(what: str, problems: Mapping[str, str], next_step: str = "") -> None:
    """Name every package at fault at once, the first in the first line.

    Args:
        what: What was done, for the first line.
        problems: `name==version` -> why not, in one line.
        next_step: What to do about it.

    Raises:
        BuildError: There are problems.
    """
    if not problems:
        return
    lines = [f"{package_words.pinned(pin)}: {why}" for pin, why in problems.items()]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    raise BuildError("\n".join([f"{what} {lines[0]}{more}", *lines[1:]]), next_step=next_step)


def fitting(lock: str, python: str) -> str:
    """Those of the lock's requirements whose markers hold for a full version of Python on Linux.

    pip would ask its own interpreter.
    """
    here = {
        "python_version": ".".join(python.split(".")[:2]), "python_full_version": python,
        "implementation_version": python, "sys_platform": "linux", "platform_system": "Linux",
        "os_name": "posix",
    }  # fmt: skip
    chosen = []
    for line in split_lock(lock):
        stated, semicolon, rest = line.partition(" ;")
        marker, _, hashes = rest.partition(" --hash=")
        if semicolon and not Marker(marker.strip()).evaluate(here):
            continue
        chosen.append(f"{stated} --hash={hashes}" if semicolon else line)
    return "".join(f"{line}\n" for line in chosen)


def fetch_wheels(
    lock: str, python: str, target: Path, glibc: int = NEWEST_GLIBC
) -> tuple[str, ...]:
    """Download the lock's wheels into `target`, checked against their hashes.

    `glibc` is the minor version of the C library that they must run with.

    Runs no code of any package. Returns the requirements that have no wheel: they must be built
    inside a container.

    Raises:
        BuildError: The index refused for another reason than a missing wheel.
    """
    target.mkdir(parents=True, exist_ok=True)
    if _download(lock, python, target, glibc).code == 0:
        return ()
    missing, problems = [], dict[str, str]()
    for requirement in split_lock(lock):
        result = _download(requirement, python, target, glibc)
        if result.code == 0:
            continue
        if why := package_words.not_fetched(result.errors.decode("utf-8", "replace")):
            problems[pin_of(requirement)] = why
        else:
            missing.append(requirement)
    refuse("fetching failed:", problems, "`pip download` of it shows pip's own words")
    return tuple(missing)


def _download(lock: str, python: str, target: Path, newest: int) -> process.Result:
    minor = "".join(python.split(".")[:2])
    machine = os.uname().machine
    platforms = [f"manylinux_2_{glibc}_{machine}" for glibc in range(newest, 16, -1)]
    platforms += [f"manylinux2014_{machine}", f"linux_{machine}"]
    if machine == "x86_64":
        platforms += ["manylinux2010_x86_64", "manylinux1_x86_64"]
    with TemporaryDirectory(prefix="micro-bench-wheels-") as folder:
        source = Path(folder) / "lock.txt"
        source.write_text(lock, encoding="utf-8")
        return process.run(
            [
                sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet",
                "--no-deps", "--require-hashes", "--only-binary", ":all:",
                "--implementation", "cp", "--python-version", ".".join(python.split(".")[:2]),
                "--abi", f"cp{minor}", "--abi", "abi3", "--abi", "none",
                *(word for name in platforms for word in ("--platform", name)),
                "--dest", str(target), "--requirement", str(source),
            ],
            deadline_s=900,
        )  # fmt: skip


def fetch_sources(
    requirements: Sequence[str], python: str, target: Path
) -> tuple[dict[str, Path], dict[str, str]]:
    """Download the source archives of lock lines, checked against their hashes; none is opened.

    Returns `name==version` -> archive, and `name==version` -> why there is none.

    Raises:
        BuildError: One is there and could not be fetched; all such are named.
    """
    found: dict[str, Path] = {}
    absent: dict[str, str] = {}
    problems: dict[str, str] = {}
    sources = dict(_sources([pin_of(line) for line in requirements], python))
    for line in requirements:
        pin = pin_of(line)
        place = sources.get(pin.lower(), "")
        if not place:
            absent[pin] = f"there is neither a wheel for Python {python} here nor a source archive"
            continue
        content, why = _content(place)
        if why or f"--hash=sha256:{hashlib.sha256(content).hexdigest()}" not in line.split():
            problems[pin] = why or "its source archive is not the one that the lock names"
            continue
        found[pin] = target / Path(unquote(urlsplit(place).path)).name
        found[pin].write_bytes(content)
    refuse("fetching failed:", problems, "pin a version with a wheel in the recipe.yaml")
    return found, absent


def _sources(pins: Iterable[str], python: str) -> Iterator[tuple[str, str]]:
    """`name==version` -> where its source archive is, as uv finds it."""
    pip = pip_configuration()
    with TemporaryDirectory(prefix="micro-bench-sources-") as folder:
        (Path(folder) / "pins.in").write_text("\n".join(pins) + "\n", encoding="utf-8")
        done = process.run(
            [
                uv_binary(), "pip", "compile", "--quiet", "--no-config", "--no-header", "--no-deps",
                "--format", "pylock.toml", "--index-strategy", "unsafe-best-match",
                "--python-version", python, *(["--no-index"] if no_index(pip) else []), "pins.in",
            ],
            env={**uv_environment(pip), **UNFOLDED}, cwd=Path(folder), deadline_s=300,
        )  # fmt: skip
        if done.code != 0:
            raise BuildError(package_words.conflict(done.errors.decode("utf-8", "replace")))
        for package in tomllib.loads(done.output.decode()).get("packages", ()):
            sdist: dict[str, Any] = package.get("sdist", {})
            place = str(sdist.get("url") or sdist.get("path") or "")
            if place and "://" not in place:
                place = (Path(folder) / place).resolve().as_uri()
            yield f"{package['name']}=={package['version']}".lower(), place


def _content(place: str) -> tuple[bytes, str]:
    """A file of the index, or why it cannot be had."""
    if urlsplit(place).scheme == "file":
        return Path(unquote(urlsplit(place).path)).read_bytes(), ""
    pip = pip_configuration()
    uv = uv_environment(pip)
    proxies = dict.fromkeys(("http", "https"), pip["proxy"]) if pip.get("proxy") else None
    verify: bool | str = uv.get("SSL_CERT_FILE", True)
    host = urlsplit(place).hostname or ""
    if host in {word.partition(":")[0] for word in pip.get("trusted-host", "").split()}:
        verify = False
    try:
        answer = requests.get(
            place, timeout=FETCH_TIMEOUT_S, proxies=proxies, verify=verify,
            cert=pip.get("client-cert") or None,
        )  # fmt: skip
        answer.raise_for_status()
    except requests.RequestException as error:
        return b"", redacted(" ".join(str(error).split()))[:300]
    return answer.content, ""
