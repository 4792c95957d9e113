"""What a slice holds and why, in words and as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from micro_bench.errors import NotFoundError
from micro_bench.pipeline.prepare import cut, decide
from micro_bench.pipeline.sliced import show
from micro_bench.slices import cut as slices
from micro_bench.slices import drawing
from micro_bench.slices.lines import lines_of
from micro_bench.slices.shown import MOST_PARTS, Part, Parts
from tests.fakes.shop import BASE, Shop, Tree

FILES: Tree = {
    **BASE,
    "docs/guide.md": b"one\ntwo\n",
    "docs/conf.py": b"import tinyshop\n",
    "benchmarks/run.py": b"from tinyshop.money import add\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"), "local", base=FILES)  # type: ignore[arg-type]


def test_every_file_is_in_or_out_for_one_reason(shop: Shop) -> None:
    value = show(shop.line, shop.task.id).value
    piece, kept, _everything = cut(shop.line, shop.task)
    assert sum(group["files"] for group in value["kept"]) == len(kept) == value["files"]["kept"]
    assert sum(group["files"] for group in value["left_out"]) == piece.total_files - len(kept)
    reasons = {path: group["why"] for group in value["kept"] for path in group["paths"]}
    assert reasons["tinyshop/money.py"] == "the fix changes it"
    assert reasons["tests/test_money.py"] == "a hidden test's place at the base commit"
    assert reasons["README.md"] == "neither documentation nor tooling"
    (out,) = value["left_out"]
    assert out["why"] == "documentation or tooling that no kept code imports"
    assert set(out["paths"]) == {"benchmarks/", "docs/"}


def test_the_share_of_lines_is_counted_and_kept_in_the_manifest(shop: Shop) -> None:
    piece, kept, everything = cut(shop.line, shop.task)
    assert piece.total_lines - piece.kept_lines == 4
    assert piece.kept_lines == sum(lines_of({p: c for p, (_m, c) in kept.items()}).values())
    assert piece.total_lines == sum(lines_of(everything).values())


def test_lines_are_of_text() -> None:
    files = {"a": b"one\ntwo", "b": b"one\n", "c": b"", "d": b"\0\n\n"}
    assert lines_of(files) == {"a": 2, "b": 1}


def test_the_picture_has_the_change_in_its_place_and_nothing_that_runs(
    shop: Shop, tmp_path: Path
) -> None:
    picture = tmp_path / "shop.svg"
    text = show(shop.line, shop.task.id, picture).text
    assert "the fix changes: tinyshop" in text
    assert "imported from: tests" in text
    assert "kept 15 of 18 files (83 %)" in text
    root = ET.fromstring(picture.read_text())  # noqa: S314 - our own
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "style", "text", "g", "rect", "title", "path"}
    assert show(shop.line, shop.task.id, tmp_path / "again.svg").text == text
    assert picture.read_bytes() == (tmp_path / "again.svg").read_bytes()


def test_names_are_shown_and_never_obeyed() -> None:
    hostile = '<script>alert(1)</script>"\x1b\udcff'
    found = Parts((Part(hostile, 1, 1, 0), Part("a" * 200, 2, 0, 1)), ((hostile, "a" * 200, 3),))
    text = drawing.svg(hostile, found)
    assert "<script" not in text
    ET.fromstring(text)  # noqa: S314 - our own


def test_a_large_repository_is_shown_as_deep_as_a_page_holds(tmp_path: Path) -> None:
    many: Tree = {f"pkg/m{n}/s{k}/a.py": b"A = 1\n" for n in range(20) for k in range(5)}
    shop = Shop(tmp_path, "local", base={**BASE, **many})  # type: ignore[dict-item]
    value = show(shop.line, shop.task.id).value
    names = {part["name"] for part in value["parts"]}
    assert "pkg/m3" in names
    assert len(names) <= MOST_PARTS


def test_it_is_json_and_a_task_that_is_not_there_is_said(shop: Shop) -> None:
    json.dumps(show(shop.line, shop.task.id).value)
    with pytest.raises(NotFoundError):
        show(shop.line, "tinyshop-9")


def test_a_pointer_of_git_lfs_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n"
    held: Tree = {"tests/data/big.bin": pointer, "docs/big.bin": pointer}
    shop = Shop(tmp_path, "local", base={**BASE, **held})  # type: ignore[dict-item]
    piece, _kept, _everything = cut(shop.line, shop.task)
    assert piece.pointers == ("tests/data/big.bin",)
    words = "a pointer of Git LFS is in the place of the content: tests/data/big.bin"
    assert words in piece.findings()
    assert words in show(shop.line, shop.task.id).text
    assert shop.line.specs.environment_findings(shop.task) == piece.findings()


def test_a_submodule_is_left_out_and_named(shop: Shop) -> None:
    made = decide(shop.line, shop.task)
    tree = {**made.tree, "vendor/parser": (slices.SUBMODULE, "1" * 40)}
    chosen = slices.cut(made.asked, tree, made.graph, made.tests, made.changed)
    known = made.piece
    source = slices.Source(known.base_tree, tree, known.distributions, known.environment)
    piece = slices.manifest(made.asked, chosen, source, known.lock_facts, {})
    assert piece.submodules == ("vendor/parser",)
    assert "vendor/parser" not in chosen.kept
    words = "submodules are left out, their files are in other repositories: vendor/parser"
    assert words in piece.findings()
