"""What the doctor concludes from the facts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from micro_bench.doctor import GB, Check, Facts, State, able, checks, isolation
from micro_bench.edge.engine import EngineInfo
from micro_bench.edge.host import Isolation, Program
from micro_bench.settings import Settings

ENGINE = EngineInfo(
    name="docker",
    version="20.10",
    api_version="1.41",
    storage_driver="overlay2",
    root_dir="/var/lib/docker",
    cgroup="2",
    runtimes=("runc",),
    cpus=4,
    memory_bytes=16 * GB,
    images=("python:3.11-slim",),
)
GOOD = Facts(
    engine=ENGINE,
    engine_error="",
    bubblewrap=Isolation(works=True),
    git=Program("git", "/usr/bin/git", "git version 2.39"),
    uv=Program("uv", "/usr/bin/uv", "uv 0.8"),
    debootstrap=True,
    root=True,
    apt=True,
    cpus=4,
    memory=16 * GB,
    disk_workspace=100 * GB,
    disk_engine=100 * GB,
)
BARE = replace(GOOD, engine=None, engine_error="no socket", bubblewrap=Isolation(works=False))


def found(facts: Facts, settings: Settings | None = None) -> dict[str, Check]:
    """The checks by name."""
    return {check.name: check for check in checks(facts, settings or Settings())}


def test_a_good_machine_is_able_and_needs_nothing() -> None:
    result = checks(GOOD, Settings())
    assert able(result)
    assert {check.state for check in result} == {State.OK}
    assert not any(check.fix for check in result)


@pytest.mark.parametrize(
    ("facts", "backend", "expected"),
    [
        (GOOD, "auto", "docker"),
        (GOOD, "local", "bubblewrap"),
        (replace(GOOD, engine=None), "auto", "bubblewrap"),
        (replace(GOOD, engine=None), "docker", "none"),
        (BARE, "auto", "none"),
    ],
)
def test_the_isolation_follows_from_backend_and_facts(
    facts: Facts, backend: str, expected: str
) -> None:
    assert isolation(facts, Settings.model_validate({"backend": backend})) == expected


def test_without_isolation_nothing_runs_unless_allowed() -> None:
    assert not able(checks(BARE, Settings()))
    assert found(BARE)["isolation"].fix.startswith("bash ")
    allowed = Settings(allow_unsandboxed=True)
    assert able(checks(BARE, allowed))
    assert found(BARE, allowed)["isolation"].state is State.WARNING


def test_who_is_not_root_is_not_told_to_run_the_script() -> None:
    lead = replace(BARE, root=False)
    assert "systemctl --user" in found(lead)["container engine"].fix
    refused = found(BARE, Settings(engine_install=False))
    assert "systemctl --user" in refused["container engine"].fix


@pytest.mark.parametrize("name", ["git", "uv"])
def test_a_missing_program_stops_the_work(name: str) -> None:
    check = found(replace(GOOD, **{name: None}))[name]
    assert (check.state, bool(check.fix)) == (State.MISSING, True)


def test_base_images_are_there_or_buildable_or_need_a_registry() -> None:
    assert found(GOOD)["base image for Python 3.11"].detail == "python:3.11-slim"
    assert "can be built" in found(GOOD)["base image for Python 3.13"].detail
    plain = found(replace(GOOD, debootstrap=False))["base image for Python 3.13"]
    assert (plain.state, plain.fix) == (State.WARNING, "apt-get install debootstrap")


@pytest.mark.parametrize(
    ("free", "state"), [(100 * GB, State.OK), (5 * GB, State.WARNING), (GB, State.MISSING)]
)
def test_little_disk_is_told_and_none_stops_the_work(free: int, state: State) -> None:
    assert found(replace(GOOD, disk_workspace=free))["disk of the workspace"].state is state
    assert found(replace(GOOD, disk_engine=free))["disk of the engine"].state is state


def test_jobs_that_do_not_fit_into_memory_are_told() -> None:
    settings = Settings(jobs=64, workspace=Path("/x"))
    assert found(GOOD, settings)["machine"].state is State.WARNING
