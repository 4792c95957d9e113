from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import jinja2
import pytest

from micro_bench.edge.archive import EXECUTABLE, REGULAR, SYMLINK, unpack
from micro_bench.images import recipe
from micro_bench.model.slice import Distribution

DOCKER = Path(__file__).parents[3] / "docker"
LOCK = "a==1.0 \\\n    --hash=sha256:aa\nb==2.0 \\\n    --hash=sha256:bb\n"
TOY = Distribution(
    name="My.Toy-Pkg", version="1.2", version_source="test", roots=("src", "."),
    entry_points={
        "toy.plugins": {"z": "toy.z:Z", "a": "toy.a:A"},
        "console_scripts": {"toy": "toy.cli:main"},
    },
    generated={"src/toy/_version.py": "version = '1.2'\n"},
)  # fmt: skip


def script(name: str) -> str:
    return (DOCKER / name).read_text(encoding="utf-8")


SCRIPTS = recipe.Scripts(script("system.sh.j2"), script("install.sh"))


def system(**changed: Any) -> recipe.Recipe:
    given = {"template": SCRIPTS.system, "base": "sha256:1", "packages": ("libpq5", "gcc")}
    return recipe.system_recipe(**{**given, **changed})


def tools(**changed: Any) -> recipe.Recipe:
    given = {"script": SCRIPTS.install, "below": "t" * 64, "lock": LOCK}
    return recipe.tools_recipe(**{**given, **changed})


def environment(**changed: Any) -> recipe.Recipe:
    given = {"scripts": SCRIPTS, "base": "sha256:1", "lock": LOCK, "apt": ("libpq5", "gcc")}
    return recipe.environment_recipe(**{**given, **changed})


def of_slice(**changed: Any) -> recipe.Recipe:
    given = {"below": "e" * 64, "rootfs": b"tar", "labels": {"b": "2", "a": "1"}}
    return recipe.slice_recipe(**{**given, **changed})


@pytest.mark.parametrize("make", [system, tools, environment, of_slice])
def test_a_recipe_is_the_same_every_time(make):
    assert make() == make()
    assert make().key.startswith(make().short)
    assert len(make().key) == 64
    assert "{%" not in make().text


@pytest.mark.parametrize(
    ("make", "changed"),
    [
        (system, {"base": "sha256:2"}),
        (system, {"packages": ("gcc",)}),
        (system, {"packages": ()}),
        (system, {"template": SCRIPTS.system + "true\n"}),
        (tools, {"below": "u" * 64}),
        (tools, {"lock": LOCK.replace("2.0", "2.1")}),
        (tools, {"lock": LOCK.replace("sha256:bb", "sha256:bc")}),
        (tools, {"script": SCRIPTS.install + "true\n"}),
        (environment, {"base": "sha256:2"}),
        (environment, {"lock": LOCK + "c==3\n"}),
        (environment, {"apt": ("gcc",)}),
        (environment, {"apt": ()}),
        (environment, {"scripts": recipe.Scripts("true", SCRIPTS.install)}),
        (environment, {"scripts": recipe.Scripts(SCRIPTS.system, "true")}),
        (of_slice, {"below": "f" * 64}),
        (of_slice, {"rootfs": b"other"}),
        (of_slice, {"labels": {"a": "1", "b": "3"}}),
    ],
)
def test_what_goes_in_changes_the_key(make, changed):
    assert make(**changed).key != make().key


@pytest.mark.parametrize(
    ("make", "changed"),
    [
        (environment, {"apt": ("gcc", "libpq5")}),
        (environment, {"apt": ("gcc", "libpq5", "gcc")}),
        (environment, {"lock": "# resolved yesterday\n" + LOCK}),
        (system, {"packages": ("gcc", "libpq5", "gcc")}),
        (of_slice, {"labels": {"a": "1", "b": "2"}}),
    ],
)
def test_what_makes_no_difference_does_not_change_the_key(make, changed):
    assert make(**changed).key == make().key


def test_system_packages_are_named_in_order_and_only_where_there_are_any():
    assert "gcc libpq5" in system().text
    assert "apt-get" not in system(packages=()).text
    assert "agent:x:1000" in system(packages=()).text


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        recipe.render("FROM {{ base }}", {})


def test_parts_of_a_key_do_not_run_into_one_another():
    keys = {recipe.key("ab", "c"), recipe.key("a", "bc"), recipe.key("abc"), recipe.key("abc", "")}
    assert len(keys) == 4
    assert recipe.key("a") == recipe.key(b"a") == hashlib.sha256(b"1:a").hexdigest()


def test_the_body_of_a_lock_has_no_comments_and_no_stray_space():
    text = "# made today\n\na==1.0 \\  \n    --hash=sha256:aa\n\n# via x\nb==2\r\n"
    assert recipe.lock_body(text) == "a==1.0 \\\n    --hash=sha256:aa\nb==2\n"


def test_the_body_of_a_body_is_itself():
    assert recipe.lock_body(recipe.lock_body(LOCK)) == recipe.lock_body(LOCK) == LOCK


def written(*distributions: Distribution) -> dict[str, str]:
    entries = recipe.project_entries(distributions, "/work")
    return {e.path.removeprefix(f"{recipe.PROJECT}/"): e.content.decode() for e in entries}


def test_a_project_is_what_an_editable_install_leaves():
    assert written(TOY) == {
        "My_Toy_Pkg-1.2.dist-info/METADATA": (
            "Metadata-Version: 2.1\nName: My.Toy-Pkg\nVersion: 1.2\n"
        ),
        "My_Toy_Pkg-1.2.dist-info/INSTALLER": "micro-bench\n",
        "My_Toy_Pkg-1.2.dist-info/entry_points.txt": (
            "[console_scripts]\ntoy = toy.cli:main\n[toy.plugins]\na = toy.a:A\nz = toy.z:Z\n"
        ),
        "micro_bench_roots.pth": "/work/src\n/work\n",
    }


def test_a_project_without_entry_points_has_no_file_of_them():
    plain = Distribution(name="x", version="1", version_source="", roots=("lib",), entry_points={})
    assert set(written(plain)) == {
        "x-1.dist-info/METADATA", "x-1.dist-info/INSTALLER", "micro_bench_roots.pth",
    }  # fmt: skip


def test_shared_roots_are_named_once():
    other = Distribution(name="y", version="1", version_source="", roots=("src", "more"))
    roots = written(TOY, other)["micro_bench_roots.pth"]
    assert roots == "/work/src\n/work\n/work/more\n"


def test_no_project_is_an_empty_list_of_roots():
    assert written() == {"micro_bench_roots.pth": ""}


def test_generated_files_are_of_the_work_tree():
    assert recipe.generated([TOY]) == {"src/toy/_version.py": (REGULAR, b"version = '1.2'\n")}


def rootfs() -> bytes:
    files = {"a.py": (REGULAR, b"x"), "run.sh": (EXECUTABLE, b"y"), "l": (SYMLINK, b"a.py")}
    return recipe.rootfs(files, {"HEAD": b"ref: refs/heads/main\n"}, [TOY], "/work", 1_700_000_000)


def test_the_layer_holds_the_work_tree_its_repository_and_the_project():
    found = {entry.path: entry for entry in unpack(rootfs())}
    assert found["work/a.py"].content == b"x"
    assert found["work/run.sh"].mode == EXECUTABLE
    assert (found["work/l"].mode, found["work/l"].content) == (SYMLINK, b"a.py")
    assert found["work/.git/HEAD"].content == b"ref: refs/heads/main\n"
    assert "opt/project/micro_bench_roots.pth" in found


def test_the_layer_is_owned_by_the_agent_where_it_works_and_by_root_elsewhere():
    assert rootfs() == rootfs()
    with tarfile.open(fileobj=io.BytesIO(rootfs())) as archive:
        members = {m.name: m for m in archive}
    assert {m.mtime for m in members.values()} == {1_700_000_000}
    for name, member in members.items():
        owner = 1000 if name.startswith("work") else 0
        assert (member.uid, member.gid) == (owner, owner), name
    for folder in ("work/.git/objects", "work/.git/refs/heads"):
        assert members[folder].isdir()
