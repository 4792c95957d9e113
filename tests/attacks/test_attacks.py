"""Every known attack scores 0 for the right reason, and what is honest and odd passes."""

from __future__ import annotations

import pytest

from micro_bench.pipeline.run.attacking import attacked
from micro_bench.pipeline.verify.attacking import Attack, attacks, patch_of
from tests.fakes.shop import Shop

KNOWN = attacks()


@pytest.mark.parametrize("attack", KNOWN, ids=lambda attack: attack.name)
def test_it_ends_as_it_must(shop: Shop, attack: Attack) -> None:
    patch = patch_of(attack, shop.prepared, shop.gold, shop.task.tests.hidden)
    found = attacked(shop.line, shop.grader, attack, patch)
    assert found.withstood, f"{found.verdict} {found.reason}"


def test_there_are_both_kinds() -> None:
    honest = [attack for attack in KNOWN if attack.name.startswith("honest-")]
    assert len(honest) >= 10
    assert len(KNOWN) - len(honest) >= 45
    assert all(attack.on == "gold" and attack.verdicts == ("pass",) for attack in honest)
    assert not any("pass" in attack.verdicts for attack in KNOWN if attack not in honest)
