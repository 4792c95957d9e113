"""What a change did to a file's definitions, by comparing syntax trees."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

from griffe import Alias, Breakage, BreakageKind, Module, find_breaking_changes, visit

from micro_bench.languages._language import SymbolChange
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.memo import Memo
from micro_bench.languages.python.paths import is_test
from micro_bench.languages.python.source import UnparsableError, decode_leniently, parse

MODULE = "<module>"
_ROOT = "module"
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_SIGNATURE_BREAKS = frozenset(
    {
        BreakageKind.PARAMETER_MOVED,
        BreakageKind.PARAMETER_REMOVED,
        BreakageKind.PARAMETER_CHANGED_KIND,
        BreakageKind.PARAMETER_CHANGED_REQUIRED,
        BreakageKind.PARAMETER_ADDED_REQUIRED,
        BreakageKind.OBJECT_REMOVED,
        BreakageKind.OBJECT_CHANGED_KIND,
        BreakageKind.CLASS_REMOVED_BASE,
    }
)
"""Changed defaults, values and annotations break no caller by their form."""

_FORMAL_BASE = re.compile(r"(typing\.|t\.|abc\.)?(Generic|Protocol|ABC|object)\b")
_TYPE_VARIABLE = re.compile(r"(typing\.|t\.|te\.)?(TypeVar|ParamSpec|TypeVarTuple)\(")
_CALLED_BY_FRAMEWORK = re.compile(r"\b(command|group|option|argument|fixture)\b")
"""Decorators of command line functions and fixtures: their parameters are no call signature."""

Symbols = dict[str, list[str]]
"""Qualified name -> dump of each definition of it (overloads, both branches of an `if`)."""
Read = tuple[Symbols, set[str]]
"""The symbols of a file, and the names it imports."""


def symbol_change(path: str, before: bytes | None, after: bytes | None) -> SymbolChange:
    """What a change did to one file's definitions; None means that the file is absent."""
    key = (path, *(content and hashlib.sha256(content).digest() for content in (before, after)))
    return _REMEMBERED.get(key, lambda: _symbol_change(path, before, after))


_REMEMBERED: Memo[tuple[object, ...], SymbolChange] = Memo(1_000)
"""Several measures of a fix ask for the same change."""


def _symbol_change(path: str, before: bytes | None, after: bytes | None) -> SymbolChange:
    if before == after or not path.endswith((".py", ".pyi", ".pyw")):
        return SymbolChange(changed=() if before == after else (MODULE,), public_breaks=())
    try:
        changed = _changed(_read(before or b""), _read(after or b""))
    except (UnparsableError, RecursionError):
        return SymbolChange(changed=(MODULE,), public_breaks=())
    return SymbolChange(
        changed=tuple(sorted(changed)), public_breaks=_public_breaks(path, before, after)
    )


def _changed(before: Read, after: Read) -> set[str]:
    (old, old_imports), (new, new_imports) = before, after
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    if not changed and old_imports != new_imports:
        return {MODULE}
    return changed


_FILES: Memo[bytes, Read] = Memo(200)
"""Fixes that follow one another change the same files."""


def _read(content: bytes) -> Read:
    def work() -> Read:
        tree = parse(content)
        imports = _imports(tree)  # first: the other changes the tree
        return _symbols(tree), imports

    return _FILES.get(hashlib.sha256(content).digest(), work)


def _symbols(tree: ast.Module) -> Symbols:
    found: Symbols = {}
    rest = _collect(_without_docstring(tree.body), "", found)
    if rest:
        found[MODULE] = rest
    return found


def _collect(body: list[ast.stmt], prefix: str, found: Symbols) -> list[str]:
    """Record the definitions in a body; return dumps of what is left. Imports are left out."""
    rest: list[str] = []
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.setdefault(prefix + statement.name, []).append(_dump_function(statement))
        elif isinstance(statement, ast.ClassDef):
            name = prefix + statement.name
            inner = _collect(_without_docstring(statement.body), f"{name}.", found)
            found.setdefault(name, []).append(_dump_class(statement, inner))
        elif not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass)):
            rest += _collect_compound(statement, prefix, found)
    return rest


def _collect_compound(statement: ast.stmt, prefix: str, found: Symbols) -> list[str]:
    """A statement that may hold definitions, such as `if` or `try`: its head and its blocks."""
    if not any(hasattr(statement, block) for block in _BLOCKS):
        return [ast.dump(statement)]
    rest = []
    for name, value in ast.iter_fields(statement):
        if name not in _BLOCKS:
            rest.append(f"{name}={_dump_field(value)}")
            continue
        for child in value:
            inner = [child] if isinstance(child, ast.stmt) else child.body
            head = "" if isinstance(child, ast.stmt) else _head(child)
            rest += [f"{name}{head}", *_collect(inner, prefix, found)]
    substance = [line for line in rest if "=" in line or "(" in line]
    return [type(statement).__name__, *rest] if substance else []


def _head(clause: ast.AST) -> str:
    shown = [_dump_field(value) for name, value in ast.iter_fields(clause) if name not in _BLOCKS]
    return " ".join(shown)


def _dump_field(value: object) -> str:
    if isinstance(value, list):
        return ",".join(_dump_field(item) for item in value)
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return body[1:] if isinstance(first.value.value, str) else body
    return body


def _dump_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Everything but docstrings, those of inner functions and classes too."""
    for node in ast.walk(function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            node.body = _without_docstring(node.body) or [ast.Pass()]
    return ast.dump(function)


def _dump_class(class_: ast.ClassDef, rest: list[str]) -> str:
    head = [*class_.decorator_list, *class_.bases, *class_.keywords]
    return "\n".join([*map(ast.dump, head), "body", *rest])


def _imports(tree: ast.Module) -> set[str]:
    """Each imported name of the module level, whatever the order and the grouping."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {f"{alias.name} as {alias.asname}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            found |= {f"{start} {alias.name} as {alias.asname}" for alias in node.names}
    return found


def _public_breaks(path: str, before: bytes | None, after: bytes | None) -> tuple[str, ...]:
    """Breaks of names that callers may use. A private module's are those in its `__all__`."""
    if before is None or is_test(path, Recipe()):
        return ()
    try:
        old, new = _visited(path, before), _visited(path, after or b"")
    except (SyntaxError, ValueError, RecursionError):
        return ()
    if _is_private(path) and old.exports is None:
        return ()
    found = {
        _described(breakage)
        for breakage in find_breaking_changes(old, new)
        if breakage.kind in _SIGNATURE_BREAKS and not _is_harmless(breakage)
    }
    if path.endswith("__init__.py"):
        found |= {f"{name}: {_REMOVED}" for name in _re_exports(old) - new.members.keys()}
    return tuple(sorted(found))


def _re_exports(module: Module) -> set[str]:
    """Public names that a package takes from its modules and offers as its own."""
    return {
        name
        for name, member in module.members.items()
        if isinstance(member, Alias)
        and not name.startswith("_")
        and (module.exports is None or name in module.exports)
        and member.target_path.startswith(f"{_ROOT}.")
        and member.target_path != f"{_ROOT}.{name}"
    }


def _visited(path: str, content: bytes) -> Module:
    return visit(_ROOT, Path(path), decode_leniently(content))


def _is_private(path: str) -> bool:
    parts = path.removesuffix(".py").split("/")
    return any(part.startswith("_") and part not in {"__init__", "__main__"} for part in parts)


def _is_harmless(breakage: Breakage) -> bool:
    """Breaks that no caller can notice."""
    subject = breakage.obj
    if _has_private_part(subject.path) or subject.name in {"__all__", "__getattr__", "__dir__"}:
        return True
    if subject.is_alias:
        return False
    if breakage.kind is BreakageKind.CLASS_REMOVED_BASE:
        gone = {str(base) for base in breakage.old_value} - {str(b) for b in breakage.new_value}
        return all(_FORMAL_BASE.match(base) for base in gone)
    if subject.is_attribute:
        return bool(_TYPE_VARIABLE.match(str(getattr(subject, "value", ""))))
    decorators = (str(item.value) for item in getattr(subject, "decorators", ()))
    is_parameter = breakage.kind.name.startswith("PARAMETER")
    return is_parameter and any(_CALLED_BY_FRAMEWORK.search(text) for text in decorators)


def _has_private_part(dotted: str) -> bool:
    return any(
        part.startswith("_") and not (part.startswith("__") and part.endswith("__"))
        for part in dotted.split(".")
    )


def _described(breakage: Breakage) -> str:
    name = breakage.obj.path.partition(".")[2]
    parameter = getattr(breakage.old_value or breakage.new_value, "name", "")
    is_parameter = breakage.kind.name.startswith("PARAMETER")
    what = _lower(breakage.kind)
    return f"{name}({parameter}): {what}" if is_parameter else f"{name}: {what}"


def _lower(kind: BreakageKind) -> str:
    return kind.value[:1].lower() + kind.value[1:]


_REMOVED = _lower(BreakageKind.OBJECT_REMOVED)
