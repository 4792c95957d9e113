"""Versions of Python that a tree's tools and images name, where its manifests do not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.languages._language import Files
from micro_bench.languages.python.manifests import tox
from micro_bench.languages.python.starters import shown

_DOCKER = re.compile(
    r"(?:(?!(?:docs?|examples?|tests?|templates?|project_template)/)[\w.-]+/){0,2}"
    r"(?:Dockerfile(?:\.[\w.-]+)?|[\w.-]+\.Dockerfile|Containerfile)"
)
_ARGUMENT = re.compile(r"^\s*ARG\s+(\w+)\s*=\s*[\"']?([\w.-]+)", re.MULTILINE | re.IGNORECASE)
_FROM = re.compile(
    r"^\s*FROM\s+(?:--\S+\s+)*(?:[\w.-]+(?::\d+)?/)*(?:python|cpython):(\S+)",
    re.MULTILINE | re.IGNORECASE,
)
_MINOR = re.compile(r"3\.\d{1,2}(?!\d)")


def of_tox(files: Files) -> frozenset[str]:
    """The minor versions in tox's list of environments."""
    return frozenset(
        minor for names in tox.environments(files) for name in names if (minor := tox.minor(name))
    )


def of_docker(files: Files) -> Iterator[tuple[str, frozenset[str]]]:
    """A Dockerfile and the minor version that its image has; files at the top first."""
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        if not _DOCKER.fullmatch(path):
            continue
        text = shown(files, path)
        for tag in _FROM.findall(text):
            plain = tag
            for name, value in _ARGUMENT.findall(text):
                plain = re.sub(rf"\$\{{?{name}\b[^}}]*\}}?", value, plain)
            if match := _MINOR.match(plain):
                yield path, frozenset({match[0]})
