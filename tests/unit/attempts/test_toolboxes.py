"""Agents that are installed once: whole or not there, and what was saved is what is loaded."""

from __future__ import annotations

import platform
import subprocess
import tarfile
from pathlib import Path

import pytest

from micro_bench.attempts.agents._agent import Npm, PyPI
from micro_bench.attempts.toolboxes.shelf import Kept, Shelf, digest
from micro_bench.errors import BadInputError, BuildError, NotFoundError

SMALL = PyPI("pyflakes", "pyflakes.api:main", ">=3.8")
SCRIPT = Npm("semver", "semver")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def python(shelf: Shelf) -> Kept:
    return shelf.install("small", SMALL, "3.2.0")


def run(kept: Kept, *argv: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [*kept.ref.command(str(kept.folder)), *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **more)  # type: ignore[call-overload,no-any-return]


@pytest.mark.network
def test_a_python_program_runs_on_a_python_of_its_own(python: Kept, tmp_path: Path):
    (tmp_path / "a.py").write_text("import os\n")
    ended = run(python, str(tmp_path / "a.py"), env={"PATH": "", "PYTHONPATH": str(tmp_path)})
    assert "imported but unused" in ended.stdout, ended.stderr
    assert python.ref.version == "3.2.0"
    assert python.ref.interpreter.startswith(f"Python {platform.python_version()}")


@pytest.mark.network
def test_it_writes_nothing_where_it_lies(python: Kept, tmp_path: Path):
    before = digest(python.folder)
    run(python, str(tmp_path))
    assert digest(python.folder) == before == python.ref.digest


@pytest.mark.network
def test_a_script_of_npm_runs_on_a_node_of_its_own(shelf: Shelf):
    kept = shelf.install("script", SCRIPT, "7.6.3")
    ended = run(kept, "1.2.3", "-i", "minor", env={"PATH": ""})
    assert ended.stdout == "1.3.0\n", ended.stderr
    assert kept.ref.interpreter.startswith("Node 24.")
    assert shelf.find("script") == kept
    assert shelf.find("script", "1.0.0") is None


@pytest.mark.network
def test_a_project_around_the_cache_is_left_alone(tmp_path: Path):
    manifest = tmp_path / "package.json"
    manifest.write_text('{"name": "mine"}\n')
    kept = Shelf(tmp_path / "cache").install("script", SCRIPT, "7.6.3")
    assert run(kept, "1.2.3").stdout == "1.2.3\n"
    assert manifest.read_text() == '{"name": "mine"}\n'
    assert not (tmp_path / "node_modules").exists()


@pytest.mark.network
@pytest.mark.parametrize(
    ("toolbox", "version", "words"),
    [
        (PyPI("pyflakes", "pyflakes.api:main"), "0.0.0.1", "could not be installed"),
        (Npm("semver", "semver"), "0.0.0-none", "could not install semver@0.0.0-none"),
        (Npm("semver", "nosuch"), "7.6.3", "has no program 'nosuch'"),
    ],
)
def test_what_cannot_be_installed_leaves_nothing(
    tmp_path: Path, toolbox: Npm | PyPI, version: str, words: str
):
    shelf = Shelf(tmp_path)
    with pytest.raises(BuildError, match=words):
        shelf.install("x", toolbox, version)
    assert shelf.kept() == ()
    assert not [path for path in (tmp_path / "toolboxes").iterdir() if path.is_dir()]


def test_a_python_that_is_too_old_is_told(tmp_path: Path):
    with pytest.raises(BuildError, match="runs on Python >=4"):
        Shelf(tmp_path).install("x", PyPI("openhands", "openhands:main", ">=4"), "")


@pytest.mark.network
def test_what_was_saved_is_checked_when_it_is_loaded(shelf: Shelf, python: Kept, tmp_path: Path):
    saved, other = tmp_path / "a.tar", Shelf(tmp_path / "other")
    shelf.save(python, saved)
    assert other.load(saved).ref == python.ref
    folder = tmp_path / "open"
    with tarfile.open(saved) as archive:
        archive.extractall(folder, filter="tar")
    (folder / "files" / "start.py").write_text("print('another program')\n")
    with tarfile.open(saved, "w") as archive:
        archive.add(folder, ".")
    third = Shelf(tmp_path / "third")
    with pytest.raises(BadInputError, match="not what was saved"):
        third.load(saved)
    assert third.kept() == ()


@pytest.mark.parametrize("content", [b"", b"no archive at all"])
def test_what_is_no_toolbox_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(BadInputError, match="is no toolbox"):
        Shelf(tmp_path).load(tmp_path / "x.tar")
    with pytest.raises(NotFoundError, match="there is no file"):
        Shelf(tmp_path).load(tmp_path / "y.tar")


def test_an_archive_that_leads_out_is_refused(tmp_path: Path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        evil = tarfile.TarInfo("../../outside")
        archive.addfile(evil)
    with pytest.raises(BadInputError, match="is no toolbox"):
        Shelf(tmp_path / "cache").load(tmp_path / "x.tar")
    assert not (tmp_path / "outside").exists()
