"""Rules over a real clone: what hidden tests ask for, and where it stands."""

from __future__ import annotations

import json

import pytest

from micro_bench.errors import BadInputError
from micro_bench.model.finding import Where
from micro_bench.pipeline.curation.assessing import assess, remembered
from micro_bench.pipeline.curation.linting import lint


def test_a_name_that_only_the_fix_knows_is_an_error_with_its_line(team):
    task = team.add()
    found = assess(team.line, task)
    (one,) = (finding for finding in found.findings if finding.rule == "TL201")
    assert one.level == "error"
    assert (one.path, one.line) == ("tests/test_slug.py", 1)
    assert "`plain_letters`" in one.message
    marks = {demand.asked.text: demand.where for demand in found.demands}
    assert marks["plain_letters"] is Where.NOWHERE
    assert "slug" not in marks  # the base's tests asked for it already


def test_once_the_ticket_names_it_nothing_is_left(team):
    task = team.add(instruction="Slugs lose accents: use `plain_letters(text)` of parcel.text.\n")
    found = assess(team.line, task)
    assert not [one for one in found.findings if one.rule == "TL201"]


def test_what_was_found_is_remembered_until_something_changes(team):
    task = team.add()
    assert remembered(team.line, task) is None
    found = assess(team.line, task)
    assert remembered(team.line, task) == found
    team.verify(task, reasons=("flaky",))
    assert remembered(team.line, task) is None
    rules = [one.rule for one in assess(team.line, task).findings if one.level == "error"]
    assert rules == ["TL201", "TL401"]


def test_without_the_clone_nobody_looked_and_it_is_said(team):
    task = team.add()
    (team.workspace.runs / "clones.json").unlink()
    found = lint(team.line, (), (), ())
    assert found.unread == (task.id,)
    assert "were not read" in found.summary()
    assert not [one for one in found.found if one.finding.rule.startswith("TL2")]


def test_lint_names_file_and_line_and_writes_sarif(team, tmp_path):
    team.add()
    found = lint(team.line, (), ("TL2",), (), tmp_path / "out.sarif")
    (text,) = found.lines()
    spec = team.root / text.partition(":")[0]
    number = int(text.split(":")[1])
    assert spec.read_text().splitlines()[number - 1].startswith("instruction")
    document = json.loads((tmp_path / "out.sarif").read_text())
    (result,) = document["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("TL201", "error")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == number
    assert lint(team.line, (), (), ("TL201, too-short",)).errors == 0


def test_a_rule_that_is_none_is_refused(team):
    team.add()
    with pytest.raises(BadInputError, match="no such rule: TL999"):
        lint(team.line, (), ("TL999",), ())
