"""pytest's configuration: where it is found, what it says, how it is kept at base."""

from __future__ import annotations

import posixpath
import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from micro_bench.languages.python import ini

CONFIG_NAMES = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
"""In the order in which pytest looks for them in one directory."""

_SECTIONS = {"setup.cfg": ("tool:pytest", "pytest"), "tox.ini": ("pytest",)}


def effective(
    paths: Sequence[str], config: Mapping[str, str]
) -> tuple[str, Mapping[str, Any]] | None:
    """What pytest reads, with its folder: the first file with pytest's keys, from the paths'
    ancestor upwards.
    """
    directory = common_folder(paths)
    while True:
        for name in CONFIG_NAMES:
            found = read_config(name, config.get(posixpath.join(directory, name)))
            if found is not None:
                return directory, found
        if not directory:
            return None
        directory = posixpath.dirname(directory)


def common_folder(paths: Sequence[str]) -> str:
    """The deepest folder that all the paths lie in."""
    directories = [posixpath.dirname(path.partition("::")[0]) for path in paths]
    return posixpath.commonpath(directories) if directories else ""


def listed(value: object) -> tuple[str, ...]:
    """A list of words, as a list or in one text."""
    if isinstance(value, list):
        return tuple(str(each) for each in value)
    try:
        return tuple(shlex.split(str(value)))
    except ValueError:
        return tuple(str(value).split())


def top_config(files: Mapping[str, bytes]) -> dict[str, str]:
    """The configuration files at the top of a tree."""
    return {name: files[name].decode("utf-8", "replace") for name in CONFIG_NAMES if name in files}


def read_config(name: str, text: str | None) -> Mapping[str, Any] | None:
    """The pytest options of one file; None when pytest would look further."""
    if text is None:
        return None
    if name == "pyproject.toml":
        return _read_pyproject(text)
    if name.endswith(".toml"):
        table = _load_toml(text).get("pytest", {})
        return table if isinstance(table, dict) else {}
    sections = ini.read(text)
    own = (sections or {}).get("tool:pytest" if name == "setup.cfg" else "pytest")
    if own is None and name in {"pytest.ini", ".pytest.ini"}:
        return {}
    return own


def _read_pyproject(text: str) -> Mapping[str, Any] | None:
    table = _table(_load_toml(text), "tool", "pytest")
    options = table.pop("ini_options", None)
    if table:
        return table
    return options if isinstance(options, dict) else None


def _load_toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _table(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        inner = document.get(key)
        if not isinstance(inner, Mapping):
            return {}
        document = inner
    return dict(document)


def merge_infrastructure(path: str, base: bytes | None, current: bytes | None) -> bytes | None:
    """The current file with pytest's part restored to base; the base's file if it has no other."""
    merge = _MERGERS.get(path.rpartition("/")[2])
    if merge is None or current is None or current == base:
        return base
    try:
        return merge(base or b"", current)
    except (ValueError, TOMLKitError, RecursionError, KeyError, TypeError):
        return base


def _merge_pyproject(base: bytes, current: bytes) -> bytes:
    wanted = _table(tomllib.loads(base.decode()), "tool", "pytest")
    if _table(tomllib.loads(current.decode()), "tool", "pytest") == wanted:
        return current
    document = tomlkit.parse(current.decode())
    tool = document.setdefault("tool", tomlkit.table(is_super_table=True))
    tool.pop("pytest", None)
    if wanted:
        tool["pytest"] = tomlkit.item(wanted)
    merged = tomlkit.dumps(document)
    if _table(tomllib.loads(merged), "tool", "pytest") != wanted:
        raise ValueError("the merged file does not say what it should")
    return merged.encode()


def _merge_ini(names: tuple[str, ...]) -> Callable[[bytes, bytes], bytes]:
    def merge(base: bytes, current: bytes) -> bytes:
        before, after = base.decode(), current.decode()
        if ini.read(after) is None:
            raise ValueError("no INI file")
        wanted = [source for name, source in ini.split(before) if name in names]
        if [source for name, source in ini.split(after) if name in names] == wanted:
            return current
        kept = "".join(source for name, source in ini.split(after) if name not in names)
        glue = "" if not kept or kept.endswith("\n") else "\n"
        return (kept + glue + "".join(wanted)).encode()

    return merge


_MERGERS: Mapping[str, Callable[[bytes, bytes], bytes]] = {
    "pyproject.toml": _merge_pyproject,
    **{name: _merge_ini(sections) for name, sections in _SECTIONS.items()},
}
