from __future__ import annotations

import subprocess

import pytest

from micro_bench.edge.patching import patch_paths

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b")
ODD = ("plain.py", "with space.py", 'quo"te.py', "tab\there.py", "caf\u00e9.py", "a/b/c d.txt")
ODD += ("back\\slash.py", "line\nfeed.py", "b/b.py", "-dash", "a b/a b")


def git(folder, *argv: str) -> bytes:
    done = subprocess.run(["git", *IDENTITY, *argv], cwd=folder, capture_output=True, check=True)
    return done.stdout


@pytest.fixture
def repo(tmp_path):
    git(tmp_path, "init", "-q")
    return tmp_path


def put(repo, name: str, content: str = "one\ntwo\n") -> None:
    path = repo / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def patch(repo, *options: str) -> bytes:
    git(repo, "add", "-A")
    return git(repo, "diff", "--cached", "--binary", *options)


def commit(repo) -> None:
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "x")


@pytest.mark.parametrize("name", ODD)
def test_a_new_a_changed_and_a_deleted_file_is_named(repo, name):
    put(repo, name)
    assert patch_paths(patch(repo)) == (name,)
    commit(repo)
    put(repo, name, "one\nthree\n")
    assert patch_paths(patch(repo)) == (name,)
    (repo / name).unlink()
    assert patch_paths(patch(repo)) == (name,)


@pytest.mark.parametrize("name", ODD)
def test_an_empty_file_and_a_change_of_mode_have_no_hunk(repo, name):
    put(repo, name, "")
    assert patch_paths(patch(repo)) == (name,)
    commit(repo)
    (repo / name).chmod(0o755)
    assert patch_paths(patch(repo)) == (name,)


@pytest.mark.parametrize("name", ODD)
def test_a_binary_file_is_named(repo, name):
    path = repo / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(range(256)))
    assert patch_paths(patch(repo)) == (name,)


@pytest.mark.parametrize("name", ODD)
def test_a_rename_names_both(repo, name):
    put(repo, "old name.py")
    commit(repo)
    (repo / name).parent.mkdir(parents=True, exist_ok=True)
    (repo / "old name.py").rename(repo / name)
    found = patch(repo, "-M")
    assert b"rename from" in found
    assert patch_paths(found) == tuple(sorted({"old name.py", name}))


def test_a_copy_names_where_it_goes(repo):
    put(repo, "old.py")
    commit(repo)
    put(repo, "new.py")
    found = patch(repo, "-C", "--find-copies-harder")
    assert b"copy to" in found
    assert "new.py" in patch_paths(found)


def test_dev_null_is_no_path(repo):
    put(repo, "new.py")
    found = patch(repo)
    assert b"--- /dev/null" in found
    assert patch_paths(found) == ("new.py",)


def test_many_files_are_sorted_and_named_once(repo):
    for name in ("z.py", "a.py", "m/x.py"):
        put(repo, name)
    assert patch_paths(patch(repo)) == ("a.py", "m/x.py", "z.py")


def test_no_patch_names_nothing():
    assert patch_paths(b"") == ()


def test_context_that_looks_like_a_header_is_no_path(repo):
    put(repo, "a.txt", "--- a/secret\n+++ b/secret\ndiff --git a/x b/x\nrename from y\nend\n")
    commit(repo)
    put(repo, "a.txt", "--- a/secret\n+++ b/secret\ndiff --git a/x b/x\nrename from y\nEND\n")
    assert patch_paths(patch(repo)) == ("a.txt",)


@pytest.mark.parametrize("line", ["-- a/secret", "-- /etc/passwd", "-- note"])
def test_a_removed_line_that_looks_like_a_header_hides_no_real_path(repo, line):
    put(repo, "a.sql", f"{line}\nend\n")
    commit(repo)
    put(repo, "a.sql", "end\n")
    assert "a.sql" in patch_paths(patch(repo))


@pytest.mark.parametrize("line", ["-- a/secret", "-- /etc/passwd", "-- note"])
def test_a_removed_line_that_looks_like_a_header_is_no_path(repo, line):
    put(repo, "a.sql", f"{line}\nend\n")
    commit(repo)
    put(repo, "a.sql", "end\n")
    assert patch_paths(patch(repo)) == ("a.sql",)


def test_an_added_line_that_looks_like_a_header_is_no_path(repo):
    put(repo, "a.txt", "++ b/secret\n")
    assert patch_paths(patch(repo)) == ("a.txt",)
