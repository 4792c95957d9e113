from __future__ import annotations

import json

import pytest

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.pipeline.run.agents import Chosen, parse
from tests.samples import A_TASK


def one(text: str, network: str = "none") -> Chosen:
    (found,) = parse([text], network)
    return found


def refused(*texts: str) -> str:
    with pytest.raises(BadInputError) as caught:
        parse(texts, "none")
    return caught.value.message


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "recorded"
    for name, content in {"parcel-17/1": b"one", "parcel-17/3": b"three"}.items():
        path = folder / f"{name}.patch"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.mark.parametrize("name", ["oracle", "noop"])
def test_an_agent_by_its_own_name(name):
    found = one(name)
    assert (found.ref.name, found.ref.kind) == (name,) * 2
    assert found.ref.options == {}
    assert found.ref.model_dump(include={"name", "kind"}) == {"name": name, "kind": name}


def test_an_agent_by_another_name():
    assert [a.ref.name for a in parse(["Gold Standard=oracle"], "none")] == ["gold-standard"]
    assert one("x=noop").plugin.NAME == "noop"


def test_a_command_line_is_taken_as_it_is():
    line = 'cli --model=a:b,c "$MICRO_BENCH_INSTRUCTION" | tee x=y'
    found = one(f"mine=command,version=1.2:{line}")
    assert found.ref.options == {"command": line, "network": "none", "version": "1.2"}
    assert (found.ref.name, found.ref.version) == ("mine", "1.2")


def test_the_network_of_an_agent_wins_over_the_one_of_all():
    assert one("m=command:x", network="bridge").ref.options["network"] == "bridge"
    assert one("m=command,network=none:x", network="bridge").ref.options["network"] == "none"


def test_several_agents_keep_their_order():
    found = parse(["noop", "oracle", "b=noop"], "none")
    assert [agent.ref.name for agent in found] == ["noop", "oracle", "b"]


def test_every_mistake_is_told_at_once(tmp_path):
    message = refused(
        "orcale",
        "a=nothing:x",
        "b=command:",
        "c=command,verison=1,network=host:x",
        "d=command,version:x",
        f"e=replay:{tmp_path / 'absent'}",
        "f=replay",
        "g=oracle:x",
        "noop",
        "noop",
    )
    for words in (
        "orcale: there is no such agent (aider, claude-code, codex, command,",
        "a=nothing:x: there is no such agent",
        "`command` is missing",
        "unknown option 'verison'",
        "`network` must be",
        "'version' is not key=value",
        f"there is no folder {tmp_path / 'absent'}",
        "`directory` is missing",
        "oracle takes no options",
        "two agents are called noop",
    ):
        assert words in message, words


def test_names_that_are_the_same_as_file_names_are_the_same():
    assert "two agents are called a-b" in refused("A B=noop", "a b=oracle")


@pytest.mark.parametrize(
    ("number", "content"), [(1, b"one"), (2, b"one"), (3, b"three"), (9, b"three")]
)
def test_a_recording_that_is_missing_falls_back_to_the_one_before(recordings, number, content):
    assert one(f"r=replay:{recordings}").recording(A_TASK, number) == content


def test_recordings_without_an_earlier_one_still_give_one(recordings):
    (recordings / "parcel-17" / "1.patch").unlink()
    assert one(f"r=replay:{recordings}").recording(A_TASK, 1) == b"three"


def test_recordings_are_in_the_order_of_numbers(recordings):
    (recordings / "parcel-17" / "10.patch").write_bytes(b"ten")
    found = one(f"r=replay:{recordings}")
    assert (found.recording(A_TASK, 9), found.recording(A_TASK, 11)) == (b"three", b"ten")


def test_recordings_may_be_named_by_the_tickets_number(recordings):
    (recordings / "parcel-17").rename(recordings / "17")
    (recordings / "17" / "notes.patch").write_bytes(b"no")
    assert one(f"r=replay:{recordings}").recording(A_TASK, 2) == b"one"


def test_no_recording_is_told_with_the_task(recordings):
    (recordings / "parcel-17").rename(recordings / "18")
    with pytest.raises(NotFoundError, match="parcel-17"):
        one(f"r=replay:{recordings}").recording(A_TASK, 1)


def test_the_version_of_recordings_is_what_is_in_them(recordings):
    first = one(f"r=replay:{recordings}").ref
    assert first.version == one(f"r=replay:{recordings}").ref.version
    assert first.options["directory"] == "recorded"
    (recordings / "parcel-17" / "3.patch").write_bytes(b"other")
    assert one(f"r=replay:{recordings}").ref.version != first.version


def test_of_a_secret_only_the_name_is_written_down(monkeypatch):
    monkeypatch.setenv("TOY_KEY", "sesame-open-123")
    monkeypatch.setenv("TOY_ORG", "org-456")
    found = one("m=command,env=TOY_KEY+TOY_ORG:x")
    assert found.secrets == {"TOY_KEY": "sesame-open-123", "TOY_ORG": "org-456"}
    stored = found.ref.model_dump_json()
    assert json.loads(stored)["options"]["env"] == "TOY_KEY+TOY_ORG"
    assert "sesame" not in stored
    assert "org-456" not in stored


def test_a_secret_that_is_not_there_is_told(monkeypatch):
    monkeypatch.delenv("TOY_KEY", raising=False)
    assert "lacks TOY_KEY" in refused("m=command,env=TOY_KEY:x")


def test_files_of_an_agent_are_read_and_named_by_their_digest(tmp_path):
    (tmp_path / "kit" / "deep").mkdir(parents=True)
    (tmp_path / "kit" / "deep" / "a.txt").write_bytes(b"a")
    found = one(f"m=command,files={tmp_path / 'kit'}:x")
    assert found.files == {"deep/a.txt": b"a"}
    assert found.ref.options["files"].startswith("kit sha256:")
    (tmp_path / "kit" / "deep" / "a.txt").write_bytes(b"b")
    assert one(f"m=command,files={tmp_path / 'kit'}:x").ref.options != found.ref.options


@pytest.mark.parametrize("name", ["_", "__x", "n" * 101, "_mine"])
def test_a_name_that_can_be_no_folder_is_bad_input(name):
    assert "is no name of" in refused(f"{name}=noop")


def test_a_variable_that_no_system_hands_on_is_bad_input(monkeypatch):
    monkeypatch.setenv("LONG", "x" * 100_001)
    assert "LONG" in refused("m=command,env=LONG:x")
