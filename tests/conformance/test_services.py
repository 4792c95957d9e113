"""Every kind of service against its contract. `tests/docker/test_services.py` runs them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from micro_bench.errors import BadInputError
from micro_bench.model.service import Service
from micro_bench.plugins import discover
from micro_bench.services.declared import declared
from micro_bench.services.kinds import _kind
from micro_bench.settings import Settings
from tests.conformance.contracts import members, parameters

KINDS = discover("services.kinds")
SCRIPTS = ("PREPARE", "START", "HEALTH")
RECIPE = Path("recipe.yaml")

named = pytest.mark.parametrize("name", KINDS)


def test_there_are_the_usual_ones() -> None:
    assert {"postgres", "mysql", "redis", "rabbitmq", "memcached"} <= set(KINDS)


@named
def test_a_kind_has_all_that_the_contract_names(name: str) -> None:
    kind = KINDS[name]
    assert {key for key in members(_kind.Kind) if not hasattr(kind, key)} == set()
    assert kind.__doc__
    assert parameters(kind.environment) == ["access"]
    assert re.fullmatch(kind.IMAGES, name)


@named
def test_its_versions_are_those_of_base_images(name: str) -> None:
    assert set(KINDS[name].VERSIONS.values()) <= set(Settings().base_images)


@named
@pytest.mark.parametrize("script", SCRIPTS)
def test_its_scripts_are_shell_and_read_nothing_but_the_service(name: str, script: str) -> None:
    text = getattr(KINDS[name], script)
    done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"\$\{?(SERVICE_\w+)", text)) <= {
        "SERVICE_USER", "SERVICE_PASSWORD", "SERVICE_DATABASE", "SERVICE_PORT", "SERVICE_DATA",
    }  # fmt: skip


@named
def test_its_tests_are_told_of_another_account_and_port(name: str) -> None:
    service = Service(kind=name, port=7001, user="ada", password="pw", database="shop")
    (one,) = declared({"it": service}, RECIPE)
    told = " ".join(one.env.values())
    assert "7001" in told
    assert one.own["SERVICE_PORT"] == "7001"
    assert one.health
    assert one.main


@pytest.mark.parametrize(
    ("services", "places"),
    [
        ({"a": {"kind": "oracle"}}, {"services.a.kind"}),
        ({"a": {"kind": "postgres", "version": "9"}}, {"services.a.version"}),
        ({"a": {"kind": "redis"}, "b": {"kind": "redis"}}, {"services.b.port"}),
        (
            {"a": {"kind": "oracle"}, "b": {"kind": "mysql", "version": "1"}},
            {"services.a.kind", "services.b.version"},
        ),
    ],
)
def test_what_cannot_be_is_told_at_once(
    services: dict[str, dict[str, str]], places: set[str]
) -> None:
    made = {name: Service.model_validate(one) for name, one in services.items()}
    with pytest.raises(BadInputError) as error:
        declared(made, RECIPE)
    assert {mistake.path for mistake in error.value.mistakes} == places


@pytest.mark.parametrize(
    "values",
    [
        {}, {"kind": "redis", "image": "redis"}, {"image": "redis"},
        {"kind": "redis", "settings": {"A": "b"}}, {"kind": "postgres", "user": "a'; DROP"},
        {"kind": "postgres", "password": "$(id)"}, {"kind": "mysql", "database": "a`b"},
    ],
)  # fmt: skip
def test_a_declaration_that_means_nothing_or_too_much_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"validation error"):
        Service.model_validate(values)
