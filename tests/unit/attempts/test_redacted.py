"""Secrets do not reach the log, however the output is cut into pieces."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro_bench.attempts.redacted import Redacted

SECRET = "s3cr3t-t0ken"


def logged(chunks: list[bytes], *secrets: str) -> bytes:
    log = io.BytesIO()
    output = Redacted(log, secrets)
    for chunk in chunks:
        assert output.write(chunk) == len(chunk)
    output.finish()
    return log.getvalue()


def test_a_secret_is_masked_and_the_rest_is_as_it_was():
    assert logged([b"key=s3cr3t-t0ken\r\n\xff"], SECRET) == b"key=***\r\n\xff"
    assert logged([b"s3cr3t-t0kens3cr3t-t0ken"], SECRET) == b"******"


def test_without_secrets_nothing_waits():
    log = io.BytesIO()
    output = Redacted(log, ())
    output.write(b"one")
    assert log.getvalue() == b"one"


def test_what_cannot_become_a_secret_does_not_wait():
    log = io.BytesIO()
    output = Redacted(log, [SECRET])
    output.write(b"a long line about s3")
    assert log.getvalue() == b"a long line about "
    output.write(b" and more")
    assert log.getvalue() == b"a long line about s3 and more"


def test_what_only_began_like_a_secret_is_kept():
    assert logged([b"s3cr3t", b"-t0ke"], SECRET) == b"s3cr3t-t0ke"


def test_a_secret_inside_another_does_not_show():
    assert b"inner" not in logged([b"outer-inner-outer inner!"], "inner!", "outer-inner-outer")


@pytest.mark.parametrize("short", ["", "1", "abc"])
def test_short_values_are_no_secrets(short: str):
    assert logged([b"1 abc"], short) == b"1 abc"


@given(
    st.lists(st.sampled_from([SECRET, "s3cr3t", "-t0ken", "s3", "x", "\n", "s3cr3t-t0ke"])),
    st.integers(1, 9),
)
def test_however_the_output_is_cut(words: list[str], size: int):
    whole = "".join(words).encode()
    chunks = [whole[n : n + size] for n in range(0, len(whole), size)]
    assert logged(chunks, SECRET) == whole.replace(SECRET.encode(), b"***")
