"""`setup.cfg`: the declarative part of setuptools."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.languages._language import Files
from micro_bench.languages.python import ini
from micro_bench.languages.python.manifests.backends import package_directories
from micro_bench.languages.python.manifests.project import Declared, VersionRule
from micro_bench.languages.python.values import join
from micro_bench.model.slice import Requirement


def read(files: Files, path: str) -> Declared | None:
    """The declarative part of setuptools; None when the file configures other tools only."""
    sections = ini.read(files[path].decode("utf-8-sig", "replace"))
    if sections is None:
        return Declared(complaints=(f"{path}: does not parse",))
    if not {"metadata", "options"} & sections.keys():
        return None
    return _declared(sections, path)


def _declared(sections: ini.Sections, path: str) -> Declared:
    metadata, options = sections.get("metadata", {}), sections.get("options", {})
    directory = path.rpartition("/")[0]
    listed = _listed(options.get("install_requires"), f"{path} options.install_requires")
    version, rule = _version(metadata.get("version", "").strip(), directory, path)
    return Declared(
        name=metadata.get("name", "").strip() or None,
        version=version,
        version_rule=rule,
        version_source=f"{path} metadata.version",
        requires_python=options.get("python_requires", "").strip() or None,
        classifiers=tuple(ini.lines(metadata.get("classifiers", ""))) or None,
        dependencies=listed if "install_requires" in options else None,
        extras=_extras(sections.get("options.extras_require", {}), path),
        groups=_tests_require(options.get("tests_require"), f"{path} options.tests_require"),
        entry_points=_entry_points(sections.get("options.entry_points", {})),
        roots=_roots(sections, directory),
    )


def _extras(section: Mapping[str, str], path: str) -> dict[str, tuple[Requirement, ...]]:
    return {
        name: _listed(value, f"{path} options.extras_require.{name}")
        for name, value in section.items()
    }


def _version(value: str, directory: str, path: str) -> tuple[str | None, VersionRule | None]:
    says = f"{path} metadata.version"
    if value.startswith("attr:"):
        return None, VersionRule("attr", value.removeprefix("attr:").strip(), says=says)
    if value.startswith("file:"):
        first = value.removeprefix("file:").partition(",")[0].strip()
        return None, VersionRule("file", join(directory, first), says=says)
    return value or None, None


def _listed(value: str | None, source: str) -> tuple[Requirement, ...]:
    items = (item.strip() for line in ini.lines(value or "") for item in line.split(" #")[:1])
    return tuple(
        Requirement(text=part.strip(), source=source)
        for item in items
        for part in item.split(";;")
        if part.strip() and not part.startswith(("#", "file:"))
    )


def _tests_require(value: str | None, source: str) -> dict[str, tuple[Requirement, ...]]:
    return {"tests_require": _listed(value, source)} if value and value.strip() else {}


def _entry_points(section: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {group: ini.points(value) for group, value in section.items() if ini.points(value)}


def _roots(sections: ini.Sections, directory: str) -> tuple[str, ...]:
    mapping: dict[str, str] = {}
    for line in ini.lines(sections.get("options", {}).get("package_dir", "").replace(",", "\n")):
        package, sign, place = line.partition("=")
        if sign:
            mapping[package.strip()] = place.strip()
    found = package_directories(mapping, directory)
    if where := sections.get("options.packages.find", {}).get("where", "").strip():
        found.append(join(directory, where))
    return tuple(dict.fromkeys(found))
