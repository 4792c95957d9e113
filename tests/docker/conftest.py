"""One tiny shop for all tests of this folder: one repository, one image, one verification."""

from __future__ import annotations

import pytest

from micro_bench.edge.engine import Engine
from tests.fakes.shop import Shop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "docker":
            item.add_marker(pytest.mark.docker)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine.connect()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = Shop(tmp_path_factory.mktemp("shop"), "docker")
    assert made.verification.verified, made.verification.reasons
    return made
