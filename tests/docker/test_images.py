"""Images: the same input gives the same bytes, layers are shared, nothing of this machine stays."""

from __future__ import annotations

import io
import json
import os
import re
import time
import uuid
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from micro_bench.edge import layers, pip_settings
from micro_bench.edge.archive import Entry, pack
from micro_bench.edge.containers import ContainerSpec
from micro_bench.edge.engine import Engine
from micro_bench.edge.layers import Described, Layer
from micro_bench.errors import BuildError, EngineError
from micro_bench.images import layering, recipe
from micro_bench.images.docker_builder import DockerBuilder
from micro_bench.images.layering import Step
from micro_bench.pipeline.prepare import prepare
from micro_bench.sandboxes._sandbox import StartRequest
from tests.fakes.shop import BASE, MONEY, PYPROJECT, Shop

INDEXES = ("index-url", "extra-index-url", "find-links", "proxy")
NAMES = ("pip.conf", "pip.ini", "uv.toml", ".netrc", ".pypirc")


def said(shop: Shop, script: str) -> str:
    output = io.BytesIO()
    sandbox = shop.line.start(StartRequest(shop.prepared.image, shop.task.limits))
    try:
        sandbox.run(("sh", "-c", script), output=output, deadline_s=120)
    finally:
        sandbox.close()
    return output.getvalue().decode()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The same environment, other code."""
    base = {**BASE, "tinyshop/money.py": MONEY + b"\n\nVAT = 25\n"}
    return Shop(tmp_path_factory.mktemp("other"), "docker", base=base)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return tmp_path / "fresh"


def test_the_same_input_gives_the_same_image(shop: Shop, tmp_path: Path):
    again = Shop(tmp_path / "again", "docker")
    one, two = shop.prepared, again.prepared
    assert one.image == two.image
    assert one.piece == two.piece


def test_the_layer_of_a_slice_is_the_same_bytes_each_time(shop: Shop):
    files, piece = dict(shop.prepared.base), shop.prepared.piece
    git = {"HEAD": b"ref: refs/heads/main\n"}
    first = recipe.rootfs(files, git, piece.distributions, "/work", 0)
    second = recipe.rootfs(dict(reversed(files.items())), git, piece.distributions, "/work", 0)
    assert first == second
    assert recipe.rootfs({**files, "x": (0o100644, b"")}, git, (), "/work", 0) != first


def test_slices_with_the_same_lock_share_all_but_their_own_layer(
    shop: Shop, other: Shop, engine: Engine
):
    one, two = (
        engine.client.inspect_image(each.prepared.image.digest)["RootFS"]["Layers"]
        for each in (shop, other)
    )
    assert one[:-1] == two[:-1]
    assert one[-1] != two[-1]
    assert shop.prepared.image.env_key == other.prepared.image.env_key
    assert shop.prepared.image.key != other.prepared.image.key


def below(engine: Engine, tag: str) -> list[str]:
    """The images below one of ours, the nearest first; the base is not among them."""
    labels = engine.labels(tag)
    if labels["micro-bench.kind"] == "system":
        return []
    return [labels["micro-bench.below"], *below(engine, labels["micro-bench.below"])]


def test_layers_are_in_the_order_in_which_they_change(shop: Shop, engine: Engine):
    tags = below(engine, shop.prepared.image.tag)
    kinds = [engine.labels(tag)["micro-bench.kind"] for tag in tags]
    assert kinds == ["tools", "environment", "system"]
    base = shop.prepared.image.base_digest
    found = [
        engine.client.inspect_image(one)["RootFS"]["Layers"]
        for one in (shop.prepared.image.tag, *tags, base)
    ]
    for upper, lower in pairwise(found):
        assert upper[:-1] == lower


@pytest.mark.alone  # the shop's image is gone for a while, and every worker has the same one
def test_an_image_made_anew_from_nothing_has_the_same_id(shop: Shop, engine: Engine, fresh: Path):
    """All but the base; the wheels are downloaded again, the tools installed again."""
    image = shop.prepared.image
    tags = [image.tag, *below(engine, image.tag)]
    before = [engine.image_id(tag) for tag in tags]
    for tag in tags:
        engine.remove_image(tag)
    again = Shop(fresh, "docker").prepared.image
    assert again == image
    assert [engine.image_id(tag) for tag in tags] == before


@pytest.mark.alone  # the shop's image is gone for a while, and every worker has the same one
def test_a_slice_on_a_known_environment_is_one_layer_made_at_once(shop: Shop, engine: Engine):
    image = shop.prepared.image
    (tools, *_rest) = below(engine, image.tag)
    prepared = shop.prepared
    files = sum(len(content) for _mode, content in prepared.base.values())
    engine.remove_image(image.tag)
    began = time.monotonic()
    again = prepare(shop.line, shop.task).image
    assert time.monotonic() - began < 2
    assert again == image
    sizes = [engine.client.inspect_image(one)["Size"] for one in (image.tag, tools)]
    assert files < sizes[0] - sizes[1] < files + 40_000


def test_an_image_says_what_it_is_and_is_nobody_s_but_the_agent_s(shop: Shop, engine: Engine):
    config = engine.client.inspect_image(shop.prepared.image.digest)["Config"]
    labels, piece = config["Labels"], shop.prepared.piece
    assert config["User"] == "1000:1000"
    assert labels["org.opencontainers.image.revision"] == piece.base_commit
    assert labels["org.opencontainers.image.version"] == "1.0"
    assert labels["org.opencontainers.image.created"] == "2025-03-01T12:00:00Z"
    assert labels["org.opencontainers.image.base.digest"] == shop.prepared.image.base_digest
    assert labels["micro-bench.slice"] == piece.files_sha256
    assert labels["micro-bench.kept"] == f"{piece.kept_files}/{piece.total_files}"
    assert "git=" in labels["micro-bench.debian"]
    assert as_root(engine, shop.prepared.image.digest, CACHES) == ""


def test_the_bill_of_materials_is_beside_the_manifest(shop: Shop, engine: Engine):
    text = shop.line.specs.sbom(shop.task)
    assert shop.line.workspace.sbom("corner/tinyshop", "tinyshop-1").read_text() == text
    assert shop.line.workspace.manifest("corner/tinyshop", "tinyshop-1").exists()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    told = {(part["name"], part["version"]): part for part in json.loads(text)["components"]}
    asked = "dpkg-query -W -f '${Package} ${Version}\n'"
    for line in as_root(engine, shop.prepared.image.digest, asked).splitlines():
        name, version = line.split()
        assert told[name, version]["purl"].startswith("pkg:deb/debian/")
    listed = "import importlib.metadata as m\nfor d in m.distributions(): print(d.name, d.version)"
    installed = said(shop, f"cd / && python -c '{listed}'").splitlines()
    assert {"pytest 8.3.5", "tinyshop 1.0"} <= {*installed}
    for line in installed:
        assert tuple(line.split()) in told


CACHES = (
    "ls -A /var/lib/apt/lists /var/cache/apt /root/.cache /home/agent/.cache /tmp/install"
    " /home/agent 2>/dev/null | grep -v ':$' | grep .;"
    "find / -xdev -name '*.whl' -path '*cache*' 2>/dev/null; true"
)


def test_an_engine_that_wants_all_layers_gets_them(shop: Shop, engine: Engine):
    layer = Layer.of(pack([Entry("greeting", b"hello\n")]))
    told = Described("a greeting", {"micro-bench.kind": "test"})
    parent = shop.prepared.image.digest
    tag = "mb-test/greeting:1"
    try:
        short = layers.load(engine.client, parent, layer, told, tag)
        engine.client.remove_image(tag)
        assert layers.load(engine.client, parent, layer, told, tag, whole=True) == short
        assert engine.image_id(tag) == short
    finally:
        engine.remove_image(tag)


def test_a_layer_that_is_none_makes_no_image(engine: Engine):
    layer = Layer.of(b"no tar at all" * 100)
    with pytest.raises((EngineError, BuildError)):
        engine.add_layer(None, layer, Described("nothing"), "mb-test/layer:7")
    assert engine.image_id("mb-test/layer:7") is None


def test_a_step_that_fails_can_be_looked_at(engine: Engine, shop: Shop):
    step = Step("locked packages", "echo so far > /opt/greeting; echo no such wheel >&2; exit 3")
    name = "micro-bench/failed:mb-test"
    try:
        with (
            pytest.raises(BuildError, match=r"exit code 3: no such wheel"),
            layering.stepped(engine, shop.prepared.image.base_digest, step, name),
        ):
            pass
        assert engine.labels(name)["micro-bench.failed"] == "locked packages"
        assert as_root(engine, name, "cat /opt/greeting") == "so far\n"
    finally:
        engine.remove_image(name)


def test_the_repository_in_the_image_has_one_commit_and_a_clean_tree(shop: Shop):
    text = said(
        shop, "git log --all --format='%H %T'; git status --porcelain; git fsck 2>&1; git gc -q"
    )
    assert text.splitlines()[0] == (
        f"{shop.prepared.image.work_commit} {shop.prepared.image.work_tree}"
    )
    assert len(text.splitlines()) == 1


def test_the_project_is_installed_and_cannot_be_written(shop: Shop):
    text = said(
        shop,
        "cd /tmp && python -c 'import tinyshop; print(tinyshop.__file__)';"
        "python -c 'from importlib.metadata import version; print(version(\"tinyshop\"))'",
    )
    assert text.split() == ["/work/tinyshop/__init__.py", "1.0"]


def test_nothing_of_this_machine_s_package_index_is_in_the_image(shop: Shop, engine: Engine):
    options = pip_settings.pip_configuration()
    places = " ".join(options.get(name, "") for name in INDEXES).split()
    secrets = {urlsplit(place).netloc.rpartition("@")[2] for place in places} - {""}
    secrets |= {os.uname().nodename} if len(os.uname().nodename) > 4 else set()
    image = shop.prepared.image.digest
    described = json.dumps([engine.client.history(image), engine.client.inspect_image(image)])
    for secret in secrets:
        assert secret not in described
    for word in ("index-url", "PIP_", "UV_INDEX", "SSL_CERT_FILE", "trusted-host", "_proxy"):
        assert word not in described
    patterns = "".join(f" -e '{secret}'" for secret in sorted(secrets))
    looks = (
        f"find / -xdev \\( {' -o '.join(f'-name {name}' for name in NAMES)} \\) 2>/dev/null;"
        + (
            f"grep -rIlF {patterns} /etc /opt /home /root /work /var /srv 2>/dev/null;"
            if secrets
            else ""
        )
        + "ls /install 2>/dev/null; true"
    )
    assert as_root(engine, image, looks) == ""


def test_the_certificates_are_the_base_image_s_own(shop: Shop, engine: Engine):
    places = "/etc/ssl /usr/share/ca-certificates /usr/local/share"
    look = f"find {places} -type f | sort | xargs -r sha256sum"
    base = shop.prepared.image.base_digest
    assert as_root(engine, shop.prepared.image.digest, look) == as_root(engine, base, look)


def as_root(engine: Engine, image: str, script: str) -> str:
    spec = ContainerSpec(image, 1, 512, 64, user="0:0", workdir="/")
    container = engine.create(spec)
    output = io.BytesIO()
    try:
        container.start()
        container.exec(("sh", "-c", script), output=output, deadline_s=100, limit=10**6)
    finally:
        container.remove()
    return output.getvalue().decode()


def test_a_build_that_fails_leaves_nothing_under_its_name(engine: Engine, shop: Shop):
    dockerfile = f"FROM {shop.prepared.image.tag}\nRUN echo some words >&2 && exit 7\n"
    with pytest.raises(BuildError, match="some words"):
        engine.build([Entry("Dockerfile", dockerfile.encode())], "mb-test/broken:1")
    assert engine.image_id("mb-test/broken:1") is None


@pytest.mark.parametrize("wanted", ["greeting", "missing"])
def test_a_build_leaves_no_nameless_image_whether_it_works_or_not(engine: Engine, wanted: str):
    mine = f"mb-test.{uuid.uuid4().hex}"
    dockerfile = (
        f"FROM scratch AS one\nLABEL {mine}=1\nCOPY greeting /greeting\n"
        f"FROM scratch\nLABEL {mine}=1\nCOPY greeting /own\nCOPY --from=one /{wanted} /greeting\n"
    )
    files = [Entry("Dockerfile", dockerfile.encode()), Entry("greeting", b"hello\n")]
    try:
        with nullcontext() if wanted == "greeting" else pytest.raises(BuildError, match="missing"):
            engine.build(files, "mb-test/stages:1")
        filters = {"dangling": True, "label": [mine]}
        assert engine.client.images(filters=filters) == []
    finally:
        engine.remove_image("mb-test/stages:1")


@pytest.mark.network
def test_a_package_without_a_wheel_is_built_in_a_container(tmp_path: Path):
    project = PYPROJECT.replace(b'"pytest==8.3.5"', b'"pytest==8.3.5", "docopt==0.6.2"')
    shop = Shop(tmp_path / "sdist", "docker", base={**BASE, "pyproject.toml": project})
    assert said(shop, "python -c 'import docopt; print(docopt.__version__)'") == "0.6.2\n"
    built = {f"{one.name} {one.version}" for one in shop.prepared.piece.lock_facts.built}
    assert "docopt 0.6.2" in built
    lock = shop.line.specs.lock(shop.task)
    assert lock
    assert "# built from source: docopt==0.6.2 with tools as of " in lock


def test_a_base_image_of_another_python_is_refused_once_and_for_all(shop: Shop, engine: Engine):
    """Finding a base image may take minutes: each further task hears of it at once."""
    image, python = shop.prepared.image.base_digest, re.escape(shop.prepared.image.python)
    engine.tag(image, "micro-bench/base:py3.4")
    builder = DockerBuilder(engine, shop.told.append, {}, use_registry=False)
    try:
        with pytest.raises(BuildError, match=rf"for Python 3\.4 has Python {python}") as first:
            builder.base("3.4")
        assert "micro-bench/base:py3.4" in first.value.next_step
    finally:
        engine.remove_image("micro-bench/base:py3.4")
    with pytest.raises(BuildError, match=rf"has Python {python}"):
        builder.base("3.4")
    assert "3.4" not in builder.offered, "what cannot be had is not chosen again"
    with pytest.raises(BuildError, match="knows only"):
        DockerBuilder(engine, shop.told.append, {}, use_registry=False).base("3.4")
