"""What each build back end says about import roots, versions and generated files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from micro_bench.languages.python.manifests.project import Declared, Template, VersionRule
from micro_bench.languages.python.values import join, table, text, text_map, texts
from micro_bench.model.slice import Requirement

HATCH_PATTERN = r"""(?im)^(?:__version__|VERSION)(?: ?: ?str)? *= *(['"])v?(?P<version>.+?)\1"""
_PDM_TEMPLATE = '__version__ = "{version}"\n'

Document = Mapping[str, Any]


def read(document: Document, directory: str, path: str) -> Declared | None:
    """The back end's part of a `pyproject.toml`."""
    backend = text(table(document, "build-system").get("build-backend")) or ""
    reader = _reader(backend, document)
    found = reader(document, directory, path) if reader else Declared()
    if not found.roots and (roots := _other_roots(document, directory, backend)):
        return Declared(**{**vars(found), "roots": roots})
    return found


def _reader(backend: str, document: Document) -> Callable[[Document, str, str], Declared] | None:
    tools = table(document, "tool")
    for start, tool, reader in (
        ("hatchling", "hatch", _hatch),
        ("flit", "flit", _flit),
        ("pdm", "pdm", _pdm),
        ("setuptools", "setuptools", _setuptools),
    ):
        if backend.startswith(start) or (not backend and tool in tools):
            return reader
    return _setuptools if not backend or "setuptools_scm" in tools else None


def _other_roots(document: Document, directory: str, backend: str) -> tuple[str, ...]:
    if backend.startswith("uv_build"):
        module_root = table(document, "tool", "uv", "build-backend").get("module-root", "src")
        return (join(directory, module_root),) if isinstance(module_root, str) else ()
    if source := text(table(document, "tool", "maturin").get("python-source")):
        return (join(directory, source),)
    packages = texts(table(document, "tool", "scikit-build", "wheel").get("packages"))
    return _parents(packages, directory)


def _parents(packages: tuple[str, ...], directory: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(join(directory, package, "..") for package in packages))


def _setuptools(document: Document, directory: str, path: str) -> Declared:
    options = table(document, "tool", "setuptools")
    dynamic = table(options, "dynamic", "version")
    rule, templates = _setuptools_scm(document, directory)
    if attr := text(dynamic.get("attr")):
        rule = VersionRule("attr", attr, says=f"{path} tool.setuptools.dynamic.version.attr")
    elif file := texts(dynamic.get("file")):
        rule = VersionRule(
            "file", join(directory, file[0]), says=f"{path} tool.setuptools.dynamic.version.file"
        )
    return Declared(
        version_rule=rule, roots=_setuptools_roots(options, directory), templates=templates
    )


def _setuptools_roots(options: Document, directory: str) -> tuple[str, ...]:
    places = package_directories(text_map(options.get("package-dir")), directory)
    where = texts(table(options, "packages", "find").get("where"))
    return tuple(dict.fromkeys([*places, *(join(directory, place) for place in where)]))


def package_directories(mapping: Mapping[str, str], directory: str) -> list[str]:
    """The import roots that a `package_dir` mapping implies."""
    found = []
    for package, place in mapping.items():
        if not package:
            found.append(join(directory, place))
            continue
        ups = package.count(".") + 1
        if place.rstrip("/").endswith(package.replace(".", "/")):
            found.append(join(directory, place, *[".."] * ups))
    return list(dict.fromkeys(found))


def _setuptools_scm(
    document: Document, directory: str
) -> tuple[VersionRule | None, tuple[Template, ...]]:
    scm = table(document, "tool", "setuptools_scm")
    if "setuptools_scm" not in table(document, "tool") and not _builds_with(
        document, "setuptools-scm", "setuptools_scm"
    ):
        return None, ()
    template = text(scm.get("version_file_template")) or text(scm.get("write_to_template")) or ""
    paths = [text(scm.get(key)) for key in ("version_file", "write_to")]
    templates = tuple(Template(join(directory, path), template) for path in paths if path)
    return VersionRule("vcs", says="setuptools_scm"), templates


def _builds_with(document: Document, *names: str) -> bool:
    requires = texts(table(document, "build-system").get("requires"))
    return any(requirement.lower().startswith(names) for requirement in requires)


def _hatch(document: Document, directory: str, path: str) -> Declared:
    hatch = table(document, "tool", "hatch")
    version = table(hatch, "version")
    rule = None
    if text(version.get("source")) == "vcs":
        rule = VersionRule("vcs", says="hatch-vcs")
    elif where := text(version.get("path")):
        pattern = text(version.get("pattern")) or HATCH_PATTERN
        says = f"{path} tool.hatch.version.path"
        rule = VersionRule("pattern", join(directory, where), pattern, says)
    hook = table(hatch, "build", "hooks", "vcs")
    file = text(hook.get("version-file"))
    templates = (Template(join(directory, file), text(hook.get("template")) or ""),) if file else ()
    return Declared(version_rule=rule, roots=_hatch_roots(hatch, directory), templates=templates)


def _hatch_roots(hatch: Document, directory: str) -> tuple[str, ...]:
    build = table(hatch, "build")
    for options in (table(build, "targets", "wheel"), build):
        if packages := texts(options.get("packages")):
            return _parents(packages, directory)
        sources = options.get("sources")
        if isinstance(sources, list):
            return tuple(join(directory, source) for source in texts(sources))
        if isinstance(sources, Mapping):
            return tuple(join(directory, place) for place, to in sources.items() if to == "")
    return tuple(join(directory, place) for place in texts(build.get("dev-mode-dirs")))


def _flit(document: Document, _directory: str, path: str) -> Declared:
    flit = table(document, "tool", "flit")
    old = table(flit, "metadata")
    module = text(table(flit, "module").get("name")) or text(old.get("module"))
    module = module or (text(table(document, "project").get("name")) or "").replace("-", "_")
    source = f"{path} tool.flit.metadata"

    def listed(value: object, key: str) -> tuple[Requirement, ...]:
        return tuple(Requirement(text=item, source=f"{source}.{key}") for item in texts(value))

    groups = {"console_scripts": text_map(flit.get("scripts"))}
    groups |= {name: text_map(points) for name, points in table(flit, "entrypoints").items()}
    return Declared(
        name=text(old.get("dist-name")) or text(old.get("module")),
        version_rule=VersionRule("attr", f"{module}.__version__", says="flit __version__"),
        requires_python=text(old.get("requires-python")),
        classifiers=texts(old.get("classifiers")) or None,
        dependencies=listed(old.get("requires"), "requires") if old else None,
        extras={
            extra: listed(names, f"requires-extra.{extra}")
            for extra, names in table(old, "requires-extra").items()
        },
        entry_points={group: points for group, points in groups.items() if points},
        module=module or None,
    )


def _pdm(document: Document, directory: str, path: str) -> Declared:
    pdm = table(document, "tool", "pdm")
    version = table(pdm, "version")
    source, file = text(version.get("source")), text(version.get("path"))
    rule = None
    if source == "scm":
        rule = VersionRule("vcs", says="pdm scm")
    elif file:
        says = f"{path} tool.pdm.version.path"
        rule = VersionRule("pattern", join(directory, file), HATCH_PATTERN, says)
    place = text(table(pdm, "build").get("package-dir")) or text(pdm.get("package-dir"))
    written = text(version.get("write_to"))
    template = (text(version.get("write_template")) or _PDM_TEMPLATE).replace("{}", "{version}")
    return Declared(
        version_rule=rule,
        roots=(join(directory, place),) if place else (),
        templates=(Template(join(directory, place or "", written), template),) if written else (),
    )
