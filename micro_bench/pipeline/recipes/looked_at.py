"""Which repository a command on recipes is about, and the tree that is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from types import ModuleType

from micro_bench import codec
from micro_bench.errors import NotFoundError
from micro_bench.model.task import Task
from micro_bench.paths import slug
from micro_bench.pipeline.line import Line

LANGUAGE = "python"
"""Of a repository that has no task yet."""
LARGEST_READ = 1_000_000


@dataclass(frozen=True)
class LookedAt:
    """A repository's tree: that of its newest task, or of its clone's newest commit."""

    repo: str
    language: ModuleType
    commit: str
    committed: datetime
    files: Mapping[str, bytes]
    tag: str | None
    """The version in the nearest tag."""


def repositories(line: Line) -> tuple[str, ...]:
    """Every repository that the workspace knows: by its tasks, and by clones."""
    found = {task.repo.name for task in _tasks(line)}
    slugs = {slug(name) for name in found}
    found |= {name for name in (*line.specs.clones(), *line.clones) if slug(name) not in slugs}
    return tuple(sorted(found))


def chosen(line: Line, name: str | None) -> tuple[str, ...]:
    """The repository of this name, or all.

    Raises:
        NotFoundError: There is none.
    """
    known = repositories(line)
    if not known:
        raise NotFoundError(
            f"{line.workspace.root} knows no repository yet",
            next_step="`micro-bench import --help` tells how to make tasks of one; or give a "
            "clone: --clone REPO=PATH",
        )
    if name is None:
        return known
    found = tuple(one for one in known if name in (one, slug(one)))
    if not found:
        close = get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise NotFoundError(
            f"the workspace has no repository {name!r}{hint}",
            next_step=f"there are: {', '.join(known)}",
        )
    return found


def look(line: Line, repo: str) -> LookedAt:
    """Read the tree at the base commit of the repository's newest task.

    Raises:
        NotFoundError: The clone or the commit is not there.
    """
    clone = line.repository(repo)
    tasks = [task for task in _tasks(line) if task.repo.name == repo]
    there = [task for task in tasks if clone.contains(task.repo.base_commit)]
    language = line.language(tasks[0].language if tasks else LANGUAGE)
    commits = [clone.commit(task.repo.base_commit) for task in there] or [clone.commit("HEAD")]
    newest = max(commits, key=lambda commit: (commit.committed, commit.sha))
    files = clone.read_files(newest.sha, max_bytes=LARGEST_READ, lenient=True)
    return LookedAt(
        repo, language, newest.sha, newest.committed,
        {path: content for path, content in files.items() if path.isprintable()},
        clone.describe_tag(newest.sha),
    )  # fmt: skip


def _tasks(line: Line) -> tuple[Task, ...]:
    return codec.load_all(line.specs.spec_files(), Task)
