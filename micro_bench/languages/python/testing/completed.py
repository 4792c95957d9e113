"""What a project itself says of its tests: their names, how they are started, with what variables.

Read without running anything, and only where it is plain: a value made of other values is left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe, TestNames
from micro_bench.languages.python import ini, names
from micro_bench.languages.python.testing.config import CONFIG_NAMES, listed, read_config
from micro_bench.languages.python.testing.recognised import own_runner
from micro_bench.languages.python.values import words

_STARTERS = frozenset(
    words("""
    tox.ini setup.cfg pyproject.toml tox.toml noxfile.py Makefile makefile GNUmakefile justfile
    Justfile Taskfile.yml .gitlab-ci.yml .travis.yml azure-pipelines.yml
""")
)
_AS_MODULE = re.compile(r"""-m["']?[\s,]+["']?pytest\b""")
_VALUE = r"""(?:"[^"$`{\\]*"|'[^'$`{\\]*'|[^\s"'$`{\\;|&()]*)"""
_BEFORE_PYTEST = re.compile(
    rf"(?:^|[\s;&])((?:[A-Za-z_]\w*={_VALUE}[ \t]+)+)"
    r"(?:(?:uv|poetry|pdm|hatch)[ \t]+run[ \t]+)?(?:python[\d.]*[ \t]+-m[ \t]+)?"
    r"(?:coverage[ \t]+run[ \t]+(?:-\S+[ \t]+)*-m[ \t]+)?(?:pytest|py\.test)\b",
    re.MULTILINE,
)
_BARE_PYTEST = re.compile(
    r"^[\t ]*[@-]*(?:(?:uv|poetry|pdm|hatch)[ \t]+run[ \t]+)?(?:\S*/)?"
    r"(?:pytest|py\.test|python[\d.]*[ \t]+-m[ \t]+pytest)\b",
    re.MULTILINE,
)
_ASSIGNMENT = re.compile(rf"([A-Za-z_]\w*)=({_VALUE})[ \t]+")
_NOT_FOR_TESTS = re.compile(
    r"(PATH|HOME|TMPDIR|CI|VIRTUAL_ENV|(PYTHON|PYTEST|COVERAGE|PIP|UV|TOX|MICRO_BENCH)\w*)"
)
"""Where something runs, not what the tests want; or what the sandbox sets itself."""
_MOSTLY = 0.75
_LONGEST_LINE = 2000
_MAKE = ("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile")
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


def completed(recipe: Recipe, files: Files, later: Files | None = None) -> Recipe:
    """The recipe with what the project's own files say where the recipe is silent."""
    settings, after = _settings(files), _settings(later) if later is not None else {}
    found = tuple(_names(settings, after))
    known = Recipe.model_validate({**dict(recipe), "test_names": (*recipe.test_names, *found)})
    roots = tuple(_roots(settings, files, known))
    return Recipe.model_validate(
        {
            **dict(known),
            "tests": (*recipe.tests, *roots),
            **_started(recipe, files),
            "env": {**_variables(files), **recipe.env},
        }
    )


def _settings(files: Files) -> dict[str, Mapping[str, Any]]:
    """Folder -> pytest's configuration there, the deepest folder first."""
    found: dict[str, Mapping[str, Any]] = {}
    folders = {posixpath.dirname(p) for p in files if posixpath.basename(p) in CONFIG_NAMES}
    for folder in sorted(folders, key=lambda each: (-each.count("/"), each == "", each)):
        for name in CONFIG_NAMES:
            read = read_config(name, _text(files.get(posixpath.join(folder, name))))
            if read is not None:
                found[folder] = read
                break
    return found


def _names(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[TestNames]:
    """What each configured folder says, and the conventions where nothing is configured."""
    folders = sorted({*before, *after}, key=lambda each: (-each.count("/"), each == "", each))
    for folder in folders:
        sides = [_nearest(before, folder), *([after[folder]] if folder in after else [])]
        yield TestNames(
            below=folder,
            files=_joined(sides, "python_files", names.CONVENTIONAL),
            within=tuple(dict.fromkeys(path for side in sides for path in _places(side, folder))),
            classes=_joined(sides, "python_classes", names.CLASSES),
            functions=_joined(sides, "python_functions", names.FUNCTIONS),
        )
    if "" not in before:
        yield TestNames(files=(*names.CONVENTIONAL, names.UNITTEST))


def _nearest(settings: Mapping[str, Mapping[str, Any]], folder: str) -> Mapping[str, Any]:
    """What holds in a folder that need not have a configuration of its own."""
    while folder and folder not in settings:
        folder = posixpath.dirname(folder)
    return settings.get(folder, {})


def _joined(
    sides: Iterable[Mapping[str, Any]], key: str, otherwise: tuple[str, ...]
) -> tuple[str, ...]:
    found = [listed(side[key]) if key in side else otherwise for side in sides]
    return tuple(dict.fromkeys(word for each in found for word in each)) or names.NOTHING


def _roots(
    settings: Mapping[str, Mapping[str, Any]], files: Files, recipe: Recipe
) -> Iterator[str]:
    """`testpaths` that hold little but tests: what lies beside those belongs to them."""
    for folder, read in settings.items():
        for root in _places(read, folder):
            modules = [path for path in files if _is_module(path, root)]
            tests = [path for path in modules if _is_plainly_test(path, recipe)]
            if modules and len(tests) >= _MOSTLY * len(modules):
                yield root


def _places(settings: Mapping[str, Any], folder: str) -> Iterator[str]:
    """`testpaths` below the folder; none where one of them is the folder itself or a glob."""
    said = listed(settings.get("testpaths", ""))
    paths = [posixpath.normpath(posixpath.join(folder, place)) for place in said]
    if not any(path in (".", folder) or "*" in path for path in paths):
        yield from (path for path in paths if not path.startswith((".", "/")))


def _is_module(path: str, root: str) -> bool:
    name = posixpath.basename(path)
    special = name in ("conftest.py", "__init__.py")
    return path.endswith(".py") and not special and names.is_beneath(path, root)


def _is_plainly_test(path: str, recipe: Recipe) -> bool:
    wanted = names.patterns(path, recipe).files
    return any(names.fits(path, each) and not names.is_loose(each) for each in wanted)


def _started(recipe: Recipe, files: Files) -> dict[str, str | None]:
    """The runner and its script."""
    own = own_runner(files) if recipe.runner in (None, "django") else None
    if own and not recipe.pytest_args:
        return {"runner": own[0], "test_script": recipe.test_script or own[1]}
    return {"runner": recipe.runner or _runner(files)}


def _runner(files: Files) -> str | None:
    said = (text for text in _starters(files) if _AS_MODULE.search(text))
    return "python -m pytest" if any(said) else None


def _variables(files: Files) -> dict[str, str]:
    """Variables that one place sets, or several alike."""
    seen: dict[str, set[str]] = {}
    said = [_text(files.get(name)) or "" for name in _MAKE]
    for name, value in (*_of_tox(_text(files.get("tox.ini"))), *_of_commands(said)):
        if not _NOT_FOR_TESTS.fullmatch(name):
            seen.setdefault(name, set()).add(value)
    return {name: next(iter(found)) for name, found in sorted(seen.items()) if len(found) == 1}


def _of_tox(text: str | None) -> Iterator[tuple[str, str]]:
    section = (ini.read(text or "") or {}).get("testenv", {})
    for key in ("setenv", "set_env"):
        for line in ini.lines(section.get(key, "")):
            name, sign, value = (part.strip() for part in line.partition("="))
            if sign and re.fullmatch(r"[A-Za-z_]\w*", name) and not re.search(r"[{}$#\0]", value):
                yield name, value


def _of_commands(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """`APP_MODE=test pytest` in a line. Workflows are not read for it: they have special jobs.

    Where the tests are also run without any, the variables are those of a special job too.
    """
    for text in texts:
        if _BARE_PYTEST.search(_commands(text)):
            continue
        for match in _BEFORE_PYTEST.finditer(_commands(text)):
            for name, value in _ASSIGNMENT.findall(match.group(1)):
                yield name, value.strip("\"'")


def _starters(files: Files) -> Sequence[str]:
    """The files that say how the tests are started, without their comments."""
    chosen = [path for path in files if path in _STARTERS or _is_workflow(path)]
    texts = [_text(files[path]) or "" for path in sorted(chosen)]
    return [_commands(text) for text in texts]


def _commands(text: str) -> str:
    """Without comments, and without lines so long that the patterns take for ever over them."""
    short = (line for line in text.splitlines(keepends=True) if len(line) <= _LONGEST_LINE)
    return _COMMENT.sub("", "".join(short))


def _is_workflow(path: str) -> bool:
    return path.startswith(".github/workflows/") and path.endswith((".yml", ".yaml"))


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")
