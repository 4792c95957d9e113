"""Out of what pytest prints: the error that came first, and why it broke down."""

from __future__ import annotations

import re
from collections.abc import Callable

_ERROR_LINE = re.compile(r"^E   +(\S.*)$", re.MULTILINE)
_RAISED_FROM = "The above exception was the direct cause of the following exception:"
_INTERNAL = re.compile(r"^INTERNALERROR> +([\w.]+(?:Error|Exception|Exit)\b.*)$", re.MULTILINE)
_USAGE = re.compile(r"^\S+: error: (.+)$", re.MULTILINE)
_PLAIN = re.compile(r"^(?:ERROR: (?!usage:)|Fatal Python error: )(.+)$", re.MULTILINE)
_CONFTEST = "while loading conftest"


def first_error(text: str) -> str:
    """`ModuleNotFoundError: No module named 'x'` out of a file's traceback.

    Of an error that was raised from another one it is the other one: the project's own words for a
    missing package (`please install x`) come second. Without a traceback: the last line, or what
    that is a hint for.
    """
    for part in text.split(_RAISED_FROM):
        if found := _ERROR_LINE.findall(part):
            return str(found[-1].strip())
    lines = text.strip().splitlines() or [""]
    return lines[0 if lines[-1].startswith("HINT:") else -1].strip()


def complaint(log: str) -> str:
    """What pytest complained of when it could not go on, out of its output."""
    for reader in (_of_conftest, _last(_INTERNAL), _last(_USAGE), _last(_PLAIN)):
        if found := reader(log):
            return found
    return ""


def _of_conftest(log: str) -> str:
    _before, found, after = log.partition(_CONFTEST)
    return first_error(after.partition("\n\n\n")[0]) if found else ""


def _last(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(log: str) -> str:
        found = pattern.findall(log)
        return str(found[-1]).strip() if found else ""

    return read
