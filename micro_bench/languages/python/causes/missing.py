"""What a module that cannot be imported is, and how it is had."""

from __future__ import annotations

import sys

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.manifests.declared import named, supplier
from micro_bench.languages.python.manifests.environment import projects
from micro_bench.languages.python.manifests.roots import import_roots, pytest_paths
from micro_bench.languages.python.values import join, normal
from micro_bench.model.execution import CauseKind, Meaning
from micro_bench.model.slice import Requirement

COMPILED = (
    ".c", ".cc", ".cpp", ".cxx", ".pyx", ".pyx.in", ".rs", ".f", ".f90", ".pyf", ".m", ".h",
    ".hpp", ".i", ".cu", ".go", ".zig",
)  # fmt: skip
_REMOVED = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), "3.11"),
    **dict.fromkeys(
        (
            "aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap",
            "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau",
            "telnetlib", "uu", "xdrlib",
        ),
        "3.12",
    ),
    **dict.fromkeys(("binhex", "formatter", "parser", "symbol", "macpath"), "3.8"),
}  # fmt: skip
"""Modules of the standard library that are gone -> the last version that has them."""
_ADDED = {"tomllib": "3.11", "zoneinfo": "3.9", "graphlib": "3.9", "annotationlib": "3.14"}
_DROPPED = {"pkg_resources": ("setuptools", "81", "82")}
"""A module that everybody used to have -> the package that had it, up to where, gone since."""
_PYTHON_2 = frozenset(
    {"ConfigParser", "Queue", "StringIO", "cPickle", "commands", "httplib", "urllib2", "urlparse"}
)


def is_standard(module: str) -> bool:
    """Whether it belongs to the standard library of some version."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in _REMOVED


def module(name: str, files: Files, recipe: Recipe) -> Meaning:
    """What `No module named NAME` means in this tree."""
    said, top = f"No module named {name!r}", name.partition(".")[0]
    place = own_place(name, files, recipe)
    if place is None and declared_for(top, files, recipe) is None:
        place = _elsewhere(top, files)
    if place is not None:
        return _own(name, said, place, files, recipe)
    version = _REMOVED.get(top) or _ADDED.get(top)
    if version and supplier(top, files, recipe) is None:
        return Meaning(
            kind=CauseKind.LANGUAGE_VERSION, said=said,
            means=f"the standard library has {top} "
            + (f"up to Python {version}" if top in _REMOVED else f"since Python {version}"),
            mend=f'`python: "{version}"` in recipe.yaml',
        )  # fmt: skip
    if top in _PYTHON_2:
        return Meaning(
            kind=CauseKind.LANGUAGE_VERSION, said=said, means="the code is written for Python 2",
            mend="set `status: retired`",
        )  # fmt: skip
    return _foreign(top, said, files, recipe)


def _foreign(top: str, said: str, files: Files, recipe: Recipe) -> Meaning:
    found = declared_for(top, files, recipe)
    if top in _DROPPED:
        package, last, release = _DROPPED[top]
        named = f"; {found.source} names {found.text}" if found else "; no manifest names it"
        return Meaning(
            kind=CauseKind.REQUIREMENT, said=said,
            means=f"{package} has {top} up to release {last}{named}",
            mend=f'`requirements: ["{package}<{release}"]` in recipe.yaml',
        )  # fmt: skip
    if found is None:
        return Meaning(
            kind=CauseKind.REQUIREMENT, said=said,
            means=f"{top} is installed by nothing: no manifest of the project names it",
            mend=f"find out which package supplies {top}, and name it in recipe.yaml under "
            "`requirements:`",
        )  # fmt: skip
    return Meaning(
        kind=CauseKind.REQUIREMENT, said=said,
        means=f"{found.text} supplies it ({found.source}), and is not installed",
        mend=f'`requirements: ["{found.text}"]` in recipe.yaml',
    )  # fmt: skip


def distribution(name: str, said: str, files: Files, recipe: Recipe) -> Meaning:
    """What it means that an installed package's metadata is not found."""
    own = {normal(project.says.name) for project in projects(files, recipe) if project.says.name}
    if normal(name) in own:
        return Meaning(
            kind=CauseKind.LAYOUT, said=said,
            means=f"{name} is a project of the repository, and its manifest was not read as one",
            mend="",
        )  # fmt: skip
    found = named(name, files, recipe)
    return Meaning(
        kind=CauseKind.REQUIREMENT, said=said,
        means=f"{name} is not installed" + (f" ({found.source} names it)" if found else ""),
        mend=f'`requirements: ["{found.text if found else name}"]` in recipe.yaml',
    )  # fmt: skip


def declared_for(top: str, files: Files, recipe: Recipe) -> Requirement | None:
    """The declared requirement behind a module's top-level name."""
    return supplier(top, files, recipe) or named(top, files, recipe)


def own_place(name: str, files: Files, recipe: Recipe) -> str | None:
    """The import root that holds the top-level package or module, if it is the repository's."""
    top = name.partition(".")[0]
    for root in _roots(files, recipe):
        base = f"{root}/{top}" if root != "." else top
        if f"{base}.py" in files or any(path.startswith(f"{base}/") for path in _code(files)):
            return root
    return None


def _elsewhere(top: str, files: Files) -> str | None:
    """Below a folder that nobody calls an import root. A vendored copy is none, for what is
    required by name.
    """
    found = sorted(p for p in files if p.endswith((f"/{top}/__init__.py", f"/{top}.py")))
    return found[0].removesuffix("/__init__.py").rpartition("/")[0] if found else None


def _code(files: Files) -> list[str]:
    return [path for path in files if path.endswith((".py", *COMPILED))]


def _roots(files: Files, recipe: Recipe) -> tuple[str, ...]:
    found = [root for p in projects(files, recipe) for root in import_roots(p, files, recipe)]
    return tuple(dict.fromkeys([*found, *pytest_paths(files), "."]))


def _own(name: str, said: str, root: str, files: Files, recipe: Recipe) -> Meaning:
    base = join(root, *name.split("."))
    sources = sorted(base + suffix for suffix in COMPILED if base + suffix in files)
    there = [path for path in (f"{base}.py", f"{base}/__init__.py") if path in files]
    there += [f"{base}/"] if any(path.startswith(f"{base}/") for path in files) else []
    if there and not sources:
        return Meaning(
            kind=CauseKind.LAYOUT, said=said,
            means=f"{there[0]} is in the repository, and the tests do not reach it",
            mend=f"`roots: [{_quoted([*_stated(files, recipe), root])}]` in recipe.yaml if it is "
            "not on the import path, `include:` if the slice lacks it",
        )  # fmt: skip
    sources = sources or _build_files_that_name(name, files)
    means = (
        f"it is a module of the project itself that has to be compiled ({sources[0]})" if sources
        else "it is a module of the project itself that no file of the repository holds: a build "
        "makes it, or the fix should"
    )  # fmt: skip
    mend = (
        "`build: [COMMAND, ...]` in recipe.yaml with what makes it; what its own back end could "
        "not build is told as left out"
    )
    return Meaning(kind=CauseKind.BUILD, said=said, means=means, mend=mend)


def _stated(files: Files, recipe: Recipe) -> list[str]:
    return [root for p in projects(files, recipe) for root in import_roots(p, files, recipe)]


def _quoted(roots: list[str]) -> str:
    return ", ".join(f'"{root}"' for root in dict.fromkeys(roots))


def _build_files_that_name(name: str, files: Files) -> list[str]:
    """Build files in which an extension module of this name stands (Rust, Meson, CMake, setup)."""
    last = name.rpartition(".")[2]
    wanted = [word.encode() for word in (name, last) if "." in word or word.startswith("_")]
    places = ("setup.py", "Cargo.toml", "meson.build", "CMakeLists.txt", "pyproject.toml")
    return sorted(
        path for path, content in files.items()
        if path.rpartition("/")[2] in places and any(word in content for word in wanted)
    )  # fmt: skip
