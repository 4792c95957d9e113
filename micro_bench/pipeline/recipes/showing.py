"""A repository's recipe as it holds: the lead's words, and what detection fills in."""

from __future__ import annotations

import json
from pathlib import Path

from micro_bench.languages._recipe import Recipe
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.recipes.detecting import detect
from micro_bench.pipeline.recipes.looked_at import look

DEFAULT = "default"
Rows = list[dict[str, object]]


def show(line: Line, repo: str) -> dict[str, object]:
    """Each key with its value and where that is from."""
    path = line.workspace.recipe(repo)
    own = line.specs.recipe(repo)
    tree = look(line, repo)
    detected = {one.key: one for one in detect(tree, line.builder.offered, own).found}
    defaults = Recipe().model_dump(mode="json")
    rows: Rows = []
    for key, value in own.model_dump(mode="json").items():
        if key == "schema_version":
            continue
        if value != defaults[key]:
            rows.append({"key": key, "value": value, "from": path.name})
        elif (one := detected.get(key)) and not one.wanted:
            rows.append({"key": key, "value": one.value, "from": f"detected: {one.source}"})
        else:
            rows.append({"key": key, "value": value, "from": DEFAULT})
    return {
        "repo": repo, "file": str(path), "exists": path.exists(), "commit": tree.commit,
        "digest": own.content_digest(), "keys": rows, "text": _text(repo, path, rows),
    }  # fmt: skip


def _text(repo: str, path: Path, rows: Rows) -> str:
    """For people: what is not as it always is, then the names of the rest."""
    head = f"{repo}: {path}" + ("" if path.exists() else " (not there)")
    lines = [
        f"  {row['key']}: {json.dumps(row['value'], ensure_ascii=False)}\n      {row['from']}"
        for row in rows if row["from"] != DEFAULT
    ]  # fmt: skip
    rest = ", ".join(str(row["key"]) for row in rows if row["from"] == DEFAULT)
    return "\n".join([head, *lines, f"  as by default: {rest}"])
