"""What a path alone tells."""

from __future__ import annotations

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_a.py",
        "tests/data/big.json",
        "src/pkg/tests/helpers.py",
        "test/support/__init__.py",
        "testing/logging/test_fixture.py",
        "testing/plugins.txt",
        "e2e/flows/login.yaml",
        "integration_tests/fixtures.sql",
        "pkg/test_inline.py",
        "pkg/inline_test.py",
        "shop/tests.py",
        "conftest.py",
        "pkg/conftest.py",
    ],
)
def test_tests(path):
    assert python.is_test(path, Recipe())


@pytest.mark.parametrize(
    "path",
    [
        "src/latest.py",
        "contest/main.py",
        "pkg/attestation.py",
        "pkg/testing.py",
        "numpy/testing/utils.py",
        "pkg/testament/a.py",
        "pkg/protest_rules.py",
        "tests_of_time.py",
        "mytests/a.py",
        "pkg/test.py",
        "docs/testing.md",
    ],
)
def test_source(path):
    assert not python.is_test(path, Recipe())


def test_a_recipe_adds_test_roots_and_takes_them_away():
    recipe = Recipe(tests=("checks", "!django/test"))
    assert python.is_test("checks/anything.txt", recipe)
    assert not python.is_test("checksum/a.py", recipe)
    assert not python.is_test("django/test/client.py", recipe)
    assert python.is_test("django/test/test_client.py", recipe)
    assert python.is_test("tests/a.py", recipe)
    assert not python.is_test("a.py", Recipe(tests=("", "./")))


def test_modules_that_pytest_collects():
    modules = {"tests/test_a.py", "a_test.py", "shop/tests.py"}
    others = {"tests/helpers.py", "tests/test_data.json", "conftest.py", "contest.py", "test.py"}
    assert {path for path in modules | others if python.is_test_module(path, Recipe())} == modules


def test_infrastructure():
    names = (
        *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini"),
        *("setup.cfg", "pyproject.toml", "sitecustomize.py", "usercustomize.py", "x.pth"),
    )
    assert all(python.is_infrastructure(f"deep/{name}") for name in names)
    assert not any(map(python.is_infrastructure, ["tests/test_a.py", "myconftest.py", "a.ini"]))


def test_ownership():
    owned = ["a.py", "a.pyi", "a.pyx", "deep/a.pxd", "a.pyw"]
    assert all(map(python.owns, owned))
    assert not any(map(python.owns, ["a.pyc", "py", "a.py.txt", "a.toml"]))


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("src/pkg/a.py", True),
        ("pyproject.toml", True),
        ("news/models.py", False),
        ("app/news/models.py", True),
        ("app/history.py", True),
        ("docs/conf.py", False),
        ("README.md", False),
        ("CHANGES", False),
        ("CHANGES.rst", False),
        ("changelog.d/12.fix", False),
        ("uv.lock", False),
        ("pylock.dev.toml", False),
        ("pkg/_vendor/six.py", False),
        ("pkg/api_pb2.py", False),
        ("src/pkg/_version.py", False),
        ("LICENSE.txt", False),
        ("locale/de/LC_MESSAGES/x.po", False),
    ],
)
def test_what_counts_for_the_tier(path, counts):
    assert python.counts_for_tier(path) is counts


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("shop/migrations/0001_initial.py", "migration"),
        ("db/alembic/versions/abc_add.py", "migration"),
        ("alembic.ini", "migration"),
        ("db/schema.sql", "schema"),
        ("api/openapi.yaml", "schema"),
        ("proto/v1/user.proto", "schema"),
        ("schema.graphql", "schema"),
        (".github/workflows/ci.yml", "ci"),
        (".gitlab-ci.yml", "ci"),
        ("Jenkinsfile", "ci"),
        ("Dockerfile", "deployment"),
        ("docker/web.Dockerfile", "deployment"),
        ("compose.yaml", "deployment"),
        ("deploy/k8s/web.yaml", "deployment"),
        ("infra/main.tf", "deployment"),
        ("helm/app/values.yaml", "deployment"),
        ("setup.py", "build"),
        ("packages/a/pyproject.toml", "build"),
        ("pkg/migrations.py", None),
        ("pkg/charts/bar.py", None),
        ("tests/fixtures/Dockerfile", None),
        ("docs/api/openapi.yaml", None),
        ("pkg/workflows/a.py", None),
    ],
)
def test_contract_files(path, kind):
    assert python.contract_file(path) == kind
