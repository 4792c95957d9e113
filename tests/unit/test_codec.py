"""Text <-> nouns: nothing is lost on the way, and every mistake is named where it stands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from micro_bench import codec
from micro_bench.codec.reading import MAX_DEPTH, MAX_UNFOLDED
from micro_bench.errors import BadInputError, Mistake, NotFoundError
from micro_bench.model.base import Noun
from micro_bench.model.task import Task
from tests.samples import A_TASK

CASES = Path(__file__).parents[1] / "cases" / "codec"


class Colour(StrEnum):
    RED = "red"
    ON = "on"


class Cat(Noun):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(Noun):
    kind: Literal["dog"] = "dog"
    owner: str


class Sample(Noun):
    schema_version: Literal[1] = 1
    text: str
    words: tuple[str, ...]
    table: dict[str, str]
    number: Annotated[float, Field(allow_inf_nan=False)]
    count: int
    flag: bool
    when: datetime
    colour: Colour = Colour.RED
    maybe: str | None = "something"
    pets: tuple[Annotated[Cat | Dog, Field(discriminator="kind")], ...] = ()
    nested: dict[str, tuple[Cat, ...]] = Field(default={})


awkward = st.sampled_from(
    [
        *("on", "off", "yes", "No", "y", "n", "null", "~", "", " ", "true", "1", "0o17", "0x1F"),
        *("1_000", "1:30", "1e3", ".5", "5.", "+.inf", ".nan", "2024-05-01", "<<", "=", "---"),
        *("a: b", "a #b", "- a", "? a", "&a", "*a", "!a", "%a", "@a", "`a", "'", '"', "[", "{}"),
        *(
            "a\n",
            "a\n\n",
            "\na",
            " a\nb",
            "a \nb",
            "a\n  \nb",
            "a\r\nb",
            "a\tb\n\tc",
            "\n",
            "a\n b ",
        ),
        *(
            "\u2028",
            "a\u2028b\nc",
            "\x85",
            "a\x85\nb",
            "\ufeff",
            "é\n\U0001f600",
            "\xa0\nb",
            "...\n",
        ),
    ]
)
texts = st.one_of(
    awkward,
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(alphabet="a :#-\n\t'\"\\|>"),
)
damage = st.one_of(
    st.sampled_from(
        ["\n", "\t", " ", ": ", "- ", "[", "]", "{", "}", "'", '"', "# ", "? ", "<<: "]
    ),
    st.sampled_from(["&a ", "*a ", "!!int ", "!x ", "|\n", ">-\n", "null", "1e9", "0x1", "---\n"]),
    st.sampled_from(["\x00", "\ufeff", "\x85", "\u2028", "%", "@", "`", "...\n", "\\", "[" * 70]),
)
samples = st.builds(
    Sample,
    text=texts,
    words=st.lists(texts, max_size=4).map(tuple),
    table=st.dictionaries(texts, texts, max_size=4),
    number=st.floats(allow_nan=False, allow_infinity=False),
    count=st.integers(),
    flag=st.booleans(),
    when=st.datetimes(timezones=st.just(UTC)),
    colour=st.sampled_from(Colour),
    maybe=st.none() | texts,
    pets=st.lists(st.builds(Cat) | st.builds(Dog, owner=texts), max_size=3).map(tuple),
    nested=st.dictionaries(texts, st.lists(st.builds(Cat), max_size=2).map(tuple), max_size=2),
)


@given(samples)
@settings(max_examples=200, deadline=None)
def test_what_is_written_reads_back_equal(sample: Sample) -> None:
    assert codec.decode(codec.dump(sample), Sample, "x.yaml") == sample
    assert codec.decode(sample.model_dump_json(), Sample, "x.json") == sample


@given(texts)
@settings(max_examples=200, deadline=None)
def test_other_yaml_readers_agree_on_text(text: str) -> None:
    """A YAML 1.1 reader, which most tools are, sees the same strings."""
    written = codec.dump(Dog(owner=text))
    assert yaml.safe_load(written)["owner"] == text


@given(st.text(), st.binary())
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_noun_or_bad_input(text: str, raw: bytes) -> None:
    for given_text in (text, raw):
        for name in ("x.yaml", "x.json"):
            with pytest.raises(BadInputError) as caught:
                codec.decode(given_text, Dog, name)
            assert caught.value.mistakes


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_damage_to_a_spec_is_told_with_its_line(data: st.DataObject) -> None:
    text = codec.dump(A_TASK)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 9))
        text = text[:at] + data.draw(damage) + text[at + cut :]
    found = mistakes(text)
    assert found is None or (found and all(mistake.line > 0 for mistake in found))


def mistakes(text: str) -> tuple[Mistake, ...] | None:
    """What is wrong with a spec; None if it is fine."""
    try:
        codec.decode(text, Task, "x.yaml")
    except BadInputError as error:
        return error.mistakes
    return None


def test_a_task_reads_back_equal() -> None:
    written = codec.dump(A_TASK, hint="../task.schema.json")
    assert written.startswith(
        "# yaml-language-server: $schema=../task.schema.json\nschema_version: 1"
    )
    assert codec.decode(written, Task, "a.yaml") == A_TASK
    assert codec.decode(written, Task, "a.yaml").content_digest() == A_TASK.content_digest()


def test_defaults_are_left_out_and_blocks_are_readable() -> None:
    written = codec.dump(A_TASK)
    assert "gates" not in written
    assert "instruction: |\n  Slugs lose their accents." in written
    assert "    - tests/test_slug.py\n" in written


def test_yaml_1_1_surprises_stay_text() -> None:
    read = codec.read("on: yes\n1:30: 2024-05-01\n3.10: no\nnull: off\n<<: x\n", "x.yaml")
    assert read.data == {"on": "yes", "1:30": "2024-05-01", "3.10": "no", "null": "off", "<<": "x"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("~", None), ("null", None), ("", None), ("true", True), ("False", False), ("'1'", "1")],
        *[("0o17", 15), ("0x1F", 31), ("-12", -12), ("1e3", 1000.0), ("1.", 1.0), (".5", 0.5)],
        *[("1_000", "1_000"), (".inf", ".inf"), ("1e999", "1e999"), ("1" * 500, "1" * 500)],
        *[("12e", "12e"), ("e1", "e1"), (".", "."), ("-", "-"), ("0b1", "0b1"), ("1:30", "1:30")],
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    if text == "-":
        text = "'-'"
    data = codec.read(f"key: {text}", "x.yaml").data
    assert data == {"key": value}


def test_aliases_may_repeat_a_value_but_not_explode() -> None:
    assert codec.read("a: &x [1, 2]\nb: *x", "x.yaml").data == {"a": [1, 2], "b": [1, 2]}
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    with pytest.raises(BadInputError) as caught:
        codec.read(laughs, "x.yaml")
    assert f"more than {MAX_UNFOLDED}" in caught.value.mistakes[0].message


def test_depth_is_bounded() -> None:
    for text in ("[" * 100_000, "- " * 5_000 + "a", "{a: " * 2_000):
        with pytest.raises(BadInputError) as caught:
            codec.read(text, "x.yaml")
        assert f"deeper than {MAX_DEPTH}" in caught.value.mistakes[0].message
    with pytest.raises(BadInputError):
        codec.decode("[" * 100_000, Dog, "x.json")


@pytest.mark.parametrize("case", sorted(p.name for p in CASES.iterdir()))
def test_bad_files_get_exact_messages(case: str) -> None:
    expected = (CASES / case / "expected.txt").read_text()
    with pytest.raises(BadInputError) as caught:
        codec.decode((CASES / case / "spec.yaml").read_bytes(), Task, "spec.yaml")
    assert "".join(f"{mistake}\n" for mistake in caught.value.mistakes) == expected


def test_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: dog\nonwer: x\n")
    (tmp_path / "b.json").write_text('{\n  "kind": "dog",\n  "owner": 3\n}')
    (tmp_path / "c.json").write_text('{"owner": "a", "owner": "b"}')
    codec.save(tmp_path / "good.yaml", Dog(owner="me"))
    names = ["a.yaml", "b.json", "c.json", "good.yaml", "missing.yaml"]
    with pytest.raises(BadInputError) as caught:
        codec.load_all([tmp_path / name for name in names], Dog)
    assert [str(m).replace(f"{tmp_path}/", "") for m in caught.value.mistakes] == [
        "a.yaml:2:1  onwer: unknown key (did you mean 'owner'?)",
        'b.json:3:3  owner: must be text, not 3 (put it in quotes: "3")',
        "c.json:1:16  owner: the key is given twice; first at line 1, column 2",
        "missing.yaml  there is no file missing.yaml",
    ]
    assert caught.value.message == "4 mistakes in 4 files"


def test_json_syntax_has_a_place() -> None:
    with pytest.raises(BadInputError) as caught:
        codec.decode('{"kind": "dog",\n "owner" 3}', Dog, "x.json")
    assert str(caught.value.mistakes[0]) == "x.json:2:10  expecting ':' delimiter"


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        codec.load(tmp_path / "x.yaml", Dog)
    with pytest.raises(BadInputError, match="cannot be read"):
        codec.load(tmp_path, Dog)


def test_unions_are_told_apart_and_their_mistakes_found() -> None:
    text = (
        "text: a\nwords: []\ntable: {}\nnumber: 1\ncount: 1\nflag: true\nwhen: 2024-05-01T00:00Z\n"
    )
    with pytest.raises(BadInputError) as caught:
        codec.decode(text + "pets:\n  - kind: dgo\n  - kind: dog\n    ower: x\n", Sample, "x.yaml")
    assert [str(m) for m in caught.value.mistakes] == [
        "x.yaml:9:5  pets[0]: kind must be one of cat, dog, not \"dgo\" (did you mean 'dog'?)",
        "x.yaml:11:5  pets[1].ower: unknown key (did you mean 'owner'?)",
    ]


def test_the_schema_describes_every_field() -> None:
    schema = json.loads(codec.json_schema(Task))
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["title"] == "Task"
    assert schema["properties"]["notes"]["description"] == "For people; never shown to an agent."
