"""Sandboxes that are ready before they are needed: frozen, fresh, and as good as any other."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from micro_bench.edge.archive import Entry, pack
from micro_bench.edge.engine import Engine
from micro_bench.errors import EngineError
from micro_bench.pipeline.run.ahead import Ahead, standing_by
from micro_bench.sandboxes._sandbox import Sandbox, StartRequest
from tests.fakes.shop import Shop


@pytest.fixture
def request_(shop: Shop) -> StartRequest:
    return StartRequest(shop.prepared.image, shop.task.limits, labels={"task": "standing-by"})


def said(sandbox: Sandbox, *argv: str, **more: object) -> tuple[int | None, str]:
    output = io.BytesIO()
    ended = sandbox.run(argv, output=output, deadline_s=30, **more)  # type: ignore[arg-type]
    return ended.exit_code, output.getvalue().decode("utf-8", "replace")


def test_it_is_frozen_until_its_first_command(shop: Shop, request_: StartRequest, engine: Engine):
    sandbox = standing_by(shop.line.start, request_)
    try:
        found = engine.client.containers(filters={"label": "micro-bench.task=standing-by"})
        assert [one["State"] for one in found] == ["paused"]
        assert said(sandbox, "true") == (0, "")
        found = engine.client.containers(filters={"label": "micro-bench.task=standing-by"})
        assert [one["State"] for one in found] == ["running"]
    finally:
        sandbox.close()


def test_its_first_command_is_like_any_other(shop: Shop, request_: StartRequest):
    sandbox = standing_by(shop.line.start, request_)
    plain = shop.line.start(request_)
    script = 'cat /bench/task/word.txt; id -u; pwd; echo "$A"; env | sort; cat; exit 3'
    files = pack([Entry("task/word.txt", b"hello\n")])
    try:
        more = {"files": files, "env": {"A": "\u00e9 x"}}
        assert said(sandbox, "sh", "-c", script, **more) == said(plain, "sh", "-c", script, **more)
        assert said(sandbox, "sh", "-c", "exit 4") == (4, "")
    finally:
        sandbox.close()
        plain.close()


def test_a_command_that_is_not_there_ends_as_in_a_shell(shop: Shop, request_: StartRequest):
    sandbox = standing_by(shop.line.start, request_)
    try:
        code, text = said(sandbox, "no-such-program")
        assert code == 127
        assert "no-such-program" in text
    finally:
        sandbox.close()


def test_it_ends_at_its_deadline(shop: Shop, request_: StartRequest):
    sandbox = standing_by(shop.line.start, request_)
    try:
        ended = sandbox.run(("sleep", "60"), output=io.BytesIO(), deadline_s=0.5)
        assert ended.timed_out
        assert ended.seconds < 20
    finally:
        sandbox.close()


def test_files_and_memory_survive_the_frost(shop: Shop, request_: StartRequest):
    sandbox = shop.line.start(request_)
    try:
        said(sandbox, "sh", "-c", "echo kept > /tmp/word; sleep 300 >/dev/null 2>&1 &")
        sandbox.stand_by()
        code, text = said(sandbox, "sh", "-c", "cat /tmp/word; ps -e -o args 2>/dev/null; ls /proc")
        assert (code, text.splitlines()[0]) == (0, "kept")
        code, text = said(sandbox, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        assert "sleep 300" in text
    finally:
        sandbox.close()


def test_each_is_for_one_purpose_and_taken_once(shop: Shop, request_: StartRequest, engine: Engine):
    ahead = Ahead(2)
    for purpose in ("a", "b", "a"):
        ahead.prepare(purpose, lambda: standing_by(shop.line.start, request_))
    first = ahead.take("a")
    assert first is not None
    assert ahead.take("a") is None
    said(first, "touch", "/tmp/used")
    second = ahead.take("b")
    assert second is not None
    assert said(second, "ls", "/tmp/used")[0] != 0
    first.close()
    second.close()


def test_what_nobody_takes_is_closed(shop: Shop, engine: Engine):
    request = StartRequest(shop.prepared.image, shop.task.limits, labels={"task": "left-over"})
    ahead = Ahead(1)
    ahead.prepare("a", lambda: standing_by(shop.line.start, request))
    ahead.close()
    left = {"all": True, "filters": {"label": "micro-bench.task=left-over"}}
    for _moment in range(100):  # nobody waits for a removal
        if not engine.client.containers(**left):
            return
        time.sleep(0.1)
    raise AssertionError("it is still there")


def test_one_that_does_not_start_is_none(shop: Shop):
    def broken() -> Sandbox:
        raise EngineError("no")

    ahead = Ahead(1)
    ahead.prepare("a", broken)
    assert ahead.take("a") is None
    ahead.close()


def test_the_folders_of_dead_processes_are_swept(shop: Shop, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "micro-bench-way.1.0.-xyz"
    (dead / "w").mkdir(parents=True)
    request = StartRequest(shop.prepared.image, shop.task.limits, way_out=True)
    sandbox = shop.line.start(request)
    assert Path(sandbox.way_out).is_dir()
    shop.line.backend.sweep()
    assert not dead.exists()
    assert Path(sandbox.way_out).is_dir()
    sandbox.close()
