"""Locks and the host's package settings, without an index."""

from __future__ import annotations

import pytest

from micro_bench.edge.packages import split_lock
from micro_bench.edge.pip_settings import (
    no_index,
    read_configuration,
    redacted,
    uv_environment,
)
from micro_bench.errors import BuildError
from micro_bench.images.source_wheels import pin

LOCK = """\
# not dated
attrs==25.3.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via x
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc

pytest==8.3.5 --hash=sha256:dd
"""


def test_a_lock_falls_into_its_requirements():
    assert [line.split() for line in split_lock(LOCK)] == [
        ["attrs==25.3.0", "--hash=sha256:aa", "--hash=sha256:bb"],
        ["colorama==0.4.6", ";", "sys_platform", "==", "'win32'", "--hash=sha256:cc"],
        ["pytest==8.3.5", "--hash=sha256:dd"],
    ]
    assert split_lock("") == ()
    assert split_lock("# nothing\n\n") == ()


def test_uv_is_told_what_pip_is_told():
    pip = {
        "index-url": "https://index.example.org/simple", "proxy": "http://proxy:3128",
        "extra-index-url": "https://one.example.org https://two.example.org",
    }  # fmt: skip
    assert uv_environment(pip, {"PATH": "/bin"}) == {
        "PATH": "/bin",
        "UV_DEFAULT_INDEX": "https://index.example.org/simple",
        "UV_INDEX": "https://one.example.org https://two.example.org",
        "ALL_PROXY": "http://proxy:3128",
    }


def test_what_uv_is_told_itself_wins():
    environ = {"UV_DEFAULT_INDEX": "https://mine.example.org"}
    assert uv_environment({"index-url": "https://pip.example.org"}, environ) == environ


def test_a_local_index_that_is_not_there_is_left_out(tmp_path):
    pip = {"find-links": f"/does/not/exist {tmp_path} file:///nor/this file://{tmp_path}"}
    assert uv_environment(pip, {}) == {"UV_FIND_LINKS": f"{tmp_path} file://{tmp_path}"}


def test_a_wheel_built_here_is_pinned_by_its_own_hash():
    line = "Docopt_X==0.6.2 --hash=sha256:of-the-sdist"
    wheels = {"docopt_x-0.6.1-py3-none-any.whl": b"old", "docopt_x-0.6.2-py3-none-any.whl": b"x"}
    assert pin(line, wheels) == (
        "Docopt_X==0.6.2 "
        "--hash=sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    )
    with pytest.raises(BuildError, match="docopt==1"):
        pin("docopt==1", wheels)


LISTED = r"""
:env:.extra-index-url='https://env.example.org/simple'
:env:.default-timeout='180'
download.index-url='https://download.example.org'
global.extra-index-url='https://file.example.org/simple'
global.index-url='https://file.example.org'
global.find-links='/one\n/two'
global.trusted-host='a.example.org\nb.example.org:8443'
install.proxy='http://only-for-install:3128'
global.client-cert='/certs/me.pem'
not a setting
"""


def test_the_environment_holds_over_files_as_pip_itself_does():
    assert read_configuration(LISTED) == {
        "extra-index-url": "https://env.example.org/simple",
        "timeout": "180",
        "index-url": "https://download.example.org",
        "find-links": "/one /two",
        "trusted-host": "a.example.org b.example.org:8443",
        "client-cert": "/certs/me.pem",
    }


def test_the_order_of_the_lines_does_not_matter():
    turned = "\n".join(reversed(LISTED.splitlines()))
    assert read_configuration(turned) == read_configuration(LISTED)


def test_uv_gets_hosts_certificates_and_times_too(tmp_path):
    cert = tmp_path / "me.pem"
    cert.write_text("")
    pip = {"trusted-host": "a.org b.org:8443", "client-cert": str(cert), "timeout": "180"}
    assert uv_environment(pip, {"REQUESTS_CA_BUNDLE": str(cert)}) == {
        "REQUESTS_CA_BUNDLE": str(cert),
        "SSL_CERT_FILE": str(cert),
        "UV_INSECURE_HOST": "a.org b.org:8443",
        "SSL_CLIENT_CERT": str(cert),
        "UV_HTTP_TIMEOUT": "180",
    }


def test_older_names_of_uv_s_variables_count_as_told():
    environ = {"UV_INDEX_URL": "https://mine.example.org", "UV_EXTRA_INDEX_URL": "https://b.org"}
    pip = {"index-url": "https://pip.example.org", "extra-index-url": "https://c.org"}
    assert uv_environment(pip, environ) == environ


def test_dates_of_the_environment_are_not_taken():
    assert uv_environment({}, {"UV_EXCLUDE_NEWER": "2020-01-01", "A": "b"}) == {"A": "b"}


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("0", False)])
def test_no_index_is_a_switch(value, expected):
    assert no_index({"no-index": value}) is expected
    assert not no_index({})


def test_addresses_lose_their_passwords():
    said = "at https://robot:s3cr3t@pypi.example.org/simple and 'http://tok@b.org'"
    assert redacted(said) == "at https://***@pypi.example.org/simple and 'http://***@b.org'"
