"""What tools print when something fails, as recorded, and the one sentence made of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from micro_bench.edge.package_words import (
    Late,
    conflict,
    elsewhere,
    late,
    missing_thing,
    pinned,
    providers,
    unreachable,
)
from micro_bench.images.source_wheels import why_not

CONFIG = """\
Trying pkg-config --exists mysqlclient
Command 'pkg-config --exists mysqlclient' returned non-zero exit status 1.
Traceback (most recent call last):
  File "<string>", line 27, in find_package_name
Exception: Can not find valid pkg-config name.
Specify MYSQLCLIENT_CFLAGS and MYSQLCLIENT_LDFLAGS env vars manually
error: Failed to build `/tmp/in/mysqlclient-2.2.0.tar.gz`
  cause: The build backend returned an error
"""
HEADER = """\
gcc -c Modules/LDAPObject.c
Modules/common.h:15:10: fatal error: lber.h: No such file or directory
error: command '/usr/bin/gcc' failed with exit code 1
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (CONFIG, "pkg-config knows no mysqlclient"),
        (CONFIG.replace("status 1.", "status 127."), "pkg-config is not there"),
        (HEADER, "the header lber.h is not there"),
        ("src/x.c:1:10: fatal error: Python.h: No such file", "the header Python.h is not there"),
        ("error: command 'gcc' failed: No such file or directory", "the program gcc is not there"),
        ("error: [Errno 2] No such file or directory: 'cmake'", "the program cmake is not there"),
        ("it fell over\nerror: Failed to build `x`\n\nhint: look", "it fell over"),
        ("Error: pg_config executable not found.", "pg_config is not there"),
        ("/usr/bin/ld: cannot find -lpq: No such file", "the library pq is not there"),
        ("sh: 1: cmake: not found", "the program cmake is not there"),
        ("ModuleNotFoundError: No module named 'numpy'", "no module numpy for its build"),
        ("x\nRuntimeError: the moon is full\nerror: failed", "the moon is full"),
        ("", "no reason given"),
        (
            "Failed to build `embedly-0.5.0`\n  cause: use_2to3 is invalid.\n",
            "cause: use_2to3 is invalid.",
        ),
    ],
)
def test_what_a_failed_build_lacks(output, expected):
    assert missing_thing(output) == expected


def test_why_a_package_is_left_out_is_one_sentence_with_what_may_help():
    assert why_not(CONFIG) == (
        "it does not build: pkg-config knows no mysqlclient "
        "(`apt: [default-libmysqlclient-dev, gcc]` in recipe.yaml may help)"
    )
    assert why_not(HEADER.replace("lber.h", "of_ours.h")) == (
        "it does not build: the header of_ours.h is not there"
    )


def test_what_is_not_known_is_not_guessed():
    assert providers("the header of_ours.h is not there") == ()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "The latest version satisfying it is v26.1.0, published at 2026-03-19T14:22:23.645Z. X",
            Late("attrs", False, datetime(2026, 3, 19, 14, 22, 23, 645000, UTC)),
        ),
        (
            "The requested version, v23.1.0, was published at 2023-04-16T10:48:16Z. Consider",
            Late("attrs", True, datetime(2023, 4, 16, 10, 48, 16, tzinfo=UTC)),
        ),
        (
            "The latest version satisfying the requirement is v1.17.0. Consider",
            Late("attrs", False, None),
        ),
        ("Consider using `exclude-newer-package`", Late("attrs", False, None)),
    ],
)
def test_the_package_that_a_date_keeps_away(said, expected):
    head = "hint: `attrs` was filtered by `exclude-newer` to only include packages uploaded before"
    assert late(f"error: no\n\n{head} 2023-01-01T13:00:00Z. {said}") == (expected,)
    assert late("Because only attrs<=22.2.0 is available and you require attrs>=99") == ()


def test_that_no_index_may_be_asked_is_said():
    said = (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because pytest was not found in the provided package locations and you require "
        "pytest, we can conclude that your requirements are unsatisfiable.\n"
    )
    assert conflict(said).startswith("pytest is in none of the places")
    assert "PIP_NO_INDEX" in conflict(said)


def test_the_sentence_of_a_conflict():
    said = (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because flask>=2.2.2 depends on werkzeug>=2.2.2 and you require flask==2.2.2, "
        "we can conclude that you require werkzeug>=2.2.2.\n"
        "         And because you require werkzeug<2, we can conclude that your requirements are "
        "unsatisfiable.\n"
    )
    assert conflict(said) == (
        "flask>=2.2.2 depends on werkzeug>=2.2.2 and you require flask==2.2.2; "
        "you require werkzeug<2"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a-b==1.0", "a-b 1.0"), ("/tmp/x/python-ldap-3.4.0.tar.gz", "python-ldap 3.4.0"), ("a", "a")],
)
def test_a_package_by_its_name(text, expected):
    assert pinned(text) == expected


CARGO = """\
    Updating crates.io index
warning: spurious network error (3 tries remaining): [6] Could not resolve host name
error: failed to get `pyo3` as a dependency of package `x v0.1.0 (/tmp/x)`
Caused by:
  failed to download from `https://index.crates.io/config.json`
Caused by:
  [6] Couldn't resolve host name (Could not resolve host: index.crates.io)
error: Failed to build `/tmp/in/x-1.0.tar.gz`
"""
GO = """\
go: github.com/a/b@v1.2.0: Get "https://proxy.golang.org/github.com/a/b/@v/v1.2.0.mod": \
dial tcp: lookup proxy.golang.org on 10.0.0.2:53: no such host
error: Failed to build `/tmp/in/y-1.0.tar.gz`
"""
GIT = """\
fatal: unable to access 'https://git.example.org/a/': Failed to connect to git.example.org port 443
error: Failed to build `/tmp/in/z-1.0.tar.gz`
"""


@pytest.mark.parametrize(
    ("output", "where"),
    [
        (CARGO, "at https://index.crates.io/config.json does not answer ([6] Couldn't resolve"),
        (GO, "at https://proxy.golang.org/github.com/a/b/@v/v1.2.0.mod does not answer (go: "),
        (GIT, "at https://git.example.org/a/ does not answer (fatal: unable to access"),
    ],
)
def test_what_a_build_asks_for_elsewhere_in_vain_is_no_fault_of_its_package(output, where):
    assert where in unreachable(output)
    assert "does not build: the package index at" in conflict(output)


@pytest.mark.parametrize("output", [CARGO, GO, GIT])
def test_a_registry_of_others_is_told_from_the_package_index(output):
    assert "does not answer from here" in elsewhere(output)
    assert not elsewhere("Could not fetch URL https://index.example.org/simple/x/")
    assert not elsewhere(HEADER)


def test_a_compiler_that_fails_is_a_fault_of_the_package():
    assert not unreachable(HEADER)
    assert not unreachable("error[E0433]: failed to resolve: use of undeclared type `Host`")
