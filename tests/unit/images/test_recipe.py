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
from micro_bench.model.slice import Distribution, Slice

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


def template(name: str) -> str:
    return (DOCKER / f"{name}.Dockerfile.j2").read_text(encoding="utf-8")


def a_slice(**fields: Any) -> Slice:
    given = {
        "schema_version": 1, "task": "parcel-17", "repo": "parcel-labs/parcel",
        "base_commit": "a" * 40, "base_tree": "b" * 40, "level": "package", "kept_files": 3,
        "total_files": 9, "kept": [], "left_out": [], "files_sha256": "c" * 64,
        "distributions": [], "graph": "g.json",
        "environment": {
            "python": "3.11", "python_source": "x", "requirements": [],
            "before": "2024-05-01T10:00:00Z",
        },
    }  # fmt: skip
    return Slice.model_validate({**given, **fields}, strict=False)


def tools(**changed: Any) -> recipe.Recipe:
    given = {"template": template("tools"), "base": "sha256:1", "lock": LOCK, "has_git": False}
    return recipe.tools_recipe(**{**given, **changed})


def environment(**changed: Any) -> recipe.Recipe:
    given = {
        "template": template("environment"), "tools": "tools:1", "tools_key": "t" * 64,
        "lock": LOCK, "apt": ("libpq5", "gcc"),
    }  # fmt: skip
    return recipe.environment_recipe(**{**given, **changed})


def of_slice(**changed: Any) -> recipe.Recipe:
    given = {
        "template": template("slice"), "environment": "env:1", "environment_key": "e" * 64,
        "piece": a_slice(), "rootfs": b"tar",
    }  # fmt: skip
    return recipe.slice_recipe(**{**given, **changed})


@pytest.mark.parametrize("make", [tools, environment, of_slice])
def test_a_recipe_is_the_same_every_time(make):
    assert make() == make()
    assert make().key.startswith(make().short)
    assert len(make().key) == 64
    assert "{" not in make().dockerfile.replace("${", "")


@pytest.mark.parametrize(
    ("make", "changed"),
    [
        (tools, {"base": "sha256:2"}),
        (tools, {"lock": LOCK.replace("2.0", "2.1")}),
        (tools, {"lock": LOCK.replace("sha256:bb", "sha256:bc")}),
        (tools, {"has_git": True}),
        (tools, {"template": template("tools") + "RUN true\n"}),
        (environment, {"tools_key": "u" * 64}),
        (environment, {"lock": LOCK + "c==3\n"}),
        (environment, {"apt": ("gcc",)}),
        (environment, {"apt": ()}),
        (of_slice, {"environment_key": "f" * 64}),
        (of_slice, {"rootfs": b"other"}),
    ],
)
def test_what_goes_in_changes_the_key(make, changed):
    assert make(**changed).key != make().key


@pytest.mark.parametrize(
    "changed",
    [
        {"apt": ("gcc", "libpq5")},
        {"apt": ("gcc", "libpq5", "gcc")},
        {"lock": "# resolved yesterday\n" + LOCK},
        {"tools": "another-name:for-the-same"},
    ],
)
def test_what_makes_no_difference_does_not_change_the_key(changed):
    assert environment(**changed).key == environment().key


def test_the_environment_names_its_packages_in_order():
    assert "gcc libpq5" in environment().dockerfile
    assert "apt-get" not in environment(apt=()).dockerfile


def test_git_is_installed_only_where_it_is_missing():
    assert "git" in tools().dockerfile.split("apt-get install")[1]
    assert "apt-get" not in tools(has_git=True).dockerfile


def test_a_slice_is_labelled_with_what_it_is():
    text = of_slice().dockerfile
    assert "FROM env:1\n" in text
    assert f'micro-bench.slice="{"c" * 64}"' in text
    assert 'micro-bench.kept="3/9"' in text
    assert text.rstrip().endswith("USER 1000:1000")


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
