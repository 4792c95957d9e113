"""A task is verified by executing it, and by nothing else; what is wrong with it is named."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from micro_bench import codec
from micro_bench.edge.archive import Entry, pack
from micro_bench.edge.engine import Engine
from micro_bench.errors import UnverifiedError
from micro_bench.images import hidden, leaks
from micro_bench.images.scope import FEWEST
from micro_bench.languages import python
from micro_bench.languages._language import TestRun
from micro_bench.languages._recipe import Recipe
from micro_bench.model.image import ENOUGH_TWINS, F2PKind, Image
from micro_bench.pipeline import looking
from micro_bench.pipeline.run import agents, running
from micro_bench.pipeline.verify import executing, narrowing, verification
from micro_bench.sandboxes._sandbox import StartRequest
from tests.fakes.shop import BASE, FIX, FIXED_MONEY, HIDDEN_MONEY, MONEY, TEST_SYSTEM, Shop, patch

Make = Callable[..., Shop]
STEADY = 3
"""Executions of the first repetition: gold patch, base, the base's own tests."""


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(**options: object) -> Shop:
        return Shop(tmp_path / "shop", "docker", **options)  # type: ignore[arg-type]

    return made


def test_a_sound_task_is_verified_with_its_evidence(shop: Shop):
    found = shop.verification
    assert found.verified
    assert found.reasons == ()
    assert [test.id for test in found.fail_to_pass] == [
        "tests/integration/test_system.py::test_a_receipt_that_does_not_divide",
        "tests/test_money.py::test_split_loses_no_cent_of_an_odd_total",
    ]
    assert len(found.pass_to_pass) == 4
    assert len(found.twins) >= ENOUGH_TWINS
    assert {twin.key for twin in found.twins} >= {
        (test.id.partition("::")[0], (test.id.partition("::")[2],)) for test in found.fail_to_pass
    }
    assert found.warnings == ()
    kinds = [execution.kind.value for execution in found.executions]
    assert [kind for kind in kinds if kind != "twins"] == [
        "gold_hidden", "base_hidden", "base_own",
    ]  # fmt: skip
    folder = shop.line.workspace.verification(shop.task.id)
    for execution in found.executions:
        assert (folder / execution.log).stat().st_size > 0
    assert found.image_digest == shop.prepared.image.digest
    assert "uid 1000" in found.isolation


def test_a_fix_that_no_test_sees_is_refused(make: Make):
    fix = {"tinyshop/money.py": MONEY + b"\n# rounding is on the list for later\n"}
    shop = make(
        fix=fix, tests={"tests/test_money.py": HIDDEN_MONEY.replace(b"[4, 3, 3]", b"[3] * 3")}
    )
    found = shop.verify()
    assert not found.verified
    assert any("no FAIL_TO_PASS" in reason for reason in found.reasons)
    with pytest.raises(UnverifiedError, match="no FAIL_TO_PASS"):
        running.run(
            shop.line,
            running.Request((shop.task,), agents.parse(["oracle"], "none"), 1, 1),
            lambda *_: None, repetitions=1,
        )  # fmt: skip
    assert not list(shop.line.workspace.runs.glob("*/lock.json"))


def test_a_gold_patch_that_does_not_apply_is_refused(make: Make):
    shop = make()
    gold = shop.gold.replace(b"-    return [total // parts] * parts", b"-    return something")
    values = {**dict(shop.task), "gold_patch": {
        "file": shop.task.gold_patch.file, "sha256": hashlib.sha256(gold).hexdigest(),
    }}  # fmt: skip
    shop.task = type(shop.task).model_validate(values)
    shop.line.specs.save_task(shop.task, gold, shop.test_patch)
    found = shop.verify()
    assert not found.verified
    assert any("does not apply" in reason for reason in found.reasons)


def test_a_base_that_hangs_is_a_base_that_fails(make: Make):
    base = {**BASE, "tinyshop/money.py": MONEY.replace(
        b"    return [total // parts] * parts",
        b"    while total % parts:\n        pass\n    return [total // parts] * parts",
    )}  # fmt: skip
    tests = {"hidden": ["tests/test_money.py"], "run": ["tests/test_money.py"], "timeout_s": 2}
    shop = make(base=base, tests={"tests/test_money.py": HIDDEN_MONEY}, options={"tests": tests})
    found = shop.verify()
    assert found.verified, found.reasons
    assert [test.kind for test in found.fail_to_pass] == [F2PKind.NEW]
    log = shop.line.workspace.verification(shop.task.id) / "base_hidden-1.log"
    assert "Timeout" in log.read_text()


def test_why_each_test_failed_before_is_told(make: Make):
    """An import error drags every test of its file in: those prove nothing by themselves."""
    failing = b"\n\ndef test_thirds():\n    assert sum(split(10, 3)) == 10\n"
    system = b"from tinyshop.money import split\n" + TEST_SYSTEM.partition(b"\n")[2] + failing
    hidden = HIDDEN_MONEY.replace(b"import add, split", b"import add, fair, split").replace(
        b"assert split(9, 3) == [3, 3, 3]", b"assert split(9, 3) == list(fair(9, 3))"
    )
    fixed = FIXED_MONEY + b"\n\ndef fair(total, parts):\n    return tuple(split(total, parts))\n"
    shop = make(
        base={**BASE, "tests/integration/test_system.py": system},
        fix={"tinyshop/money.py": fixed},
        tests={"tests/test_money.py": hidden,
               "tests/integration/test_system.py": system + b"\n# one more remark\n"},
    )  # fmt: skip
    found = shop.verify()
    assert found.verified, found.reasons
    assert {test.id.rpartition("::")[2]: test.kind.value for test in found.fail_to_pass} == {
        "test_split_loses_no_cent_of_an_odd_total": "new",
        "test_split_evenly": "changed",
        "test_add": "dragged_in",
        "test_thirds": "already_failing",
    }
    assert any("tests/test_money.py" in error for error in found.collection_errors)


def test_tests_that_do_not_run_to_their_end_are_named_with_their_last_words(make: Make):
    ends = FIXED_MONEY + b"\n\nimport os\nos._exit(7)\n"
    shop = make(fix={"tinyshop/money.py": ends})
    found = shop.verify()
    assert not found.verified
    text = "\n".join(found.reasons)
    assert "do not run to their end with the gold patch: crashed, exit code 7" in text
    assert "gold_hidden-1.log; its last line: 'timeout" in text


def test_a_flaky_test_is_quarantined_by_name(make: Make, monkeypatch: pytest.MonkeyPatch):
    coin = b"\n\ndef test_coin():\n    import os\n    assert os.path.exists('/bench/heads')\n"
    shop = make(tests={"tests/test_money.py": HIDDEN_MONEY + coin})
    start, gradings = shop.line.backend.start, []

    def flipping(request: StartRequest):
        """Heads in the first repetition, tails in the second."""
        sandbox = start(request)
        if request.labels.get("stage") == "verify":
            gradings.append(request)
        if len(gradings) <= STEADY:
            sandbox.put(sandbox.places.bench, pack([Entry("heads", b"")]))
        return sandbox

    monkeypatch.setattr(shop.line.backend, "start", flipping)
    found = shop.verify(repetitions=2)
    assert found.verified, found.reasons
    (flaky,) = found.flaky
    assert flaky.id == "tests/test_money.py::test_coin"
    assert {"passed", "failed"} <= {s.value for seen in flaky.seen.values() for s in seen}
    assert flaky.id not in (*found.pass_to_pass, *(test.id for test in found.fail_to_pass))


ALIKE = b"""

import pytest


@pytest.mark.parametrize("total", range(0, 400, 2))
def test_halves(total):
    assert split(total, 2) == [total // 2] * 2


@pytest.mark.parametrize("number", range(200))
def test_nothing_of_the_change(number):
    assert number >= 0
"""


def narrowed_shop(make: Make, monkeypatch: pytest.MonkeyPatch, **tests: object) -> Shop:
    """One whose tests are many, as if they took long."""
    monkeypatch.setattr(narrowing, "WORTH_S", 0.0)
    plan = {"hidden": ["tests/test_money.py"], "run": ["tests/test_money.py"], **tests}
    return make(
        tests={"tests/test_money.py": HIDDEN_MONEY + ALIKE}, options={"tests": plan},
        load_check=True,
    )  # fmt: skip


def test_the_tests_that_execute_the_change_decide_and_the_others_are_counted(
    make: Make, monkeypatch: pytest.MonkeyPatch
):
    shop = narrowed_shop(make, monkeypatch)
    found = shop.verify()
    assert found.verified, found.reasons
    assert found.scope is not None
    kinds = [e.kind.value for e in found.executions]
    assert [kind for kind in kinds if kind != "twins"] == [
        "gold_hidden", "traced", "base_hidden", "base_own", "gold_hidden", "gold_busy",
        "base_busy",
    ]  # fmt: skip
    first, traced = found.executions[:2]
    assert first.counts == traced.counts, "the fix is traced, not the base"
    functions = [test.rpartition("::")[2].partition("[")[0] for test in found.pass_to_pass]
    assert functions.count("test_halves") == 3
    assert functions.count("test_nothing_of_the_change") == FEWEST
    told = found.scope
    assert told.whole == 400 + 3
    assert (told.alike, told.over_budget) == (197, 0)
    assert told.kept == len(found.fail_to_pass) + len(found.pass_to_pass)
    assert f"a grading runs {told.kept} of 403 passing tests" in looking.explanation(
        shop.line, shop.task.id
    )

    marked = shop.grade(shop.gold)
    assert marked.verdict == "pass", str(marked)
    assert len(marked.graded.run.results) == told.kept
    assert shop.grade(b"").verdict == "fail"
    worse = shop.gold.replace(b"total // parts", b"total // parts - 1", 2)
    assert shop.grade(worse).verdict == "fail"


def test_a_spec_may_ask_for_all_tests(make: Make, monkeypatch: pytest.MonkeyPatch):
    found = narrowed_shop(make, monkeypatch, scope="all").verify()
    assert found.verified, found.reasons
    assert found.scope is None
    assert len(found.pass_to_pass) + len(found.fail_to_pass) == 403


def test_tests_that_the_runner_does_not_find_by_their_ids_run_in_whole_files(
    make: Make, monkeypatch: pytest.MonkeyPatch
):
    shop = narrowed_shop(make, monkeypatch)
    plain = python.test_plugin

    def nameless(plan: TestRun) -> str:
        only = tuple(test for test in plan.only if "::" not in test)
        return plain(TestRun.model_validate({**dict(plan), "only": only}))

    monkeypatch.setattr(python, "test_plugin", nameless)
    found = shop.verify()
    assert found.verified, found.reasons
    assert found.scope is None
    assert len(found.pass_to_pass) + len(found.fail_to_pass) == 403


def test_a_gate_that_the_fix_breaks_is_waived_with_the_reason(make: Make):
    unsafe = FIXED_MONEY + b"\n\ndef run(text):\n    return eval(text)\n"
    shop = make(fix={"tinyshop/money.py": unsafe})
    found = shop.verify()
    assert found.verified, found.reasons
    assert set(found.waived_gates) == {"sast"}
    assert "B307 in tinyshop/money.py" in found.waived_gates["sast"]
    worse = patch({"tinyshop/money.py": unsafe, "tinyshop/more.py": b"eval(input())\n"})
    marked = shop.grade(worse)
    assert marked.verdict == "pass", str(marked)
    assert {c.name.value: c.result.value for c in marked.judged.criteria}["sast"] == "waived"


def test_a_verification_holds_for_the_very_task_and_image(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    """Nothing is verified without executing; what was executed is not executed again."""
    assert shop.verification.verified
    executed: list[str] = []

    def refuse(*_args: object) -> None:
        executed.append("executed")
        raise AssertionError

    monkeypatch.setattr(verification, "execute", refuse)
    assert shop.verify() == shop.verification
    words = type(shop.task).model_validate({**dict(shop.task), "title": "Another title"})
    assert verification.verify_task(shop.line, words, repetitions=1)[1] == shop.verification
    other = [
        {"limits": type(shop.task.limits)(memory_mb=600)},
        {"editable": ("tests/conftest.py",)},
        {"slice": type(shop.task.slice)(exclude=("README.md",))},
    ]
    for change in other:
        task = type(shop.task).model_validate({**dict(shop.task), **change})
        with pytest.raises(AssertionError):
            verification.verify_task(shop.line, task, repetitions=1)
    with pytest.raises(AssertionError):
        shop.verify(repetitions=2)
    recipe = shop.line.workspace.recipe(shop.task.repo.name)
    codec.save(recipe, Recipe(pytest_args=("-q",)))
    with pytest.raises(AssertionError):
        shop.verify()
    recipe.unlink()
    assert shop.verify() == shop.verification
    assert len(executed) == len(other) + 2


LEAKY = """\
FROM {tag}
USER 0
RUN mkdir -p /opt/dev /home/agent/notes /home/agent/.cache/pip /opt/bench/x /srv/proc \\
      /opt/venv/lib/python3.11/site-packages/tinyshop-1.1.dist-info \\
      /usr/lib/python3/dist-packages/tinyshop.egg-info \\
 && echo x > /home/agent/.cache/pip/x \\
 && cd /work && git config --global --add safe.directory '*' \\
 && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m future \\
 && git tag v2 && git tag -a -m later v3 && git branch other && git reset -q --hard HEAD~1 \\
 && git remote add origin https://example.org/tinyshop.git \\
 && git update-ref refs/remotes/origin/main v2 && git init -q vendored \\
 && git notes --ref=x add -m note || true
COPY money.py /opt/money.py
COPY money.py /opt/dev/anything.txt
COPY money.py /opt/bench/x/y
COPY money.py /srv/proc/z
COPY gold.patch /home/agent/notes/fix.diff
RUN chown -R 1000:1000 /work /home/agent
USER 1000:1000
"""


@pytest.fixture(scope="module")
def leaky(shop: Shop, engine: Engine) -> Iterator[Image]:
    tag = f"mb-test/leaky:{uuid.uuid4().hex}"
    entries = [
        Entry("Dockerfile", LEAKY.format(tag=shop.prepared.image.tag).encode()),
        Entry("money.py", FIXED_MONEY),
        Entry("gold.patch", shop.gold),
    ]
    digest = engine.build(entries, tag)
    yield Image.model_validate({**dict(shop.prepared.image), "digest": digest, "tag": tag})
    engine.remove_image(tag)


def test_every_kind_of_leak_is_found(shop: Shop, leaky: Image):
    base = shop.prepared.everything.values()
    lines = leaks.distinctive((shop.gold, shop.test_patch), base)
    secrets = leaks.Secrets(lines, ("tinyshop",))
    assert leaks.find(shop.line.start, shop.prepared.image, shop.task.limits, secrets) == ()
    found = leaks.find(shop.line.start, leaky, shop.task.limits, secrets)
    by_kind: dict[str, list[str]] = {}
    for leak in found:
        by_kind.setdefault(leak.kind, []).append(f"{leak.where} {leak.what}")
    assert len([w for w in by_kind["git_object"] if "not the root commit" in w]) >= 1
    refs = "\n".join(by_kind["git_ref"])
    for name in (
        "refs/tags/v2",
        "refs/tags/v3",
        "refs/heads/other",
        "refs/remotes/",
        "example.org",
    ):
        assert name in refs
    assert any("refs/tags" in where for where in by_kind["git_trace"])
    assert any("/work/vendored/.git" in where for where in by_kind["git_nested"])
    metadata = "\n".join(by_kind["site_packages"])
    assert "/opt/venv/lib/python3.11/site-packages/tinyshop-1.1.dist-info" in metadata
    assert "/usr/lib/python3/dist-packages/tinyshop.egg-info" in metadata
    assert any("/home/agent/.cache" in where for where in by_kind["cache"])
    copies = {where.split(" ")[0] for where in by_kind["file_content"]}
    assert copies >= {
        "/opt/money.py", "/opt/dev/anything.txt", "/opt/bench/x/y", "/srv/proc/z",
        "/home/agent/notes/fix.diff",
    }  # fmt: skip


DELETED = """\
FROM {tag}
USER 0
COPY money.py /opt/money.py
COPY money.py /opt/tinyshop-1.1.tar.gz
COPY money.py /srv/deep/down/money.py
COPY money.py /root/.cache/pip/x
RUN rm -r /opt/money.py /opt/tinyshop-1.1.tar.gz /root/.cache && rm -r /srv/deep
COPY gold.patch /etc/motd
COPY money.py /etc/issue
COPY gold.patch /etc/issue
RUN echo nothing > /etc/motd; echo nothing > /etc/issue
USER 1000:1000
"""


def test_what_a_later_layer_took_away_is_found_all_the_same(shop: Shop, engine: Engine):
    lines = leaks.distinctive((shop.gold, shop.test_patch), shop.prepared.everything.values())
    secrets = leaks.Secrets(lines, ("tinyshop",), "1.0")
    clean = hidden.find(engine, shop.prepared.image.digest)
    assert leaks.hidden(clean, secrets) == ()
    assert {"/etc/passwd", "/etc/group"} & {file.path for file in clean} or not clean
    tag = f"mb-test/deleted:{uuid.uuid4().hex}"
    entries = [
        Entry("Dockerfile", DELETED.format(tag=shop.prepared.image.tag).encode()),
        Entry("money.py", FIXED_MONEY),
        Entry("gold.patch", shop.gold),
    ]
    digest = engine.build(entries, tag)
    try:
        image = Image.model_validate({**dict(shop.prepared.image), "digest": digest, "tag": tag})
        assert leaks.find(shop.line.start, image, shop.task.limits, secrets) == ()
        found = leaks.hidden(hidden.find(engine, digest), secrets)
    finally:
        engine.remove_image(tag)
    places = {(leak.kind, leak.where.partition(" ")[0]) for leak in found}
    assert places >= {
        ("file_content", "/opt/money.py"), ("file_content", "/srv/deep/down/money.py"),
        ("file_content", "/etc/motd"), ("file_content", "/etc/issue"),
        ("release", "/opt/tinyshop-1.1.tar.gz"), ("cache", "/root/.cache/pip/x"),
    }  # fmt: skip


def test_a_leak_makes_the_task_unfit(shop: Shop, leaky: Image, monkeypatch: pytest.MonkeyPatch):
    prepared = dataclasses.replace(shop.prepared, image=leaky)
    evidence = executing.execute(shop.line, shop.prepared, 1)
    found = verification._conclude(shop.line, prepared, evidence, 1)
    assert not found.verified
    assert any(reason.startswith("leak: ") for reason in found.reasons)


def test_the_fix_of_the_sample_is_long_enough_to_be_recognised():
    lines = leaks.distinctive([patch({**FIX})], BASE.values())
    assert sum(map(len, next(iter(lines.values())))) >= leaks.ENOUGH


IGNORED_FIX = {
    "tinyshop/money.py": b"from tinyshop.lib.split import split\n" + FIXED_MONEY.replace(
        b"def split(", b"def _old("
    ),
    "tinyshop/lib/split.py": FIXED_MONEY,
    "tinyshop/lib/__init__.py": b"",
}  # fmt: skip


def test_a_fix_in_a_folder_that_is_ignored_goes_the_way_of_an_attempt(make: Make):
    """Templates of ignore rules name `lib/`: the oracle would fail on a verified task."""
    shop = make(base={**BASE, ".gitignore": b"lib/\n"}, fix=IGNORED_FIX)
    assert shop.verify().verified


def test_a_fix_that_an_attempt_cannot_leave_behind_is_no_task(make: Make):
    limits = {"agent_s": 60, "memory_mb": 512, "pids": 64, "patch_mb": 0.0001}
    found = make(options={"limits": limits}).verify()
    assert not found.verified
    assert any("the oracle's attempt failed" in reason for reason in found.reasons)


def test_a_slice_that_lacks_what_its_tests_look_for_becomes_the_whole_repository(make: Make):
    reading = b'\n\ndef test_prices():\n    assert split(int(open("docs/prices.txt").read()), 3)\n'
    odd = reading.replace(b"test_prices", b"test_odd_prices").replace(b", 3)", b", 3) == [4, 3, 3]")
    shop = make(
        base={**BASE, "docs/prices.txt": b"10\n", "docs/index.md": b"# Docs\n"},
        tests={"tests/test_money.py": HIDDEN_MONEY + reading + odd},
        run=("tests/test_money.py",), options={"tests": {
            "hidden": ["tests/test_money.py"], "run": ["tests/test_money.py"],
        }},
    )  # fmt: skip
    assert shop.prepared.piece.kept_files < shop.prepared.piece.total_files
    odd_test = odd.decode().partition("def ")[2].partition("(")[0]
    found = shop.verify()
    assert found.verified, found.reasons
    assert f"tests/test_money.py::{odd_test}" in [one.id for one in found.fail_to_pass]


def test_a_base_that_kills_the_runner_is_run_in_pieces(make: Make):
    """Its other tests are known all the same; without that all of them would be proof."""
    dies = MONEY.replace(
        b"    return [total // parts] * parts",
        b"    if total % parts:\n        import os, signal\n"
        b"        os.kill(os.getpid(), signal.SIGKILL)\n    return [total // parts] * parts",
    )
    shop = make(base={**BASE, "tinyshop/money.py": dies})
    found = shop.verify()
    assert found.verified, found.reasons
    assert {test.kind for test in found.fail_to_pass} == {F2PKind.DIES}
    assert len(found.fail_to_pass) == 2
    assert len(found.pass_to_pass) == 4
    parts = [e.log for e in found.executions if "base_hidden-1-part" in e.log]
    assert len(parts) == 3 + 3 + 2  # files, and the tests of two of them
