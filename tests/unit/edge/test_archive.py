"""Archives: the same bytes each time, and nothing that leaves the folder it is unpacked in."""

from __future__ import annotations

import io
import stat
import tarfile
from pathlib import Path

import pytest

from micro_bench.edge.archive import EXECUTABLE, REGULAR, SYMLINK, Entry, pack, unpack, write_tree
from micro_bench.errors import BadInputError

ENTRIES = (
    Entry("b/run", b"#!/bin/sh\n", EXECUTABLE, 1000),
    Entry("a", b"\0\xff", REGULAR),
    Entry("b/link", b"../a", SYMLINK),
    Entry("\u00fc " + "long/" * 40 + "name", b""),
    Entry(b"latin-\xe9".decode("utf-8", "surrogateescape"), b"x"),
)
UNSAFE = ("/etc/passwd", "../x", "a/../../x", "a/..", "", "..", "nul\0")


def test_what_is_packed_is_unpacked():
    assert {e.path: (e.content, e.mode) for e in unpack(pack(ENTRIES))} == {
        e.path: (e.content, e.mode) for e in ENTRIES
    }


def test_the_order_of_the_input_does_not_matter():
    assert pack(ENTRIES) == pack(reversed(ENTRIES))
    assert pack(ENTRIES) != pack(ENTRIES, mtime=1)


def test_nothing_of_this_machine_is_in_it():
    with tarfile.open(fileobj=io.BytesIO(pack(ENTRIES, mtime=7))) as tar:
        for info in tar:
            assert (info.mtime, info.uname, info.gname) == (7, "", "")
            assert info.uid == info.gid
        names = [info.name for info in tar.getmembers()]
    assert names == sorted(names)
    assert "b" in names, "folders are there too"


def test_folders_have_the_owner_they_are_given():
    packed = pack([Entry("in/x", b"")], directories=[("in", 1000, 0o700), ("out", 1000, 0o755)])
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        folders = {i.name: (i.uid, i.mode) for i in tar if i.isdir()}
    assert folders == {"in": (1000, 0o700), "out": (1000, 0o755)}


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_path_is_not_packed(name: str):
    with pytest.raises(BadInputError):
        pack([Entry(name, b"")])


def made(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info in members:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, "/etc/passwd"
    return info


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x"])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE])
def test_an_unsafe_path_is_not_unpacked(name: str, kind: bytes):
    with pytest.raises(BadInputError):
        list(unpack(made(member(name, kind))))


def test_devices_and_hard_links_are_passed_over():
    kinds = (tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
    odd = [member(f"x{n}", kind) for n, kind in enumerate(kinds)]
    assert [e.path for e in unpack(made(*odd, member("./y")))] == ["y"]


def test_more_than_the_limit_is_refused():
    with pytest.raises(BadInputError, match="more than 10"):
        list(unpack(made(member("a", size=6), member("b", size=6)), 10))


def test_rights_that_nobody_asked_for_are_not_taken_over():
    info = member("x")
    info.mode = 0o4777
    (entry,) = unpack(made(info))
    assert entry.mode == EXECUTABLE


def test_a_tree_is_written_with_modes_and_links_last(tmp_path: Path):
    evil = [Entry("out", str(tmp_path / "elsewhere").encode(), SYMLINK), Entry("out2/x", b"y")]
    write_tree([*ENTRIES[:3], *evil], tmp_path / "tree")
    root = tmp_path / "tree"
    assert stat.S_IMODE((root / "b/run").stat().st_mode) == 0o755
    assert (root / "b/link").readlink() == Path("../a")
    assert (root / "a").read_bytes() == b"\0\xff"
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(BadInputError):
        write_tree([Entry("../x", b"")], root)
