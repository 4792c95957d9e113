"""Nothing that a patch does makes a broken shop pass, and nothing it does stops the grading.

Each forgery is tried twice: as it is graded, and with the guards off, where it must succeed. A
forgery that fails by itself would prove nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from types import ModuleType, SimpleNamespace

import pytest

from micro_bench.model.execution import TestResult, Trust
from micro_bench.model.score import Verdict
from micro_bench.pipeline.run.scoring import Grader
from micro_bench.sandboxes._sandbox import OUTPUT_LIMIT
from micro_bench.scores import grade as grading
from micro_bench.scores.grade import cross_check
from tests.fakes.shop import (
    BASE,
    CONFTEST,
    FIXED_MONEY,
    MONEY,
    PYPROJECT,
    TEXT,
    Link,
    Shop,
    Tree,
    patch,
)

FORGE = b"""\
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    report.outcome, report.longrepr = "passed", None
"""
IN_PROCESS = b"""\
import _pytest.reports as reports

_made = reports.TestReport.from_item_and_call.__func__


def _forged(cls, item, call):
    report = _made(cls, item, call)
    report.outcome, report.longrepr = "passed", None
    return report


reports.TestReport.from_item_and_call = classmethod(_forged)
"""
NO_FAILURES = b"""\
import atexit, re


def _clean():
    path = "/bench/out/report.xml"
    text = open(path).read()
    open(path, "w").write(re.sub(r"(?s)<failure.*?</failure>", "", text))


"""
AT_EXIT = NO_FAILURES + b"atexit.register(_clean)\n"
IN_THE_BACKGROUND = b"""\
import os, re, time

if os.fork() == 0:
    os.setsid()
    for _ in range(400):
        try:
            path = "/bench/out/report.xml"
            text = open(path).read()
            if "</testsuites>" in text:
                open(path, "w").write(re.sub(r"(?s)<failure.*?</failure>", "", text))
        except OSError:
            pass
        time.sleep(0.01)
    os._exit(0)
"""
OWN_REPORT = b"""\
import os, sys

names = {
    "tests.test_money": ["test_add", "test_split_evenly",
                         "test_split_loses_no_cent_of_an_odd_total"],
    "tests.test_text": ["test_shout"],
    "tests.integration.test_system": ["test_a_receipt", "test_a_receipt_that_does_not_divide"],
}
cases = "".join(
    f'<testcase classname="{file}" name="{name}" file="{file.replace(".", "/")}.py" time="0"/>'
    for file, tests in names.items() for name in tests
)
os.makedirs("/bench/out", exist_ok=True)
with open("/bench/out/report.xml", "w") as report:
    report.write(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
print("6 passed in 0.01s")
sys.stdout.flush()
os._exit(%d)
"""
PRINTED = b"""\
import os

line = b"tests/test_money.py::test_split_loses_no_cent_of_an_odd_total PASSED\\n"
os.write(1, line * 3 + b"3 passed\\n")
for number in range(1, 10):
    try:
        os.write(number, line)
    except OSError:
        pass
os._exit(0)
"""
ENTRY_POINT = b"[pytest11]\nforge = forge\n"
METADATA = b"Metadata-Version: 2.1\nName: forge\nVersion: 1\n"

RESTORED: dict[str, Tree] = {
    "conftest of the tests": {"tests/conftest.py": CONFTEST + FORGE},
    "conftest at the top": {"conftest.py": FORGE},
    "conftest beside the hidden test": {"tests/integration/conftest.py": FORGE},
    "plugin by pytest.ini": {"pytest.ini": b"[pytest]\naddopts = -p forge\n", "forge.py": FORGE},
    "plugin by hidden pytest.ini": {
        ".pytest.ini": b"[pytest]\naddopts = -p forge\n", "forge.py": FORGE,
    },
    "plugin by pyproject": {
        "pyproject.toml": PYPROJECT.replace(b'"-ra"', b'"-p forge"'), "forge.py": FORGE,
    },
    "plugin by tox.ini": {
        "tox.ini": b"[pytest]\naddopts = -p forge\n", "forge.py": FORGE,
        "pyproject.toml": PYPROJECT.replace(b"[tool.pytest.ini_options]", b"[tool.none]"),
    },
    "plugin by metadata": {
        "forge-1.dist-info/entry_points.txt": ENTRY_POINT,
        "forge-1.dist-info/METADATA": METADATA, "forge.py": FORGE,
    },
    "plugin by egg metadata": {
        "forge.egg-info/entry_points.txt": ENTRY_POINT, "forge.egg-info/PKG-INFO": METADATA,
        "forge.py": FORGE,
    },
    "fewer tests by pyproject": {
        "pyproject.toml": PYPROJECT.replace(
            b"addopts", b'python_functions = ["test_add", "test_split_evenly", "test_s"]\naddopts'
        ),
    },
}  # fmt: skip
"""Put back before the tests run: they fail like any patch that mends nothing."""

CAUGHT: dict[str, Tree] = {
    "the source patches pytest": {"tinyshop/__init__.py": IN_PROCESS},
    "a report without failures, at exit": {"tinyshop/__init__.py": AT_EXIT},
    "a report without failures, by a background process": {
        "tinyshop/__init__.py": IN_THE_BACKGROUND,
    },
    "a report of its own and a good exit code": {"tinyshop/__init__.py": OWN_REPORT % 0},
    "a report of its own and the expected exit code": {"tinyshop/__init__.py": OWN_REPORT % 1},
    "printed lines and a good exit code": {"tinyshop/__init__.py": PRINTED},
    "a good exit code at import": {"tinyshop/__init__.py": b"import os\nos._exit(0)\n"},
}  # fmt: skip
"""They run inside the tests' own process: exit code, report and canaries disagree."""

TESTS_CHANGED: dict[str, Tree] = {
    "hidden tests deleted": {"tests/test_money.py": None, "tests/integration/test_system.py": None},
    "hidden tests emptied": {"tests/test_money.py": b"", "tests/integration/test_system.py": b""},
    "tests lead elsewhere": {**dict.fromkeys(p for p in BASE if p[:6] == "tests/"),
                             "tests": Link("tinyshop")},
    "a folder of tests leads elsewhere": {"tests/integration/test_system.py": None,
                                          "tests/integration": Link("../tinyshop")},
    "a hidden test leads elsewhere": {"tests/test_money.py": Link("../tinyshop/__init__.py")},
    "a hidden test is a folder": {"tests/test_money.py": None,
                                  "tests/test_money.py/test_x.py": b"def test_add(): pass\n"},
    "the tests' folder is a file": {**dict.fromkeys(p for p in BASE if p[:6] == "tests/"),
                                    "tests": b"def test_add(): pass\n"},
    "a folder of tests is a file": {"tests/integration/test_system.py": None,
                                    "tests/integration": b""},
    "conftest is a folder": {"tests/conftest.py": None, "tests/conftest.py/a/b.py": b"x = 1\n"},
    "conftest leads elsewhere": {"tests/conftest.py": Link("/dev/null")},
    "pytest.ini is a folder": {"pytest.ini/x": b"[pytest]\n"},
    "pyproject leads elsewhere": {"pyproject.toml": Link("/dev/null")},
    "pyproject is a folder": {"pyproject.toml": None, "pyproject.toml/x": b""},
}  # fmt: skip

SHADOWS: dict[str, Tree] = {
    "modules": dict.fromkeys(
        (
            "sitecustomize.py", "usercustomize.py", "pytest.py", "json.py", "_pytest/__init__.py",
            "pluggy.py", "xml/__init__.py", "tests/json.py", "tinyshop/sitecustomize.py", "py.py",
        ),
        IN_PROCESS,
    ),
    "packages": {"sitecustomize/__init__.py": IN_PROCESS, "usercustomize/__init__.py": IN_PROCESS},
    "paths": {
        "evil.pth": b"import os; os._exit(0)\n", "tinyshop/evil.pth": b"import os; os._exit(0)\n",
        "tests/evil.pth": b"import os; os._exit(0)\n",
    },
    "configuration": {
        ".pytest_cache/v/cache/lastfailed": b"{}", "forge.py": FORGE,
        "pytest.toml": b'[pytest]\naddopts = ["-p", "forge"]\n',
        "setup.cfg": b"[tool:pytest]\naddopts = -p forge\n", "tox.ini": Link("setup.cfg"),
    },
}  # fmt: skip


def lenient(
    code: int | None, results: Sequence[TestResult] | None, passing: str, failing: str
) -> tuple[Trust, tuple[TestResult, ...]]:
    """Believes whatever the report says."""
    return Trust.AGREE, cross_check(code, results, passing, failing)[1]


@pytest.fixture
def unguarded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grader]:
    """A grader that restores nothing, believes everything and never looks again."""
    names = {name: getattr(shop.prepared.language, name) for name in dir(shop.prepared.language)}
    off = {
        "is_infrastructure": lambda _path: False, "is_test": lambda _path, _recipe: False,
        "discord": lambda _stream, _results: None,
    }  # fmt: skip
    language: ModuleType = SimpleNamespace(**names | off)  # type: ignore[assignment]
    guarded, trusting = grading._Grading.plan, grading._Grading

    def plan(self: grading._Grading, places: object, _user: object) -> dict[str, object]:
        """The options that the patch's own configuration would give; all of one user."""
        made = guarded(self, places)  # type: ignore[arg-type]
        argv = made["argv"]
        options = [n for n, word in enumerate(argv) if str(word).startswith("addopts=")]
        made["argv"] = [
            w for n, w in enumerate(argv) if n not in {*options, *(o - 1 for o in options)}
        ]
        return made

    monkeypatch.setattr(trusting, "plan", plan)
    monkeypatch.setattr(grading, "cross_check", lenient)
    return dataclasses.replace(
        shop.grader, job=dataclasses.replace(shop.grader.job, language=language), twins=()
    )


def test_the_fix_passes_and_nothing_fails(shop: Shop):
    assert shop.grade(shop.gold).verdict == "pass"
    empty = shop.grade(b"")
    assert (empty.verdict, empty.reason) == ("fail", "no_change")


@pytest.mark.parametrize("name", RESTORED)
def test_what_configures_the_tests_is_put_back(shop: Shop, name: str):
    marked = shop.grade(patch(RESTORED[name]))
    assert (marked.verdict, marked.reason, marked.trust) == ("fail", "tests", "agree"), str(marked)
    assert marked.judged.fail_to_pass == (0, 2)
    assert marked.judged.pass_to_pass == (4, 4)


FORGING = [n for n in RESTORED if "fewer" not in n and "beside" not in n]
"""One that counts fewer tests lacks those that must pass; one beside a test reaches that alone."""


@pytest.mark.parametrize("name", FORGING)
def test_without_the_guards_configuration_forges_a_pass(shop: Shop, unguarded: Grader, name: str):
    assert shop.grade(patch(RESTORED[name]), unguarded).verdict == "pass"


@pytest.mark.parametrize("name", CAUGHT)
def test_what_forges_from_within_is_caught(shop: Shop, name: str):
    marked = shop.grade(patch(CAUGHT[name]))
    assert marked.verdict == "tampered", str(marked)
    assert not marked.judged.tests_passed


@pytest.mark.parametrize("name", [n for n in CAUGHT if "report" in n or "patches" in n])
def test_without_the_canaries_it_forges_a_pass(shop: Shop, unguarded: Grader, name: str):
    assert shop.grade(patch(CAUGHT[name]), unguarded).verdict == "pass"


@pytest.mark.parametrize("name", TESTS_CHANGED)
def test_hidden_tests_lie_over_whatever_the_patch_left_there(shop: Shop, name: str):
    marked = shop.grade(patch(TESTS_CHANGED[name]))
    assert (marked.verdict, marked.reason) == ("fail", "tests"), str(marked)
    assert marked.judged.fail_to_pass == (0, 2)
    assert {test.status.value for test in marked.judged.failed} == {"failed"}, str(marked)


@pytest.mark.parametrize(
    "name", ["tests lead elsewhere", "conftest is a folder", "pyproject leads elsewhere"]
)
def test_the_fix_counts_whatever_else_the_patch_does_to_the_tests(shop: Shop, name: str):
    marked = shop.grade(patch({**TESTS_CHANGED[name], "tinyshop/money.py": FIXED_MONEY}))
    assert marked.judged.tests_passed, str(marked)


def test_tests_that_are_not_hidden_are_the_base_s_too(shop: Shop):
    """Else a patch could break a function and its test together."""
    broken = {
        "tinyshop/money.py": FIXED_MONEY,
        "tinyshop/text.py": TEXT.replace(b"words.upper()", b"words"),
        "tests/test_text.py": b"def test_shout():\n    pass\n",
        "tests/conftest.py": CONFTEST.replace(b'"hello"', b'"HELLO"'),
    }
    marked = shop.grade(patch(broken))
    assert (marked.verdict, marked.reason) == ("fail", "tests"), str(marked)
    assert "tests/test_text.py::test_shout" in {test.id for test in marked.judged.failed}
    assert "tests/test_text.py" in marked.graded.run.restored


def test_helpers_that_the_tests_use_are_put_back(shop: Shop):
    marked = shop.grade(patch({"tests/pytest.py": b"raise SystemExit(0)\n", **dict(fix())}))
    assert marked.verdict == "pass", str(marked)


def fix() -> Iterator[tuple[str, bytes]]:
    yield "tinyshop/money.py", FIXED_MONEY


@pytest.mark.parametrize("name", SHADOWS)
def test_a_file_with_a_telling_name_does_not_help(shop: Shop, name: str):
    marked = shop.grade(patch(SHADOWS[name]))
    assert marked.verdict in ("fail", "tampered"), str(marked)
    assert not marked.judged.tests_passed


@pytest.mark.parametrize("prefix", [b"x/", b"./", b"b/./", b"b//"])
def test_a_patch_that_spells_its_paths_in_its_own_way_is_not_believed(shop: Shop, prefix: bytes):
    """What the host reads out of a patch and what git does with it must be the same."""
    content = b"".join(b"+" + line + b"\n" for line in FORGE.splitlines())
    count = len(FORGE.splitlines())
    forged = b"--- /dev/null\n+++ %sconftest.py\n@@ -0,0 +1,%d @@\n%s" % (prefix, count, content)
    marked = shop.grade(forged)
    assert marked.verdict in ("fail", "tampered"), str(marked)
    assert marked.trust == "agree" or marked.reason == "patch_rejected", (
        "only the canaries caught it"
    )


@pytest.mark.parametrize("editable", [("pyproject.toml",), ("*.toml", "tests/conftest.py")])
def test_a_task_may_open_a_file_for_change(shop: Shop, editable: tuple[str, ...]):
    task = type(shop.task).model_validate({**dict(shop.task), "editable": editable})
    grader = dataclasses.replace(shop.grader, job=dataclasses.replace(shop.grader.job, task=task))
    changed = {"pyproject.toml": PYPROJECT + b"# changed\n", "tests/conftest.py": CONFTEST + b"#\n"}
    marked = shop.grade(patch({**changed, **dict(fix())}), grader)
    expected = {"tests/conftest.py"} if len(editable) == 1 else set()
    assert set(marked.graded.run.restored) == expected
    assert marked.verdict == "pass", str(marked)


def test_other_settings_of_a_shared_file_are_kept(shop: Shop):
    """A dependency or a build setting in pyproject.toml may be the fix itself."""
    shown = MONEY.replace(
        b"    return [total", b"    print(open('/work/pyproject.toml').read())\n    return [total"
    )
    settings = PYPROJECT.replace(b'"-ra"', b'"-p forge"') + b'\n[tool.shop]\ncurrency = "DKK"\n'
    marked = shop.grade(
        patch({"pyproject.toml": settings, "tinyshop/money.py": shown, "forge.py": FORGE})
    )
    assert marked.trust == "agree", str(marked)
    text = marked.log.decode()
    assert 'currency = "DKK"' in text
    assert 'addopts = "-ra"' in text
    assert "-p forge" not in text


def test_a_collection_error_elsewhere_hides_no_other_test(shop: Shop):
    marked = shop.grade(patch({"tinyshop/text.py": b"raise RuntimeError('no')\n", **dict(fix())}))
    assert (marked.verdict, marked.reason, marked.trust) == ("fail", "tests", "agree"), str(marked)
    lost = {test.id: test.status.value for test in marked.judged.failed}
    assert set(lost) == {
        "tests/test_text.py::test_shout", "tests/integration/test_system.py::test_a_receipt",
        "tests/integration/test_system.py::test_a_receipt_that_does_not_divide",
    }  # fmt: skip
    assert set(lost.values()) == {"missing"}
    assert marked.graded.run.statuses()["tests/test_money.py::test_add"] == "passed"
    assert len(marked.graded.run.collection_errors()) == 2


@pytest.mark.parametrize(
    "damage", [b"\n", b"not a patch\n", b"diff --git a/x b/x\n", None, b"\0" * 100]
)
def test_a_patch_that_does_not_apply_is_rejected(shop: Shop, damage: bytes | None):
    sent = (
        damage
        if damage is not None
        else shop.gold.replace(b"share, rest", b"other").replace(
            b"-    return [total // parts] * parts", b"-    return nothing like it"
        )
    )
    marked = shop.grade(sent)
    assert (marked.verdict, marked.reason) == ("fail", "patch_rejected"), str(marked)
    assert marked.graded.run.apply_error


def test_a_patch_cannot_reach_out_of_the_work_folder(shop: Shop):
    for name in (b"../../bench/in/plan.json", b"/bench/in/plan.json", b".git/config"):
        evil = b"--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+evil\n" % name
        assert shop.grade(evil).reason in ("patch_rejected", "tests"), name
    through = patch({"out": Link("/bench/in")}) + (
        b"diff --git a/out/x b/out/x\nnew file mode 100644\n--- /dev/null\n+++ b/out/x\n"
        b"@@ -0,0 +1 @@\n+evil\n"
    )
    assert shop.grade(through).reason == "patch_rejected"


def test_there_is_no_network_while_grading(shop: Shop):
    """Neither a name nor an address can be reached, not even the host's own."""
    asks = (
        b"import socket\nfailures = []\nfor call in (\n"
        b"    lambda: socket.create_connection(('1.1.1.1', 53), 3),\n"
        b"    lambda: socket.create_connection(('172.17.0.1', 22), 3),\n"
        b"    lambda: socket.getaddrinfo('example.org', 80),\n):\n"
        b"    try:\n        call()\n    except OSError as error:\n        failures.append(error)\n"
        b"assert len(failures) == 3, 'there is a network'\n"
    )
    marked = shop.grade(patch({"tinyshop/__init__.py": asks, **dict(fix())}))
    assert marked.verdict == "pass", str(marked)


def test_the_hidden_tests_and_the_patch_are_all_that_enters(shop: Shop):
    """No variable, file or label of the host."""
    shown = MONEY.replace(
        b"    return [total",
        b"    import os, sys\n    print(dict(os.environ))\n"
        b"    print(*sorted(os.listdir('/bench')), os.getuid(), os.path.exists('/bench/in'))\n"
        b"    return [total",
    )
    text = shop.grade(patch({"tinyshop/money.py": shown})).log.decode()
    assert "out run 1000 False" in text, "not the plan, the patch or the hidden files' archive"
    for name in ("gold", "DOCKER", "TOKEN", "PIP_", "SSL_CERT", "proxy"):
        assert name not in text, name


@pytest.fixture(scope="module")
def hurried(shop: Shop) -> Grader:
    """A grader with little patience."""
    tests = type(shop.task.tests).model_validate(
        {**dict(shop.task.tests), "timeout_s": 1.5, "total_timeout_s": 12}
    )
    task = type(shop.task).model_validate({**dict(shop.task), "tests": tests})
    return dataclasses.replace(shop.grader, job=dataclasses.replace(shop.grader.job, task=task))


def test_a_test_that_hangs_fails_alone(shop: Shop, hurried: Grader):
    hangs = TEXT.replace(b"    return", b"    import time\n    time.sleep(600)\n    return")
    marked = shop.grade(patch({"tinyshop/text.py": hangs, **dict(fix())}), hurried)
    assert (marked.verdict, marked.reason, marked.trust) == ("fail", "tests", "agree"), str(marked)
    assert marked.graded.run.statuses()["tests/test_money.py::test_add"] == "passed"
    assert "Timeout" in marked.judged.failed[0].message


def test_tests_that_hang_at_import_end_at_the_total_limit(
    shop: Shop, hurried: Grader, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(grading, "PREPARE_S", 0)
    marked = shop.grade(patch({"tinyshop/__init__.py": b"while True:\n    pass\n"}), hurried)
    assert (marked.verdict, marked.reason) == ("fail", "tests_timeout"), str(marked)
    assert marked.trust == "timeout"


def test_eating_all_memory_is_named(shop: Shop):
    eats = TEXT.replace(b"    return", b"    hoard = bytearray(4 * 2**30)\n    return")
    marked = shop.grade(patch({"tinyshop/text.py": eats, **dict(fix())}))
    assert (marked.verdict, marked.reason) == ("fail", "tests_out_of_memory"), str(marked)


def test_a_fork_bomb_fails_the_patch_and_nothing_else(shop: Shop):
    bomb = (
        b"import os, time\nfor _ in range(200):\n    if not os.fork():\n        time.sleep(600)\n"
    )
    marked = shop.grade(patch({"tinyshop/__init__.py": bomb}))
    assert marked.verdict in ("fail", "tampered"), str(marked)
    assert shop.grade(shop.gold).verdict == "pass"


def test_endless_output_is_cut(shop: Shop):
    loud = TEXT.replace(
        b"    return",
        b"    import os\n    for _ in range(1000):\n        os.write(2, b'x' * 10**5)\n    return",
    )
    marked = shop.grade(patch({"tinyshop/text.py": loud, **dict(fix())}))
    assert len(marked.log) <= OUTPUT_LIMIT
    assert marked.trust in ("agree", "tampered", "crashed")


def test_a_patch_of_large_sources_can_be_graded(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    """Their text goes to the host for matching findings; it may be more than tests may print."""
    monkeypatch.setattr(grading, "SCANNER_OUTPUT_LIMIT", 10**6)
    big = b"x = 1  # " + b"y" * 990 + b"\n"
    change: dict[str, bytes] = {f"tinyshop/big{n}.py": big * 900 for n in range(3)}
    marked = shop.grade(patch({**change, **dict(fix())}))
    assert marked.judged.tests_passed, str(marked)


def test_a_clean_exit_without_a_report_is_no_pass(shop: Shop):
    kills = b"import os\nos._exit(%d)\n"
    for code, verdict, reason in (
        (0, Verdict.TAMPERED, "exit code, report and canaries disagree"),
        (1, Verdict.FAIL, "tests_crashed"), (3, Verdict.FAIL, "tests_crashed"),
    ):  # fmt: skip
        marked = shop.grade(patch({"tinyshop/__init__.py": kills % code}))
        assert (marked.verdict, marked.reason) == (verdict, reason), str(marked)


ODD: Tree = {
    "tinyshop/logo.bin": bytes(range(255, -1, -1)) * 3,
    "tinyshop/dos.txt": b"one\r\nTWO\r\nthree\r\n",
    "tinyshop/link": Link("money.py"),
    "tinyshop/with space \u00fc\u6f22.txt": b"name\n",
    'tinyshop/quo"te\\back\ttab.txt': b"name\n",
    "tinyshop/no newline": b"no newline at the end",
    "tinyshop/empty": b"",
    b"tinyshop/latin-\xe9.txt".decode("utf-8", "surrogateescape"): b"not UTF-8\n",
}


def test_odd_files_arrive(shop: Shop):
    marked = shop.grade(patch({**ODD, **dict(fix())}))
    assert marked.verdict == "pass", str(marked)
    assert len(marked.graded.run.touched) == len(ODD) + 1


def test_findings_are_scored_and_told_apart_from_tests(shop: Shop):
    unsafe = FIXED_MONEY + b"\n\ndef run(text):\n    return eval(text)\n"
    marked = shop.grade(patch({"tinyshop/money.py": unsafe}))
    assert (marked.verdict, marked.reason, marked.judged.tests_passed) == ("fail", "sast", True)
    unused = b"import os\nfrom nowhere import *\n\n\ndef f():\n    return undefined\n"
    marked = shop.grade(patch({"tinyshop/more.py": unused, **dict(fix())}))
    assert (marked.verdict, marked.reason, marked.judged.tests_passed) == ("fail", "lint", True)


@pytest.mark.parametrize(
    "planted",
    [
        {
            ".gitignore": b"*.py\n",
            "ruff.toml": b'exclude = ["*"]\n',
            "tinyshop/bandit.yaml": b"skips: [B307]\n",
            ".bandit": b"[bandit]\nskips = B307\nexclude = /\n",
        },
        {"pyproject.toml": PYPROJECT + b'\n[tool.bandit]\nskips = ["B307"]\n'},
    ],
    ids=lambda planted: next(iter(planted)),
)
def test_configuration_of_scanners_in_the_patch_is_not_heeded(shop: Shop, planted: Tree):
    unsafe = FIXED_MONEY + b"\n\ndef run(text):\n    return eval(text)  # nosec # noqa\n"
    marked = shop.grade(patch({"tinyshop/money.py": unsafe, **planted}))
    assert (marked.verdict, marked.reason) == ("fail", "sast"), str(marked)


def test_a_file_that_no_longer_parses_is_a_finding(shop: Shop):
    marked = shop.grade(patch({"tinyshop/extra.py": b"def broken(:\n", **dict(fix())}))
    assert (marked.verdict, marked.judged.tests_passed) == ("fail", True), str(marked)
    assert {f.rule for s in marked.graded.scans for f in s.findings} == {"syntax-error"}


def test_a_source_that_is_no_text_is_a_finding_and_no_way_round_the_gate(shop: Shop):
    latin: Tree = {"tinyshop/latin.py": b"# coding: latin-1\nname = '\xe9'\n", **dict(fix())}
    marked = shop.grade(patch(latin))
    assert (marked.verdict, marked.reason, marked.judged.tests_passed) == ("fail", "lint", True)


@pytest.mark.parametrize("number", [9, 15])
def test_code_that_ends_its_own_sandbox_fails(shop: Shop, number: int):
    """Everything in it, the grader's own part too; the engine is fine all the same."""
    kills = b"import os\nos.kill(-1, %d)\nos.kill(1, %d)\nos._exit(0)\n" % (number, number)
    marked = shop.grade(patch({"tinyshop/__init__.py": kills, **dict(fix())}))
    assert marked.verdict in ("fail", "tampered"), str(marked)
    assert not marked.judged.tests_passed


def test_names_that_look_like_options_are_files(shop: Shop):
    strange: Tree = {"-rf.py": b"x = 1\n", "--config=x.py": b"eval(input())\n", **dict(fix())}
    marked = shop.grade(patch(strange))
    assert (marked.verdict, marked.reason) == ("fail", "sast"), str(marked)
