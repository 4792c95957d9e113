"""Reads a local git clone. Nothing is written, and nothing the clone configures is run.

Configuration of the user, the system and the clone, hooks, pagers, external diffs, text
conversions, attributes, grafts, replace refs and inherited `GIT_*` variables are all switched
off, so that equal commits give equal bytes on every machine.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from subprocess import PIPE
from typing import cast

from micro_bench.edge.git_objects import Contents, MissingObjectError, Objects, Process
from micro_bench.edge.git_output import (
    ChangedFile,
    Commit,
    TreeFile,
    fields_of,
    names_revert_of,
    path_of,
    read_added,
    read_changed,
    read_commit,
    read_setting,
)
from micro_bench.edge.git_view import View, git_dir_of
from micro_bench.errors import BadInputError, MicroBenchError, NotFoundError

# A machine without git gets a message when git is needed, not a traceback at start.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import git
from git.exc import GitCommandError, GitCommandNotFound

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_OPTIONS = (
    "safe.directory=*",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    f"attr.tree={EMPTY_TREE}",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
    "GIT_DIFF_OPTS": "",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NAMESPACE": "",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_TRACE": "0",
}
_MISSING = re.compile(
    r"(?:unable to read|missing blob object|bad object|could not get object)"
    r"[^\n]*?'?([0-9a-f]{40})"
)
_PLAIN_DIFF = ("--no-ext-diff", "--no-textconv", "--no-color")


class Repository:
    """A local clone: bare or not, whole, shallow or partial, or a linked worktree."""

    def __init__(self, git_dir: Path) -> None:
        self._git_dir = str(git_dir)
        self._view = View(git_dir)
        self._git = git.Git(str(self._view.path))
        argv, environment = self._argv("cat-file", "--batch"), self._environment()
        self._objects = Objects(partial(_cat_file, self._git, argv, environment))
        self._known: set[str] = set()
        """Whole ids of commits that are here: they will not go away."""
        if self._view.config.is_file():
            listing = self._run("config", "--file", str(self._view.config), "--list", "-z")
            self._view.set_config(map(read_setting, fields_of(listing)))

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Open the clone at `path`.

        Raises:
            NotFoundError: There is no git repository, or it has no commit.

        """
        git_dir = git_dir_of(path)
        if git_dir is None:
            raise NotFoundError(
                f"{path} is not a git repository", next_step="git clone <url> and name its folder"
            )
        repository = cls(git_dir)
        repository.default_branch()
        return repository

    @property
    def is_shallow(self) -> bool:
        """Whether the history is cut off, so that old fixes have no parent."""
        return self._text("rev-parse", "--is-shallow-repository").strip() == "true"

    def origin(self) -> str | None:
        """The address the clone was made from, as its configuration has it."""
        try:
            return self._text("config", "--get", "remote.origin.url").strip() or None
        except _GitError:
            return None

    def default_branch(self) -> str:
        """The ref that new work is merged to: what the remote says, else HEAD."""
        for ref in ("refs/remotes/origin/HEAD", "HEAD"):
            if self.contains(ref):
                return ref
        raise NotFoundError(
            f"the repository {self._git_dir} has no commit on its default branch",
            next_step="name the branch, or fetch it: git fetch origin",
        )

    def resolve(self, rev: str) -> str:
        """The full id of the commit that `rev` names.

        Raises:
            NotFoundError: There is no such commit in the clone.

        """
        if rev in self._known:
            return rev
        plain = re.fullmatch(r"[\w./@-]+", rev)
        sha = self._objects.commit(rev) if plain else None
        if sha is None:
            raise NotFoundError(
                f"no commit {rev!r} in {self._git_dir}",
                next_step="git fetch --all, or check the name",
            )
        if len(sha) != 40:
            raise BadInputError(f"{self._git_dir} names objects by SHA-256, which is not supported")
        self._known.add(sha)
        return sha

    def contains(self, rev: str) -> bool:
        """Whether the clone holds the commit, on any branch or none."""
        try:
            self.resolve(rev)
        except NotFoundError:
            return False
        return True

    def commit(self, rev: str) -> Commit:
        """One commit."""
        return next(self._log("--no-walk", self.resolve(rev)))

    def log(self, rev: str | None = None) -> Iterator[Commit]:
        """Every commit reachable from `rev` (the default branch), children before parents."""
        return self._log("--topo-order", self._tip(rev))

    def mainline(self, rev: str | None = None) -> Iterator[Commit]:
        """The first-parent history of `rev` (the default branch), newest first."""
        return self._log("--first-parent", self._tip(rev))

    def ahead(self, head: str, base: str) -> tuple[Commit, ...]:
        """The commits of `head` that `base` lacks, newest first; none if either is not here."""
        if not (self.contains(head) and self.contains(base)):
            return ()
        return tuple(self._log("--topo-order", self.resolve(head), f"^{self.resolve(base)}"))

    def touched(self, rev: str | None = None) -> dict[str, tuple[str, ...]]:
        """Commit -> paths it changed against its first parent, for the whole history."""
        records = self._records((), "--name-only", "--no-renames", self._tip(rev))
        return {
            sha: tuple(map(path_of, fields_of(rest.removeprefix(b"\n")))) for sha, rest in records
        }

    def added_lines(
        self, paths: Sequence[str], rev: str | None = None
    ) -> dict[str, tuple[str, ...]]:
        """Commit -> lines it added to any of the paths, against its first parent."""
        records = self._records(paths, "-p", "-U0", "--no-renames", *_PLAIN_DIFF, self._tip(rev))
        return {sha: tuple(read_added(patch)) for sha, patch in records} if paths else {}

    def tree_id(self, rev: str) -> str:
        """The id of the commit's tree."""
        return self._text("rev-parse", "--verify", f"{self.resolve(rev)}^{{tree}}").strip()

    def tree_files(self, rev: str) -> dict[str, TreeFile]:
        """Path -> entry for every file, symbolic link and submodule of the commit."""
        return self._objects.tree(self.resolve(rev))

    def contents(self, rev: str, keep: Callable[[str], bool], *, max_bytes: int) -> Contents:
        """The commit's files whose paths are kept, each read when it is asked for."""
        tree = {path: entry for path, entry in self.tree_files(rev).items() if keep(path)}
        return Contents(tree, self._objects, max_bytes)

    def read_files(
        self,
        rev: str,
        paths: Iterable[str] | None = None,
        *,
        max_bytes: int | None = None,
        lenient: bool = False,
    ) -> dict[str, bytes]:
        """Content by path; a symbolic link gives its target, a submodule nothing.

        Paths that the commit does not have are left out, and, if `lenient`, those whose content
        the clone lacks. Content longer than `max_bytes` comes back empty.
        """
        tree = self.tree_files(rev)
        wanted = tree if paths is None else {path: tree[path] for path in paths if path in tree}
        blobs = {path: entry.blob for path, entry in wanted.items() if not entry.is_submodule}
        self._fetch_missing(rev, blobs)
        contents = self._objects.contents(blobs.values(), max_bytes, lenient=lenient)
        return {path: contents[blob] for path, blob in blobs.items() if blob in contents}

    def diff(self, base: str, fix: str, paths: Sequence[str]) -> bytes:
        """A patch of the paths that plain, strict `git apply` takes: whole ids, no renames."""
        options = ("-r", "-p", "--binary", "--full-index", "--no-renames", "-U3", *_PLAIN_DIFF)
        revs = (self.resolve(base), self.resolve(fix))
        return self._run("diff-tree", *options, *revs, "--", *paths) if paths else b""

    def occurring(self, rev: str, texts: Iterable[str], *, words: bool = False) -> frozenset[str]:
        """Which of the texts stand anywhere in the files of a commit, or in their names.

        Args:
            rev: The commit.
            texts: Of one line each; others are never found.
            words: Only where no letter, digit or `_` stands beside it.
        """
        wanted = sorted({one for one in texts if one and "\n" not in one and "\0" not in one})
        found = self._grepped(rev, wanted, words=words)
        if not words:
            names = "\n".join(self.tree_files(rev))
            found |= {one for one in wanted if one in names}
            # Where two overlap, git tells one of them.
            for one in [one for one in wanted if one not in found]:
                found |= self._grepped(rev, [one], words=False)
        return frozenset(found)

    def _grepped(self, rev: str, wanted: Sequence[str], *, words: bool) -> set[str]:
        if not wanted:
            return set()
        with tempfile.NamedTemporaryFile(suffix=".txt") as patterns:
            patterns.write("".join(f"{one}\n" for one in wanted).encode("utf-8", "surrogateescape"))
            patterns.flush()
            options = ("-I", "-h", "-o", "-F", *(("-w",) if words else ()), "-f", patterns.name)
            try:
                found = self._text("grep", *options, self.resolve(rev)).split("\n")
            except _GitError:  # as git says it that there is nothing
                return set()
        return {*found} & {*wanted}

    def changed(self, base: str, fix: str) -> tuple[ChangedFile, ...]:
        """The files that differ, renames detected, sorted by path."""
        options = ("-r", "-M", "-l2000", "--raw", "--numstat", "-w", "--ignore-blank-lines", "-z")
        revs = (self.resolve(base), self.resolve(fix))
        fields = fields_of(self._run("diff-tree", *options, *_PLAIN_DIFF, "--abbrev=40", *revs))
        return tuple(sorted(read_changed(fields), key=lambda file: file.path))

    def describe_tag(self, rev: str) -> str | None:
        """The version in the nearest tag at or before the commit: 1.2 of `v1.2`, `name-1.2`."""
        sha = self.resolve(rev)
        try:
            tag = self._text("describe", "--tags", "--abbrev=0", "--match", "*[0-9]*", sha).strip()
        except _GitError:
            return None
        found = re.search(r"(?:^|[^0-9A-Za-z.])[vV]?(\d+(?:[._]\d+)*[0-9A-Za-z.+!-]*)$", tag)
        return found[1].replace("_", ".") if found else None

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` is `newer` or comes before it."""
        revs = (self.resolve(older), self.resolve(newer))
        return not self._text("rev-list", "--max-count=1", revs[0], f"^{revs[1]}").strip()

    def reverted_by(self, commit: str, rev: str | None = None) -> str | None:
        """The newest commit of the branch that says `This reverts commit <commit>`."""
        sha = self.resolve(commit)
        pattern = f"This reverts commit {sha[:7]}"
        later = self._log("--fixed-strings", f"--grep={pattern}", f"^{sha}", self._tip(rev))
        named = (c for c in later if names_revert_of(c.message, sha))
        return next((found.sha for found in named), None)

    def _tip(self, rev: str | None) -> str:
        return self.resolve(rev or self.default_branch())

    def _log(self, *arguments: str) -> Iterator[Commit]:
        form = "--format=tformat:%H%x00%P%x00%at%x00%ct%x00%B"
        out = self._run("log", "-z", "--no-color", "--encoding=UTF-8", form, *arguments, "--")
        fields = out.split(b"\0")
        for start in range(0, len(fields) - 4, 5):
            yield read_commit(fields[start : start + 5])

    def _records(self, paths: Sequence[str], *arguments: str) -> Iterator[tuple[str, bytes]]:
        """Each commit's id and what `git log` printed for it, told apart by a random token."""
        token = secrets.token_hex(16)
        form = f"--format=tformat:{token}%H"
        shape = ("--diff-merges=first-parent", "-z", form)
        out = self._run("log", *shape, *arguments, "--", *paths)
        for record in out.split(token.encode())[1:]:
            yield record[:40].decode(), record[40:].removeprefix(b"\0")

    def _fetch_missing(self, rev: str, blobs: Mapping[str, str]) -> None:
        """Ask a partial clone's remote for all missing content at once, not one by one."""
        try:
            remotes = self._text("config", "--get-regexp", r"^remote\..*\.promisor$", "true")
        except _GitError:
            return
        listing = ("--objects", "--no-object-names", "--missing=print", "--no-walk")
        out = self._text("rev-list", *listing, self.resolve(rev)).split()
        missing = sorted({line[1:] for line in out if line[0] == "?"} & set(blobs.values()))
        remote = remotes.split()[0].removeprefix("remote.").removesuffix(".promisor")
        fetch = ("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--no-tags")
        options = ("--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none")
        if missing:
            self._run(*fetch, *options, "--stdin", "--end-of-options", remote, lines=missing)

    def _text(self, *arguments: str) -> str:
        return self._run(*arguments).decode("utf-8", "surrogateescape")

    def _run(self, *arguments: str, lines: Sequence[str] = ()) -> bytes:
        with tempfile.TemporaryFile() as feed:
            feed.write("".join(f"{line}\n" for line in lines).encode())
            feed.seek(0)
            try:
                return self._git.execute(
                    self._argv(*arguments),
                    istream=feed,
                    env=self._environment(),
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                )
            except GitCommandNotFound as error:
                raise MicroBenchError("git is not installed", next_step="install git") from error
            except GitCommandError as error:
                if missing := _MISSING.search(_text_of(error.stderr)):
                    raise MissingObjectError(missing[1]) from error
                raise _GitError(
                    f"git {arguments[0]} failed in {self._git_dir}: {_text_of(error.stderr)}",
                    next_step=f"git -C {self._git_dir} fsck",
                ) from error

    def _argv(self, *arguments: str) -> list[str]:
        options = (word for option in _OPTIONS for word in ("-c", option))
        return ["git", "--no-pager", *options, *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            **_ENVIRONMENT,
            "GIT_DIR": str(self._view.path),
            "GIT_COMMON_DIR": str(self._view.path),
            "GIT_WORK_TREE": str(self._view.path),
            "GIT_OBJECT_DIRECTORY": str(self._view.objects),
        }


def _cat_file(command: git.Git, argv: Sequence[str], environment: Mapping[str, str]) -> Process:
    """A git that answers one request after the other, until nobody holds it any more."""
    try:
        running = command.execute([*argv], istream=PIPE, env=environment, as_process=True)
    except GitCommandNotFound as error:
        raise MicroBenchError("git is not installed", next_step="install git") from error
    return cast("Process", running)


class _GitError(MicroBenchError):
    """Git ended with an error."""


def _text_of(message: object) -> str:
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
    return text.strip().removeprefix("stderr: ").strip("' \n")
