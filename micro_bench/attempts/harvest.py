"""What an agent changed, as a strict binary patch against the root commit."""

from __future__ import annotations

import io
from dataclasses import dataclass

from micro_bench.edge.archive import Entry, pack, unpack
from micro_bench.edge.seal import ATTRIBUTES
from micro_bench.errors import EngineError
from micro_bench.sandboxes._sandbox import Sandbox

DEADLINE_S = 120
GIT_LIMIT = 2**30
IGNORED = (
    "__pycache__/\n*.pyc\n.pytest_cache/\n.ruff_cache/\n.mypy_cache/\n*.egg-info/\n.coverage\n"
)
SCRIPT = """
export GIT_DIR="$1" GIT_WORK_TREE="$2" GIT_INDEX_FILE="$3/harvest.index"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_NO_REPLACE_OBJECTS=1
git="git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.autocrlf=false"
git="$git -c core.excludesFile=$3/ignored -c core.quotePath=true -c diff.external= -c gc.auto=0"
rm -f "$GIT_INDEX_FILE"
exec 2> "$3/harvest.log"
mkdir -p "$GIT_DIR/info" && rm -rf "$GIT_DIR/info/attributes" \
  && printf '%s' "$5" > "$GIT_DIR/info/attributes"
$git read-tree "$4" || exit 3
$git add --all -- . || exit 4
exec $git diff --cached --binary --full-index --no-renames --no-ext-diff --no-textconv \
  --no-color --src-prefix=a/ --dst-prefix=b/ "$4" --
"""
"""Arguments: git folder, work folder, bench folder, root commit, attributes. No data in it."""


@dataclass(frozen=True)
class Harvest:
    """The patch, or why there is none."""

    patch: bytes
    problem: str = ""


def harvest(sandbox: Sandbox, commit: str, limit: int, pristine_git: bytes | None) -> Harvest:
    """Take the difference between the work folder and the root commit.

    Args:
        sandbox: Where the agent worked (or a frozen copy).
        commit: The root commit.
        limit: Largest patch, in bytes.
        pristine_git: A tar of the untouched `.git`, for agents that broke theirs; None to use
            the one in the work folder.
    """
    places = sandbox.places
    git = f"{places.work}/.git"
    if pristine_git is not None:
        files = [
            Entry(entry.path, entry.content, entry.mode, 1000)
            for entry in unpack(pristine_git, GIT_LIMIT)
        ]
        folders = [(f".git/{name}", 1000, 0o755) for name in ("objects", "refs", "refs/heads")]
        sandbox.put(places.bench, pack(files, directories=folders))
        git = f"{places.bench}/.git"
    output = io.BytesIO()
    end = sandbox.run(
        ("sh", "-c", SCRIPT, "harvest", git, places.work, places.bench, commit, ATTRIBUTES),
        output=output, deadline_s=DEADLINE_S, limit=limit + 1,
    )  # fmt: skip
    if end.timed_out:
        raise EngineError("taking the patch out of the sandbox took too long")
    if end.exit_code != 0:
        return Harvest(b"", f"git could not take the difference (exit code {end.exit_code})")
    if end.truncated or output.tell() > limit:
        return Harvest(b"", f"the patch is larger than {limit} bytes")
    return Harvest(output.getvalue())
