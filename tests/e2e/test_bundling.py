"""A run in one file, graded again in another workspace: the same, or what came out otherwise."""

from __future__ import annotations

import io
import json
import socket
import tarfile
from pathlib import Path

import pytest

from micro_bench.cli._app import run as command
from micro_bench.errors import BadInputError, NotReproducedError
from micro_bench.images import crate
from micro_bench.images.crate import Contents
from micro_bench.pipeline.bundling import bundle, reproduce
from micro_bench.pipeline.commands import RunOptions, run_command
from tests.fakes.shop import Shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = Shop(tmp_path_factory.mktemp("bundled-shop"), "local")
    assert made.verification.verified, made.verification.reasons
    run_command(made.line, RunOptions(("oracle", "noop"), name="first"))
    return made


@pytest.fixture(scope="module")
def packed(shop: Shop, tmp_path_factory: pytest.TempPathFactory):
    return bundle(shop.line, "first", tmp_path_factory.mktemp("packed") / "b.tar", images=False)


def changed(source: Path, target: Path, edit) -> Path:
    """The same bundle, honestly listed, with another content of its members."""
    with tarfile.open(source) as old:
        files = {m.name: old.extractfile(m).read() for m in old if m.name != crate.MANIFEST}
        told = Contents.model_validate_json(old.extractfile(crate.MANIFEST).read())
    crate.write(target, edit(files), told)
    return target


def test_every_verdict_comes_out_the_same_and_no_network_is_asked(
    shop, packed, tmp_path, monkeypatch
):
    def refuse(self, address):
        if self.family != socket.AF_UNIX:
            raise AssertionError(f"asked the network for {address}")
        return connect(self, address)

    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)
    found = reproduce(shop.line, packed.file, tmp_path / "other", packed.sha256)
    assert found.whole
    assert (found.graded, found.same, found.differ, found.not_graded) == (6, 6, (), 0)
    found.check()
    assert "every verdict came out the same (6 of 6 verdicts the same)" in found.words()


def test_a_verdict_that_was_better_than_the_patch_is_found_out(shop, packed, tmp_path):
    def edit(files):
        name = next(n for n in files if n.startswith("run/attempts/tinyshop-1/noop/1/scores/1/sco"))
        told = json.loads(files[name])
        return files | {name: json.dumps({**told, "verdict": "pass", "reason": ""}).encode()}

    forged = changed(packed.file, tmp_path / "forged.tar", edit)
    found = reproduce(shop.line, forged, tmp_path / "other")
    assert [(one.attempt, one.before) for one in found.differ] == [("tinyshop-1/noop/1", "pass")]
    with pytest.raises(NotReproducedError, match=r"1 of 6 verdicts.*noop/1: pass -> fail"):
        found.check()


def test_a_bundle_that_was_changed_is_refused(shop, packed, tmp_path):
    broken = tmp_path / "broken.tar"
    with tarfile.open(packed.file) as old, tarfile.open(broken, "w") as new:
        for member in old:
            content = old.extractfile(member).read()
            if member.name == "run/lock.json":
                content = content.replace(b"first", b"fiirst")
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    with pytest.raises(BadInputError, match=r"run/lock.json is not what its list says"):
        reproduce(shop.line, broken, tmp_path / "other")
    with pytest.raises(BadInputError, match="has the SHA-256"):
        reproduce(shop.line, packed.file, tmp_path / "third", "0" * 64)


def test_it_goes_into_an_empty_folder_only_and_nothing_leaves_it(shop, packed, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("mine")
    with pytest.raises(BadInputError, match="is not empty"):
        reproduce(shop.line, packed.file, tmp_path / "other")

    def edit(files):
        return files | {"run/../../../evil": b"x"}

    with pytest.raises(BadInputError):
        reproduce(shop.line, changed(packed.file, tmp_path / "evil.tar", edit), tmp_path / "new")
    assert not (tmp_path.parent / "evil").exists()


def test_an_archive_of_tasks_alone_has_nothing_to_find_again(shop, packed, tmp_path):
    def without(files):
        return {name: data for name, data in files.items() if not name.startswith("run/")}

    with tarfile.open(packed.file) as old:
        files = {m.name: old.extractfile(m).read() for m in old if m.name != crate.MANIFEST}
        told = Contents.model_validate_json(old.extractfile(crate.MANIFEST).read())
    bare = Contents.model_validate({**dict(told), "run": ""})
    crate.write(tmp_path / "tasks.tar", without(files), bare)
    with pytest.raises(BadInputError, match="holds tasks and no run"):
        reproduce(shop.line, tmp_path / "tasks.tar", tmp_path / "other")


def test_a_spec_that_changed_since_the_run_is_not_packed(shop, tmp_path):
    task = shop.task
    other = type(task).model_validate({**dict(task), "title": "Another title"})
    shop.line.specs.save_task(other, shop.gold, shop.test_patch)
    try:
        with pytest.raises(BadInputError, match="is not as it was when run first was made"):
            bundle(shop.line, "first", tmp_path / "b.tar", images=False)
    finally:
        shop.line.specs.save_task(task, shop.gold, shop.test_patch)


def test_the_commands_say_it_in_words_and_as_json(shop, packed, tmp_path, capsys):
    space = ["-w", str(shop.workspace)]
    code = command([*space, "reproduce", str(packed.file), "--backend", "local", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (said["graded"], said["same"], said["differ"]) == (6, 6, [])
    assert said["next_steps"]
