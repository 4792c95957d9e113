from __future__ import annotations

import pytest

from tests.fakes.team import Team


@pytest.fixture
def team(tmp_path):
    return Team(tmp_path)
