"""Which runner a tree has, and what will not work: read from files, nothing run."""

from __future__ import annotations

import pytest

from micro_bench import codec
from micro_bench.languages._language import Survey
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python import survey

TEST = b"def test_a():\n    assert True\n"
UNIT = b"import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        pass\n"


def look(files: dict[str, bytes], recipe: Recipe | None = None) -> Survey:
    return survey({"tests/test_a.py": TEST, **files}, recipe or Recipe())


@pytest.mark.parametrize(
    ("files", "runner", "place"),
    [
        ({"tox.ini": b"[testenv]\ncommands = pytest {posargs}\n"}, "pytest", "tox.ini (command)"),
        ({"noxfile.py": b'session.run("pytest", "-x")\n'}, "pytest", "noxfile.py (command)"),
        ({"Makefile": b"test:\n\tpython -m unittest discover\n"}, "unittest", "Makefile"),
        ({".gitlab-ci.yml": b"script:\n  - py.test tests\n"}, "pytest", ".gitlab-ci.yml"),
        ({"pyproject.toml": b"[tool.pytest.ini_options]\n"}, "pytest", "pyproject.toml (settings)"),
        ({"manage.py": b"django"}, "django", "manage.py"),
        ({"tox.ini": b"[testenv]\ncommands = python manage.py test\n"}, "django", "tox.ini"),
        ({"tox.ini": b"[testenv]\ncommands = stestr run {posargs}\n"}, "stestr", "tox.ini"),
        ({"Makefile": b"test:\n\tpython runtests.py\n"}, "a script", "Makefile"),
        ({"tests/test_b.py": UNIT}, "unittest", "1 of 2 test modules"),
        ({}, "pytest", "by their names"),
        # A word that only looks like a command.
        ({"tox.ini": b"[flake8]\nmax = 3\n", "setup.py": b"# pytester\n"}, "pytest", "names"),
    ],
)
def test_the_runner_and_the_file_that_says_so(
    files: dict[str, bytes], runner: str, place: str
) -> None:
    found = look(files)
    assert found.runner == runner
    assert place in found.runner_from


def recipes(files: dict[str, bytes]) -> list[str]:
    """Each is one that a lead may paste: it loads."""
    found = [one.recipe for one in look(files).obstacles]
    for text in found:
        codec.decode(f"schema_version: 1\n{text}\n".encode(), Recipe, "recipe.yaml")
    return found


def whats(files: dict[str, bytes]) -> str:
    return "\n".join(one.what for one in look(files).obstacles)


def test_a_plain_project_has_no_obstacle() -> None:
    assert look({"shop/__init__.py": b"", "pyproject.toml": b"[project]\nname='shop'\n"}) == Survey(
        runner="pytest", runner_from="by their names", test_modules=1
    )


def test_a_tree_without_tests_says_so() -> None:
    found = survey({"shop/a.py": b"A = 1\n"}, Recipe())
    assert (found.runner, found.test_modules) == ("none", 0)
    assert "no test module" in found.obstacles[0].what
    assert "under `tests:`" in found.obstacles[0].what
    assert "no Python file" in survey({"a.js": b"1"}, Recipe()).obstacles[0].what


def test_django_without_a_script_that_starts_its_tests_gets_plugin_and_settings() -> None:
    manage = b'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "store.settings")\n'
    assert "requirements: [pytest-django]\npytest_args: [--ds=store.settings]" in recipes(
        {"tests/manage.py": manage}
    )
    command = b"[testenv]\ncommands = python manage.py test\n"
    assert recipes({"tox.ini": command}) == ["requirements: [pytest-django]"]
    assert "Django" not in whats({"manage.py": manage}), "it runs as it is"
    both = {"tests/manage.py": manage, "requirements-test.txt": b"pytest-django\n"}
    assert "Django" not in whats(both)


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": b"from setuptools import setup\nsetup(name='x', ext_modules=[E])\n"},
        {"pyproject.toml": b"[build-system]\nrequires = ['maturin>=1']\n[project]\nname='x'\n"},
        {"pyproject.toml": b"[build-system]\nrequires = ['Cython', 'setuptools']\n"},
    ],
)
def test_compiled_extensions(files: dict[str, bytes]) -> None:
    assert "a compiled extension" in whats(files)


def test_pure_projects_compile_nothing() -> None:
    assert "compiled" not in whats({"setup.py": b"from setuptools import setup\nsetup(name='x')\n"})


@pytest.mark.parametrize(
    ("path", "text", "service"),
    [
        ("docker-compose.yml", "services:\n  db:\n    image: postgres:16-alpine\n", "PostgreSQL"),
        (".gitlab-ci.yml", "services:\n  - name: bitnami/redis:7\n", "Redis"),
        (".github/workflows/t.yml", "services:\n  r:\n    image: rabbitmq:3\n", "RabbitMQ"),
    ],
)
def test_services(path: str, text: str, service: str) -> None:
    assert f"{service}: a sandbox has a service only where a recipe declares it" in whats(
        {path: text.encode()}
    )


def test_a_service_names_the_tests_that_need_it() -> None:
    compose = b"services:\n  cache:\n    image: mongo\n"
    files = {"compose.yaml": compose, "tests/test_r.py": b"import pymongo\n" + TEST}
    assert "pytest_args: [--ignore=tests/test_r.py]" in recipes(files)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "image: postgres:16\n env:\n  POSTGRES_USER: shop\n  POSTGRES_PASSWORD: 'pw'\n",
            {"postgres": {"kind": "postgres", "user": "shop", "password": "pw"}},
        ),
        (
            "image: mariadb\n environment:\n  - MYSQL_ROOT_PASSWORD=x\n  - MYSQL_DATABASE=d\n",
            {"mysql": {"kind": "mysql", "password": "x", "database": "d"}},
        ),
        ("image: bitnami/redis:7\n", {"redis": {"kind": "redis"}}),
        (
            "image: postgres\n env:\n  POSTGRES_PASSWORD: ${{ secrets.PW }}\n",
            {"postgres": {"kind": "postgres"}},
        ),
    ],
)
def test_a_service_is_proposed_with_the_account_of_its_container(
    text: str, wanted: dict[str, dict[str, str]]
) -> None:
    found = recipes({"compose.yaml": f"services:\n one:\n  {text}".encode()})
    services = [codec.read(one.encode(), "recipe.yaml").data for one in found]
    assert {"services": wanted} in services


def test_what_the_tests_import_and_nothing_declares() -> None:
    files = {
        "tests/test_b.py": b'import freezegun\nimport os\nimport shop\nT = """\nimport foo\n"""\n',
        "tests/test_c.py": b"try:\n    import numpy\nexcept ImportError:\n    numpy = None\n",
        "shop/__init__.py": b"",
    }
    assert "requirements: [freezegun]" in recipes(files)
    declared = {**files, "requirements-test.txt": b"freezegun\n"}
    assert "requirements: [freezegun]" not in recipes(declared)


def test_a_name_that_many_distributions_share_is_told_and_not_proposed() -> None:
    """Whoever owns the distribution of that very name is somebody else."""
    lone = {"tests/test_b.py": b"from google.protobuf import message\n" + TEST}
    assert "google" in whats(lone)
    assert not any("google" in one for one in recipes(lone))
    both = {"tests/test_b.py": b"import freezegun\nimport google.protobuf\n" + TEST}
    assert "requirements: [freezegun]" in recipes(both)


def test_a_tree_that_declares_nothing_is_asked_for_all_its_imports() -> None:
    files = {"app/a.py": b"import yaml\nimport requests\n", "docs/conf.py": b"import sphinx\n"}
    assert "requirements: [requests, pyyaml]" in recipes(files)


def test_an_interpreter_that_is_not_to_be_had() -> None:
    files = {"setup.py": b"from setuptools import setup\nsetup(python_requires='<3.0')\n"}
    assert 'python: "3.11"' in recipes(files)


def test_programs_of_ci() -> None:
    text = (
        b"- run: |\n    sudo apt-get -qq install -y --no-install-recommends graphviz \\\n"
        b"      libxml2-dev\n"
    )
    assert "apt: [graphviz, libxml2-dev]" in recipes({".github/workflows/ci.yml": text})


def test_programs_that_every_image_has_are_no_obstacle() -> None:
    text = b"- run: |\n    apt-get install -y git ca-certificates\n"
    assert recipes({".github/workflows/ci.yml": text}) == []


@pytest.mark.parametrize("name", ["a, b", "a: b", "[a", "#a", "a'\"", "{a}", "é"])
def test_proposals_load_whatever_the_files_are_called(name: str) -> None:
    users = {f"tests/{name}/test_r.py": b"import redis\n" + TEST}
    fields = {f"tests/{name}/{n}.py": TEST for n in ("fields", "models", "queries", "forms")}
    found = recipes({"compose.yaml": b"services:\n  c:\n    image: redis\n", **users, **fields})
    assert len(found) >= 2


def test_tests_whose_names_pytest_passes_over() -> None:
    files = {f"tests/{name}.py": TEST for name in ("fields", "models", "queries")}
    assert "3 files hold tests" in whats(files)
    assert any(one.startswith("test_names: ") for one in recipes(files))


def test_many_tests_that_need_a_service() -> None:
    files = {f"tests/test_{n}.py": b"import pymongo\n" + TEST for n in "bcdef"}
    found = recipes({"compose.yaml": b"services:\n  c:\n    image: mongo\n", **files})
    wanted = ", ".join(f"--ignore=tests/test_{n}.py" for n in "bcdef")
    assert f"pytest_args: [{wanted}]" in found


def test_submodules() -> None:
    assert "submodule" in whats({".gitmodules": b"[submodule]\n"})
