"""What modules import at their start, and what of it nothing supplies."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from micro_bench.languages._language import Files
from micro_bench.languages.python.manifests.suppliers import Imported, missing_imports
from micro_bench.languages.python.source import UnparsableError, parse
from micro_bench.model.slice import Requirement

OURS = "micro_bench"
"""The source of requirements that no manifest has."""
_TOP_IMPORT = re.compile(rb"^(?:import|from)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_ALWAYS = frozenset({"pytest", "_pytest", "setuptools", "pkg_resources"})


def importing(files: Files, modules: Iterable[str], names: Iterable[str]) -> list[str]:
    """The modules with a line that imports one of the names."""
    wanted = "|".join(names).encode()
    pattern = re.compile(rb"^\s*(?:import|from)\s+(?:" + wanted + rb")\b", re.MULTILINE)
    return [path for path in modules if pattern.search(files[path])]


def unsupplied(
    files: Files, modules: Sequence[str], listed: Sequence[Requirement]
) -> tuple[str, ...]:
    """Imports at the left margin that neither tree, library nor a requirement supplies, sorted."""
    wanted = {m[1].decode() for path in modules for m in _TOP_IMPORT.finditer(files[path])}
    python = (path for path in files if path.endswith(".py"))
    own = {part.removesuffix(".py") for path in python for part in path.split("/")}
    unknown = wanted - own - sys.stdlib_module_names - _ALWAYS
    suspects = missing_imports(Imported(frozenset(), frozenset(unknown)), listed)
    return tuple(sorted(suspects & _always(files, importing(files, modules, sorted(suspects)))))


def _always(files: Files, modules: Sequence[str]) -> set[str]:
    """What the modules import whatever happens: not in a text, and not tried only."""
    found: set[str] = set()
    for path in modules:
        with suppress(UnparsableError):
            found.update(_imports(parse(files[path])))
    return found


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
