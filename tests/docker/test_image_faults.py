"""Full disks, interrupts: a clear error, and nothing half-made."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from micro_bench.edge.archive import Entry, pack
from micro_bench.edge.engine import Engine
from micro_bench.edge.layers import Described, Layer
from micro_bench.errors import EngineError, StorageError
from micro_bench.pipeline.images import moving
from tests.fakes.shop import BASE, Shop

OWN = Path(__file__).parents[2]


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk of memory."""
    place.mkdir(parents=True)
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=False
        ).returncode
    ):
        pytest.skip("may not mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def small_engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine of its own, whose disk is small."""
    if shutil.which("dockerd") is None:
        pytest.skip("no dockerd of this machine's own")
    with small_disk(tmp_path / "disk", "24m") as disk, TemporaryDirectory(prefix="mb-") as name:
        short = Path(name)  # the path of a socket has at most a hundred letters
        # In a network of its own: without a bridge it takes away that of this machine's engine.
        argv = ["unshare", "--net", "dockerd", "--data-root", disk / "data",
                "--exec-root", short / "exec", "--pidfile", short / "pid",
                "-H", f"unix://{short}/sock", "--bridge=none", "--iptables=false"]  # fmt: skip
        log = (tmp_path / "log").open("wb")
        with log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
            engine = Engine(f"unix://{short}/sock")
            try:
                for _number in range(150):
                    if engine.answers():
                        break
                    time.sleep(0.1)
                else:
                    pytest.skip("a second dockerd does not start here")
                yield engine
            finally:
                process.terminate()
                process.wait(timeout=30)


def test_an_engine_whose_disk_is_full_says_so_and_has_no_image(small_engine: Engine):
    layer = Layer.of(pack([Entry("big", os.urandom(40_000_000))]))
    with pytest.raises(EngineError, match="no space left on device") as error:
        small_engine.add_layer(None, layer, Described("too much"), "mb-test/big:1")
    assert "image prune --dry-run" in error.value.next_step
    assert small_engine.client.images(all=True) == []
    small = Layer.of(pack([Entry("small", b"fits")]))
    assert small_engine.add_layer(None, small, Described("little"), "mb-test/small:1")


def test_an_archive_that_does_not_fit_is_not_there_at_all(shop: Shop, tmp_path: Path):
    with small_disk(tmp_path / "disk", "8m") as disk:
        with pytest.raises(StorageError, match="No space left on device"):
            moving.save(shop.line, disk / "shop.tar", ())
        assert list(disk.iterdir()) == []


def test_an_interrupted_build_leaves_no_image_and_no_container(tmp_path: Path, engine: Engine):
    """Ctrl-C while system packages are installed: it ends at once, and leaves nothing."""
    shop = Shop(tmp_path / "slow", "docker", base={**BASE, "README.md": b"# Slow\n"})
    recipe = shop.line.workspace.recipe(shop.task.repo.name)
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text("apt: [default-jdk, texlive-full]\n")
    before = {tag for image in engine.client.images() for tag in image["RepoTags"] or ()}
    program = "import sys; from micro_bench.__main__ import main; sys.exit(main())"
    environment = {**os.environ, "MICRO_BENCH_USE_REGISTRY": "false"}
    with subprocess.Popen(
        [sys.executable, "-c", program, "image", "-w", str(shop.workspace)],
        cwd=OWN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            if "building system packages" in line:
                break
        mine = owned(engine, process.pid)
        for _number in range(100):
            if mine := owned(engine, process.pid):
                break
            time.sleep(0.05)
        assert mine
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        said, _none = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert owned(engine, process.pid) == []
    after = {tag for image in engine.client.images() for tag in image["RepoTags"] or ()}
    assert not [tag for tag in after - before if "failed:tinyshop-1" in tag]
    assert not shop.line.workspace.image("tinyshop-1").exists()
    assert not list(shop.workspace.rglob("*.part"))
    assert not list(shop.workspace.rglob("*.sbom.json"))


def owned(engine: Engine, pid: int) -> list[str]:
    found = engine.client.containers(all=True, filters={"label": "micro-bench.owner"})
    return [c["Id"] for c in found if c["Labels"]["micro-bench.owner"].startswith(f"{pid}.")]
