"""Who may ask: whoever has the key, from our own page, under our own name."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from micro_bench.pages.guard import MOST_BYTES, Guard

HERE = "http://127.0.0.1:8000"


def inside(_request):
    return PlainTextResponse("inside")


@pytest.fixture
def client():
    routes = [Route("/index.html", inside), Route("/do", inside, methods=["POST"])]
    guarded = Guard(Starlette(routes=routes), {"127.0.0.1:8000", "localhost:8000"}, "secret")
    return TestClient(guarded, base_url=HERE, follow_redirects=False)


def admitted(client):
    answer = client.get("/?key=secret&state=open")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/index.html?state=open"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    return client


def test_without_the_key_nobody_is_let_in(client):
    assert client.get("/index.html").status_code == 403
    assert client.get("/index.html?key=guess").status_code == 403
    client.cookies.set("micro-bench-8000", "guess")
    assert client.get("/index.html").status_code == 403


def test_the_key_opens_once_and_then_a_cookie_does(client):
    answer = admitted(client).get("/index.html")
    assert answer.text == "inside"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example:8000", "127.0.0.1", "127.0.0.1:8001", ""])
def test_another_name_that_points_here_is_refused(client, host):
    assert admitted(client).get("/index.html", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9000", None])
def test_a_form_of_another_site_changes_nothing(client, origin):
    headers = {"origin": origin} if origin else {}
    assert admitted(client).post("/do", content=b"a=1", headers=headers).status_code == 403
    mine = admitted(client).post("/do", content=b"a=1", headers={"origin": HERE})
    assert mine.text == "inside"


def test_a_form_without_end_is_refused(client):
    headers = {"origin": HERE, "content-length": str(MOST_BYTES + 1)}
    assert admitted(client).post("/do", content=b"a=1", headers=headers).status_code == 413


def test_a_refusal_has_the_policy_too(client):
    assert "default-src 'none'" in client.get("/index.html").headers["content-security-policy"]
