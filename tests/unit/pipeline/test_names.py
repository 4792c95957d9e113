"""Names that become folders and labels: refused as bad input, before anything is made."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.model.base import Slug
from micro_bench.paths import Workspace, name_mistake
from micro_bench.pipeline.commands import RunOptions, run_command
from micro_bench.pipeline.line import Line
from micro_bench.settings import Settings
from micro_bench.store import open_run

GOOD = ["nightly", "2026-01-02", "a", "a_b.c-d", "n" * 100, "0"]
BAD = ["Nightly", "a b", "../x", "", ".", "..", "-x", "_x", "n" * 101, "a/b", "a\n", "é", "x\0y"]


@pytest.mark.parametrize("name", GOOD + BAD)
def test_the_check_of_names_is_that_of_the_nouns(name: str):
    try:
        TypeAdapter(Slug).validate_python(name)
    except ValidationError:
        assert name in BAD
        assert "is no name of" in name_mistake(name)
        like = name_mistake(name).rpartition("like '")[2].rstrip("')")
        assert name_mistake(like) == ""
    else:
        assert name_mistake(name) == ""


@pytest.mark.parametrize("name", [*BAD, "latest"])
def test_a_run_of_such_a_name_is_bad_input(tmp_path, name: str):
    settings = Settings.model_validate({"workspace": tmp_path, "backend": "local"})
    with pytest.raises(BadInputError, match="--name"):
        run_command(Line(settings, print), RunOptions(("oracle",), name=name))


@pytest.mark.parametrize("name", ["../x", "a/../../b", "", "X"])
def test_no_run_is_looked_for_outside_its_folder(tmp_path, name: str):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "lock.json").write_text("{}")
    with pytest.raises(NotFoundError):
        open_run(Workspace(tmp_path / "ws"), name)
