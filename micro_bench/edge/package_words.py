"""What uv and pip say when something fails, in one sentence that names the package. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from micro_bench.edge.pip_settings import redacted

_FILTERED = re.compile(
    r"`(?P<name>[^`\s]+)` was filtered by `exclude-newer(?:-package)?` .{0,80}?uploaded before"
    r" \S+\.(?: The (?P<which>latest|requested) version[^.`]*?[, ]v(?P<version>\S+?),?"
    r"(?: (?:was )?published at (?P<at>[\dT:.+-]+Z?))?\. )?"
)
_BECAUSE = re.compile(r"(?:Because|And because) (.+?)(?:,? we can conclude that .+?)?\.\s*$")
_REQUEST = re.compile(
    r"Failed to fetch: `?(\S+?)`?\s*$"
    r"|An index(?: URL)?\s+\((\S+)\)\s+(?:could\s+not\s+be\s+queried|returned\s+a\s+40)",
    re.MULTILINE,
)
_STATUS = re.compile(r"\b(401|403)\b(?: (?:Unauthorized|Forbidden))?")
_CAUSES = re.compile(r"^\s*cause: (.+)$", re.MULTILINE)
_UNBUILT = re.compile(r"Failed to (?:download and )?build `([^`]+)`")
_UNREACHED = re.compile(
    r"Retrying \(Retry|Max retries exceeded|NewConnectionError|ConnectionError|Connection refused|"
    r"Name or service not known|Could not fetch URL|connection broken|timed out|SSLError"
    # cargo and git, by way of curl
    r"|[Cc]ould(?: not|n't) resolve host|spurious network error|[Ff]ailed to connect to \S+ port"
    r"|Couldn't connect to server|Could not connect to server|SSL connect error"
    r"|CONNECT tunnel failed|Timeout was reached|network failure seems to have happened"
    r"|download of config\.json failed"
    # Go
    r"|dial tcp[: ]|proxyconnect tcp|no such host|i/o timeout|TLS handshake"
    # Node, and Python's own
    r"|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|Temporary failure in name resolution"
)
_ASKED_FOR = re.compile(
    r"(?:failed to (?:download from|fetch)|[Uu]nable to access|Get|fatal: unable to access|"
    r"unable to update registry) [`'\"](\S+?)[`'\"]"
)
_MISMATCH = re.compile(r"DO NOT MATCH THE HASHES|hash(?:es)? mismatch", re.IGNORECASE)
_NO_INDEX = re.compile(r"(\S+) was not found in the provided package locations")
_NO_MATCH = "No matching distribution"


@dataclass(frozen=True)
class Late:
    """A package of which the date limit kept the fitting versions away."""

    name: str
    exact: bool
    """`published` is of the very version that was asked for, not of the newest of several."""
    published: datetime | None
    """None where the index does not give the time of an upload."""


def late(errors: str) -> tuple[Late, ...]:
    """The packages that uv names as kept away by their date."""
    return tuple(
        Late(
            found["name"], found["which"] == "requested",
            datetime.fromisoformat(found["at"]) if found["at"] else None,
        )
        for found in _FILTERED.finditer(_one_line(errors))
    )  # fmt: skip


def unbuilt(errors: str) -> str:
    """The package whose archive does not build, or nothing."""
    match = _UNBUILT.search(errors)
    return pinned(match[1]).split()[0] if match else ""


def conflict(errors: str) -> str:
    """Why there is no solution, in one sentence."""
    if place := unwritable(errors):
        return f"the cache folder of uv cannot be used: {place}"
    asked = unreachable(errors)
    if match := _UNBUILT.search(errors):
        return f"{pinned(match[1])} does not build: {asked or missing_thing(errors)}"
    if asked:
        return asked
    if name := nowhere(errors):
        return f"{name} is in no package index"
    if match := _NO_INDEX.search(errors):
        return (
            f"{match[1]} is in none of the places that pip is told to look in, and no index may be"
            " asked (PIP_NO_INDEX, or `no-index` in pip's configuration)"
        )
    clauses = []
    for line in errors.splitlines():
        match = _BECAUSE.search(line.removeprefix("  cause:").strip())
        if match and match[1].rstrip(",") not in clauses:
            clauses.append(match[1].rstrip(","))
    return redacted("; ".join(clauses) or last_line(errors))


def unwritable(errors: str) -> str:
    """Uv's cache and what is wrong with it, or nothing."""
    match = re.search(r"Failed to initialize cache at `([^`]+)`", errors)
    return f"{match[1]}: {last_line(errors).removeprefix('cause: ')}" if match else ""


def nowhere(errors: str) -> str:
    """The package that no index has, or nothing."""
    match = re.search(r"(\S+) was not found in the package registry", errors)
    return match[1] if match else ""


def unreachable(errors: str) -> str:
    """A sentence when the index did not answer, or did not let us in; else nothing."""
    match = _REQUEST.search(errors)
    if match is None and not _UNREACHED.search(errors):
        return ""
    place = (match[1] or match[2]) if match else _other_registry(errors)
    where = f" at {redacted(place)}" if place else ""
    if status := _STATUS.search(errors):
        return f"the package index{where} refuses the credentials (HTTP {status[1]})"
    said = [line for line in errors.splitlines() if _UNREACHED.search(line)]
    causes = _CAUSES.findall(errors) or [last_line(said[-1] if said and not match else errors)]
    return f"the package index{where} does not answer ({redacted(causes[-1])[:200]})"


def _other_registry(errors: str) -> str:
    """Where cargo, Go or git asked in vain, or nothing."""
    match = _ASKED_FOR.search(errors)
    return match[1] if match else ""


def elsewhere(errors: str) -> str:
    """A sentence where a build asked cargo's, Go's or a git host's registry in vain, or nothing.

    Other packages do without those, and many a machine never reaches them.
    """
    if _REQUEST.search(errors) or not _UNREACHED.search(errors):
        return ""
    place = _other_registry(errors)
    return f"its build asks {redacted(place)}, which does not answer from here" if place else ""


def not_fetched(errors: str) -> str:
    """Why pip could not fetch a file; nothing where there just is no wheel that fits."""
    if _MISMATCH.search(errors):
        return "the index serves another file than the lock names (its hash differs)"
    if asked := unreachable(errors):
        return asked
    return "" if _NO_MATCH in errors else redacted(last_line(errors))


_MISSING = (
    (
        re.compile(r"can't find Rust compiler|Cargo, the Rust package manager, is not installed"),
        "the program cargo is not there",
    ),
    (re.compile(r"fatal error: (\S+?): No such file"), "the header {} is not there"),
    (
        re.compile(r"pkg-config: (?:command )?not found|pkg-config[^\n]* status 127"),
        "pkg-config is not there",
    ),
    (re.compile(r"pkg-config --exists ([\w.+-]+)' returned"), "pkg-config knows no {}"),
    (
        re.compile(r"(?:command|unable to execute) '?([\w./+-]+?)'?(?:: No such file| failed: No)"),
        "the program {} is not there",
    ),
    (
        re.compile(r"error: \[Errno 2\] No such file or directory: '([\w.+-]+)'"),
        "the program {} is not there",
    ),
    (re.compile(r"cannot find -l([\w.+-]+)"), "the library {} is not there"),
    (re.compile(r"(\w+_config|[\w-]+-config)(?: executable)? not found"), "{} is not there"),
    (re.compile(r"Package '?([\w.+-]+?)'?,? .{0,30}not found"), "pkg-config knows no {}"),
    (re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'"), "no module {} for its build"),
    (re.compile(r"(?:\S*/)?([\w.+-]+): (?:command )?not found"), "the program {} is not there"),
)
_PROVIDERS = {
    "the header libpq-fe.h is not there": ("libpq-dev",),
    "the header ffi.h is not there": ("libffi-dev",),
    "the header openssl/ssl.h is not there": ("libssl-dev",),
    "the header openssl/opensslv.h is not there": ("libssl-dev",),
    "the header openssl/evp.h is not there": ("libssl-dev",),
    "the header curl/curl.h is not there": ("libcurl4-openssl-dev", "libssl-dev"),
    "the header lber.h is not there": ("libldap2-dev", "libsasl2-dev"),
    "the header ldap.h is not there": ("libldap2-dev", "libsasl2-dev"),
    "the header sasl/sasl.h is not there": ("libsasl2-dev",),
    "the header sasl.h is not there": ("libsasl2-dev",),
    "the header zlib.h is not there": ("zlib1g-dev",),
    "the header jpeglib.h is not there": ("libjpeg-dev",),
    "the header gmp.h is not there": ("libgmp-dev",),
    "the header sqlite3.h is not there": ("libsqlite3-dev",),
    "the header libxml/xmlversion.h is not there": ("libxml2-dev", "libxslt1-dev"),
    "the header yaml.h is not there": ("libyaml-dev",),
    "the header bzlib.h is not there": ("libbz2-dev",),
    "the header lzma.h is not there": ("liblzma-dev",),
    "the header magic.h is not there": ("libmagic-dev",),
    "the header gdal.h is not there": ("libgdal-dev",),
    "the header geos_c.h is not there": ("libgeos-dev",),
    "the header hdf5.h is not there": ("libhdf5-dev",),
    "the header sql.h is not there": ("unixodbc-dev",),
    "the header librdkafka/rdkafka.h is not there": ("librdkafka-dev",),
    "the header snappy-c.h is not there": ("libsnappy-dev",),
    "the header leveldb/db.h is not there": ("libleveldb-dev",),
    "the header graphviz/cgraph.h is not there": ("libgraphviz-dev",),
    "pkg-config knows no libxml-2.0": ("libxml2-dev", "libxslt1-dev"),
    "pkg-config knows no xmlsec1": ("libxmlsec1-dev", "libxmlsec1-openssl"),
    "pkg-config knows no cairo": ("libcairo2-dev",),
    "pkg-config knows no libffi": ("libffi-dev",),
    "pkg-config knows no dbus-1": ("libdbus-1-dev", "libglib2.0-dev"),
    "pkg-config knows no openblas": ("libopenblas-dev", "gfortran"),
    "curl-config is not there": ("libcurl4-openssl-dev", "libssl-dev"),
    "gdal-config is not there": ("libgdal-dev",),
    "geos-config is not there": ("libgeos-dev",),
    "xml2-config is not there": ("libxml2-dev",),
    "xslt-config is not there": ("libxslt1-dev",),
    "the program curl-config is not there": ("libcurl4-openssl-dev", "libssl-dev"),
    "the program swig is not there": ("swig",),
    "the program go is not there": ("golang-go",),
    "the program gfortran is not there": ("gfortran",),
    "the program ninja is not there": ("ninja-build",),
    "the header Python.h is not there": ("python3-dev", "gcc"),
    "pkg-config is not there": ("pkg-config",),
    "pkg-config knows no mysqlclient": ("default-libmysqlclient-dev", "gcc"),
    "pg_config is not there": ("libpq-dev", "gcc"),
    "mysql_config is not there": ("default-libmysqlclient-dev", "gcc"),
    "the program gcc is not there": ("gcc",),
    "the program cc is not there": ("gcc",),
    "the program g++ is not there": ("g++",),
    "the program x86_64-linux-gnu-gcc is not there": ("gcc", "python3-dev"),
    "the program aarch64-linux-gnu-gcc is not there": ("gcc", "python3-dev"),
    "the program cmake is not there": ("cmake",),
    "the program rustc is not there": ("rustc", "cargo"),
    "the program cargo is not there": ("rustc", "cargo"),
}


PROVIDERS_DIGEST = hashlib.sha256(repr(sorted(_PROVIDERS.items())).encode()).hexdigest()
"""What a failed build was tried again with depends on this."""


def missing_thing(output: str) -> str:
    """What a failed build lacks, as far as its output tells; else its last words."""
    for pattern, words in _MISSING:
        if match := pattern.search(output):
            return words.format(*match.groups())
    raised = re.findall(r"(?m)^\s*(?:[A-Za-z_.]*(?:Error|Exception)): (.+)$", output)
    own = re.split(r"(?m)^(?:error: )?Failed to build", output)[0]  # what follows is uv's frame
    own = own if own.strip() else output
    return redacted((raised[-1] if raised else last_line(own)).strip())[:200]


def providers(missing: str) -> tuple[str, ...]:
    """Debian packages that are known to bring what is missing; none where it is not known."""
    return _PROVIDERS.get(missing, ())


def pinned(text: str) -> str:
    """`name==1.0`, or an archive's path, as `name 1.0`."""
    stem = re.sub(r"(\.tar\.(gz|bz2|xz)|\.zip|\.tgz)$", "", text.strip().rpartition("/")[2])
    match = re.fullmatch(r"([\w.-]+?)(?:==|-(?=\d))(\S+)", stem)
    return f"{match[1]} {match[2]}" if match else stem


def last_line(text: str) -> str:
    """The last line that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no reason given"


def _one_line(text: str) -> str:
    """On one line: long sentences may be wrapped."""
    return " ".join(text.split()) + " "
