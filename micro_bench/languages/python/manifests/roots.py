"""Import roots: the directories from which absolute imports are resolved."""

from __future__ import annotations

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.manifests.project import Project
from micro_bench.languages.python.testing.config import effective, top_config
from micro_bench.languages.python.values import join


def import_roots(project: Project | None, files: Files, recipe: Recipe) -> tuple[str, ...]:
    """Directories to put on the import path for a project, relative to the repository."""
    if recipe.roots and (project is None or not project.directory):
        return tuple(join(root) for root in recipe.roots)
    directory = project.directory if project else ""
    declared = project.says.roots if project else ()
    existing = [root for root in declared if root == "." or _holds_python(files, root)]
    if existing:
        return tuple(dict.fromkeys(existing))
    source = join(directory, "src")
    return (source,) if _holds_modules(files, source) else (join(directory),)


def _holds_python(files: Files, directory: str) -> bool:
    return any(path.startswith(f"{directory}/") and path.endswith(".py") for path in files)


def _holds_modules(files: Files, directory: str) -> bool:
    """Whether importable things lie directly in the directory, and it is no package itself."""
    if f"{directory}/__init__.py" in files:
        return False
    depth = directory.count("/") + 1
    return any(
        path.startswith(f"{directory}/")
        and path.endswith((".py", ".pyx"))
        and path.count("/") - depth <= 2
        for path in files
    )


def pytest_paths(files: Files) -> tuple[str, ...]:
    """`pythonpath` of the top-level pytest configuration."""
    found = effective((), top_config(files))
    value = found[1].get("pythonpath", ()) if found else ()
    names = value.split() if isinstance(value, str) else value
    return tuple(join(str(name)) for name in names) if isinstance(names, (list, tuple)) else ()
