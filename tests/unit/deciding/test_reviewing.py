"""Passing patches are read blind; when all are, the share that would be merged is told."""

from __future__ import annotations

import pytest

from micro_bench.errors import BadInputError, NotFoundError
from micro_bench.pipeline.deciding import reviewing, wording
from tests.fakes.team import Team
from tests.unit.deciding.test_nights import TASKS, night


@pytest.fixture
def team(tmp_path):
    made = Team(tmp_path)
    night(made, "n0", dict.fromkeys(TASKS, 2), k=3)
    return made


def test_the_sample_is_the_same_for_everybody_and_says_not_whose_it_is(team):
    found = reviewing.standing(team.line, "n0", 0.5)
    assert found == reviewing.standing(team.line, "n0", 0.5)
    assert len(found.items) == 12
    assert found.rates == ()
    assert "steady" not in wording.reviewed(found)
    assert "oracle" not in wording.reviewed(found)


def test_when_all_are_read_the_share_that_would_be_merged_is_told(team):
    share = 0.5
    while (found := reviewing.standing(team.line, "n0", share)).next:
        told = {"merge": found.next.code < "8", "minutes": 6.0, "by": "ann"}
        reviewing.keep(team.line, "n0", found.next.code, share, told)
    (rate,) = found.rates
    assert rate.agent == "steady"
    assert rate.mergeable.attempts == 12
    assert rate.mergeable.lo < rate.mergeable.value < rate.mergeable.hi
    assert "would be merged (12 read, median 6 min)" in wording.reviewed(found)


def test_a_later_reading_takes_the_place_of_an_earlier_one(team):
    code = reviewing.standing(team.line, "n0", 0.1).items[0].code
    for merge in (True, False):
        told = {"merge": merge, "minutes": 1.0, "by": "ann"}
        made = reviewing.keep(team.line, "n0", code, 0.1, told)
    store = reviewing.open_run(team.workspace, "n0")
    assert reviewing.reviews(store) == (made,)
    (store.root / reviewing.REVIEWS).open("a").write("{broken\n")
    with pytest.raises(BadInputError) as caught:
        reviewing.reviews(store)
    assert caught.value.mistakes[0].line == 3


def test_what_is_no_review_is_refused(team):
    with pytest.raises(NotFoundError, match="is called nope"):
        reviewing.keep(team.line, "n0", "nope", 0.5, {"merge": True, "minutes": 1.0, "by": "a"})
    code = reviewing.standing(team.line, "n0", 0.5).items[0].code
    with pytest.raises(BadInputError):
        reviewing.keep(team.line, "n0", code, 0.5, {"merge": True, "minutes": -1.0, "by": "a"})
