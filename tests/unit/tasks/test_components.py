"""The parts of a repository, told from its tree and its imports alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from micro_bench.model.graph import Graph
from micro_bench.tasks.components import FEW, LARGEST, components
from micro_bench.tasks.reach import Reach

PROJECT = b"[project]\nname='x'\nversion='1'\n"
NAMES = ("client", "models", "auth", "cookies", "tools", "cache", "store", "index")
IMPORTS = {
    "client": ("models", "tools"),
    "models": ("tools",),
    "auth": ("cookies", "tools"),
    "cookies": ("auth", "tools"),
    "cache": ("store", "tools"),
    "store": ("index", "tools"),
    "index": ("tools",),
}


def graph(files: Mapping[str, str]) -> Graph:
    return python.graph({path: text.encode() for path, text in files.items()}, Recipe())


def modules(directory: str, names: Iterable[str] = NAMES) -> dict[str, str]:
    """A package whose modules import one another as IMPORTS says."""
    lines = {name: "".join(f"from . import {o}\n" for o in IMPORTS.get(name, ())) for name in names}
    return {
        f"{directory}/__init__.py": "",
        **{f"{directory}/{name}.py": text for name, text in lines.items()},
    }


def parts(found: Mapping[str, str]) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for path, name in found.items():
        told.setdefault(name, set()).add(path)
    return told


def test_members_of_a_workspace_are_components() -> None:
    files = {
        f"packages/{member}/src/{member}/{name}.py": ""
        for member in ("api", "core", "ui")
        for name in ("__init__", "a", "b")
    }
    manifests = {
        f"packages/{member}/pyproject.toml": PROJECT.decode() for member in ("api", "core", "ui")
    }
    found = components(graph({**files, **manifests}))
    assert set(found.values()) == {f"packages/{m}/src/{m}" for m in ("api", "core", "ui")}


def test_packages_side_by_side_are_components_unless_one_is_most_of_the_repository() -> None:
    small = {f"src/{name}/{part}.py": "" for name in "abc" for part in ("__init__", "x", "y")}
    found = components(graph({"pyproject.toml": PROJECT.decode(), **small}))
    assert set(found.values()) == {"src/a", "src/b", "src/c"}
    large = {
        f"src/a/{sub}/{n}.py": "" for sub in ("p", "q", "r") for n in ("m", "n", "o", "k", "l")
    }
    found = components(graph({"pyproject.toml": PROJECT.decode(), **small, **large}))
    assert {"src/a/p", "src/a/q", "src/a/r", "src/b", "src/c"} <= set(found.values())


@pytest.mark.parametrize("root", ["", "src/"])
def test_sub_packages_are_components_in_either_layout(root: str) -> None:
    files = {"pyproject.toml": PROJECT.decode(), f"{root}shop/__init__.py": ""} | {
        f"{root}shop/{sub}/{name}.py": ""
        for sub in ("cart", "till", "stock")
        for name in ("__init__", "one", "two")
    }
    found = components(graph(files))
    names = {f"{root}shop", *(f"{root}shop/{sub}" for sub in ("cart", "till", "stock"))}
    assert set(found.values()) == names


def test_a_large_sub_package_is_told_apart_again() -> None:
    files = {f"shop/{sub}/a.py": "" for sub in ("one", "two", "three")}
    deep = {f"shop/big/{sub}/m{n}.py": "" for sub in ("x", "y") for n in range(LARGEST)}
    found = components(graph({"shop/__init__.py": "", **files, **deep}))
    assert {"shop/one", "shop/big/x", "shop/big/y"} <= set(found.values())


def test_modules_side_by_side_go_with_what_they_are_joined_to_most_closely() -> None:
    found = components(graph(modules("lib")))
    told = parts({path.removeprefix("lib/")[:-3]: name for path, name in found.items()})
    assert {"auth", "cookies", "tools"} in told.values()
    assert found["lib/cache.py"] == found["lib/store.py"] == found["lib/index.py"]
    assert found["lib/client.py"] == found["lib/models.py"] != found["lib/cache.py"]
    assert found["lib/__init__.py"] == "lib"
    assert found["lib/cookies.py"].startswith("around lib/")


def test_a_name_does_not_depend_on_the_order_of_the_tree() -> None:
    files = modules("lib")
    turned = dict(reversed(list(files.items())))
    assert components(graph(files)) == components(graph(turned))


def test_a_stub_is_with_its_module() -> None:
    files = modules("lib")
    found = components(graph({**files, "lib/store.pyi": "", "lib/auth.pyi": ""}))
    assert found["lib/store.pyi"] == found["lib/store.py"]
    assert found["lib/auth.pyi"] == found["lib/auth.py"]


def test_lone_modules_of_one_directory_are_no_components_each() -> None:
    files = {f"src/m{n}.py": "" for n in range(3)} | {"src/pkg/__init__.py": ""}
    found = components(graph({"pyproject.toml": PROJECT.decode(), **files}))
    assert found["src/m0.py"] == found["src/m1.py"] == found["src/m2.py"] == "src"


def test_a_handful_of_modules_is_one_component() -> None:
    names = NAMES[: FEW - 1]
    assert set(components(graph(modules("lib", names))).values()) == {"lib"}


def test_no_graph_has_no_component() -> None:
    assert components(graph({"README.md": ""})) == {}


# --- reach ----------------------------------------------------------------------------------


def test_a_new_module_belongs_to_its_neighbours() -> None:
    before = modules("lib")
    text = "from . import store\nfrom . import index\n"
    after = {
        **before,
        "lib/disk.py": text,
        "lib/store.py": before["lib/store.py"] + "from . import disk\n",
    }
    reach = Reach(graph(before), graph(after), frozenset({"lib/disk.py"}))
    assert reach.component("lib/disk.py") in set(components(graph(before)).values())
    assert reach.new_components == ()


def test_core_is_what_most_components_rest_on() -> None:
    users = {f"shop/{sub}/use.py": "import shop.base.api\n" for sub in "abcd"}
    fill = {f"shop/{sub}/{name}.py": "" for sub in "abcd" for name in ("x", "y", "z")}
    files = {"shop/base/api.py": "", "shop/base/own.py": "import shop.base.api\n", **users, **fill}
    tree = graph({"shop/__init__.py": "", "shop/base/__init__.py": "", **files})
    reach = Reach(tree, tree, frozenset({"shop/base/api.py", "shop/a/x.py", "shop/a/use.py"}))
    assert reach.core == ("shop/base/api.py",)
    assert reach.components == ("shop/a", "shop/base")
    assert reach.joins == {("shop/a/use.py", "shop/base/api.py")}
    assert reach.resting_on(["shop/base/api.py"]) == {f"shop/{sub}" for sub in "abcd"}
    assert reach.is_used("shop/base/api.py")
    assert not reach.is_used("shop/base/own.py")
