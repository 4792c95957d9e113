"""A repository with exactly one commit and nothing else in it: no remote, tag, log or pack of old.

Made from blobs, not from a clone, so there is nothing to scrub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import process
from micro_bench.errors import BuildError

IDENTITY = "micro-bench <bench@localhost>"
CONFIG = (
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
    "\tlogallrefupdates = false\n[user]\n\tname = agent\n\temail = agent@localhost\n"
    "[gc]\n\tauto = 0\n"
)
ATTRIBUTES = "* -text !eol !filter !ident !working-tree-encoding\n"
"""For `info/attributes`, which win over those of the tree: files stay the bytes they are."""
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class Sealed:
    """The content of a `.git` directory and the ids it stands for."""

    files: Mapping[str, bytes]
    commit: str
    tree: str


def seal(files: Mapping[str, tuple[int, bytes]], date: datetime) -> Sealed:
    """Commit the files, as they are, as the root of a new history.

    Args:
        files: Path -> (git mode, content). No attribute, filter or line-ending rule applies.
        date: Of the commit; the base commit's, so that equal input gives equal ids.

    Raises:
        BuildError: git is missing or refuses a path.
    """
    with TemporaryDirectory(prefix="micro-bench-seal-") as folder:
        git = Path(folder) / "git"
        _git(git, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(git))
        _git(git, "fast-import", "--quiet", "--force", stdin=_stream(files, date))
        _git(git, "-c", "pack.threads=1", "repack", "-q", "-a", "-d", "-f")
        _git(git, "read-tree", "main")
        commit = _git(git, "rev-parse", "main").decode().strip()
        tree = _git(git, "rev-parse", "main^{tree}").decode().strip()
        content = {
            path.relative_to(git).as_posix(): path.read_bytes()
            for path in sorted(git.rglob("*"))
            if path.is_file() and _belongs(path.relative_to(git))
        }
    content["config"] = CONFIG.encode()
    content["info/attributes"] = ATTRIBUTES.encode()
    content["HEAD"] = b"ref: refs/heads/main\n"
    content["refs/heads/main"] = commit.encode() + b"\n"
    return Sealed(content, commit, tree)


def _belongs(path: Path) -> bool:
    return path.name == "index" or (path.parts[0] == "objects" and path.parts[-1] != "packs")


def _stream(files: Mapping[str, tuple[int, bytes]], date: datetime) -> bytes:
    moment = f"{int(date.timestamp())} +0000"
    parts = [f"commit refs/heads/main\nauthor {IDENTITY} {moment}\n".encode()]
    parts.append(f"committer {IDENTITY} {moment}\n".encode())
    message = b"base\n"
    parts.append(f"data {len(message)}\n".encode() + message)
    for path, (mode, content) in sorted(files.items()):
        parts.append(f"M {mode:o} inline ".encode() + _quote(path) + b"\n")
        parts.append(f"data {len(content)}\n".encode() + content + b"\n")
    parts.append(b"done\n")
    return b"feature done\n" + b"".join(parts)


def _quote(path: str) -> bytes:
    raw = path.encode("utf-8", "surrogateescape")
    escaped = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def _git(git: Path, *argv: str, stdin: bytes = b"") -> bytes:
    result = process.run(
        ["git", f"--git-dir={git}", *argv], stdin=stdin, env=ENVIRONMENT, cwd=git.parent
    )
    if result.code != 0:
        raise BuildError(
            f"git {argv[0]} failed: {result.tail}", next_step="check `git --version` (>= 2.30)"
        )
    return result.output
