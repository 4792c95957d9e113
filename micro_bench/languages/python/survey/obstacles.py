"""What of a tree will not work in a sandbox by itself, each with the smallest recipe."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from micro_bench.languages._language import Files, Obstacle
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.manifests.environment import build_plan, environment, projects
from micro_bench.languages.python.manifests.interpreter import PREFERRED
from micro_bench.languages.python.manifests.suppliers import SHARED, distribution_of, is_run
from micro_bench.languages.python.paths import is_test
from micro_bench.languages.python.starters import of_ci, of_services, shown
from micro_bench.languages.python.survey.imports import OURS, importing, unsupplied
from micro_bench.languages.python.testing.recognised import DJANGO, PYTEST, UNITTEST, own_runner
from micro_bench.languages.python.values import load_toml, table, texts, words
from micro_bench.model.slice import Environment

_COMPILES = ("maturin", "meson-python", "scikit-build", "scikit-build-core", "setuptools-rust",
             "cython", "cffi", "pybind11", "numpy", "mypyc", "nanobind")  # fmt: skip
_EXTENSION = re.compile(r"\bext_modules\s*=|\bcffi_modules\s*=|\brust_extensions\s*=|cythonize\(")
_SERVICES = {
    "PostgreSQL": ("postgres|postgis", "psycopg2 psycopg asyncpg pg8000"),
    "MySQL": ("mysql|mariadb|percona", "MySQLdb pymysql aiomysql mysql"),
    "Redis": ("redis|valkey", "redis aioredis"),
    "MongoDB": ("mongo(?:db)?", "pymongo motor mongoengine"),
    "RabbitMQ": ("rabbitmq", "pika aio_pika kombu"),
    "Kafka": ("(?:cp-)?kafka|redpanda", "kafka aiokafka confluent_kafka"),
    "Elasticsearch": ("elasticsearch|opensearch", "elasticsearch opensearchpy"),
    "Memcached": ("memcached", "pymemcache pylibmc memcache"),
}
"""What a service's image is called, and the modules that talk to it."""
_KINDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "PostgreSQL": ("postgres", {
        "user": "POSTGRES_USER", "password": "POSTGRES_PASSWORD", "database": "POSTGRES_DB",
    }),
    "MySQL": ("mysql", {
        "user": "(?:MYSQL|MARIADB)_USER", "database": "(?:MYSQL|MARIADB)_DATABASE",
        "password": "(?:MYSQL|MARIADB)_(?:ROOT_)?PASSWORD",
    }),
    "Redis": ("redis", {}),
    "RabbitMQ": ("rabbitmq", {
        "user": "RABBITMQ_DEFAULT_USER", "password": "RABBITMQ_DEFAULT_PASS",
        "database": "RABBITMQ_DEFAULT_VHOST",
    }),
    "Memcached": ("memcached", {}),
}  # fmt: skip
"""Those that a recipe can declare: their kind, and what the official image calls the account."""
_BLOCK = 800
"""Characters behind a service's image within which its variables stand."""
_IMAGE = r"(?mi)^\s*-?\s*(?:image|name)\s*:\s*[\"']?(?:[\w.-]+/){0,3}(?:%s)(?:[:@\"'\s]|$)"
_APT = re.compile(r"apt(?:-get)?\s+(?:-\S+\s+)*install\s+((?:[^\n&|;#\\]|\\\s*\n)+)")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
_SETTINGS = re.compile(r"DJANGO_SETTINGS_MODULE[\"']?\s*[,=\]:]+\s*[\"']?([A-Za-z_][\w.]*)")
_DJANGO_FILES = ("manage.py", "runtests.py", "tests/runtests.py", "tox.ini", "pytest.ini",
                 "setup.cfg", "pyproject.toml", "tests/manage.py", "conftest.py")  # fmt: skip
_HOLDS_TESTS = re.compile(rb"^[ \t]*(?:async[ \t]+)?def[ \t]+test_?\w*\(", re.MULTILINE)
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_PLAIN = re.compile(r"[\w./=+-]*[A-Za-z_][\w./=+-]*", re.ASCII)
_THERE = frozenset(words("git python3 ca-certificates sudo"))
"""Every base image has these, or no test needs them."""
_KNOWN_TO_RUN = (PYTEST, UNITTEST, "none")


def find_obstacles(
    files: Files, modules: Sequence[str], runner: str, recipe: Recipe
) -> Iterator[Obstacle]:
    """Everything found, the most telling first."""
    if not modules:
        python = any(path.endswith(".py") for path in files)
        where = "; if there are tests, name their folder under `tests:`" if python else ""
        what = "no test module was recognised" if python else "no Python file, so no test module"
        yield Obstacle(what=what + where, seen_in="the paths")
    yield from _unnamed(files, modules, recipe)
    yield from _runner(files, runner)
    wanted = environment(files, _ANY_TIME, recipe)
    yield from _interpreter(wanted)
    yield from _undeclared(files, modules, wanted, recipe)
    yield from _compiled(files, recipe)
    yield from _services(files, modules)
    yield from _programs(files)
    if ".gitmodules" in files:
        where = "a slice holds no submodule: tests that read one fail"
        yield Obstacle(what=where, seen_in=".gitmodules")


def _unnamed(files: Files, modules: Sequence[str], recipe: Recipe) -> Iterator[Obstacle]:
    """Tests whose files have names that pytest passes over."""
    known = set(modules)
    others = [
        path for path in files
        if path.endswith(".py") and path not in known and is_test(path, recipe)
        and _HOLDS_TESTS.search(files[path])
    ]  # fmt: skip
    if len(others) > len(modules):
        folder = max(Counter(path.rpartition("/")[0] for path in others).items(), key=_most)[0]
        yield Obstacle(
            what=f"{len(others)} files hold tests and have no name that pytest collects",
            seen_in=f"{folder or '.'}/",
            recipe=f"test_names: [{{below: {_listed([folder or '.'])}, files: ['*.py']}}]",
        )


def _most(counted: tuple[str, int]) -> tuple[int, str]:
    return counted[1], counted[0]


def _undeclared(
    files: Files, modules: Sequence[str], wanted: Environment, recipe: Recipe
) -> Iterator[Obstacle]:
    """What is imported and no manifest supplies: by the tests; by all where nothing is declared."""
    declared = any(item.source != OURS for item in wanted.requirements)
    own = [path for path in files if path.endswith(".py") and is_run(path)]
    asking = modules if declared else [p for p in own if p in modules or not is_test(p, recipe)]
    missing = unsupplied(files, asking, wanted.requirements)
    if missing:
        users = importing(files, asking, missing)
        named = [distribution_of(name) for name in missing if name not in SHARED]
        kind = "test modules" if declared else "modules"
        yield Obstacle(
            what=f"no manifest names {', '.join(missing[:6])} (it may come with another), which"
            f" {len(users)} of {len(asking)} {kind} import",
            seen_in=users[0],
            recipe=f"requirements: [{_listed(named)}]" if named else "",
        )


def _listed(texts: Iterable[str]) -> str:
    """Items of a YAML list: what is no plain word there is quoted."""
    return ", ".join(text if _PLAIN.fullmatch(text) else json.dumps(text) for text in texts)


def _interpreter(wanted: Environment) -> Iterator[Obstacle]:
    if wanted.python not in PREFERRED:
        yield Obstacle(
            what=f"asks for Python {wanted.python}, none of {', '.join(sorted(PREFERRED))}",
            seen_in=wanted.python_source,
            recipe=f'python: "{PREFERRED[0]}"',
        )


def _runner(files: Files, runner: str) -> Iterator[Obstacle]:
    if own_runner(files):
        return
    named = "pytest-django" in _all_text(files)
    if runner == DJANGO or (_django(files) and not named):
        if not named:
            yield _by_django(files)
    elif runner not in _KNOWN_TO_RUN:
        what = f"{runner} starts the tests; pytest does here, and loses what it cannot collect"
        yield Obstacle(what=what, seen_in="the command")


def _by_django(files: Files) -> Obstacle:
    what = "Django's own runner; pytest needs a plugin and the settings' name"
    found = _SETTINGS.search(shown(files, _django(files)))
    told = f"pytest_args: [{_listed([f'--ds={found[1]}'])}]" if found else ""
    return Obstacle(
        what=what if found else f"{what}, which was not found (`pytest_args: [--ds=NAME]`)",
        seen_in=_django(files) or "its tests",
        recipe=f"requirements: [pytest-django]\n{told}".strip(),
    )


def _django(files: Files) -> str:
    """The file that names Django's settings."""
    return next((n for n in _DJANGO_FILES if _SETTINGS.search(shown(files, n))), "")


def _all_text(files: Files) -> str:
    named = (p for p in sorted(files) if p.endswith((".toml", ".cfg", ".ini", ".txt", ".in")))
    return "\n".join(shown(files, path) for path in named if path.count("/") <= 1)


def _compiled(files: Files, recipe: Recipe) -> Iterator[Obstacle]:
    """What a back end would compile and no plan is known for is not there."""
    if build_plan(files, recipe):
        return
    places = {"", *(project.directory for project in projects(files, recipe))}
    for place in sorted(places):
        folder = f"{place}/" if place else ""
        setup, manifest = f"{folder}setup.py", f"{folder}pyproject.toml"
        build = table(load_toml(files.get(manifest)), "build-system")
        asked = " ".join(texts(build.get("requires"))).lower()
        by = next((name for name in _COMPILES if re.search(rf"\b{name}\b", asked)), "")
        found = setup if _EXTENSION.search(shown(files, setup)) else manifest if by else ""
        if found:
            what = "a compiled extension, of which no source is seen"
            yield Obstacle(
                what=f"{what}{f' ({by})' if by else ''}: tests that import it fail",
                seen_in=found,
            )
            return


def _services(files: Files, modules: Sequence[str]) -> Iterator[Obstacle]:
    for path, text in of_services(files):
        for name, (image, clients) in _SERVICES.items():
            found = re.search(_IMAGE % image, text)
            if found:
                users = importing(files, modules, clients.split())
                yield Obstacle(
                    what=f"{name}: a sandbox has a service only where a recipe declares it; "
                    f"{_share(users, modules)}",
                    seen_in=path,
                    recipe=_declaring(name, text[found.start() :]) or _ignoring(users),
                )
        if "services" in text:
            return


def _declaring(name: str, text: str) -> str:
    """The line that declares a service, with the account that its container is told of."""
    if name not in _KINDS:
        return ""
    kind, keys = _KINDS[name]
    block = text[:_BLOCK]
    said = {"kind": kind}
    for key, variable in keys.items():
        found = re.search(rf"\b{variable}\s*[:=]\s*[\"']?([A-Za-z0-9_][\w.-]*)", block)
        if found:
            said[key] = found[1]
    listed = ", ".join(f"{key}: {json.dumps(value)}" for key, value in said.items())
    return f"services: {{{kind}: {{{listed}}}}}"


def _share(users: Sequence[str], modules: Sequence[str]) -> str:
    if not users:
        return "no test module imports its client, so some may fail and many not"
    return f"{len(users)} of {len(modules)} test modules import its client"


def _ignoring(users: Sequence[str]) -> str:
    if not users:
        return ""
    return f"pytest_args: [{_listed(f'--ignore={path}' for path in sorted(users))}]"


def _programs(files: Files) -> Iterator[Obstacle]:
    found: dict[str, None] = {}
    seen_in = ""
    for path, text in of_ci(files):
        for match in _APT.finditer(text):
            named = [word for word in match[1].replace("\\", " ").split() if word[0] not in "-$"]
            fitting = (word for word in named if _PACKAGE.fullmatch(word))
            lacking = dict.fromkeys(word for word in fitting if word not in _THERE)
            seen_in = seen_in or (path if lacking else "")
            found |= lacking
    if found:
        yield Obstacle(
            what="system packages that CI installs may be needed", seen_in=seen_in,
            recipe=f"apt: [{_listed(found)}]",
        )  # fmt: skip
