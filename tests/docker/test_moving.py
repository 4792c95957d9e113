"""Tasks with their images to another machine: an archive, and a registry."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro_bench.cli._app import run
from micro_bench.edge.engine import Engine
from micro_bench.errors import BadInputError, BuildError, RegistryError
from micro_bench.images.crate import Contents
from micro_bench.pipeline.images import moving
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.verify.verification import verify_task
from micro_bench.settings import Settings, resolve
from tests.fakes.shop import BASE, Shop


def line_of(folder: Path) -> Line:
    """Another machine's: another workspace and another cache, the same engine."""
    space = folder / "workspace"
    space.mkdir(parents=True, exist_ok=True)
    found = resolve({"workspace": space}, {}, space).settings
    values = {**dict(found), "backend": "docker", "use_registry": False, "cache_dir": folder / "c",
              "repetitions": 1, "load_check": False}  # fmt: skip
    return Line(Settings.model_validate(values), lambda _words: None)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """With code of its own, and so an image that no other worker has: it is removed here."""
    base = {**BASE, "tinyshop/moving.py": b"MOVED = True\n"}
    made = Shop(tmp_path_factory.mktemp("moving-shop"), "docker", base=base)
    assert made.verification.verified, made.verification.reasons
    return made


@pytest.fixture(scope="module")
def archive(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> moving.Saved:
    return moving.save(shop.line, tmp_path_factory.mktemp("saved") / "shop.tar", ())


def test_another_machine_runs_the_tasks_from_the_archive(
    shop: Shop, archive: moving.Saved, tmp_path: Path, engine: Engine
):
    """Its images are gone here, and so are clone and workspace."""
    image = shop.prepared.image
    labels = engine.labels(image.tag)
    engine.remove_image(image.tag)
    engine.remove_image(labels["micro-bench.below"])
    line = line_of(tmp_path / "other")
    taken = moving.load(line, archive.file, f"sha256:{archive.sha256}")
    assert taken.tasks == ("tinyshop-1",)
    assert engine.image_id(image.tag) == image.digest
    told: list[str] = []
    line.tell = told.append
    prepared, found = verify_task(line, line.specs.task("tinyshop-1"), repetitions=1, again=True)
    assert found.verified, found.reasons
    assert prepared.image == image
    assert not [words for words in told if "building" in words or "resolving" in words]
    clone = line.specs.clones()["corner/tinyshop"]
    assert clone.is_relative_to(tmp_path)
    assert not clone.is_relative_to(shop.clone)


def test_an_archive_has_each_image_once_and_leaves_nothing_beside_it(
    shop: Shop, archive: moving.Saved, tmp_path: Path
):
    again = moving.save(shop.line, tmp_path / "again.tar", ())
    assert [p.name for p in tmp_path.iterdir()] == ["again.tar"]
    assert again.images == archive.images == 5


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("workspace/tickets/corner__tinyshop/tinyshop-1.yaml", "is not what its list says"),
        ("images.tar", "is not what its list says"),
        ("manifest.json", "is refused"),
        ("more", "its members are not those of its list"),
    ],
)
def test_an_archive_that_was_changed_is_refused(
    archive: moving.Saved, tmp_path: Path, name: str, why: str
):
    changed = tmp_path / "changed.tar"
    with tarfile.open(archive.file) as old, tarfile.open(changed, "w") as new:
        for member in old:
            content = old.extractfile(member).read()
            if member.name == name:
                content = content.replace(b"cent", b"euro") if b"cent" in content else content[:-1]
                content = content.replace(b'"tasks"', b'"tusks"')
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
        if name == "more":
            new.addfile(tarfile.TarInfo("more"))
    line = line_of(tmp_path / "other")
    with pytest.raises(BadInputError, match=why):
        moving.load(line, changed, None)
    assert not list(line.workspace.root.iterdir())


def test_an_archive_that_was_made_up_is_known_by_its_digest(archive: moving.Saved, tmp_path: Path):
    line = line_of(tmp_path / "other")
    with pytest.raises(BadInputError, match="has the SHA-256"):
        moving.load(line, archive.file, "0" * 64)
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(BadInputError, match="no archive of `image save`"):
        moving.load(line, tmp_path / "text", None)
    assert not list(line.workspace.root.iterdir())


def test_what_a_person_edited_is_not_overwritten(archive: moving.Saved, tmp_path: Path):
    line = line_of(tmp_path / "other")
    moving.load(line, archive.file, None)
    moving.load(line, archive.file, None)
    spec = line.workspace.spec("corner/tinyshop", "tinyshop-1")
    spec.write_text(spec.read_text() + "# mine\n")
    with pytest.raises(BadInputError, match="is there already, and is another"):
        moving.load(line, archive.file, None)
    assert spec.read_text().endswith("# mine\n")


def test_another_base_image_of_that_machine_keeps_its_name(
    shop: Shop, tmp_path: Path, engine: Engine
):
    theirs, ours = shop.prepared.image.digest, shop.prepared.image.base_digest
    told = Contents(tasks=(), repositories=(), bases={"3.4": ours}, images=(), files={})
    engine.tag(theirs, "micro-bench/base:py3.4")
    try:
        assert moving._pin_bases(line_of(tmp_path), told) == ""
        assert engine.image_id("micro-bench/base:py3.4") == theirs
        pinned = line_of(tmp_path).settings.base_images
        assert (pinned["3.4"], pinned["3.11"]) == (ours, "debian:bookworm")
        named = rf"has Python {re.escape(shop.prepared.image.python)}"
        with pytest.raises(BuildError, match=named):  # the very image that was named
            line_of(tmp_path).builder.base("3.4")
        settings = tmp_path / "workspace" / "micro-bench.yaml"
        settings.write_text("base_images: {}\n")
        assert f'"3.4": {ours}' in moving._pin_bases(line_of(tmp_path), told)
        assert settings.read_text() == "base_images: {}\n"
    finally:
        engine.remove_image("micro-bench/base:py3.4")


def test_the_commands_say_what_comes_next(
    shop: Shop, archive: moving.Saved, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    space = tmp_path / "space"
    space.mkdir()
    assert run(["image", "load", str(archive.file), "--json", "-w", str(space)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["tasks"] == ["tinyshop-1"]
    assert run(["image", "load", str(tmp_path / "none.tar"), "-w", str(space)]) == 15
    file = str(tmp_path / "nowhere" / "x.tar")
    assert run(["image", "save", file, "-w", str(shop.workspace)]) == 0
    assert "image load x.tar --digest " in capsys.readouterr().err


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry of Debian's, with a password."""
    program = shutil.which("docker-registry")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: docker-registry")
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config.yml").write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder}/data\n"
        f"http:\n  addr: 127.0.0.1:{port}\nlog:\n  level: error\n"
    )
    with subprocess.Popen([program, "serve", folder / "config.yml"]) as process:
        for _number in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}/team"
        process.terminate()


def test_a_registry_gets_the_images_and_gives_them_back(shop: Shop, registry: str, engine: Engine):
    image = shop.prepared.image
    found = moving.push(shop.line, ["tinyshop-1"], registry)
    (row,) = found.images
    assert row["image"] == f"{registry}/{image.tag}"
    assert engine.image_id(row["image"]) is None, "the name is for the registry only"
    reference = f"{row['image'].rpartition(':')[0]}@{row['digest']}"
    engine.remove_image(image.tag)
    assert engine.pull(reference) == image.digest
    engine.tag(image.digest, image.tag)
    engine.client.remove_image(reference)
    assert engine.image_id(image.tag) == image.digest


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://127.0.0.1:1/x", "without a scheme"),
        ("user:secret@127.0.0.1:1", "without a password"),
        ("", "no registry to push to"),
    ],
)
def test_an_address_that_is_none_is_refused_and_no_password_is_repeated(
    shop: Shop, place: str, why: str
):
    with pytest.raises(BadInputError, match=why) as error:
        moving.push(shop.line, ["tinyshop-1"], place)
    assert "secret" not in error.value.describe()


def test_a_registry_that_is_not_there_is_said_to_be(
    shop: Shop, engine: Engine, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(RegistryError, match="was not pushed") as error:
        moving.push(shop.line, ["tinyshop-1"], "127.0.0.1:9/team")
    assert "docker login 127.0.0.1:9" in error.value.next_step
    assert engine.image_id(f"127.0.0.1:9/team/{shop.prepared.image.tag}") is None
    words = ["image", "push", "--to", "127.0.0.1:9", "-w", str(shop.workspace), "--json"]
    assert run(words) == 18
    assert json.loads(capsys.readouterr().out)["error"]["title"] == "registry"
