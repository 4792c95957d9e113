"""pytest's words about a test that did not run -> what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.causes import missing, plugins
from micro_bench.languages.python.manifests import interpreter
from micro_bench.languages.python.manifests.declared import named, of_extra
from micro_bench.languages.python.manifests.environment import projects
from micro_bench.model.execution import CauseKind, Meaning

_PREFIX = re.compile(r"(collection (failure|skipped): )?(Skipped: )?")
_WORDS, _READ = 200, 2000
Reader = Callable[["re.Match[str]", Files, Recipe], Meaning]


def cause(said: str, files: Files, recipe: Recipe) -> Meaning:
    """Why a test did not run or was skipped, out of the message of its result."""
    said = said[:_READ]
    for pattern, reader in _RULES:
        if match := pattern.search(said):
            return reader(match, files, recipe)
    return Meaning(kind=CauseKind.UNKNOWN, said=_words(said))


def _words(said: str) -> str:
    return _PREFIX.sub("", said, count=1).strip().partition("\n")[0][:_WORDS]


def _module(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    return missing.module(match[1], files, recipe)


def _name(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    said = f"cannot import name {match[1]!r} from {match[2]!r}"
    if missing.is_standard(match[2]):
        return _older(said, f"the standard library of this Python has no {match[2]}.{match[1]}",
                      files, recipe)  # fmt: skip
    if missing.own_place(match[2], files, recipe) is not None:
        return Meaning(kind=CauseKind.UNKNOWN, said=said)
    return _other_release(said, match[2].partition(".")[0], files, recipe)


def _attribute(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    said = f"module {match[1]!r} has no attribute {match[2]!r}"
    if missing.is_standard(match[1]):
        return _older(said, f"the standard library of this Python has no {match[1]}.{match[2]}",
                      files, recipe)  # fmt: skip
    if missing.own_place(match[1], files, recipe) is not None:
        return Meaning(kind=CauseKind.UNKNOWN, said=said)
    return _other_release(said, match[1].partition(".")[0], files, recipe)


def _other_release(said: str, module: str, files: Files, recipe: Recipe) -> Meaning:
    found = missing.declared_for(module, files, recipe)
    name = found.text if found else module
    return Meaning(
        kind=CauseKind.REQUIREMENT, said=said,
        means=f"the release of {name} in the environment is not the one the code was written for",
        mend=f"pin it in recipe.yaml under `requirements:` ({name} with an upper bound)",
    )  # fmt: skip


def _syntax(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    return _older(match[0][:_WORDS], "this Python does not read the code", files, recipe)


def _older(said: str, means: str, files: Files, recipe: Recipe) -> Meaning:
    """The version that the manifests ask for, unless that is the one that ran."""
    minor, source, _complaints = interpreter.choose(files, projects(files, Recipe()), Recipe())
    mend = f'`python: "{minor}"` in recipe.yaml ({source}), or an older one'
    if source.startswith("default") or minor == recipe.python:
        mend = 'name the version that the code was written for in recipe.yaml: `python: "3.x"`'
    return Meaning(kind=CauseKind.LANGUAGE_VERSION, said=said, means=means, mend=mend)


def _django(match: re.Match[str], files: Files, _recipe: Recipe) -> Meaning:
    places = sorted(
        path.removesuffix(".py").replace("/", ".") for path in files
        if re.fullmatch(r"(.*/)?(test_?)?settings(_?tests?)?\.py", path)
    )  # fmt: skip
    places.sort(key=lambda name: "test" not in name)
    value = places[0] if places else "the project's settings module"
    return Meaning(
        kind=CauseKind.SETTINGS, said=match[0][:_WORDS],
        means="Django is used before anybody told it its settings",
        mend=f"`env: {{DJANGO_SETTINGS_MODULE: {value}}}` in recipe.yaml",
    )  # fmt: skip


def _fixture(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    said = f"fixture {match[1]!r} not found"
    return _plugin(said, plugins.FIXTURES.get(match[1], ""), "fixture", files, recipe)


def _option(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    option = match[1].partition("=")[0].partition(" ")[0]
    return _plugin(match[0], plugins.OPTIONS.get(option, ""), "option", files, recipe)


def _async(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    known = next((n for n in plugins.ASYNC if named(n, files, recipe)), plugins.ASYNC[0])
    return _plugin(match[0], known, "support of async tests", files, recipe)


def _plugin(said: str, plugin: str, what: str, files: Files, recipe: Recipe) -> Meaning:
    if not plugin:
        return Meaning(
            kind=CauseKind.REQUIREMENT, said=said,
            means=f"a plugin of pytest, or a conftest.py that was not read, supplies the {what}",
            mend="name the plugin in recipe.yaml under `requirements:`",
        )  # fmt: skip
    found = named(plugin, files, recipe)
    means = f"{plugin} supplies the {what}"
    return Meaning(
        kind=CauseKind.REQUIREMENT, said=said,
        means=f"{means} ({found.source})" if found else f"{means}; no manifest names it",
        mend=f'`requirements: ["{found.text if found else plugin}"]` in recipe.yaml',
    )  # fmt: skip


def _marker(match: re.Match[str], _files: Files, _recipe: Recipe) -> Meaning:
    return Meaning(
        kind=CauseKind.SETTINGS, said=match[0],
        means="the base's pytest configuration, which grading keeps, does not declare the marker",
        mend="name the file that declares it in the spec under `editable:`, or the plugin that "
        "does in recipe.yaml under `requirements:`",
    )  # fmt: skip


def _same_name(match: re.Match[str], _files: Files, _recipe: Recipe) -> Meaning:
    return Meaning(
        kind=CauseKind.SETTINGS, said=match[0],
        means="two test files have one name, and their folders are no packages",
        mend='`pytest_args: ["--import-mode=importlib"]` in recipe.yaml',
    )  # fmt: skip


def _service(match: re.Match[str], _files: Files, _recipe: Recipe) -> Meaning:
    return Meaning(
        kind=CauseKind.SERVICE, said=match[0][:_WORDS],
        means="a service (a database, a queue) does not answer: none runs beside the tests",
        mend="tests that need services cannot decide a task: `status: retired`, or other tests",
    )  # fmt: skip


def _network(match: re.Match[str], _files: Files, _recipe: Recipe) -> Meaning:
    return Meaning(
        kind=CauseKind.NETWORK, said=match[0][:_WORDS],
        means="the test asks the network, and tests run without one",
        mend="tests that need the network cannot decide a task: `status: retired`, or other tests",
    )  # fmt: skip


def _library(match: re.Match[str], _files: Files, _recipe: Recipe) -> Meaning:
    return Meaning(
        kind=CauseKind.SYSTEM, said=match[0][:_WORDS],
        means=f"the shared library {match[1]} is not installed",
        mend=f"the system package that holds {match[1]} in recipe.yaml under `apt:`",
    )  # fmt: skip


def _program(match: re.Match[str], _files: Files, _recipe: Recipe) -> Meaning:
    return Meaning(
        kind=CauseKind.SYSTEM, said=match[0][:_WORDS],
        means=f"a program or a file {match[1]} is not there",
        mend=f"if it is a program: `apt: [{match[1]}]` in recipe.yaml, or what holds it",
    )  # fmt: skip


def _absent(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    """`requires numpy`, `the fast extra`: believed where a manifest knows the name."""
    name = next(filter(None, match.groups()))
    listed = of_extra(name, files, recipe) if "extra" in match[0] else ()
    if not listed and (found := missing.declared_for(name, files, recipe)):
        listed = (found,)
    said = _words(match.string)
    if not listed:
        return Meaning(kind=CauseKind.UNKNOWN, said=said)
    texts = ", ".join(f'"{item.text}"' for item in listed)
    return Meaning(
        kind=CauseKind.REQUIREMENT, said=said,
        means=f"{listed[0].source} names it",
        mend=f"`requirements: [{texts}]` in recipe.yaml",
    )  # fmt: skip


def _metadata(match: re.Match[str], files: Files, recipe: Recipe) -> Meaning:
    return missing.distribution(match[1], match[0][:_WORDS], files, recipe)


_SYNTAX = r"(?:SyntaxError|IndentationError|TabError): [^\n]*"
_SETTINGS = (
    r"settings are not configured|DJANGO_SETTINGS_MODULE|AppRegistryNotReady[^\n]*"
    r"|Apps aren't loaded yet"
)
_NO_NETWORK = (
    r"[^\n]*(?:Name or service not known|Temporary failure in name resolution"
    r"|Network is unreachable|getaddrinfo failed|No address associated with hostname)[^\n]*"
)
_NO_SERVICE = (
    r"[^\n]*(?:Connection refused|could not connect to server|Can't connect to \w+ server"
    r"|connection to server [^\n]* failed|ServerSelectionTimeoutError)[^\n]*"
)
_ABSENT = (
    r"^(?:collection skipped: )?(?:Skipped: )?(?:(?:[Tt]his )?(?:test )?(?:[Rr]equires?|[Nn]eeds?)"
    r" (?:the )?['\"`]?([\w.-]+)['\"`]?(?: extras?| package| library| module| to be installed)?\.?$"
    r"|['\"`]?([\w.-]+)['\"`]? (?:is )?(?:not|n't) (?:installed|available|found)\.?$)"
)
_RULES: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(pattern), reader)
    for pattern, reader in (
        (r"[Nn]o module named '?([\w.]+)'?", _module),
        (r"could not import '([\w.]+)'", _module),
        (r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'", _name),
        (r"module '([\w.]+)' has no attribute '(\w+)'", _attribute),
        (_SYNTAX, _syntax),
        (_SETTINGS, _django),
        (r"fixture '(\w+)' not found", _fixture),
        (r"unrecognized arguments: (\S+)", _option),
        (r"async def functions are not natively supported", _async),
        (r"'\w+' not found in `markers` configuration option", _marker),
        (r"import file mismatch", _same_name),
        (r"No package metadata was found for ['\"]?([\w.-]+)", _metadata),
        (r"DistributionNotFound: The '([\w.-]+)", _metadata),
        (_NO_NETWORK, _network),
        (_NO_SERVICE, _service),
        (r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file", _library),
        (r"No such file or directory: '([\w.+-]+)'", _program),
        (_ABSENT, _absent),
    )
)
"""The first that is found counts."""
