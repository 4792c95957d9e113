"""Resolving as of a date, against a real index on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench.edge import clock, pip_settings
from micro_bench.edge.packages import fetch_sources, fetch_wheels, fitting, split_lock
from micro_bench.edge.question import Wanted
from micro_bench.edge.resolving import Lock, compile_lock
from micro_bench.errors import BuildError
from micro_bench.model.slice import Requirement
from tests.fakes.package_index import Index

BASE = datetime(2023, 1, 1, 13, tzinfo=UTC)
PYTHON = "3.11.2"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The only index there is, for uv and for pip."""
    for name in [n for n in os.environ if n.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    made = Index()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", made.url)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pip_settings.pip_configuration.cache_clear()
    yield made
    made.close()
    pip_settings.pip_configuration.cache_clear()


def locked(*texts: str, before: datetime = BASE) -> Lock:
    wanted = tuple(Requirement(text=text, source="setup.cfg") for text in texts)
    return compile_lock(Wanted(wanted, PYTHON, before))


def pins(lock: Lock) -> list[str]:
    return [line.split()[0] for line in split_lock(lock.body)]


def exempt(lock: Lock) -> dict[str, str | None]:
    return {
        f"{one.name} {one.version}": one.until and f"{one.until:%Y-%m-%d}"
        for one in lock.facts.exempt
    }


def test_what_fits_as_of_the_date_is_taken_and_nothing_is_exempt(index: Index):
    index.add("apple", "1.0", "2022-05-01")
    index.add("apple", "2.0", "2023-05-01")
    lock = locked("apple")
    assert pins(lock) == ["apple==1.0"]
    assert not lock.facts.exempt
    assert not lock.facts.undated


def test_one_late_package_is_exempt_alone_and_as_little_as_needed(index: Index):
    for version, when in (("1.0", "2022-01-01"), ("2.0", "2023-01-16"), ("3.0", "2023-01-28")):
        index.add("apple", version, when)
    index.add("pear", "1.0", "2022-01-01")
    index.add("pear", "9.0", "2023-01-05")
    lock = locked("apple>=2", "pear")
    assert pins(lock) == ["apple==2.0", "pear==1.0"]
    assert exempt(lock) == {"apple 2.0": "2023-01-17"}
    assert lock.facts.exempt[0].words().endswith("taken as of 2023-01-16")


def test_what_a_late_package_needs_is_exempt_too_and_named(index: Index):
    index.add("apple", "2.0", "2023-04-16", ("seed>=2", "leaf"))
    index.add("seed", "1.0", "2022-01-01")
    index.add("seed", "2.0", "2023-03-01")
    index.add("seed", "2.1", "2024-03-01")
    index.add("leaf", "1.0", "2021-01-01")
    index.add("leaf", "2.0", "2024-01-01")
    lock = locked("apple==2.0")
    assert pins(lock) == ["apple==2.0", "leaf==1.0", "seed==2.0"]
    assert exempt(lock) == {"apple 2.0": "2023-04-17", "seed 2.0": "2023-04-17"}


def test_nothing_at_all_is_as_old_as_the_date(index: Index):
    index.add("apple", "1.0", "2009-01-05")
    index.add("apple", "2.0", "2009-01-12")
    lock = locked("apple", before=datetime(2009, 1, 1, tzinfo=UTC))
    assert exempt(lock) == {"apple 1.0": "2009-01-06"}
    assert not lock.facts.undated


def test_a_package_without_upload_times_is_named_and_the_others_keep_their_date(index: Index):
    index.add("apple", "1.0", None)
    index.add("pear", "1.0", "2022-01-01")
    index.add("pear", "2.0", "2024-01-01")
    lock = locked("apple", "pear")
    assert pins(lock) == ["apple==1.0", "pear==1.0"]
    assert exempt(lock) == {"apple 1.0": None}
    assert not lock.facts.undated


def test_an_index_without_upload_times_gives_a_lock_that_is_not_dated(index: Index):
    index.add("apple", "1.0", None, ("pear",))
    index.add("pear", "2.0", None)
    lock = locked("apple==1.0")
    assert lock.facts.undated
    assert exempt(lock) == {"apple 1.0": None, "pear 2.0": None}


def test_a_date_in_the_future_is_told(index: Index):
    index.add("apple", "1.0", "2022-01-01")
    made = locked("apple", before=datetime(2135, 1, 1, tzinfo=UTC)).facts.made
    assert made is not None
    assert made <= clock.now()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (("apple>=99",), "only apple==1.0 is available and you require apple>=99 (asked for: "),
        (("apple<1", "apple>=1"), "you require apple<1 and apple>=1 (asked for"),
    ],
)  # fmt: skip
def test_the_first_line_says_which_package_and_why(
    index: Index, wanted, said, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "40")  # a narrow terminal
    index.add("apple", "1.0", "2022-01-01")
    with pytest.raises(BuildError) as error:
        locked(*wanted)
    first = error.value.message.splitlines()[0]
    assert first.startswith(
        "the environment cannot be resolved for Python 3.11.2 as of 2023-01-01: " + said
    )


def test_what_no_index_has_is_left_out_and_said(index: Index):
    index.add("apple", "1.0", "2022-01-01", ("gone",))
    lock = locked("apple", "nowhere>=2")
    assert pins(lock) == ["apple==1.0"]
    assert [(one.name, one.why) for one in lock.facts.left_out] == [
        ("nowhere", "no package index has it"), ("gone", "no package index has it"),
    ]  # fmt: skip


def test_what_a_lead_leaves_out_is_not_there_whoever_asks_for_it(index: Index):
    index.add("apple", "1.0", "2022-01-01", ("pear",))
    index.add("pear", "1.0", "2022-01-01")
    wanted = (Requirement(text="apple", source="setup.cfg"),)
    lock = compile_lock(Wanted(wanted, PYTHON, BASE, leave_out=("Pear",)))
    assert pins(lock) == ["apple==1.0"]
    assert [one.name for one in lock.facts.left_out] == ["pear"]


def test_a_released_copy_of_the_project_brings_nothing_in(index: Index):
    index.add("plugin", "1.0", "2022-01-01", ("ours>=1",))
    index.add("ours", "1.0", "2022-01-01", ("only-of-the-release", "leaf<2"))
    index.add("only-of-the-release", "1.0", "2022-01-01")
    index.add("leaf", "1.0", "2022-01-01")
    index.add("leaf", "2.0", "2022-01-01")
    wanted = [Requirement(text=text, source="setup.cfg") for text in ("plugin", "leaf")]
    lock = compile_lock(Wanted(wanted, PYTHON, BASE, own=("Ours", "not a name!")))
    assert pins(lock) == ["leaf==2.0", "plugin==1.0"]
    assert not lock.facts.left_out


def test_a_build_that_its_registries_do_not_answer_is_an_error(index: Index):
    words = "dial tcp: lookup proxy.example.org: no such host"
    index.add_broken("helper", "1.0", "2022-01-01", words)
    with pytest.raises(BuildError, match="does not build: the package index") as caught:
        locked("helper")
    assert "`leave_out: [helper]`" in caught.value.next_step


def test_what_untouched_parts_of_a_repository_ask_for_gives_way(index: Index):
    for version in ("1.0", "2.0"):
        index.add("apple", version, "2022-01-01")
    here, there = "core/pyproject.toml x", "other/pyproject.toml x"
    wanted = (
        Requirement(text="apple>=2", source=here), Requirement(text="apple<2", source=there),
    )  # fmt: skip
    lock = compile_lock(Wanted(wanted, PYTHON, BASE, elsewhere=(there,)))
    assert pins(lock) == ["apple==2.0"]
    (left,) = lock.facts.left_out
    assert left.why == "apple<2 of other/pyproject.toml does not go with the rest"
    with pytest.raises(BuildError, match="apple>=2"):
        compile_lock(Wanted(wanted, PYTHON, BASE))


def test_what_does_not_build_is_left_out_and_said(index: Index):
    """Here and elsewhere; a release with a wheel would be taken."""
    index.add("apple", "1.0", "2022-01-01")
    index.add_broken("stone", "1.0", "2022-01-01")
    asked: list[tuple[str, ...]] = []

    def elsewhere(names, argv, files):
        asked.append(tuple(names))

    wanted = [Requirement(text=text, source="setup.cfg") for text in ("apple", "stone")]
    lock = compile_lock(Wanted(wanted, PYTHON, BASE), elsewhere=elsewhere)
    assert pins(lock) == ["apple==1.0"]
    (left,) = lock.facts.left_out
    assert left.name == "stone"
    assert left.why.startswith("it does not build: ")
    assert asked[0] == ("stone",)
    index.add("stone", "0.9", "2021-01-01")
    assert pins(locked("apple", "stone")) == ["apple==1.0", "stone==0.9"]


def test_what_this_program_adds_is_told_as_its_own(index: Index):
    added = Requirement(text="nowhere", source="micro_bench")
    with pytest.raises(BuildError, match=r"asked for: nowhere by micro-bench itself\)"):
        compile_lock(Wanted((added,), PYTHON, BASE))


def test_a_cache_that_cannot_be_written_is_no_missing_package(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = tmp_path / "file" / "cache"
    place.parent.write_text("no folder")
    monkeypatch.setenv("UV_CACHE_DIR", str(place))
    index.add("apple", "1.0", "2022-01-01")
    with pytest.raises(BuildError, match=f"cache folder of uv cannot be used: {place}") as error:
        locked("apple")
    assert "XDG_CACHE_HOME" in error.value.next_step


def test_an_index_that_does_not_answer_is_no_conflict(index: Index):
    index.close()
    with pytest.raises(BuildError, match=r"the package index at http\S+ does not answer") as error:
        locked("apple")
    assert "pip download six" in error.value.next_step


def test_a_password_is_in_no_message(index: Index, monkeypatch: pytest.MonkeyPatch):
    index.status = 401
    monkeypatch.setenv("PIP_INDEX_URL", f"http://robot:s3cr3t@{index.host}/simple/")
    pip_settings.pip_configuration.cache_clear()
    with pytest.raises(BuildError) as error:
        locked("apple")
    assert "s3cr3t" not in error.value.describe()
    assert "401" in error.value.message.splitlines()[0]


def test_wheels_come_by_their_hashes_and_a_source_is_told_apart(index: Index, tmp_path: Path):
    index.add("apple", "1.0", "2022-01-01")
    index.add_source("stone", "1.0", "2022-01-01")
    lock = locked("apple", "stone")
    missing = fetch_wheels(lock.body, PYTHON, tmp_path / "wheels")
    assert [line.split()[0] for line in missing] == ["stone==1.0"]
    assert [p.name for p in (tmp_path / "wheels").iterdir()] == ["apple-1.0-py3-none-any.whl"]
    found, absent = fetch_sources(missing, PYTHON, tmp_path)
    assert absent == {}
    assert {pin: file.name for pin, file in found.items()} == {"stone==1.0": "stone-1.0.tar.gz"}


def test_every_file_that_is_another_one_is_named_at_once(index: Index, tmp_path: Path):
    index.add("apple", "1.0", "2022-01-01")
    index.add("pear", "1.0", "2022-01-01")
    index.add_source("stone", "1.0", "2022-01-01")
    lock = locked("apple", "pear", "stone")
    for name in index.files:
        index.files[name] += b"changed"
    with pytest.raises(BuildError) as error:
        fetch_wheels("\n".join(split_lock(lock.body)[:2]), PYTHON, tmp_path)
    first, second = error.value.message.splitlines()
    assert first.startswith("fetching failed: apple 1.0: the index serves another file")
    assert first.endswith("(and 1 more)")
    assert second.startswith("pear 1.0: the index serves another file")
    with pytest.raises(BuildError, match=r"stone 1.0: its source archive is not the one"):
        fetch_sources(split_lock(lock.body)[2:], PYTHON, tmp_path)


def test_an_index_that_is_gone_is_not_taken_for_a_missing_wheel(index: Index, tmp_path: Path):
    index.add("apple", "1.0", "2022-01-01")
    lock = locked("apple")
    index.close()
    with pytest.raises(BuildError, match=r"fetching failed: apple 1.0: the package index"):
        fetch_wheels(lock.body, PYTHON, tmp_path)


def test_markers_are_read_for_the_python_of_the_image_and_not_for_our_own() -> None:
    lock = (
        "old==1 ; python_full_version < '3.9' \\\n    --hash=sha256:aa\n"
        "new==2 ; python_full_version >= '3.9' \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
        "all==3 \\\n    --hash=sha256:dd\nwindows==4 ; sys_platform == 'win32' --hash=sha256:ee\n"
    )
    assert fitting(lock, "3.8.10") == "old==1 --hash=sha256:aa\nall==3  --hash=sha256:dd\n"
    told = fitting(lock, "3.13.1")
    assert told == "new==2 --hash=sha256:bb  --hash=sha256:cc\nall==3  --hash=sha256:dd\n"
