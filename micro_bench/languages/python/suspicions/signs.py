"""What in a source could reach the test runner, the interpreter or what comes after it.

A sign is no proof. Honest code has reasons for each of them, so nothing here changes a verdict;
and whoever wants to can hide them, so the lack of one proves nothing either.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from micro_bench.languages.python.altering.literals import name_of

Sign = tuple[int, str]
"""Line, and what it is."""
_RUNNERS = frozenset({"pytest", "_pytest", "unittest", "pluggy", "doctest", "xdist"})
_OF_SYS = {
    "modules": "sys.modules", "meta_path": "sys.meta_path", "path_hooks": "sys.path_hooks",
    "settrace": "sys.settrace", "setprofile": "sys.setprofile", "monitoring": "sys.monitoring",
    "_getframe": "frames", "_current_frames": "frames", "excepthook": "sys.excepthook",
    "unraisablehook": "sys.unraisablehook", "path_importer_cache": "sys.path_importer_cache",
    "addaudithook": "sys.addaudithook",
}  # fmt: skip
_OF_OS = {
    "fork": "a process that detaches", "forkpty": "a process that detaches",
    "setsid": "a process that detaches", "setpgid": "a process that detaches",
    "setpgrp": "a process that detaches", "daemon": "a process that detaches",
    "posix_spawn": "a process that detaches", "posix_spawnp": "a process that detaches",
    "_exit": "the end of the process", "abort": "the end of the process",
    "kill": "signals to processes", "killpg": "signals to processes",
    "execv": "another program in its place", "execve": "another program in its place",
    "execvp": "another program in its place", "execvpe": "another program in its place",
    "execl": "another program in its place", "execlp": "another program in its place",
    "dup2": "file descriptors", "closerange": "file descriptors",
}  # fmt: skip
_MODULES = {
    "sys": _OF_SYS, "os": _OF_OS,
    "inspect": dict.fromkeys(("stack", "currentframe", "getouterframes", "trace"), "frames"),
    "importlib": {"reload": "modules loaded anew"},
    "signal": {"SIGSTOP": "signals to processes", "pthread_kill": "signals to processes"},
}  # fmt: skip
_WHOLE = {
    "gc": "gc", "builtins": "builtins", "__builtins__": "builtins", "atexit": "atexit",
    "ctypes": "ctypes", "marshal": "code out of data", "runpy": "code out of data",
    "imp": "code out of data", "site": "start-up files", "_posixsubprocess": "processes",
    "faulthandler": "faulthandler", "coverage": "the test runner",
}  # fmt: skip
_FRAMES = frozenset({"tb_frame", "f_back", "f_locals", "f_globals", "f_builtins", "f_trace",
                     "gi_frame", "cr_frame", "f_code", "__code__", "co_code",
                     "__globals__", "__subclasses__"})  # fmt: skip
_LOADERS = frozenset({"spec_from_file_location", "spec_from_loader", "SourceFileLoader",
                      "SourcelessFileLoader", "ExtensionFileLoader", "module_from_spec",
                      "exec_module", "load_source", "load_module"})  # fmt: skip
_BUILT_IN = frozenset({"exec", "eval", "compile", "__import__"})
_TEXTS = {
    "PYTEST_": "the test runner's variables", "PYTHONSTARTUP": "start-up files",
    "PYTHONPATH": "start-up files", "/proc/": "/proc", "/bench": "the grading's own files",
    "sitecustomize": "start-up files", "usercustomize": "start-up files", "pytest11": "plugins",
    "conftest": "the test runner's files", "junit": "the test runner's report",
}  # fmt: skip


def signs(tree: ast.Module) -> Iterator[Sign]:
    """Every sign of a module, once for each line and kind."""
    names = dict(_imported(tree))
    found = {sign for node in ast.walk(tree) for sign in _of(node, names)}
    return iter(sorted(found))


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name -> the module that it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield one.asname or one.name.partition(".")[0], one.name.partition(".")[0]


def _of(node: ast.AST, names: dict[str, str]) -> Iterator[Sign]:
    line = getattr(node, "lineno", 0)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from ((line, what) for what in _of_import(node))
    elif isinstance(node, ast.Attribute):
        yield from ((line, what) for what in _of_attribute(node, names))
    elif isinstance(node, ast.Name) and node.id == "__builtins__":
        yield line, "builtins"
    elif isinstance(node, (ast.Name, ast.Assign)) and _binds(node, "AssertionError"):
        yield line, "AssertionError"
    elif isinstance(node, ast.Call):
        yield from ((line, what) for what in _of_call(node, names))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        if node.value.strip() == node.value and "\n" not in node.value:
            yield from ((line, what) for text, what in _TEXTS.items() if text in node.value)
    elif isinstance(node, (ast.FunctionDef, ast.Lambda)):
        yield from ((line, what) for what in _equal(node))


def _of_import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for one in node.names:
            yield from _of_module(one.name.partition(".")[0])
        return
    top = (node.module or "").partition(".")[0] if not node.level else ""
    yield from _of_module(top)
    for one in node.names:
        if what := _MODULES.get(top, {}).get(one.name):
            yield what
        if top == "importlib" and one.name in _LOADERS:
            yield "code out of data"


def _of_module(top: str) -> Iterator[str]:
    if top in _RUNNERS:
        yield "the test runner"
    elif top in _WHOLE:
        yield _WHOLE[top]


def _of_attribute(node: ast.Attribute, names: dict[str, str]) -> Iterator[str]:
    if isinstance(node.value, ast.Name):
        module = names.get(node.value.id, "")
        if what := _MODULES.get(module, {}).get(node.attr):
            yield what
    if node.attr in _FRAMES:
        yield "frames"
    if node.attr in _LOADERS:
        yield "code out of data"


def _binds(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)


def _of_call(node: ast.Call, names: dict[str, str]) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id in _BUILT_IN:
        yield "code out of data"
    called = name_of(node.func)
    if called in ("setattr", "delattr", "vars") and node.args:
        module = names.get(name_of(node.args[0]), "")
        yield from _of_module(module)
    if called in ("getattr", "setattr") and len(node.args) > 1:
        module, said = names.get(name_of(node.args[0]), ""), node.args[1]
        if module in _MODULES and not isinstance(said, ast.Constant):
            yield "names made at run time"
        elif isinstance(said, ast.Constant):
            yield from filter(None, [_MODULES.get(module, {}).get(str(said.value))])
    if any(key.arg in ("start_new_session", "preexec_fn") for key in node.keywords):
        yield "a process that detaches"


def _equal(node: ast.FunctionDef | ast.Lambda) -> Iterator[str]:
    """`def __eq__(self, other): return True`."""
    if isinstance(node, ast.FunctionDef) and node.name in ("__eq__", "__ne__", "__contains__"):
        returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
        if returned and all(isinstance(v, ast.Constant) and v.value is not None for v in returned):
            yield "an equality that does not compare"
