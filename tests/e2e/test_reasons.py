"""Why a task is not verified, and until when it is: by the real line, in the local sandbox."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from micro_bench import codec
from micro_bench.errors import BadInputError, UnverifiedError
from micro_bench.languages._recipe import Recipe
from micro_bench.model.execution import CauseKind, TestStatus
from micro_bench.model.image import RunKind
from micro_bench.pipeline import looking
from micro_bench.pipeline.curation import listing
from micro_bench.pipeline.run import agents, running
from micro_bench.pipeline.run.scoring import rescore
from micro_bench.sandboxes._sandbox import StartRequest
from micro_bench.sandboxes.busy import BURNERS, busy
from tests.fakes.shop import BASE, HIDDEN_MONEY, MONEY, NAME, PYPROJECT, TEST_TEXT, Shop

pytestmark = pytest.mark.network
MONEY_ALONE = {"tests/test_money.py": HIDDEN_MONEY}
Make = Callable[..., Shop]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One environment for all of these shops."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make(tmp_path: Path, cache: Path) -> Make:
    def made(**options: object) -> Shop:
        values: dict[str, object] = {
            "tests": MONEY_ALONE, "run": ("tests/test_money.py",), **options,
        }  # fmt: skip
        return Shop(tmp_path / "shop", "local", cache=cache, **values)  # type: ignore[arg-type]

    return made


def test_a_part_of_the_project_that_must_be_compiled_is_named(make: Make):
    hidden = b"import tinyshop._speed\n" + HIDDEN_MONEY
    shop = make(
        base={**BASE, "tinyshop/_speed.c": b"int fast;\n"},
        tests={"tests/test_money.py": hidden},
    )
    found = shop.verify()
    (cause,) = found.causes
    assert (cause.kind, cause.collected, len(cause.tests)) == (CauseKind.BUILD, False, 3)
    reason = found.reasons[0]
    assert "tests/test_money.py cannot be collected: No module named 'tinyshop._speed'" in reason
    assert "tinyshop/_speed.c" in reason
    told = looking.explanation(shop.line, shop.task.id)
    assert "tests/test_money.py::test_split_evenly" in told, "which tests it stopped"


def test_skipped_tests_name_the_extra_that_would_run_them(make: Make):
    extra = b'test = ["pytest==8.3.5", "pytest-timeout==2.3.1"]\nfast = ["numpyx>=1.4"]\n'
    base = PYPROJECT.replace(b'test = ["pytest==8.3.5", "pytest-timeout==2.3.1"]\n', extra)
    hidden = b"import pytest\n\npytest.importorskip('numpyx')\n" + HIDDEN_MONEY
    shop = make(base={**BASE, "pyproject.toml": base}, tests={"tests/test_money.py": hidden})
    found = shop.verify()
    (cause,) = found.causes
    assert (cause.status, cause.kind) == (TestStatus.SKIPPED, CauseKind.REQUIREMENT)
    reason = found.reasons[0]
    assert "all 3 hidden tests are skipped with the gold patch: No module named 'numpyx'" in reason
    assert 'requirements: ["numpyx>=1.4"]' in reason
    assert "optional-dependencies.fast" in reason


def test_a_base_that_ends_the_process_shows_nothing_and_is_refused(make: Make):
    """Else each of the hidden tests would count as one that the fix makes pass."""
    ends = b"import os\n\nos._exit(3)\n" + MONEY
    shop = make(base={**BASE, "tinyshop/money.py": ends})
    found = shop.verify()
    assert not found.verified
    words = "the tests do not run to their end on the base (base_hidden): crashed, exit code 3"
    assert any(words in reason for reason in found.reasons)
    first, *pieces = [execution.kind for execution in found.executions]
    assert first == RunKind.GOLD_HIDDEN
    assert set(pieces) == {RunKind.BASE_HIDDEN}  # whole, then in pieces: all of them end at once


def test_another_recipe_is_another_verification_and_no_way_to_go_on_with_a_run(make: Make):
    shop = make()
    asked = running.Request((shop.task,), agents.parse(["oracle"], "none"), 1, 1, name="nightly")
    store = running.run(shop.line, asked, lambda *_: None, repetitions=1).store
    first = shop.line.specs.verification(shop.task.id)
    assert first is not None
    assert first.verified
    assert running.run(shop.line, asked, lambda *_: None, repetitions=1).found == 1

    recipe = shop.line.workspace.recipe(NAME)
    codec.save(recipe, Recipe(pytest_args=("--deselect", "tests/test_money.py::test_add")))
    (row,) = listing.listing(shop.line, (), (), "all", "")
    assert row["verified"] == "outdated"
    with pytest.raises(UnverifiedError, match="the recipe"):
        rescore(shop.line, store, jobs=1, done=lambda *_: None)
    with pytest.raises(BadInputError, match="another recipe"):
        running.run(shop.line, asked, lambda *_: None, repetitions=1)
    second = shop.line.specs.verification(shop.task.id)
    assert second is not None
    assert set(first.pass_to_pass) - set(second.pass_to_pass) == {"tests/test_money.py::test_add"}
    assert len(store.attempts()) == 1


IN_TIME = b"""

def test_in_time():
    from pathlib import Path

    there = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline")]
    assert not any(b"while True: pass" in words for words in there), "it took 1.7 s"
"""


def test_a_test_that_fails_on_busy_cpus_is_quarantined_with_its_evidence(make: Make):
    """It looks for the burners itself instead of at a clock: the same on every machine."""
    shop = make(
        base={**BASE, "tests/test_text.py": TEST_TEXT + IN_TIME},
        run=("tests/test_money.py", "tests/test_text.py"), load_check=True,
    )  # fmt: skip
    found = shop.verify()
    assert found.verified, found.reasons
    (test,) = found.load_sensitive
    assert test.id == "tests/test_text.py::test_in_time"
    assert "it took 1.7 s" in test.said
    assert test.seen["gold_hidden"] == (TestStatus.PASSED,)
    assert test.seen["gold_busy"] == (TestStatus.FAILED,)
    assert test.id not in found.pass_to_pass
    assert any(test.id in warning for warning in found.warnings)
    told = looking.explanation(shop.line, shop.task.id)
    assert "depends on the machine's load: tests/test_text.py::test_in_time (gold_hidden" in told
    kinds = [execution.kind for execution in found.executions]
    assert kinds.count(RunKind.GOLD_BUSY) == kinds.count(RunKind.BASE_BUSY) == 1


SHARE = """
import os, time
begin, spent = time.perf_counter(), time.process_time()
while time.process_time() - spent < 0.5:
    pass
print((time.process_time() - spent) / (time.perf_counter() - begin))
"""


def test_a_busy_sandbox_leaves_a_command_a_part_of_the_cpu_and_its_exit_code(make: Make):
    shop = make()
    sandbox = busy(shop.line.start)(StartRequest(shop.prepared.image, shop.task.limits))
    try:
        output = BytesIO()
        python = f"{sandbox.places.tools}/bin/python"
        end = sandbox.run((python, "-c", SHARE), output=output, deadline_s=60)
        assert end.exit_code == 0
        assert float(output.getvalue()) < 2 / (BURNERS + 1), "somebody else had the rest"
        ends = sandbox.run((python, "-c", "exit(7)"), output=output, deadline_s=60)
        assert ends.exit_code == 7
    finally:
        sandbox.close()
