"""The attacks themselves are data: nothing in them is a test of this project."""

from __future__ import annotations

import pytest

from tests.fakes.shop import BASE, CONFTEST, Shop

collect_ignore = ["cases", "solutions"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "attacks" in item.path.parts:
            item.add_marker(pytest.mark.docker)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """One whose tests load the code under test before anything else, as many do."""
    early = {**BASE, "tests/conftest.py": b"import tinyshop.money\n" + CONFTEST}
    made = Shop(tmp_path_factory.mktemp("shop"), "docker", base=early)
    assert made.verification.verified, made.verification.reasons
    return made
