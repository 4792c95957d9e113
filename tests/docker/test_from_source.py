"""Packages without a wheel: built with their own headers, left out with a reason, or an error."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench.edge.engine import Engine
from micro_bench.errors import BuildError
from micro_bench.images.docker_builder import DockerBuilder
from micro_bench.images.wheel_cache import WheelCache
from micro_bench.images.workbench import Order, Outcome, Workbench
from tests.fakes.package_index import Index, archive, metadata
from tests.fakes.shop import BASE, PYPROJECT, RUN, TEST_MONEY, Shop
from tests.unit.edge.test_resolving import index

__all__ = ["index"]

BEFORE = datetime(2025, 3, 1, tzinfo=UTC)
BACK = """
import pathlib, subprocess, sysconfig, zipfile
NAME, CODE, TELLS = {name!r}, {code!r}, {tells!r}
def build_wheel(folder, settings=None, metadata=None):
    if TELLS:
        raise SystemExit(TELLS)
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    pathlib.Path("x.c").write_text(CODE)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-I" + sysconfig.get_path("include"), "x.c", "-o", "x.so",
         *{links!r}], check=True)
    tag = "-".join(["cp" + sysconfig.get_config_var("py_version_nodot")] * 2 + ["linux_x86_64"])
    file = f"{{NAME}}-1.0-{{tag}}.whl"
    about = f"{{NAME}}-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder, file), "w") as made:
        made.write("x.so", NAME + suffix)
        made.writestr(about + "/METADATA", {about!r})
        made.writestr(about + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: " + tag)
        made.writestr(about + "/RECORD", "")
    return file
"""
EMPTY = "int x;\n"
MAGIC = "#include <magic.h>\nvoid *x = (void *) magic_open;\n"
LOOKS = '#if __has_include(<magic.h>)\n#error "it sees what another package asked for"\n#endif\n'
SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n'


def add(index: Index, name: str, code: str = EMPTY, tells: str = "", links: tuple = ()) -> str:
    """A source archive with a back end of its own, and the line of a lock that asks for it."""
    about = metadata(name, "1.0")
    back = BACK.format(name=name, code=code, tells=tells, links=list(links), about=about)
    files = {"PKG-INFO": about, "pyproject.toml": SYSTEM, "back.py": back}
    content = archive(name, "1.0", {path: text.encode() for path, text in files.items()})
    index._add(name, f"{name}-1.0.tar.gz", content, "2025-01-01")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture(scope="module")
def builder(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> DockerBuilder:
    bases = {"3.11": "debian:bookworm"}
    return DockerBuilder(engine, lambda _words: None, bases, use_registry=False)


def made(
    builder: DockerBuilder, tmp_path: Path, *lines: str
) -> tuple[Outcome, list[str], set[str]]:
    """What came of building, what was told, and the wheels."""
    bench = Workbench(builder.engine, builder._builder_image, WheelCache(tmp_path / "cache"))
    order = Order(lines, builder.base("3.11"), (), BEFORE, "shop-1")
    told: list[str] = []
    target = tmp_path / "wheels"
    target.mkdir(exist_ok=True)
    outcome = bench.wheels(order, target, told.append)
    return outcome, told, {path.name.partition("-")[0] for path in target.iterdir()}


def test_what_a_build_asks_for_it_gets_alone_and_what_does_not_build_is_left_out(
    builder: DockerBuilder, index: Index, tmp_path: Path
):
    lines = (
        add(index, "magician", MAGIC, links=("-lmagic",)),
        add(index, "onlooker", LOOKS),
        add(index, "stone", "#include <not/of/this/world.h>\n"),
    )
    outcome, told, wheels = made(builder, tmp_path, *lines)
    assert told[0].startswith("shop-1: building from source in a container: magician 1.0, onl")
    assert {one.name for one in outcome.built} == wheels == {"magician", "onlooker"}
    assert outcome.libraries == {"libmagic1"}
    (left,) = outcome.left_out
    assert left.words() == (
        "stone 1.0 is left out of the environment: it does not build: "
        "the header not/of/this/world.h is not there"
    )
    again, nothing, _ = made(builder, tmp_path, *lines)
    assert nothing == []
    assert (again.libraries, len(again.built), again.left_out) == ({"libmagic1"}, 2, [left])


def test_what_asks_a_registry_of_others_in_vain_is_left_out_and_not_kept_so(
    builder: DockerBuilder, index: Index, tmp_path: Path
):
    words = "error: failed to download from `https://index.example.org/config.json`\n"
    line = add(index, "rusty", tells=f"{words}[6] Couldn't resolve host name")
    outcome, _told, _wheels = made(builder, tmp_path, line)
    (left,) = outcome.left_out
    assert left.words() == (
        "rusty 1.0 is left out of the environment: its build asks "
        "https://index.example.org/config.json, which does not answer from here"
    )
    assert not list((tmp_path / "cache").glob("*/made.json"))


def test_a_package_index_that_does_not_answer_a_build_is_an_error_and_is_not_kept(
    builder: DockerBuilder, index: Index, tmp_path: Path
):
    line = add(index, "hasty", tells="Could not fetch URL https://index.example.org/simple/x/")
    with pytest.raises(BuildError, match=r"hasty .+ cannot be built") as caught:
        made(builder, tmp_path, line)
    assert "`leave_out: [hasty]` in recipe.yaml" in caught.value.next_step
    assert not list((tmp_path / "cache").glob("*/made.json"))


def with_recipe(made: Shop, text: str) -> Shop:
    path = made.line.workspace.recipe(made.task.repo.name)
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return made


@pytest.mark.network
def test_a_needed_package_that_is_left_out_is_named_and_another_one_does_no_harm(tmp_path: Path):
    project = PYPROJECT.replace(b"requires-python", b'dependencies = ["docopt"]\nrequires-python')
    needs = TEST_MONEY.replace(b"\n\n\ndef test_add", b"\nimport docopt\n\n\ndef test_add")
    hidden = needs + b"\n\ndef test_split_odd():\n    assert split(10, 3) == [4, 3, 3]\n"

    def shop(root: str, hidden: bytes) -> Shop:
        base = {**BASE, "pyproject.toml": project}
        tests = {"tests/test_money.py": hidden}
        return with_recipe(
            Shop(tmp_path / root, "docker", base=base, tests=tests, run=RUN[:1]),
            "leave_out: [docopt]\n",
        )

    needed = shop("needed", hidden).verify()
    assert not needed.verified
    assert "No module named 'docopt'" in needed.reasons[0]
    harmless = shop("harmless", hidden.replace(b"import docopt\n", b""))
    assert harmless.verify().verified
    (left,) = harmless.prepared.piece.lock_facts.left_out
    assert (left.name, left.why) == ("docopt", "`leave_out` in recipe.yaml says so")


def test_a_lead_s_own_base_image_is_built_on(shop: Shop, engine: Engine, tmp_path: Path):
    """One that is not there is an error; so is one of another Python."""
    image = shop.prepared.image
    python = ".".join(image.python.split(".")[:2])
    name = "mb-test/own-base:1"
    engine.tag(image.base_digest, name)
    try:
        own = with_recipe(Shop(tmp_path / "own", "docker"), f"base: {name}\npython: '{python}'\n")
        assert own.prepared.image.base_digest == image.base_digest
        assert own.prepared.piece.environment.image == name
        with pytest.raises(BuildError, match=f"has Python {python}") as caught:
            _ = with_recipe(
                Shop(tmp_path / "other", "docker"), f"base: {name}\npython: '3.8'\n"
            ).prepared
        assert f'python: "{python}"' in caught.value.next_step
        with pytest.raises(BuildError, match="mb-test/gone:1 is not here"):
            _ = with_recipe(Shop(tmp_path / "gone", "docker"), "base: mb-test/gone:1\n").prepared
    finally:
        engine.remove_image(name)
