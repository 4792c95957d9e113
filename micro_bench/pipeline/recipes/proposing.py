"""Detection's proposal, as comments in a recipe that a lead reads and uncomments."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from micro_bench import codec
from micro_bench.edge.files import write_atomic
from micro_bench.languages._recipe import Recipe
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.recipes.detecting import Detection, Found, detect
from micro_bench.pipeline.recipes.looked_at import LookedAt, look
from micro_bench.starter import RECIPE_SCHEMA_FILE

BEGIN, END = "# --- proposed by micro-bench", "# --- end of the proposal"
_BLOCK = re.compile(rf"\n*^{BEGIN}.*?^{END}[^\n]*\n?", re.MULTILINE | re.DOTALL)
_WIDTH = 100


def propose(line: Line, repo: str, *, write: bool) -> dict[str, object]:
    """The proposal for a repository; with `write`, in its recipe, where the lead's words stay."""
    own = line.specs.recipe(repo)
    tree = look(line, repo)
    detected = detect(tree, line.builder.offered, own)
    path = line.workspace.recipe(repo)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    text = block(tree, detected, _decided(before))
    whole = joined(before or _first(line, path), text)
    codec.decode(whole.encode(), Recipe, str(path))
    if write:
        write_atomic(path, whole.encode())
    return {
        "repo": repo, "file": str(path), "commit": tree.commit, "written": write,
        "proposal": text,
        "keys": [_record(one) for one in detected.found], "notes": list(detected.notes),
    }  # fmt: skip


def _record(one: Found) -> dict[str, object]:
    return {"key": one.key, "value": one.value, "from": one.source, "by_itself": not one.wanted}


def joined(before: str, proposal: str) -> str:
    """A recipe's text with this proposal in the place of an earlier one; all else is as it was."""
    kept = _BLOCK.sub("\n", before).rstrip("\n")
    return f"{kept}\n\n{proposal}"


def _first(line: Line, path: Path) -> str:
    """What a recipe begins with, with its schema for editors where the workspace has it."""
    schema = line.workspace.root / RECIPE_SCHEMA_FILE
    hint = os.path.relpath(schema, path.parent)
    head = f"# yaml-language-server: $schema={hint}\n" if schema.exists() else ""
    return f"{head}schema_version: 1\n"


def block(tree: LookedAt, detected: Detection, decided: Iterable[str]) -> str:
    """The comments: what detection does by itself, then what only a lead can say."""
    known = set(decided)
    own = [one for one in detected.found if not one.wanted]
    asked = [one for one in detected.found if one.wanted and one.key not in known]
    head = f"{BEGIN} of {tree.commit[:12]} ({tree.committed:%Y-%m-%d})"
    lines = [head, "# Detection does these by itself; without its mark, a line is your decision:"]
    lines += [text for one in own for text in _line(one, known)]
    if asked:
        lines.append("# These it does not do; they may be what the tests lack:")
        lines += [text for one in asked for text in _line(one, known)]
    if detected.notes:
        lines.append("# To be known:")
        lines += [f"#   {_plain(note)}" for note in detected.notes]
    return "\n".join([*lines, END, ""])


def _line(one: Found, known: set[str]) -> Iterator[str]:
    if one.key in known:
        yield f"#   {one.key}: as above ({_plain(one.source)})"
        return
    text = f"# {one.key}: {json.dumps(one.value, ensure_ascii=False)}"
    why = f"# {_plain(one.source)}"
    if len(text) + len(why) + 2 <= _WIDTH:
        yield f"{text}  {why}"
    else:
        yield f"#   {one.key}, {why.removeprefix('# ')}:"
        yield text


def _plain(text: str) -> str:
    """On one line: a file of the repository must not end a comment."""
    return "".join(c if c.isprintable() else " " for c in text)[:400]


def _decided(text: str) -> tuple[str, ...]:
    """The keys that the lead's own lines hold."""
    kept = _BLOCK.sub("\n", text)
    return tuple(dict.fromkeys(re.findall(r"^([a-z_]+):", kept, re.MULTILINE)))
