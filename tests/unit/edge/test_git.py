"""The git edge against real repositories."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench.edge.git import Repository
from micro_bench.edge.git_output import is_lfs_pointer
from micro_bench.errors import NotFoundError
from tests.unit.tickets.git_builder import GitBuilder


@pytest.fixture
def builder(tmp_path: Path) -> GitBuilder:
    return GitBuilder(tmp_path / "clone")


def apply(patch: bytes, tree: Path) -> None:
    subprocess.run(["git", "apply", "-"], cwd=tree, input=patch, check=True)


def export(builder: GitBuilder, rev: str, to: Path) -> Path:
    to.mkdir()
    archive = builder.run_bytes("archive", rev)
    subprocess.run(["tar", "-x", "-C", str(to)], input=archive, check=True)
    return to


# --- opening and naming ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["absent", "file", "empty directory"])
def test_what_is_no_repository_is_not_found(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("no")
    elif kind == "empty directory":
        path.mkdir()
    with pytest.raises(NotFoundError, match="not a git repository") as caught:
        Repository.open(path)
    assert "git clone" in caught.value.next_step


def test_a_repository_without_commits_is_not_found(builder: GitBuilder) -> None:
    with pytest.raises(NotFoundError, match="no commit"):
        Repository.open(builder.path)


def test_a_folder_inside_a_repository_is_not_taken_for_it(builder: GitBuilder) -> None:
    builder.commit("one", {"a/b.py": "1"})
    with pytest.raises(NotFoundError):
        Repository.open(builder.path / "a")


def test_bare_worktree_and_detached_clones_open(builder: GitBuilder, tmp_path: Path) -> None:
    sha = builder.commit("one", {"a.py": "1"})
    builder.run("clone", "--quiet", "--bare", str(builder.path), str(tmp_path / "bare"))
    builder.run("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    for name in ("bare", "tree", "clone"):
        repository = Repository.open(tmp_path / name)
        assert repository.resolve("HEAD") == sha
        assert repository.read_files(sha) == {"a.py": b"1"}


def test_the_default_branch_is_what_the_remote_says(builder: GitBuilder, tmp_path: Path) -> None:
    main = builder.commit("one", {"a.py": "1"})
    other = tmp_path / "other"
    builder.run("clone", "--quiet", str(builder.path), str(other))
    clone = GitBuilder(other)
    clone.branch("feature")
    clone.commit("mine", {"b.py": "2"})
    repository = Repository.open(other)
    assert repository.resolve(repository.default_branch()) == main
    assert [commit.sha for commit in repository.mainline()] == [main]


@pytest.mark.parametrize("rev", ["nothing", "f" * 40, "--all", "--help", "-1", "", "HEAD^9", "a b"])
def test_a_revision_that_names_nothing_is_not_found(builder: GitBuilder, rev: str) -> None:
    builder.commit("one", {"a.py": "1"})
    repository = Repository.open(builder.path)
    assert not repository.contains(rev)
    with pytest.raises(NotFoundError):
        repository.resolve(rev)


def test_options_are_never_taken_for_revisions_or_paths(
    builder: GitBuilder, tmp_path: Path
) -> None:
    base = builder.commit("one", {"a.py": "1", "--output=evil": "x"})
    fix = builder.commit("two", {"a.py": "2", "--output=evil": "y", "*.py": "star"})
    repository = Repository.open(builder.path)
    patch = repository.diff(base, fix, ["--output=evil"])
    assert b"--output=evil" in patch
    assert b"a.py" not in patch
    assert b"b/a.py" not in repository.diff(base, fix, ["*.py"])
    assert not (tmp_path / "evil").exists()


# --- commits --------------------------------------------------------------------------------


def test_a_commit_has_its_message_dates_and_parents(builder: GitBuilder) -> None:
    first = builder.commit("one")
    second = builder.commit("Subject\n\nBody\n\nlast line\n", {"a.py": "1"})
    commit = Repository.open(builder.path).commit("HEAD")
    assert commit.sha == second
    assert commit.parents == (first,)
    assert commit.message.startswith("Subject\n\nBody\n\nlast line")
    assert commit.committed == datetime(2024, 1, 1, 2, tzinfo=UTC)
    assert commit.authored.tzinfo is not None


@pytest.mark.parametrize(
    ("message", "encoding", "said"),
    [
        ("Größe".encode("latin-1"), "ISO-8859-1", "Größe"),
        (
            "emoji 🎉 \u2028 and \x1e separators".encode(),
            "UTF-8",
            "emoji 🎉 \u2028 and \x1e separators",
        ),
    ],
)
def test_messages_in_any_encoding_survive(
    builder: GitBuilder, message: bytes, encoding: str, said: str
) -> None:
    builder.run("config", "i18n.commitEncoding", encoding)
    builder.commit(message, {"a.py": "1"})
    assert Repository.open(builder.path).commit("HEAD").message.strip() == said


def test_a_message_that_is_not_what_it_says_it_is_survives(builder: GitBuilder) -> None:
    tree = builder.run("write-tree")
    lines = f"tree {tree}author A <a@b> 1 +0000\ncommitter A <a@b> 99999999999999 +0000\n\n"
    raw = lines.encode() + b"broken \xff\xfe bytes"
    sha = builder.run("hash-object", "-t", "commit", "-w", "--literally", "--stdin", feed=raw)
    builder.run("update-ref", "refs/heads/main", sha.strip())
    commit = Repository.open(builder.path).commit("HEAD")
    assert commit.message.strip() == "broken \ufffd\ufffd bytes"
    assert commit.committed.year > 2024


def test_merges_and_their_branches(builder: GitBuilder) -> None:
    root = builder.commit("root", {"a.py": "1"})
    builder.branch("topic")
    one = builder.commit("one", {"b.py": "1"})
    two = builder.commit("two", {"b.py": "2"})
    builder.checkout("main")
    side = builder.commit("side", {"c.py": "1"})
    merge = builder.merge("topic", "Merge topic")
    repository = Repository.open(builder.path)
    assert [commit.sha for commit in repository.mainline()] == [merge, side, root]
    assert {commit.sha for commit in repository.log()} == {merge, side, root, one, two}
    assert [commit.sha for commit in repository.ahead(merge, side)] == [merge, two, one]
    assert [commit.sha for commit in repository.ahead(side, root)] == [side]
    assert repository.ahead(root, side) == ()
    assert repository.ahead("f" * 40, side) == repository.ahead(side, "f" * 40) == ()
    assert repository.touched()[merge] == ("b.py",)
    assert repository.is_ancestor(root, merge)
    assert repository.is_ancestor(merge, merge)
    assert not repository.is_ancestor(merge, root)


def test_added_lines_are_those_of_the_paths(builder: GitBuilder) -> None:
    builder.commit("one", {"CHANGES": "first\n", "a.py": "x\n"})
    two = builder.commit("two", {"CHANGES": "new\n++plus\nfirst\n", "a.py": "y\n"})
    three = builder.commit("three", {"a.py": "z\n"})
    lines = Repository.open(builder.path).added_lines(["CHANGES"])
    assert lines[two] == ("new", "++plus")
    assert three not in lines
    assert Repository.open(builder.path).added_lines([]) == {}


@pytest.mark.parametrize("whole", [True, False])
def test_a_later_revert_is_found(builder: GitBuilder, whole: bool) -> None:
    builder.commit("root")
    fix = builder.commit("fix", {"a.py": "1"})
    other = builder.commit("other", {"b.py": "1"})
    named = fix if whole else fix[:9]
    revert = builder.commit(f'Revert "fix"\n\nThis reverts commit {named}.', {"a.py": None})
    repository = Repository.open(builder.path)
    assert repository.reverted_by(fix) == revert
    assert repository.reverted_by(other) is None


# --- trees ----------------------------------------------------------------------------------


def test_links_submodules_and_pointers_are_told_apart(builder: GitBuilder) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"
    builder.write({"a.py": "1", "big.bin": pointer})
    (builder.path / "link").symlink_to("a.py")
    builder.run("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    builder.run("add", "a.py", "big.bin", "link")
    builder.run("commit", "--quiet", "-m", "one")
    repository = Repository.open(builder.path)
    tree = repository.tree_files("HEAD")
    assert tree["link"].is_symlink
    assert tree["sub"].is_submodule
    assert not tree["a.py"].is_symlink
    content = repository.read_files("HEAD")
    assert content == {"a.py": b"1", "big.bin": pointer.encode(), "link": b"a.py"}
    assert is_lfs_pointer(content["big.bin"])
    assert not is_lfs_pointer(content["a.py"])


def test_many_files_are_read_at_once(builder: GitBuilder) -> None:
    files = {f"d{n % 50}/f{n}.txt": f"content {n}\n" * (n % 7) for n in range(4500)}
    builder.commit("many", files)
    repository = Repository.open(builder.path)
    content = repository.read_files("HEAD")
    assert content == {path: text.encode() for path, text in files.items()}
    assert repository.read_files("HEAD", ["d1/f1.txt", "absent"]) == {"d1/f1.txt": b"content 1\n"}
    assert repository.read_files("HEAD", []) == {}
    small = repository.read_files("HEAD", ["d1/f1.txt", "d6/f6.txt"], max_bytes=20)
    assert small == {"d1/f1.txt": b"content 1\n", "d6/f6.txt": b""}


def test_paths_of_any_bytes_survive(builder: GitBuilder) -> None:
    base = builder.commit("one", {"a.py": "1"})
    name = os.fsdecode(b"d/\xff odd\n name.py")
    fix = builder.commit("two", {name: "1", "tab\there": "2", 'quo"te': "3", "ünï": "4"})
    repository = Repository.open(builder.path)
    paths = {name, "tab\there", 'quo"te', "ünï"}
    assert set(repository.tree_files(fix)) == paths | {"a.py"}
    assert {file.path for file in repository.changed(base, fix)} == paths
    assert set(repository.touched()[fix]) == paths
    assert repository.read_files(fix, [name]) == {name: b"1"}
    assert repository.diff(base, fix, [name]).count(b"diff --git") == 1


def test_tree_ids_are_those_of_content(builder: GitBuilder) -> None:
    one = builder.commit("one", {"a.py": "1"})
    builder.commit("two", {"a.py": "2"})
    three = builder.commit("three", {"a.py": "1"})
    repository = Repository.open(builder.path)
    assert repository.tree_id(one) == repository.tree_id(three)


# --- changes --------------------------------------------------------------------------------


def test_changes_are_told_apart(builder: GitBuilder) -> None:
    body = "".join(f"line {n}\n" for n in range(20))
    base = builder.commit(
        "one",
        {
            "keep.py": "a\nb\n",
            "old/name.py": body,
            "gone.py": "def gone():\n    return 0\n",
            "bin": b"\0\1",
        },
    )
    fix = builder.commit(
        "two",
        {
            "keep.py": "a\nB\nc\n",
            "old/name.py": None,
            "new/name.py": body + "more\n",
            "gone.py": None,
            "fresh.py": "1\n",
            "bin": b"\0\2",
        },
    )
    changed = {file.path: file for file in Repository.open(builder.path).changed(base, fix)}
    assert {path: file.status for path, file in changed.items()} == {
        "bin": "M",
        "fresh.py": "A",
        "gone.py": "D",
        "keep.py": "M",
        "new/name.py": "R",
    }
    assert changed["new/name.py"].old_path == "old/name.py"
    assert (changed["keep.py"].added, changed["keep.py"].deleted) == (2, 1)
    assert (changed["new/name.py"].added, changed["new/name.py"].deleted) == (1, 0)
    assert changed["bin"].binary


def test_white_space_is_not_counted(builder: GitBuilder) -> None:
    base = builder.commit("one", {"a.py": "a = 1\nb\n"})
    fix = builder.commit("two", {"a.py": "a  =  1   \n\n\nb\n"})
    (file,) = Repository.open(builder.path).changed(base, fix)
    assert (file.status, file.added, file.deleted) == ("M", 0, 0)


def test_patches_apply_strictly_and_give_the_fixed_tree(
    builder: GitBuilder, tmp_path: Path
) -> None:
    body = "".join(f"line {n}\n" for n in range(30))
    before = {
        "moved.py": body,
        "crlf.txt": b"one\r\ntwo\r\n",
        "no_newline": "end",
        "bin": bytes(range(256)),
        "run.sh": "echo\n",
        "mixed.txt": b"caf\xe9\n",
    }
    base = builder.commit("one", before)
    (builder.path / "run.sh").chmod(0o755)
    after = {
        "moved.py": None,
        "sub/moved.py": body + "x\n",
        "crlf.txt": b"one\r\nTWO\r\n",
        "no_newline": "end\n",
        "bin": bytes(reversed(range(256))),
        "mixed.txt": b"caf\xe9s\n",
        "empty": "",
    }
    fix = builder.commit("two", after)
    repository = Repository.open(builder.path)
    paths = {name for file in repository.changed(base, fix) for name in (file.path, file.old_path)}
    patch = repository.diff(base, fix, sorted(path for path in paths if path))
    assert b"rename" not in patch
    tree = export(builder, base, tmp_path / "base")
    apply(patch, tree)
    want = export(builder, fix, tmp_path / "fix")
    have = {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*") if p.is_file()}
    assert have == {
        str(p.relative_to(want)): p.read_bytes() for p in want.rglob("*") if p.is_file()
    }
    assert os.access(tree / "run.sh", os.X_OK)


def test_a_patch_of_nothing_is_empty(builder: GitBuilder) -> None:
    base = builder.commit("one", {"a.py": "1"})
    fix = builder.commit("two", {"a.py": "2"})
    assert Repository.open(builder.path).diff(base, fix, []) == b""


# --- isolation ------------------------------------------------------------------------------


def test_no_configuration_changes_a_patch_or_runs_anything(
    builder: GitBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = builder.commit("one", {"a.py": "a\nb\nc\nd\n"})
    fix = builder.commit("two", {"a.py": "a\nB\nc\nd\n"})
    plain = Repository.open(builder.path).diff(base, fix, ["a.py"])
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key, value in {
        "diff.external": str(trap),
        "core.pager": str(trap),
        "core.fsmonitor": str(trap),
        "core.hooksPath": str(tmp_path),
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.context": "0",
        "diff.renames": "copies",
        "diff.odd.textconv": str(trap),
        "diff.odd.command": str(trap),
        "diff.algorithm": "patience",
        "color.ui": "always",
        "core.abbrev": "4",
        "log.showSignature": "true",
        "log.date": "relative",
        "core.quotePath": "true",
    }.items():
        builder.run("config", key, value)
    (builder.path / ".gitattributes").write_text("*.py diff=odd -text binary\n")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_PAGER", str(trap))
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u0")
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_WORK_TREE", str(builder.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "objects"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "diff.noprefix")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    repository = Repository.open(builder.path)
    assert repository.diff(base, fix, ["a.py"]) == plain
    assert repository.commit("HEAD").message.strip() == "two"
    assert [commit.sha for commit in repository.log()] == [fix, base]
    assert repository.read_files(base) == {"a.py": b"a\nb\nc\nd\n"}
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kind", ["clone", "worktree", "bare"])
def test_what_a_clone_keeps_beside_its_commits_changes_no_patch(
    builder: GitBuilder, tmp_path: Path, kind: str
) -> None:
    base = builder.commit("one", {"a.py": "def f():\n    a\n\n    b\n", "é.py": "1\n"})
    fix = builder.commit("two", {"a.py": "def f():\n    a\n\n    B\n", "é.py": "2\n"})
    plain = Repository.open(builder.path)
    wanted = [plain.diff(base, fix, ["a.py", "é.py"]), plain.changed(base, fix), plain.touched()]
    path, inner = builder.path, builder.path / ".git"
    if kind == "worktree":
        path = tmp_path / "linked"
        builder.run("worktree", "add", "--quiet", str(path))
    if kind == "bare":
        path = inner = tmp_path / "bare.git"
        builder.run("clone", "--quiet", "--bare", str(builder.path), str(path))
    (inner / "info").mkdir(exist_ok=True)
    for file in (inner / "info" / "attributes", inner / ".gitattributes"):
        file.write_text("*.py -diff binary\n")
    (inner / "info" / "grafts").write_text(f"{fix}\n")
    for key, value in {
        "core.bigFileThreshold": "1",
        "core.attributesFile": str(inner / "info" / "attributes"),
        "core.quotePath": "false",
        "core.autocrlf": "true",
        "core.ignoreCase": "true",
        "core.precomposeUnicode": "true",
        "diff.suppressBlankEmpty": "true",
        "diff.interHunkContext": "9",
        "diff.indentHeuristic": "false",
        "diff.ignoreSubmodules": "all",
        "diff.submodule": "log",
        "diff.wsErrorHighlight": "all",
        "diff.orderFile": str(inner / "info" / "attributes"),
        "extensions.worktreeConfig": "true",
        "log.diffMerges": "separate",
    }.items():
        builder.run("--git-dir", str(inner), "config", key, value)
    repository = Repository.open(path)
    found = [repository.diff(base, fix, ["a.py", "é.py"]), repository.changed(base, fix)]
    assert [*found, repository.touched()] == wanted
    assert repository.commit(fix).parents == (base,)


def test_a_view_leaves_nothing_behind(
    builder: GitBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder.commit("one", {"a.py": "1"})
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    repository = Repository.open(builder.path)
    assert [*(tmp_path / "temporary").iterdir()]
    del repository
    assert not [*(tmp_path / "temporary").iterdir()]
    assert (builder.path / ".git" / "refs" / "heads" / "main").exists()


def test_a_remote_s_odd_name_and_address_survive(builder: GitBuilder, tmp_path: Path) -> None:
    builder.commit("one", {"a.py": "1"})
    builder.run("config", "uploadpack.allowFilter", "true")
    odd = tmp_path / 'o"dd \\ name'
    builder.run("clone", "--quiet", "--bare", "--filter=blob:none", "--origin", "up.stream",
                f"file://{builder.path}", str(odd))  # fmt: skip
    builder.run("--git-dir", str(odd), "config", "http.extraHeader", 'A: "b" \\ # c')
    assert Repository.open(odd).read_files("HEAD") == {"a.py": b"1"}


def test_replaced_objects_are_not_believed(builder: GitBuilder) -> None:
    one = builder.commit("one", {"a.py": "1"})
    two = builder.commit("two", {"a.py": "2"})
    builder.run("replace", two, one)
    assert Repository.open(builder.path).commit(two).message.strip() == "two"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_clone_of_another_user_can_be_read(builder: GitBuilder) -> None:
    sha = builder.commit("one", {"a.py": "1"})
    for path in [builder.path, *builder.path.rglob("*")]:
        os.chown(path, 12345, 12345)
    assert Repository.open(builder.path).resolve("HEAD") == sha


# --- incomplete clones ----------------------------------------------------------------------


def test_a_shallow_clone_says_so(builder: GitBuilder, tmp_path: Path) -> None:
    builder.commit("one", {"a.py": "1"})
    base = builder.commit("two", {"a.py": "2"})
    builder.run("clone", "--quiet", "--depth=1", f"file://{builder.path}", str(tmp_path / "cut"))
    repository = Repository.open(tmp_path / "cut")
    assert repository.is_shallow
    assert repository.commit("HEAD").parents == ()
    assert repository.ahead(base, "HEAD^") == ()
    assert not Repository.open(builder.path).is_shallow


def test_a_partial_clone_fetches_what_it_lacks_at_once(builder: GitBuilder, tmp_path: Path) -> None:
    base = builder.commit("one", {f"f{n}": f"{n}" for n in range(20)})
    fix = builder.commit("two", {"f1": "changed"})
    builder.run("config", "uploadpack.allowFilter", "true")
    builder.run("config", "uploadpack.allowAnySHA1InWant", "true")
    source = f"file://{builder.path}"
    part = tmp_path / "part"
    builder.run("clone", "--quiet", "--bare", "--filter=blob:none", source, str(part))
    packs = len(list((part / "objects" / "pack").glob("*.pack")))
    repository = Repository.open(part)
    assert repository.read_files(base)["f19"] == b"19"
    assert len(list((part / "objects" / "pack").glob("*.pack"))) == packs + 1
    assert b"changed" in repository.diff(base, fix, ["f1"])
    assert not repository.contains("e" * 40)


# --- versions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v4.5.0", "4.5.0"),
        ("8.1.0rc1", "8.1.0rc1"),
        ("attrs-25.3.0", "25.3.0"),
        ("release/1.2", "1.2"),
        ("release_1_2_3", "1.2.3"),
        ("V2", "2"),
        ("pkg-v1.0.0-beta.1", "1.0.0-beta.1"),
        ("nothing", None),
        ("py3", None),
    ],
)
def test_the_nearest_tag_gives_a_version(
    builder: GitBuilder, tag: str, version: str | None
) -> None:
    builder.commit("one", {"a.py": "1"})
    builder.tag(tag)
    later = builder.commit("two", {"a.py": "2"})
    builder.commit("three", {"a.py": "3"})
    builder.tag("v99")
    assert Repository.open(builder.path).describe_tag(later) == version
