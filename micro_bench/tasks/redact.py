"""Takes secrets and addresses of persons out of a ticket's words, before anything is written. Pure.

Secrets are found by detect-secrets, by the detectors that know a kind of key by its form; those
that go by entropy take commit ids and hashes of logs for secrets. What was removed is counted by
kind and kept nowhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

_DETECTORS = (
    "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector",
    "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PypiTokenDetector", "SendGridDetector",
    "SlackDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)  # fmt: skip
_SETTINGS = {"plugins_used": [{"name": name} for name in _DETECTORS], "filters_used": []}
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?P<host>(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])"
)
_NOBODY = re.compile(
    r"(?:^|\.)(?:example(?:\.\w+)?|test|invalid|localhost|local)$|^users\.noreply\.", re.IGNORECASE
)
_RUN = re.compile(r"[\w.\-+/=~]*")
_HINTS = re.compile(r"[A-Za-z0-9_+/=.-]{16}|:[^\s/@:]{1,200}@")
"""A line without either holds nothing that the detectors know; most lines are like that."""
_PIECES = re.compile(r"[^\n]{0,1000}[^\S\n]|[^\n]{1,1000}|\n")
"""Of a line: some detectors take time as the square of what they look at. No key has spaces."""
_REMOVED = re.compile(r"\[(?P<what>secret|address) removed(?:: [^\]\n]{0,60})?\]")
MAIL = "[address removed]"


def redacted(text: str) -> str:
    """The words without secrets and without addresses of persons.

    Addresses of reserved names (`ada@example.org`, `x@shop.test`) are nobody's and stay.
    """
    text = _PRIVATE_KEY.sub(_mark("Private Key"), text)
    with transient_settings(_SETTINGS):
        pieces = [_line(one) if _HINTS.search(one) else one for one in _PIECES.findall(text)]
    return _MAIL.sub(_without_mail, "".join(pieces))


def counted(text: str) -> str:
    """What was removed from words, as one would say it; empty where nothing was."""
    found = Counter(one["what"] for one in _REMOVED.finditer(text))
    said = {"secret": "secrets", "address": "addresses"}
    return " and ".join(
        f"{number} {what if number == 1 else said[what]}" for what, number in sorted(found.items())
    )


def _line(line: str) -> str:
    for start, end, kind in sorted(_secrets(line), reverse=True):
        line = f"{line[:start]}{_mark(kind)}{line[end:]}"
    return line


def _secrets(line: str) -> Iterator[tuple[int, int, str]]:
    """Where they stand, each once. A detector tells a part of some: all of the run goes."""
    taken = 0
    found = sorted((line.find(s.secret_value or ""), s) for s in scan_line(line) if s.secret_value)
    for at, secret in found:
        if at < taken:
            continue
        start, value = at, secret.secret_value or ""
        while start and _RUN.fullmatch(line[start - 1]):
            start -= 1
        run = _RUN.match(line, at + len(value))
        taken = run.end() if run else at + len(value)
        yield start, taken, secret.type


def _mark(kind: str) -> str:
    return f"[secret removed: {kind}]"


def _without_mail(found: re.Match[str]) -> str:
    return found[0] if _NOBODY.search(found["host"]) else MAIL
