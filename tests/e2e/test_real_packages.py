"""Two real fixes, from the package index through the whole line.

The releases before and after a fix become a repository of two commits; the ticket is written from
the changelog. Nothing here is made for micro-bench: layouts, tests and build back ends are theirs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.docker, pytest.mark.network]


@dataclass(frozen=True)
class Pair:
    """A project's releases around one fix."""

    name: str
    repo: str
    before: str
    after: str
    sha256: tuple[str, str]
    dates: tuple[str, str]
    number: int
    title: str
    body: str
    fails_to_pass: tuple[str, ...]


PAIRS = (
    Pair(
        name="cachetools",
        repo="tkem/cachetools",
        before="7.0.3",
        after="7.0.4",
        sha256=(
            "8c246313b95849964e54a909c03b327a87ab0428b068fac10da7b105ca275ef6",
            "7042c0e4eea87812f04744ce6ee9ed3de457875eb1f82d8a206c46d6e48b6734",
        ),
        dates=("2026-03-05T20:00:00+00:00", "2026-03-08T20:00:00+00:00"),
        number=218,
        title="cache_key of cached methods should take the instance",
        body="`@cachedmethod` exposes the key function as `cache_key`. Make its behaviour"
        " well-defined and documented.",
        fails_to_pass=("tests/test_cachedmethod.py",),
    ),
    Pair(
        name="typeguard",
        repo="agronholm/typeguard",
        before="4.5.0",
        after="4.5.1",
        sha256=(
            "749bea21cdb2553e12831bc29f1eae980b22c7de8331ab67ae7db9e85470b5a7",
            "f6f8ecbbc819c9bc749983cc67c02391e16a9b43b8b27f15dc70ed7c4a007274",
        ),
        dates=("2026-02-15T20:00:00+00:00", "2026-02-19T20:00:00+00:00"),
        number=546,
        title="Iterable unpacking cuts off the wrong items",
        body="When the remaining values of an iterable go to a star variable, the offset at which"
        " the list of items is cut is calculated wrongly.",
        fails_to_pass=("tests/test_instrumentation.py",),
    ),
)


def _download(pair: Pair, version: str, sha256: str, folder: Path) -> Path:
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*argv, "--dest", folder, f"{pair.name}=={version}"], check=True)
    archive = folder / f"{pair.name}-{version}.tar.gz"
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == sha256
    with tarfile.open(archive) as tar:
        tar.extractall(folder)  # noqa: S202 - pinned by its hash
    return folder / f"{pair.name}-{version}"


def _git(repo: Path, *argv: str, date: str) -> str:
    identity = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@x", "GIT_AUTHOR_DATE": date}
    committer = {k.replace("AUTHOR", "COMMITTER"): v for k, v in identity.items()}
    env = {**os.environ, **identity, **committer, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", "-C", repo, *argv], env=env, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _repository(pair: Pair, folder: Path) -> Path:
    repo = folder / "repo"
    repo.mkdir()
    _git(repo, "init", "--quiet", "--initial-branch=main", date=pair.dates[0])
    versions = zip((pair.before, pair.after), pair.sha256, pair.dates, strict=True)
    for version, sha256, date in versions:
        source = _download(pair, version, sha256, folder)
        shutil.copytree(source, repo, dirs_exist_ok=True, copy_function=shutil.copyfile)
        _git(repo, "add", "--all", "--force", date=date)
        message = f"Release {version}" + (f"\n\nFixes #{pair.number}" * (version == pair.after))
        _git(repo, "commit", "--quiet", "--message", message, date=date)
    return repo


def _export(pair: Pair, folder: Path) -> Path:
    url = f"https://github.com/{pair.repo}/issues/{pair.number}"
    issue = {
        "number": pair.number, "title": pair.title, "body": pair.body, "state": "closed",
        "url": url.replace("github.com", "api.github.com/repos"), "html_url": url, "labels": [],
        "user": {"login": "someone"}, "created_at": pair.dates[0], "updated_at": pair.dates[1],
        "closed_at": pair.dates[1], "comments": 0,
    }  # fmt: skip
    path = folder / "issues.json"
    path.write_text(json.dumps([issue]), encoding="utf-8")
    return path


def _bench(workspace: Path, *argv: object, code: int = 0) -> str:
    command = [sys.executable, "-m", "micro_bench", "-w", workspace, *argv]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MICRO_BENCH_")}
    env["MICRO_BENCH_LOAD_CHECK"] = "false"
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_from_the_ticket_to_the_report(pair: Pair, tmp_path: Path) -> None:
    repo, export = _repository(pair, tmp_path), _export(pair, tmp_path)
    workspace, task = tmp_path / "ws", f"{pair.name}-{pair.number}"
    _bench(workspace, "init", workspace)
    imported = json.loads(
        _bench(workspace, "import", export, "--clone", repo, "--repo", pair.repo, "--json")
    )
    assert imported["written"] == [task]

    verified = json.loads(_bench(workspace, "verify", "-n", "1", "--json"))["tasks"][0][
        "verification"
    ]
    files = {test["id"].partition("::")[0] for test in verified["fail_to_pass"]}
    assert files == set(pair.fails_to_pass)
    assert len(verified["pass_to_pass"]) > 100
    # on a slow machine they are traced, too
    assert {e["kind"] for e in verified["executions"]} - {"traced"} == {
        "base_own", "base_hidden", "gold_hidden", "twins",
    }  # fmt: skip

    _bench(workspace, "run", "-a", "oracle", "-a", "noop", "-k", "2", "-n", "1")
    report = json.loads(_bench(workspace, "report", "--json"))
    rates = {
        cell["agent"]: cell["all_gates"]["passes"]
        for cell in report["cells"] if cell["tier"] is None
    }  # fmt: skip
    assert rates == {"oracle": 2, "noop": 0}
    assert "graded again" in _bench(workspace, "score")
