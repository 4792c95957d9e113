"""Reads the paths out of any git patch, and applies trusted ones to files in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import process
from micro_bench.edge.archive import EXECUTABLE, REGULAR, SYMLINK, Entry, write_tree
from micro_bench.edge.seal import ATTRIBUTES, ENVIRONMENT
from micro_bench.errors import BuildError

Contents = Mapping[str, tuple[int, bytes]]


def applied(files: Contents, patch: bytes, paths: tuple[str, ...]) -> dict[str, tuple[int, bytes]]:
    """The files that a patch leaves behind, out of those it names.

    Args:
        files: Path -> (git mode, content) before; only those in `paths` matter.
        patch: A git patch.
        paths: Every path the patch names.

    Raises:
        BuildError: The patch does not apply.
    """
    if not patch:
        return {}
    with TemporaryDirectory(prefix="micro-bench-patch-") as folder:
        root = Path(folder)
        write_tree([Entry(p, files[p][1], files[p][0]) for p in paths if p in files], root)
        _git(root, "init", "--quiet", "--template=")
        write_tree([Entry("attributes", ATTRIBUTES.encode())], root / ".git" / "info")
        _git(root, "apply", "--whitespace=nowarn", "-", stdin=patch)
        return {path: _read(root / path) for path in paths if _there(root / path)}


def made(before: Contents, after: Contents) -> bytes:
    """The patch that makes one set of files of another; those that are equal are not in it."""
    with TemporaryDirectory(prefix="micro-bench-patch-") as folder:
        root = Path(folder)
        _git(root, "init", "--quiet", "--template=")
        write_tree([Entry("attributes", ATTRIBUTES.encode())], root / ".git" / "info")
        write_tree([Entry(p, text, mode) for p, (mode, text) in before.items()], root)
        _git(root, "add", "--all", "--force", ".")
        for path in before:
            (root / path).unlink()
        write_tree([Entry(p, text, mode) for p, (mode, text) in after.items()], root)
        _git(root, "add", "--all", "--force", "--intent-to-add", ".")
        argv = ["git", "diff", "--binary", "--no-ext-diff", "--no-color", "--full-index"]
        done = process.run(argv, env=ENVIRONMENT, cwd=root)
        if done.code != 0:
            raise BuildError(f"no patch can be made: {done.tail}")
        return done.output


def _git(root: Path, *argv: str, stdin: bytes = b"") -> None:
    done = process.run(["git", *argv], stdin=stdin, env=ENVIRONMENT, cwd=root)
    if done.code != 0:
        raise BuildError(f"a patch of the task does not apply to its base:\n{done.tail}")


def _there(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _read(path: Path) -> tuple[int, bytes]:
    if path.is_symlink():
        return SYMLINK, str(path.readlink()).encode("utf-8", "surrogateescape")
    return (EXECUTABLE if path.stat().st_mode & 0o100 else REGULAR), path.read_bytes()


def patch_paths(patch: bytes) -> tuple[str, ...]:
    """Every path a git patch names (old and new), sorted."""
    found = {name for line in _header_lines(patch) for name in _named_in(line)}
    return tuple(sorted(found - {""}))


def added_paths(patch: bytes) -> tuple[str, ...]:
    """The paths of the files that a patch makes anew, sorted."""
    found, name = set[str](), ""
    for line in _header_lines(patch):
        if line.startswith(b"diff --git "):
            name = next(_named_in(line))
        elif line.startswith(b"new file mode "):
            found.add(name)
    return tuple(sorted(found - {""}))


def changed_lines(patch: bytes) -> dict[str, tuple[tuple[int, int], ...]]:
    """Path -> first and last line of each hunk, with its context, as the patch leaves the file."""
    found: dict[str, list[tuple[int, int]]] = {}
    name = ""
    for line in _header_lines(patch, hunks=True):
        if line.startswith(b"+++ "):
            name = next(_named_in(line))
        elif name and (hunk := _PLACE.match(line)):
            first, many = int(hunk[1]), int(hunk[2] or 1)
            found.setdefault(name, []).append((first, max(first + many - 1, first)))
    return {path: tuple(ranges) for path, ranges in found.items()}


def _header_lines(patch: bytes, *, hunks: bool = False) -> Iterator[bytes]:
    """The lines outside hunks: what looks like a header inside one is content."""
    old = new = 0  # lines that the hunk still has
    for line in patch.split(b"\n"):
        if old > 0 or new > 0:
            old -= line[:1] not in (b"+", b"\\")
            new -= line[:1] not in (b"-", b"\\")
        elif hunk := _HUNK.match(line):
            old, new = (int(count) if count else 1 for count in hunk.groups())
            if hunks:
                yield line
        else:
            yield line


_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_PLACE = re.compile(rb"@@ -[\d,]+ \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPES = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


def _named_in(line: bytes) -> Iterator[str]:
    """The paths of a header line."""
    for prefix in (b"--- ", b"+++ "):
        if line.startswith(prefix):
            yield _below_prefix(line.removeprefix(prefix))
    for prefix in (b"rename from ", b"rename to ", b"copy from ", b"copy to "):
        if line.startswith(prefix):
            yield _unquote(line.removeprefix(prefix))
    if line.startswith(b"diff --git "):
        # `a/x b/x`: equal halves unless it is a rename, which has lines of its own
        rest = line.removeprefix(b"diff --git ")
        half = (len(rest) - 1) // 2
        names = _below_prefix(rest[:half]), _below_prefix(rest[half + 1 :])
        yield names[0] if names[0] == names[1] else ""


def _below_prefix(raw: bytes) -> str:
    name = _unquote(raw)
    if name == "/dev/null":
        return ""
    return name[2:] if name[:2] in ("a/", "b/") else name


def _unquote(raw: bytes) -> str:
    """As git writes names: with quotes and escapes where there is something odd in them."""
    text = raw.rstrip(b"\r\t")
    if text[:1] == b'"' == text[-1:] and len(text) > 1:
        text = _ESCAPE.sub(_unescape, text[1:-1])
    return text.decode("utf-8", "surrogateescape")


def _unescape(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 255])
    return bytes([_ESCAPES.get(found[2][0], found[2][0])])
