"""Secrets and addresses never reach a spec; what only looks like one stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro_bench.tasks.redact import counted, redacted

SECRETS = {
    "AWS Access Key": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub Token": "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "Slack Token": "xoxb-" + "123456789012-1234567890123-abcdefghijklmnopqrstuvwx",
    "JSON Web Token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "dozjgNryP4J3jVmNHl0w5N",
    "Basic Auth Credentials": "hunter2",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_gone_whole_and_its_kind_is_told(kind):
    secret = SECRETS[kind]
    shown = f"postgres://shop:{secret}@db/x" if secret == "hunter2" else f"token={secret} was sent"
    text = redacted(f"It fails:\n{shown}\nsee above")
    assert secret not in text
    assert secret[-8:] not in text
    assert f"[secret removed: {kind}]" in text
    assert text.startswith("It fails:\n")
    assert text.endswith("\nsee above")
    assert counted(text) == "1 secret"


def test_a_private_key_goes_with_all_its_lines():
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----"
    assert redacted(f"a\n{key}\nb") == "a\n[secret removed: Private Key]\nb"
    assert redacted(f"a\n{key[:40]}") == "a\n[secret removed: Private Key]"


def test_addresses_of_persons_go_and_nobodys_stay():
    text = redacted(
        "Ada <ada.l+x@shop-mail.co.uk> wrote to ines@shop.example, a@b.test, x@example.com"
    )
    assert text == "Ada <[address removed]> wrote to ines@shop.example, a@b.test, x@example.com"
    assert counted(text) == "1 address"


@pytest.mark.parametrize(
    "text",
    [
        "commit 5a1429781ba540dab42def1afafa2ca02aa6811e broke it",
        "sha256:cc33333333333333333333333333333333333333333333333333333333333333",
        "decorator @property@ x",
        "http://localhost:8000/path?key=value", "password: str = ''", "parcel@1.2.3", "`a @ b`",
        "C:/Users/x/AppData/Local/Programs/Python/Python311/Lib/site-packages/parcel.py",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_stays(text):
    assert redacted(text) == text
    assert counted(text) == ""


@given(st.text(max_size=500))
def test_twice_is_once(text):
    once = redacted(text)
    assert redacted(once) == once
