"""What is installed is what is tested: the wheel has every file it needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, ROOT, files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_every_module_and_recipe_is_in_the_wheel(wheel: Path) -> None:
    for path in files():
        assert (wheel / path.relative_to(ROOT)).is_file(), path
    for path in (ROOT / "docker").iterdir():
        assert (wheel / "micro_bench" / "_docker" / path.name).is_file(), path
    for path in (ROOT / "docs" / "agents").iterdir():
        assert (wheel / "micro_bench" / "_agents" / path.name).is_file(), path
    data = [p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert [p for p in data if not (wheel / p.relative_to(ROOT)).is_file()] == []


def test_nothing_but_the_package_is_in_the_wheel(wheel: Path) -> None:
    assert {p.name.partition("-")[0] for p in wheel.iterdir()} == {"micro_bench"}


def test_the_wheel_works_from_elsewhere(wheel: Path, tmp_path: Path) -> None:
    code = "from micro_bench.edge.recipes import recipe_path; print(recipe_path('engine.sh'))"
    for argv in (["-c", code], ["-m", "micro_bench", "--help"], ["-m", "micro_bench", "settings"]):
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=tmp_path,
            env={"PYTHONPATH": str(wheel), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout
        if argv[1] == code:
            assert Path(done.stdout.strip()) == wheel / "micro_bench" / "_docker" / "engine.sh"
