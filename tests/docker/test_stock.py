"""What images take, which may go, and who waits for whom."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from micro_bench.cli._app import run
from micro_bench.edge import clock, stock
from micro_bench.edge.containers import ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.holds import Holds
from micro_bench.model.attempt import AgentRef
from micro_bench.model.image import Image
from micro_bench.model.run import RunLock, TaskLock
from micro_bench.pipeline.images import keeping, shell
from micro_bench.pipeline.prepare import prepare
from micro_bench.store import RunStore
from tests.fakes.shop import BASE, MONEY, Shop

OWN = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _a_machine_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds and workspaces of these tests alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def one(tmp_path: Path, engine: Engine) -> Iterator[Shop]:
    """An image that nobody else has: its code is of this test."""
    text = MONEY + f"\n\nWHERE = {str(tmp_path)!r}\n".encode()
    made = Shop(tmp_path / "one", "docker", base={**BASE, "tinyshop/money.py": text})
    tag = made.prepared.image.tag
    yield made
    engine.remove_image(tag)


def pruned(shop: Shop, image: Image, **options: bool) -> keeping.Pruned:
    """Prune as a process that works with no image; nothing but this one is asked for."""
    return keeping.prune(shop.line, [image.tag], **options)


def forgotten(tmp_path: Path) -> None:
    """This process ends, as far as others can tell."""
    for file in (tmp_path / "state").glob("micro-bench/holds/*.txt"):
        file.unlink()


def why(found: keeping.Pruned, image: Image) -> object:
    return {row["image"]: row["why"] for row in found.kept}.get(image.tag)


@pytest.mark.alone  # the bytes of all images: other tests make some
def test_an_image_goes_when_nothing_needs_it_and_its_bytes_are_told(
    one: Shop, tmp_path: Path, engine: Engine
):
    image = one.prepared.image
    assert why(pruned(one, image), image) == "a process works with it"
    forgotten(tmp_path)
    assert why(pruned(one, image), image) == "task tinyshop-1"
    one.line.workspace.image("tinyshop-1").unlink()
    before = keeping.disk_usage(one.line).total
    would = pruned(one, image, dry_run=True)
    assert engine.image_id(image.tag) == image.digest
    assert [row["image"] for row in would.removed] == [image.tag]
    did = pruned(one, image)
    assert engine.image_id(image.tag) is None
    assert did.freed_bytes == would.freed_bytes > 0
    assert before - keeping.disk_usage(one.line).total == did.freed_bytes


def test_what_a_container_is_made_of_stays(one: Shop, tmp_path: Path, engine: Engine):
    image = one.prepared.image
    one.line.workspace.image("tinyshop-1").unlink()
    container = engine.create(ContainerSpec(image.tag, 1, 512, 64))
    forgotten(tmp_path)
    try:
        assert why(pruned(one, image), image) == "a container was made of it"
        assert engine.image_id(image.tag)
    finally:
        container.remove()
    assert pruned(one, image).removed


def test_what_another_workspace_needs_goes_only_when_asked_for(
    one: Shop, tmp_path: Path, engine: Engine
):
    other = Shop(tmp_path / "other", "docker")
    image = one.prepared.image
    forgotten(tmp_path)
    assert str(why(pruned(other, image), image)).startswith("task tinyshop-1 of ")
    assert [row["image"] for row in pruned(other, image, others=True).removed] == [image.tag]


def test_an_unfinished_run_of_another_workspace_keeps_its_images(
    one: Shop, tmp_path: Path, engine: Engine
):
    other = Shop(tmp_path / "other", "docker")
    image = one.prepared.image
    begin_run(one, image)
    forgotten(tmp_path)
    found = pruned(other, image, others=True)
    assert "is unfinished" in str(why(found, image))
    assert engine.image_id(image.tag)


def test_a_damaged_run_of_another_workspace_keeps_its_images_and_stops_nobody(
    one: Shop, tmp_path: Path, engine: Engine
):
    other = Shop(tmp_path / "other", "docker")
    image = one.prepared.image
    begin_run(one, image)
    place = one.line.workspace.run("r1")
    attempt = place / "attempts" / "tinyshop-1" / "noop" / "1" / "attempt.json"
    attempt.parent.mkdir(parents=True)
    attempt.write_text('{"of": "another version"}')
    forgotten(tmp_path)
    found = pruned(other, image, others=True)
    assert "cannot be read whole" in str(why(found, image))
    (place / "lock.json").write_text('{"of": "another version"}')
    assert [row["image"] for row in pruned(other, image, others=True).removed] == [image.tag]


def begin_run(shop: Shop, image: Image) -> None:
    """What a run leaves that was ended before its first attempt."""
    task = TaskLock(
        id="tinyshop-1", title="t", tier=1, effort="S", task_digest="a" * 64, image_key=image.key,
        image_digest=image.digest, base_digest=image.base_digest, python="3.11.2",
        limits=shop.task.limits, verified_at=clock.now(),
    )  # fmt: skip
    agent = AgentRef(name="noop", kind="noop", version="1")
    RunStore.create(
        shop.line.workspace,
        RunLock(
            run="r1", created=clock.now(), plan="b" * 64, harness="h", k=1, agents=(agent,),
            tasks=(task,), isolation="docker", host={}, jobs=1,
        ),
    )  # fmt: skip


def test_two_processes_build_an_environment_once(tmp_path: Path, engine: Engine):
    """One builds, the other says that it waits; both have the same image."""
    pin = b'"pytest==8.3.5", "iniconfig==2.0.0", "pluggy==1.5.0"'
    text = BASE["pyproject.toml"].replace(b'"pytest==8.3.5"', pin)
    project = text + f"# {tmp_path}\n".encode()
    program = textwrap.dedent("""
        import sys; from pathlib import Path; from tests.fakes.shop import BASE, Shop
        base = {**BASE, "pyproject.toml": Path(sys.argv[2]).read_bytes()}
        shop = Shop(Path(sys.argv[1]), "docker", base=base)
        lock = Path(sys.argv[3])
        if lock.exists():
            shop.line.specs.save_lock(shop.task, lock.read_text())
        image = shop.prepared.image
        print(image.digest, *shop.told, sep="\\n")
    """)
    (tmp_path / "project").write_bytes(project)
    first = Shop(tmp_path / "first", "docker", base={**BASE, "pyproject.toml": project})
    image = first.prepared.image
    environment = engine.labels(engine.labels(image.tag)["micro-bench.below"])["micro-bench.below"]
    lock = first.line.workspace.lock(first.task.repo.name, first.task.id)
    for tag in (image.tag, engine.labels(image.tag)["micro-bench.below"], environment):
        engine.remove_image(tag)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / name, tmp_path / "project", lock],
            cwd=OWN, env={**os.environ, "PYTHONPATH": str(OWN)}, stdout=subprocess.PIPE, text=True,
        )
        for name in ("a", "b")
    ]  # fmt: skip
    told = [process.communicate(timeout=100)[0].splitlines() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert {lines[0] for lines in told} == {image.digest}
    built = [line.startswith("building environment of") for lines in told for line in lines]
    waited = [
        line.startswith("another process is building env") for lines in told for line in lines
    ]
    assert sum(built) == 1, told
    assert sum(waited) == 1, told


def test_usage_tells_shared_bytes_from_own(one: Shop):
    image = one.prepared.image
    found = keeping.disk_usage(one.line)
    (room,) = [r for r in found.environments if any(p.image == image.tag for p in r.slices)]
    (piece,) = [p for p in room.slices if p.image == image.tag]
    assert piece.tasks == ("tinyshop-1",)
    assert 0 < piece.own < 100_000 < room.own < room.shared
    assert room.tools > room.own
    assert found.total < found.alone + found.other + found.below


LIMITS = (
    b"cat /proc/net/route | wc -l;"
    b"cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"
)


@pytest.mark.parametrize(
    ("at", "script", "said"),
    [
        (None, "id -u; pwd; ls tinyshop/money.py; python -c 'import pytest'; exit 3", "1000"),
        ("environment", "ls -r /opt; test -e /opt/tools && exit 9; exit 3", "venv"),
        ("tools", "test -e /opt/tools/bin/ruff && ls -A /work && exit 3", ""),
        ("system", "test -e /opt/venv && exit 9; python3 -c 'print(6*7)'; exit 3", "42"),
        ("base", "test -e /bench && exit 9; python3 -c 'print(6*7)'; exit 3", "42"),
    ],
)
def test_a_script_is_run_in_each_layer(shop: Shop, at: str | None, script: str, said: str):
    output, errors = io.BytesIO(), io.BytesIO()
    opened = shell.door(shop.line, "tinyshop-1", at)
    code = shell.piped(shop.line, opened, script.encode(), output, errors)
    assert (code, errors.getvalue()) == (3, b"")
    assert output.getvalue().decode().splitlines()[:1] == ([said] if said else [])
    network = io.BytesIO()
    shell.piped(shop.line, opened, LIMITS, network, errors)
    assert network.getvalue().split()[0] in (b"0", b"1")
    assert str(512 * 2**20).encode() in network.getvalue()


def test_a_shell_opens_where_the_build_stopped(tmp_path: Path, engine: Engine):
    shop = Shop(tmp_path / "broken", "docker", options={"id": "tinyshop-77"})
    recipe = shop.line.workspace.recipe(shop.task.repo.name)
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text("apt: [no-such-package-anywhere]\n")
    try:
        opened = shell.door(shop.line, "tinyshop-77", None)
        assert opened.at == "failed"
        assert "no-such-package-anywhere" in opened.why
        output = io.BytesIO()
        assert shell.piped(shop.line, opened, b"cat /tmp/install/step.sh", output, output) == 0
        assert b"no-such-package-anywhere" in output.getvalue()
        recipe.unlink()
        prepare(shop.line, shop.task)
        assert engine.image_id("micro-bench/failed:tinyshop-77") is None
    finally:
        engine.remove_image("micro-bench/failed:tinyshop-77")


def test_the_commands_answer_in_json_and_a_shell_with_its_exit_code(
    one: Shop, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    image = one.prepared.image
    where = ["-w", str(one.workspace)]
    script = tmp_path / "script"
    script.write_text("echo hello; exit 5\n")
    with script.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert run(["image", "shell", "tinyshop-1", "--json", *where]) == 5
    said = json.loads(capfd.readouterr().out)
    assert (said["output"], said["exit_code"], said["at"]) == ("hello\n", 5, "slice")
    assert run(["image", "du", "--json", *where]) == 0
    assert any(
        image.tag in str(room) for room in json.loads(capfd.readouterr().out)["environments"]
    )
    assert run(["image", "prune", image.tag, "--dry-run", "--json", *where]) == 0
    assert json.loads(capfd.readouterr().out)["dry_run"] is True
    assert run(["image", "shell", "tinyshop-1", "--at", "roof", *where]) == 10
    assert "is none of slice, tools" in capfd.readouterr().err


def test_a_terminal_is_passed_through(shop: Shop):
    """Typed into a real terminal of its own: the shell has a terminal, and the agent's user."""
    assert shop.prepared.image.tag
    master, slave = pty.openpty()
    program = "from micro_bench.__main__ import main; main()"
    words = ["image", "shell", "tinyshop-1", "-w", str(shop.workspace)]
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=OWN, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(slave)
        os.write(master, b"tty; echo user $(id -u); exit 4\n")
        said = b"".join(spoken(master))
    os.close(master)
    assert process.returncode == 4, said
    assert b"/dev/pts/" in said
    assert b"user 1000" in said


def spoken(terminal: int) -> Iterator[bytes]:
    """What is said on a terminal until nobody has it any more."""
    with suppress(OSError):
        while chunk := os.read(terminal, 4096):
            yield chunk


def test_a_hold_is_seen_by_others_until_its_process_ends(tmp_path: Path):
    mine = Holds(tmp_path)
    mine.hold("micro-bench/slice:x")
    with Holds(tmp_path).closed() as held:
        assert "micro-bench/slice:x" in held
    program = (
        "from micro_bench.edge.holds import Holds; from pathlib import Path; import sys;"
        "Holds(Path(sys.argv[1])).hold('micro-bench/slice:y')"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], cwd=OWN, check=True)
    with Holds(tmp_path).closed() as held:
        assert "micro-bench/slice:y" not in held
    assert len(list((tmp_path / "holds").glob("*.txt"))) == 1


def test_the_engine_s_images_are_counted_layer_by_layer(engine: Engine, one: Shop):
    image = one.prepared.image
    (kept,) = [each for each in stock.images(engine) if image.tag in each.tags]
    assert kept.size == engine.client.inspect_image(image.tag)["Size"]
    assert stock.bytes_of([kept, kept]) == kept.size
