"""Locks and the host's package settings, without an index."""

from __future__ import annotations

import pytest

from micro_bench.edge.packages import split_lock, uv_environment
from micro_bench.errors import BuildError
from micro_bench.images.source_wheels import pin

LOCK = """\
# not dated
attrs==25.3.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via x
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc

pytest==8.3.5 --hash=sha256:dd
"""


def test_a_lock_falls_into_its_requirements():
    assert [line.split() for line in split_lock(LOCK)] == [
        ["attrs==25.3.0", "--hash=sha256:aa", "--hash=sha256:bb"],
        ["colorama==0.4.6", ";", "sys_platform", "==", "'win32'", "--hash=sha256:cc"],
        ["pytest==8.3.5", "--hash=sha256:dd"],
    ]
    assert split_lock("") == ()
    assert split_lock("# nothing\n\n") == ()


def test_uv_is_told_what_pip_is_told():
    pip = {
        "index-url": "https://index.example.org/simple", "proxy": "http://proxy:3128",
        "extra-index-url": "https://one.example.org https://two.example.org",
    }  # fmt: skip
    assert uv_environment(pip, {"PATH": "/bin"}) == {
        "PATH": "/bin",
        "UV_DEFAULT_INDEX": "https://index.example.org/simple",
        "UV_INDEX": "https://one.example.org https://two.example.org",
        "ALL_PROXY": "http://proxy:3128",
    }


def test_what_uv_is_told_itself_wins():
    environ = {"UV_DEFAULT_INDEX": "https://mine.example.org"}
    assert uv_environment({"index-url": "https://pip.example.org"}, environ) == environ


def test_a_local_index_that_is_not_there_is_left_out(tmp_path):
    pip = {"find-links": f"/does/not/exist {tmp_path} file:///nor/this file://{tmp_path}"}
    assert uv_environment(pip, {}) == {"UV_FIND_LINKS": f"{tmp_path} file://{tmp_path}"}


def test_a_wheel_built_here_is_pinned_by_its_own_hash():
    line = "Docopt_X==0.6.2 --hash=sha256:of-the-sdist"
    wheels = {"docopt_x-0.6.1-py3-none-any.whl": b"old", "docopt_x-0.6.2-py3-none-any.whl": b"x"}
    assert pin(line, wheels) == (
        "Docopt_X==0.6.2 "
        "--hash=sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    )
    with pytest.raises(BuildError, match="docopt==1"):
        pin("docopt==1", wheels)
