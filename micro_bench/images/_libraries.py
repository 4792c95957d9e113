"""Runs inside a builder: which installed system packages do these wheels need when they run?

Reads the names of shared libraries out of each wheel (`DT_NEEDED`), nothing is loaded. Prints a
JSON object: `packages` holds the Debian packages that own the libraries, `unknown` the libraries
that no package owns. Standard library only.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

LARGEST = 500_000_000


def needed(wheel: str) -> set[str]:
    """The libraries that the wheel's own files name and do not bring."""
    wanted: set[str] = set()
    brought: set[str] = set()
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        for entry in archive.infolist():
            name = os.path.basename(entry.filename)
            if not re.search(r"\.so(\.[0-9]+)*$", name) or entry.file_size > LARGEST:
                continue
            brought.add(name)
            place = os.path.join(folder, "library.so")
            with open(place, "wb") as file:
                file.write(archive.read(entry))
            wanted.update(named(place))
    return wanted - brought


def named(place: str) -> list[str]:
    """The `DT_NEEDED` entries of one library."""
    done = subprocess.run(["readelf", "-d", "-W", place], capture_output=True, check=False)
    return re.findall(r"\(NEEDED\)[^\[]*\[([^\]]+)\]", done.stdout.decode("utf-8", "replace"))


def places() -> dict[str, str]:
    """Library -> the file that the linker would take."""
    done = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, check=False)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    pairs = (line.strip().split(" => ") for line in lines if " => " in line)
    return {left.split(" ")[0]: right for left, right in pairs}


def owner(place: str) -> str | None:
    """The package that owns a file; Debian knows merged folders by either name."""
    real = os.path.realpath(place)
    names = {place, real, re.sub("^/usr", "", place), re.sub("^/usr", "", real)}
    for name in sorted(names):
        done = subprocess.run(["dpkg", "-S", name], capture_output=True, check=False)
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "replace").partition(":")[0].split(",")[0]
    return None


def main(wheels: list[str]) -> None:
    known = places()
    libraries = {name for wheel in wheels for name in needed(wheel)}
    owners = {name: owner(known[name]) for name in libraries if name in known}
    found = {
        "packages": sorted({package for package in owners.values() if package}),
        "unknown": sorted(name for name in libraries if not owners.get(name)),
    }
    sys.stdout.write(json.dumps(found))


main(sys.argv[1:])
