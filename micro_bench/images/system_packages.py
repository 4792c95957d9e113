"""System packages of well-known distributions, out of `docker/system_packages.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache

from packaging.utils import canonicalize_name

from micro_bench.edge.recipes import recipe_path


def for_building(names: Iterable[str]) -> tuple[str, ...]:
    """What building these distributions from source needs beside a compiler; sorted."""
    return _listed("build", names)


def for_running(names: Iterable[str]) -> tuple[str, ...]:
    """What these distributions open by name when they run; sorted."""
    return _listed("run", names)


def _listed(table: str, names: Iterable[str]) -> tuple[str, ...]:
    known = _tables()[table]
    found = (package for name in names for package in known.get(canonicalize_name(name), ()))
    return tuple(sorted(set(found)))


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, list[str]]]:
    text = recipe_path("system_packages.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
