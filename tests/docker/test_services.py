"""What tests talk to: fresh for every sandbox, on its network alone, nobody's fault when down."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro_bench.edge.engine import Engine
from micro_bench.errors import BuildError, EngineError
from micro_bench.model.image import Image
from micro_bench.model.service import Service
from micro_bench.pipeline.images.keeping import prune
from micro_bench.sandboxes._sandbox import Sandbox, StartRequest
from micro_bench.services.declared import declared
from tests.fakes.shop import Shop

SPEAK = """\
import os, socket, sys
peer = socket.create_connection((sys.argv[1], int(os.environ["REDIS_PORT"])), 5)
peer.sendall(sys.argv[2].encode() + b"\\r\\n")
print(peer.recv(1000))
"""
REDIS = {"cache": Service(kind="redis", memory_mb=128)}


def with_services(shop: Shop, services: dict[str, Service]) -> Image:
    image = shop.prepared.image
    made = shop.line.services.made(declared(services, Path("recipe.yaml")), image, {})
    return Image.model_validate({**dict(image), "services": made})


@pytest.fixture(scope="module")
def image(shop: Shop) -> Image:
    return with_services(shop, REDIS)


@pytest.fixture
def sandbox(shop: Shop, image: Image) -> Iterator[Sandbox]:
    made = shop.line.start(StartRequest(image, shop.task.limits))
    yield made
    made.close()


def said(sandbox: Sandbox, *argv: str) -> str:
    output = io.BytesIO()
    sandbox.run(argv, output=output, deadline_s=30)
    return output.getvalue().decode()


def speak(sandbox: Sandbox, words: str, host: str = "localhost") -> str:
    return said(sandbox, "python3", "-c", SPEAK, host, words)


def beside(engine: Engine) -> list[str]:
    found = engine.client.containers(all=True, filters={"label": "micro-bench.service"})
    return [one["Id"] for one in found]


def test_tests_reach_it_by_either_name_and_are_told_where(sandbox: Sandbox) -> None:
    assert "PONG" in speak(sandbox, "PING")
    assert "PONG" in speak(sandbox, "PING", host="cache")
    assert "REDIS_URL=redis://localhost:6379/0" in said(sandbox, "env")


def test_each_sandbox_has_its_own(shop: Shop, image: Image, sandbox: Sandbox) -> None:
    assert "OK" in speak(sandbox, "SET a secret")
    assert "secret" in speak(sandbox, "GET a")
    other = shop.line.start(StartRequest(image, shop.task.limits))
    try:
        assert "secret" not in speak(other, "GET a")
    finally:
        other.close()


def test_there_is_no_way_out_of_it(sandbox: Sandbox, engine: Engine) -> None:
    newest = engine.client.containers(filters={"label": "micro-bench.service"})[0]["Id"]
    made = engine.client.exec_create(newest, ["cat", "/proc/net/route", "/proc/net/dev"])
    told = engine.client.exec_start(made["Id"]).decode()
    assert "lo:" in told
    assert "eth" not in told
    assert len([line for line in told.splitlines() if line.split()[1:2] == ["00000000"]]) == 0
    inspected = engine.client.inspect_container(newest)
    assert inspected["HostConfig"]["CapDrop"] == ["ALL"]
    assert inspected["Config"]["User"] == "1000:1000"


def test_a_service_that_is_down_is_nobodys_failure(sandbox: Sandbox, engine: Engine) -> None:
    assert "unknown command" in speak(sandbox, "SHUTDOWN"), "no test ends it"
    for ident in beside(engine):
        engine.client.kill(ident)
    with pytest.raises(EngineError, match="the service cache is down"):
        said(sandbox, "true")


def test_nothing_is_left_beside_a_sandbox_that_is_gone(
    shop: Shop, image: Image, engine: Engine
) -> None:
    before = set(beside(engine))
    made = shop.line.backend.start(StartRequest(image, shop.task.limits))
    (mine,) = set(beside(engine)) - before
    labels = engine.client.inspect_container(mine)["Config"]["Labels"]
    assert labels["micro-bench"] == "container", "the sweep of the next start knows it"
    assert labels["micro-bench.owner"]
    made._remove()  # type: ignore[attr-defined] -- what `close` has somebody do
    assert mine not in beside(engine)


def test_one_that_does_not_come_up_says_so_and_leaves_nothing(shop: Shop, engine: Engine) -> None:
    before = beside(engine)
    broken = {"cache": Service(kind="redis", health=("false",))}
    module = "micro_bench.services.snapshots.PREPARE_S"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, 2.0)
        with pytest.raises(BuildError, match="the service cache does not come up") as error:
            with_services(shop, broken)
    assert "services.cache" in error.value.next_step
    assert beside(engine) == before


def test_a_migration_that_fails_names_itself_and_its_words(shop: Shop) -> None:
    failing = Service(kind="redis", migrate=('python3 -c "raise SystemExit(7)"',))
    with pytest.raises(BuildError, match=r"of the service cache fails \(exit code 7\)") as error:
        with_services(shop, {"cache": failing})
    assert "services.cache.migrate" in error.value.next_step


def test_any_image_will_do(shop: Shop, image: Image, engine: Engine) -> None:
    """Such as the very one that was built for a kind."""
    engine.tag(image.services[0].digest, "mb-test/redis:1")
    try:
        service = Service(
            image="mb-test/redis:1", port=6379, health=("redis-cli", "ping"),
            command=("redis-server", "--save", "", "--dir", "/tmp"), env={"REDIS_PORT": "6379"},
        )  # fmt: skip
        other = with_services(shop, {"store": service})
        made = shop.line.start(StartRequest(other, shop.task.limits))
        try:
            assert "PONG" in speak(made, "PING", host="store")
        finally:
            made.close()
    finally:
        engine.remove_image("mb-test/redis:1")
    with pytest.raises(BuildError, match="is not there, and no registry"):
        with_services(shop, {"a": Service(image="mb-test/none:1", health=("true",))})


SETTINGS = b"""\
import os

SECRET_KEY = "x"
INSTALLED_APPS = ["tinyshop"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"],
    "USER": os.environ["PGUSER"], "PASSWORD": os.environ["PGPASSWORD"],
    "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
}}
"""
MODELS = b"""\
from django.db import models


class Receipt(models.Model):
    total = models.IntegerField()
"""
FIRST = b"""\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Receipt", [
            ("id", models.AutoField(primary_key=True)), ("total", models.IntegerField()),
        ]),
    ]
"""
SECOND = b"""\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tinyshop", "0001_initial")]
    operations = [migrations.AddField("Receipt", "note", models.TextField(default=""))]
"""
TEST = b"""\
from django.test import TestCase

from tinyshop.models import Receipt


class ReceiptTest(TestCase):
    def test_total(self):
        Receipt.objects.create(total=3)
        self.assertEqual(Receipt.objects.get().total, 3)
"""
HIDDEN = (
    TEST
    + textwrap.indent(
        "\ndef test_note(self):\n"
        "    Receipt.objects.create(total=3, note='thanks')\n"
        "    self.assertEqual(Receipt.objects.get().note, 'thanks')\n",
        "    ",
    ).encode()
)
MANAGE = b"""\
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
PROJECT = b"""\
[project]
name = "tinyshop"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["django==5.1.6", "psycopg2-binary==2.9.10"]
"""
RECIPE = """\
python: "3.11"
services:
  db:
    kind: postgres
    user: shop
    password: pw
    database: shop
    migrate: ["python manage.py migrate"]
"""


@pytest.mark.network
def test_a_fix_with_a_migration_is_verified_beside_a_database(tmp_path: Path) -> None:
    base = {
        "pyproject.toml": PROJECT, "manage.py": MANAGE, "settings.py": SETTINGS,
        "tinyshop/__init__.py": b"", "tinyshop/models.py": MODELS,
        "tinyshop/migrations/__init__.py": b"", "tinyshop/migrations/0001_initial.py": FIRST,
        "tests/__init__.py": b"", "tests/test_receipt.py": TEST,
    }  # fmt: skip
    fix = {
        "tinyshop/models.py": MODELS + b"    note = models.TextField(default='')\n",
        "tinyshop/migrations/0002_note.py": SECOND,
    }
    shop = Shop(
        tmp_path, "docker", base=base, fix=fix, tests={"tests/test_receipt.py": HIDDEN},
        run=("tests/test_receipt.py",),
    )  # fmt: skip
    place = shop.line.workspace.recipe(shop.task.repo.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(RECIPE)
    found = shop.verify()
    assert found.verified, found.reasons
    (test,) = found.fail_to_pass
    assert test.id.endswith("ReceiptTest::test_note")
    marked = shop.grade(shop.gold)
    assert marked.verdict == "pass", marked


def test_a_prune_leaves_what_tests_talk_to(shop: Shop, image: Image) -> None:
    shop.line.specs.save_image(image)
    try:
        found = prune(shop.line, ("micro-bench/service:*", "micro-bench/server:*"), dry_run=True)
    finally:
        shop.line.specs.save_image(shop.prepared.image)
    kept = {str(one["image"]): str(one["why"]) for one in found.kept}
    (mine,) = (name for name in kept if name.startswith("micro-bench/service:") and "cache" in name
               and ("task" in kept[name] or "process" in kept[name]))  # fmt: skip
    assert mine not in {one["image"] for one in found.removed}
    assert not any(str(one["image"]).startswith("micro-bench/server:") for one in found.removed)
