from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from micro_bench.images._leak_probe import copies, metadata, release_of, skipped, whole_lines
from micro_bench.images.hidden import Hidden, covered
from micro_bench.images.leaks import MIN_LENGTH, PATTERNS, Secrets, distinctive, hidden, judge
from micro_bench.model.image import Image

ROOT = "a" * 40
OTHER = "b" * 40
IMAGE = Image(
    task="parcel-17", key="1" * 64, env_key="2" * 64, tag="t", digest="sha256:1",
    base_digest="sha256:2", python="3.11.2", backend="docker", work_tree="c" * 40,
    work_commit=ROOT,
)  # fmt: skip
FIX = tuple(f"    return normalise(text, form={number}, strict=True)" for number in range(6))
LINES = tuple(line.strip() for line in FIX)
SECRETS = Secrets({"b/parcel/slug.py": LINES}, ("parcel",))
CLEAN = {
    "objects": [f"{ROOT} commit 200", f"{'c' * 40} tree 30", f"{'d' * 40} blob 9"],
    "refs": [f"refs/heads/main {ROOT}"], "remotes": [], "traces": [], "nested": [],
    "metadata": [], "matches": {}, "caches": [], "releases": [], "bundled": [], "packed": {},
}  # fmt: skip


def found(**changed: Any) -> list[tuple[str, str]]:
    leaks = judge({**CLEAN, **changed}, IMAGE, SECRETS)
    return [(leak.kind, leak.where) for leak in leaks]


def test_one_root_commit_and_nothing_else_is_no_leak():
    assert found() == []


def test_a_second_commit_is():
    objects = [*CLEAN["objects"], f"{OTHER} commit 210"]
    assert found(objects=objects) == [("git_object", OTHER)]


def test_a_history_without_the_root_commit_or_one_that_git_cannot_read_is():
    assert ("git_object", ".git") in found(objects=[])
    assert ("git_object", ".git") in found(objects=["error fatal: not a git repository"])
    assert found(objects=[f"{OTHER} commit 1"]) == [("git_object", OTHER), ("git_object", ".git")]


def test_a_tag_is():
    tag = f"{OTHER} tag 130"
    assert found(objects=[*CLEAN["objects"], tag]) == [("git_object", tag)]


@pytest.mark.parametrize(
    "ref",
    [
        f"refs/tags/v1 {ROOT}",
        f"refs/heads/main {OTHER}",
        f"refs/remotes/origin/main {ROOT}",
        "error",
    ],
)
def test_any_other_ref_is(ref):
    assert found(refs=[ref]) == [("git_ref", ref)]


def test_a_remote_is():
    remote = "origin\thttps://example.org/parcel (fetch)"
    assert found(remotes=[remote]) == [("git_ref", remote)]


def test_a_trace_a_nested_repository_and_a_cache_are():
    assert found(traces=["packed-refs"]) == [("git_trace", ".git/packed-refs")]
    assert found(nested=["/work/vendor/.git"]) == [("git_nested", "/work/vendor/.git")]
    assert found(caches=["/root/.cache"]) == [("cache", "/root/.cache")]


@pytest.mark.parametrize(
    ("place", "leaks"),
    [
        ("/opt/venv/lib/python3.11/site-packages/parcel-2.0.dist-info", True),
        ("/usr/lib/python3/dist-packages/parcel.egg-info", True),
        ("/opt/project/parcel-1.0.dist-info", False),
        ("/work/src/parcel.egg-info", False),
    ],
)
def test_another_installed_copy_of_the_project_is(place, leaks):
    assert found(metadata=[place]) == ([("site_packages", place)] if leaks else [])


def test_a_copy_of_the_fixed_file_is():
    assert found(matches={"/opt/x.py": list(LINES)}) == [("file_content", "/opt/x.py")]


def test_half_of_the_fix_is_enough_and_less_is_chance():
    assert found(matches={"/opt/x.py": list(LINES[:3])}) == [("file_content", "/opt/x.py")]
    long = tuple(f"{line} and {'more ' * 40}" for line in LINES)
    report = {**CLEAN, "matches": {"/opt/x.py": list(long[:2])}}
    assert judge(report, IMAGE, Secrets({"b/a.py": long}, ())) == ()


def test_lines_of_several_files_do_not_add_up():
    secrets = Secrets({"b/a.py": LINES[:3], "b/b.py": LINES[3:]}, ())
    report = {**CLEAN, "matches": {"/opt/x.py": [LINES[0], LINES[3]]}}
    assert judge(report, IMAGE, secrets) == ()


def test_one_common_line_is_no_leak_however_much_of_a_small_fix_it_is():
    line = "from collections.abc import Iterable"
    report = {**CLEAN, "matches": {"/usr/lib/python3/x.py": [line]}}
    assert judge(report, IMAGE, Secrets({"b/a.py": (line,)}, ())) == ()


def test_a_leak_says_how_much_of_what():
    (leak,) = judge({**CLEAN, "matches": {"/opt/x.py": list(LINES[:4])}}, IMAGE, SECRETS)
    assert leak.what == "4 of the 6 distinctive lines added to b/parcel/slug.py"


def patch(*added: str, file: str = "parcel/slug.py", removed: str = "") -> bytes:
    lines = [f"--- a/{file}", f"+++ b/{file}", "@@ -1 +1 @@"]
    lines += [f"-{removed}"] * bool(removed) + [f"+{line}" for line in added]
    return "\n".join(lines).encode() + b"\n"


def test_long_new_lines_are_distinctive_by_file():
    assert distinctive([patch(FIX[0]), patch(FIX[1], file="tests/t.py")], []) == {
        "b/parcel/slug.py": (LINES[0],),
        "b/tests/t.py": (LINES[1],),
    }


def test_lines_that_the_base_has_anywhere_are_not():
    base = [b"x\n\t" + LINES[0].encode() + b"  \ny\n"]
    assert distinctive([patch(*FIX[:2])], base) == {"b/parcel/slug.py": (LINES[1],)}


@pytest.mark.parametrize(("length", "counts"), [(MIN_LENGTH - 1, False), (MIN_LENGTH, True)])
def test_short_lines_are_not(length, counts):
    assert bool(distinctive([patch("   " + "x" * length + "   ")], [])) is counts


def test_removed_lines_and_context_are_not():
    assert distinctive([patch(removed=FIX[0])], []) == {}
    assert distinctive([b"+++ b/a\n " + FIX[0].encode()], []) == {}


def test_the_longest_lines_are_kept_of_very_many():
    many = [f"{'long ' * 10}{n:05}" for n in range(PATTERNS)] + [f"{'x' * 30}{n}" for n in range(9)]
    (kept,) = distinctive([patch(*many)], []).values()
    assert len(kept) == PATTERNS
    assert all(line.startswith("long") for line in kept)


def test_bytes_that_are_no_text_do_no_harm():
    assert len(distinctive([b"+++ b/\xff\n+" + b"\xff" * 40 + b"\n"], [])) == 1


def test_lines_are_found_in_files_and_in_patches_of_them():
    found = whole_lines(b"  plain line\n+  added line\n-removed\n")
    assert {b"plain line", b"added line", b"removed"} <= found


def test_installed_copies_are_found_by_their_normalised_name(tmp_path):
    for name in ("My_Pkg-2.0.dist-info", "my.pkg.egg-info", "my_pkg_extra-1.dist-info", "my_pkg"):
        (tmp_path / "site" / name).mkdir(parents=True)
    (tmp_path / "skip" / "my_pkg-3.dist-info").mkdir(parents=True)
    places = metadata(["my-pkg"], [str(tmp_path / "skip")], [str(tmp_path)])
    names = {place.rpartition("/")[2] for place in places}
    assert {"My_Pkg-2.0.dist-info"} <= names <= {"My_Pkg-2.0.dist-info", "my.pkg.egg-info"}


@pytest.mark.parametrize(
    ("path", "expected"), [("/proc", True), ("/proc/1", True), ("/process", False), ("/", False)]
)
def test_what_is_skipped(path, expected):
    assert skipped(path, ["/proc"]) is expected


@pytest.mark.parametrize(
    ("version", "release", "vendored"),
    [("2.0", True, True), ("1.5", True, False), ("1.4.9", False, False), ("odd", True, True),
     ("1.5.post1", True, True), ("1.5rc1", False, False)],
)  # fmt: skip
def test_a_release_counts_from_the_base_s_version_on_and_a_vendored_copy_beyond_it(
    version: str, release: bool, vendored: bool
):
    secrets = Secrets({}, ("parcel",), "1.5")
    report = {**CLEAN, "releases": [["/a", version]], "bundled": [["/b", version]]}
    kinds = [leak.kind for leak in judge(report, IMAGE, secrets)]
    assert kinds == ["release"] * release + ["vendored"] * vendored


@pytest.mark.parametrize(
    ("file", "version"),
    [
        ("My_Pkg-2.0-py3-none-any.whl", "2.0"), ("my-pkg-2.0.tar.gz", "2.0"),
        ("my.pkg-2.0rc1.zip", "2.0rc1"), ("my_pkg-2.0-py3.11.egg", "2.0"),
        ("my-pkg-2.0-py_0.conda", "2.0"), ("my-pkg-extra-2.0.tar.gz", ""), ("pkg-2.0.tar.gz", ""),
        ("my-pkg.tar.gz", ""), ("my-pkg-2.0.txt", ""),
    ],
)  # fmt: skip
def test_releases_are_known_by_their_names(file: str, version: str):
    assert release_of(file, ["my-pkg"]) == version


def test_copies_are_found_on_the_disk_and_in_archives(tmp_path: Path):
    line = LINES[0].encode()
    (tmp_path / "patterns").write_bytes(line + b"\n")
    copy = tmp_path / "site" / "pip" / "_vendor" / "parcel"
    copy.mkdir(parents=True)
    (copy / "__init__.py").write_text('import x\n__version__ = "3.1"\n')
    (tmp_path / "site" / "tool" / "extern").mkdir(parents=True)
    (tmp_path / "site" / "tool" / "extern" / "parcel.py").write_text('__version__: str = "3.2"\n')
    with zipfile.ZipFile(tmp_path / "site" / "pip-23.whl", "w") as wheel:
        wheel.writestr("pip/_vendor/parcel/__about__.py", '__version__ = "3.3"\n')
        wheel.writestr("pip/notes.py", b"x = 1\n" + line + b"\n")
    with tarfile.open(tmp_path / "site" / "more.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("a/b.py")
        info.size = len(line)
        tar.addfile(info, io.BytesIO(line))
    (tmp_path / "site" / "parcel-4.0.tar.gz").write_bytes(b"no archive at all")
    (tmp_path / "site" / "skipped").mkdir()
    (tmp_path / "site" / "skipped" / "parcel-5.0.zip").touch()
    place = f"{tmp_path}/site"
    found = copies(["Parcel"], f"{tmp_path}/patterns", [f"{place}/skipped"], [place])
    assert found["releases"] == [[f"{place}/parcel-4.0.tar.gz", "4.0"]]
    assert sorted(found["bundled"]) == [
        [f"{place}/pip-23.whl!pip/_vendor/parcel", "3.3"], [f"{place}/pip/_vendor/parcel", "3.1"],
        [f"{place}/tool/extern", "3.2"],
    ]  # fmt: skip
    assert found["packed"] == {
        f"{place}/pip-23.whl!pip/notes.py": [LINES[0]], f"{place}/more.tar.gz!a/b.py": [LINES[0]],
    }  # fmt: skip


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    return info


def test_what_a_later_layer_replaces_or_takes_away_is_covered():
    low = {p: member(p) for p in ("/a", "/b/c", "/b/d", "/e/f/g", "/h/i", "/stays", "/bb")}
    above = [
        {"/a": member("/a"), "/b/.wh.c": member("/b/.wh.c"), "/.wh.e": member("/.wh.e")},
        {"/h/.wh..wh..opq": member("x"), "/b": member("/b", tarfile.DIRTYPE)},
    ]
    assert covered(low, above) == {"/a", "/b/c", "/e/f/g", "/h/i"}
    assert covered(low, [{"/b": member("/b")}]) == {"/b/c", "/b/d"}


def test_hidden_files_are_judged_as_visible_ones():
    text = "\n".join(LINES).encode()
    secrets = Secrets({"b/parcel/slug.py": LINES}, ("parcel",), "1.5")
    files = [
        Hidden("/opt/x.py", 2, text), Hidden("/work/.git/HEAD", 3, b""),
        Hidden("/root/.cache/pip/x", 2, b""), Hidden("/opt/parcel-2.0.tar.gz", 2, b""),
        Hidden("/usr/lib/parcel-2.dist-info/METADATA", 1, b""), Hidden("/etc/passwd", 1, b"root"),
    ]  # fmt: skip
    kinds = [leak.kind for leak in hidden(files, secrets)]
    assert kinds == ["file_content", "git_trace", "cache", "site_packages", "release"]
