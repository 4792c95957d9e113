"""Finds the modules of a plugin room. No list is kept anywhere.

A plugin is a module in a room's plugin folder whose name does not begin with an underscore.
Its name is the module's name with `_` as `-`, unless the module has a `NAME`.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from micro_bench.errors import NotFoundError


def discover(room: str) -> dict[str, ModuleType]:
    """Every plugin of a room (`languages`, `attempts.agents`, ...) by name, sorted."""
    package = importlib.import_module(f"micro_bench.{room}")
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name[0] != "_")
    modules = (importlib.import_module(f"{package.__name__}.{name}") for name in names)
    return {plugin_name(module): module for module in modules}


def plugin_name(module: ModuleType) -> str:
    """The name users type."""
    return str(getattr(module, "NAME", module.__name__.rpartition(".")[2].replace("_", "-")))


def load(room: str, name: str) -> ModuleType:
    """One plugin by name.

    Raises:
        NotFoundError: There is none of that name; the message lists those there are.

    """
    found = discover(room)
    if name not in found:
        known = ", ".join(found) or "none"
        raise NotFoundError(f"no {room.rpartition('.')[2]} plugin is called {name!r}: {known}")
    return found[name]
