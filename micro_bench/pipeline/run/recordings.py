"""Recorded patches -> patches that git takes. Pure; only the spelling is mended.

What a patch says about lines is never guessed at: one that is cut, counts wrongly or fits another
version is refused by git in the attempt, with git's own words.
"""

from __future__ import annotations

FIRST = b"diff --git "


def mended(patch: bytes) -> bytes:
    """A last newline that is missing, line ends of another system, paths without `a/` and `b/`."""
    if not patch.strip():
        return b""
    whole = patch if patch.endswith(b"\n") else patch + b"\n"
    if 0 < patch.count(b"\n") == patch.count(b"\r\n"):  # the headers too: it was converted
        whole = whole.replace(b"\r\n", b"\n")
    return _with_prefixes(whole) if _is_bare(whole) else whole


def _is_bare(patch: bytes) -> bool:
    """Whether every header names one path twice: with prefixes they differ."""
    names = [line.removeprefix(FIRST).split() for line in patch.split(b"\n") if _is_first(line)]
    return bool(names) and all(len(pair) == 2 and pair[0] == pair[1] for pair in names)


def _is_first(line: bytes) -> bool:
    return line.startswith(FIRST)


def _with_prefixes(patch: bytes) -> bytes:
    """As git writes it by default. Lines of a hunk may look like headers: those stay."""
    lines, in_header = [], False
    for line in patch.split(b"\n"):
        if _is_first(line):
            in_header = True
            name = line.removeprefix(FIRST).split()[0]
            lines.append(FIRST + b"a/" + name + b" b/" + name)
            continue
        in_header = in_header and not line.startswith(b"@@ ")
        lines.append(_prefixed(line) if in_header else line)
    return b"\n".join(lines)


def _prefixed(line: bytes) -> bytes:
    for start, prefix in ((b"--- ", b"a/"), (b"+++ ", b"b/")):
        name = line.removeprefix(start)
        if line.startswith(start) and name != b"/dev/null":
            return start + prefix + name
    return line
