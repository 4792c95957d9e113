"""A run with its images in one file: another machine's engine gets them from it."""

from __future__ import annotations

from micro_bench.edge.engine import Engine
from micro_bench.pipeline.bundling import bundle, reproduce
from micro_bench.pipeline.commands import RunOptions, run_command
from tests.docker.test_moving import line_of
from tests.fakes.shop import BASE, Shop


def test_images_come_out_of_the_bundle_and_every_verdict_is_the_same(
    tmp_path_factory, tmp_path, engine: Engine
):
    base = {**BASE, "tinyshop/bundled.py": b"BUNDLED = True\n"}
    shop = Shop(tmp_path_factory.mktemp("bundled"), "docker", base=base)
    assert shop.verification.verified, shop.verification.reasons
    run_command(shop.line, RunOptions(("oracle", "noop"), name="first"))
    packed = bundle(shop.line, "first", tmp_path / "b.tar")
    image = shop.prepared.image
    engine.remove_image(image.tag)
    line = line_of(tmp_path / "machine")
    told: list[str] = []
    line.tell = told.append
    found = reproduce(line, packed.file, tmp_path / "other", packed.sha256)
    assert found.whole
    assert found.notes == ()
    assert engine.image_id(image.tag) == image.digest
    assert not [words for words in told if "building" in words or "resolving" in words]
