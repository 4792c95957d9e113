"""Settings know where they come from, and bad ones are all reported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from micro_bench import codec, starter
from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.settings import Settings, fields, find_workspace, resolve, variable

ENV = {"HOME": "/home/lead"}


@pytest.fixture
def space(tmp_path: Path) -> Path:
    (tmp_path / "micro-bench.yaml").write_text("k: 5\nlimits:\n  cpus: 2\n  pids: 99\n")
    return tmp_path


def test_defaults_hold_where_nothing_is_said(tmp_path: Path) -> None:
    found = resolve({}, ENV, tmp_path)
    assert set(found.sources.values()) == {"default"}
    assert found.settings.workspace == tmp_path
    assert found.settings.cache_dir == Path("/home/lead/.cache/micro-bench")
    assert found.settings.jobs >= 1


def test_the_stronger_source_wins_and_is_named(space: Path) -> None:
    env = {"MICRO_BENCH_K": "7", "MICRO_BENCH_LIMITS_CPUS": "3", "MICRO_BENCH_TEST_X": "1"}
    found = resolve({"k": 9, "jobs": None}, ENV | env, space)
    rows = {key: (value, source) for key, value, source in found.rows()}
    assert rows["k"] == (9, "option --k")
    assert rows["limits.cpus"] == (3.0, "env MICRO_BENCH_LIMITS_CPUS")
    assert rows["limits.pids"] == (99, f"file {space}/micro-bench.yaml:4")
    assert rows["limits.memory_mb"] == (2048, "default")


def test_the_workspace_is_found_upward(space: Path) -> None:
    below = space / "tickets" / "a"
    below.mkdir(parents=True)
    found = resolve({}, ENV, below)
    assert found.settings.workspace == space
    assert found.sources["workspace"] == f"file {space}/micro-bench.yaml"
    assert find_workspace(Path("/")) is None


def test_the_workspace_can_be_named(space: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for options, env in (({"workspace": space}, {}), ({}, {"MICRO_BENCH_WORKSPACE": str(space)})):
        found = resolve(options, ENV | env, elsewhere)
        assert (found.settings.workspace, found.settings.k) == (space, 5)
    assert resolve({"workspace": Path(space.name)}, ENV, space.parent).settings.k == 5
    with pytest.raises(NotFoundError, match="no workspace"):
        resolve({"workspace": "/nowhere"}, ENV, elsewhere)


def test_bad_values_of_all_sources_come_at_once(space: Path) -> None:
    (space / "micro-bench.yaml").write_text("k: five\nworkspace: /x\njbos: 3\n")
    env = {"MICRO_BENCH_BACKEND": "doker", "MICRO_BENCH_JOSB": "2", "MICRO_BENCH_LIMITS_CPUS": "x"}
    with pytest.raises(BadInputError) as caught:
        resolve({"repetitions": 0, "k": 3}, ENV | env, space)
    assert [str(m).replace(f"{space}/", "") for m in caught.value.mistakes] == [
        'micro-bench.yaml:1:1  k: must be a whole number, not "five"',
        "micro-bench.yaml:3:1  jbos: unknown key (did you mean 'jobs'?)",
        "micro-bench.yaml:2:1  workspace: the workspace is the folder of this file (remove it)",
        (
            'env MICRO_BENCH_BACKEND  must be one of auto, docker, local, not "doker" '
            "(did you mean 'docker'?)"
        ),
        "env MICRO_BENCH_JOSB  there is no such setting (did you mean MICRO_BENCH_JOBS?)",
        'env MICRO_BENCH_LIMITS_CPUS  must be a number, not "x"',
        "option --repetitions  must be at least 1, not 0",
    ]


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("MICRO_BENCH_ALLOW_UNSANDBOXED", "true", "allow_unsandboxed", True),
        ("MICRO_BENCH_ENGINE_SOCKET", "unix:///a: b", "engine_socket", "unix:///a: b"),
        ("MICRO_BENCH_ENGINE_SOCKET", "", "engine_socket", None),
        ("MICRO_BENCH_CACHE_DIR", "~/c", "cache_dir", Path("/home/lead/c")),
        ("MICRO_BENCH_BASE_IMAGES", "{3.12: mine:1}", "base_images", {"3.12": "mine:1"}),
        ("MICRO_BENCH_GITHUB_TOKEN_ENV", "1", "github_token_env", None),
    ],
)
def test_variables_are_read_by_the_type_of_the_setting(
    tmp_path: Path, name: str, text: str, key: str, value: object
) -> None:
    env = ENV | {name: text}
    if key == "github_token_env":
        with pytest.raises(BadInputError):
            resolve({}, env, tmp_path)
        return
    assert getattr(resolve({}, env, tmp_path).settings, key) == value


def test_a_file_of_comments_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "micro-bench.yaml").write_text("# k: 3\n\n  # jobs: 1\n")
    assert resolve({}, ENV, tmp_path).settings.k == Settings().k


def test_a_relative_cache_belongs_to_the_workspace(space: Path) -> None:
    (space / "micro-bench.yaml").write_text("cache_dir: .cache\n")
    assert resolve({}, ENV, space).settings.cache_dir == space / ".cache"


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    env = ENV | {"MICRO_BENCH_GITHUB_API": "https://me:secret@example.org/api"}
    shown = {key: value for key, value, _ in resolve({}, env, tmp_path).rows()}
    assert shown["github_api"] == "https://***@example.org/api"


def test_the_commented_file_says_the_defaults() -> None:
    text = starter.settings_text()
    uncommented = re.sub(r"(?m)^#(?=(?:  )*\w+:)", "", text)
    assert codec.decode(uncommented, Settings, "micro-bench.yaml") == Settings()
    assert codec.decode(text, Settings, "micro-bench.yaml") == Settings()
    named = set(re.findall(r"(?m)^#? *(\w+):", text)) | {"workspace"}
    assert {key.rpartition(".")[2] for key in fields()} <= named


def test_variables_are_distinct() -> None:
    assert len({variable(key) for key in fields()}) == len(fields())
