"""Every mistake of every recipe at once, with its place: of form, and against the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from micro_bench import codec
from micro_bench.errors import BadInputError, Mistake, NotFoundError
from micro_bench.languages._recipe import Recipe
from micro_bench.model.slice import Environment
from micro_bench.paths import slug
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.recipes.looked_at import LookedAt, look, repositories
from micro_bench.plurals import count
from micro_bench.services import declared as services

_FOLDERS = ("workdir", "roots")


def check(line: Line, names: tuple[str, ...] | None = None) -> list[dict[str, object]]:
    """The recipes that are sound.

    Args:
        line: Where.
        names: Repositories; None for all recipes of the workspace.

    Raises:
        BadInputError: With the mistakes of all of them.
    """
    mistakes: list[Mistake] = []
    sound: list[dict[str, object]] = []
    known = {slug(name): name for name in repositories(line)}
    for path in sorted(line.workspace.slices.glob("*/recipe.yaml")):
        name = known.get(path.parent.name, path.parent.name)
        if names is not None and name not in names:
            continue
        found, compared = _of_file(line, path, name)
        mistakes += found
        if not found:
            sound.append({"recipe": str(path), "repo": name, "compared_with": compared})
    if mistakes:
        what = count(len(mistakes), "mistake")
        files = count(len({one.file for one in mistakes}), "recipe")
        raise BadInputError(f"{what} in {files}", mistakes=mistakes)
    return sound


def _of_file(line: Line, path: Path, name: str) -> tuple[list[Mistake], str]:
    """Its mistakes, and the commit that it was compared with."""
    try:
        document = codec.read(path.read_bytes(), str(path))
    except BadInputError as error:
        return list(error.mistakes) or [Mistake(str(path), 0, 0, "", error.message)], ""
    recipe, mistakes = _read(document)
    mistakes += [_service(document, key, said) for key, said in services.mistakes(recipe.services)]
    try:
        tree = look(line, name)
    except NotFoundError:
        return mistakes, ""  # the clone is on another machine: there is nothing to compare with
    mistakes += [_placed(document, *said) for said in _against(tree, recipe)]
    return mistakes, tree.commit[:12]


def _read(document: codec.Document) -> tuple[Recipe, list[Mistake]]:
    """The recipe without the keys that are wrong, and what is wrong with them."""
    try:
        return codec.valid(document, Recipe), []
    except BadInputError as error:
        bad = {re.split(r"[.\[]", mistake.path)[0] for mistake in error.mistakes}
        data = document.data if isinstance(document.data, dict) else {}
        rest = {key: value for key, value in data.items() if key not in bad}
        try:
            sound = codec.valid(codec.Document(document.file, rest, document.places), Recipe)
        except BadInputError:
            sound = Recipe()
        return sound, list(error.mistakes)


def _against(tree: LookedAt, recipe: Recipe) -> Iterator[tuple[str, int | None, str]]:
    """Key, index and what is wrong, of what the tree does not have."""
    folders = {path.rpartition("/")[0] for path in tree.files}
    inner = {"/".join(f.split("/")[:n]) for f in folders for n in range(1, f.count("/") + 2)}
    for key in _FOLDERS:
        value = getattr(recipe, key)
        many = isinstance(value, tuple)
        for index, folder in enumerate(value if many else [value] if value else []):
            plain = folder.strip("/").removeprefix("./")
            if plain not in ("", ".") and plain not in inner:
                yield key, index if many else None, f"{folder} is no folder of the tree"
    if recipe.test_script and recipe.test_script not in tree.files:
        yield "test_script", None, f"{recipe.test_script} is not in the tree"
    yield from _complaints(tree, recipe)


def _complaints(tree: LookedAt, recipe: Recipe) -> Iterator[tuple[str, int | None, str]]:
    """What the language says of the recipe: `recipe.yaml extras: no project has 'x'; ...`."""
    wanted: Environment = tree.language.environment(tree.files, tree.committed, recipe)
    for complaint in wanted.complaints:
        place, colon, said = complaint.partition(": ")
        file, _, key = place.partition(" ")
        if file != "recipe.yaml" or not colon:
            continue
        listed = getattr(recipe, key, None)
        names = listed if isinstance(listed, tuple) else ()
        index = next((n for n, name in enumerate(names) if repr(name) in said), None)
        yield key, index, said


def _service(document: codec.Document, key: str, said: str) -> Mistake:
    name, _, below = key.rpartition(".")
    place = document.place(("services", name, below))
    if not place.line:
        place = document.place(("services", name))
    return Mistake(document.file, place.line, place.column, f"services.{key}", said)


def _placed(document: codec.Document, key: str, index: int | None, said: str) -> Mistake:
    where: tuple[str | int, ...] = (key,) if index is None else (key, index)
    place = document.place(where)
    shown = key if index is None else f"{key}[{index}]"
    return Mistake(document.file, place.line, place.column, shown, said)
