"""A lock says of itself what in it is not of its date, and is read back."""

from __future__ import annotations

from datetime import UTC, datetime

from micro_bench.images import lock
from micro_bench.images.recipe import lock_body
from micro_bench.model.slice import BuiltFromSource, Environment, Exemption, LockFacts

DATE = datetime(2023, 1, 1, 13, tzinfo=UTC)
WANTED = Environment(python="3.11", python_source="x", requirements=(), before=DATE)
BODY = "attrs==23.1.0 \\\n    --hash=sha256:aa\n"
FACTS = LockFacts(
    exempt=(
        Exemption(name="attrs", version="23.1.0", until=datetime(2023, 4, 17, tzinfo=UTC)),
        Exemption(name="inner", version="1.0", until=None),
    ),
    made=datetime(2022, 1, 1, tzinfo=UTC),
    built=(
        BuiltFromSource(name="docopt", version="0.6.2", tools=DATE),
        BuiltFromSource(name="old", version="1", tools=None),
    ),
)  # fmt: skip


def test_what_is_written_is_read():
    text = lock.write("3.11.2", WANTED, "f" * 64, FACTS, BODY)
    assert lock.read(text) == FACTS
    assert lock_body(text) == BODY
    assert lock.holds(text, WANTED, "f" * 64)


def test_a_wholly_dated_lock_has_nothing_to_say():
    text = lock.write("3.11.2", WANTED, "f" * 64, LockFacts(), BODY)
    assert lock.read(text) == LockFacts()
    assert text.count("#") == 3


def test_facts_that_came_later_take_the_place_of_the_old_ones():
    text = lock.write("3.11.2", WANTED, "f" * 64, FACTS, BODY)
    again = lock.with_facts(text, LockFacts(undated=True))
    assert lock.read(again) == LockFacts(undated=True)
    assert lock_body(again) == BODY
    assert lock.with_facts(text, FACTS) == text


def test_a_lock_of_another_date_python_or_requirements_does_not_hold():
    text = lock.write("3.11.2", WANTED, "f" * 64, LockFacts(), BODY)
    assert not lock.holds(text, WANTED, "e" * 64)
    other = {**dict(WANTED), "before": datetime(2023, 1, 2, tzinfo=UTC)}
    assert not lock.holds(text, Environment.model_validate(other), "f" * 64)
    assert not lock.holds(
        text, Environment.model_validate({**dict(WANTED), "python": "3.1"}), "f" * 64
    )


def test_a_lock_that_an_earlier_version_took_for_undated_is_made_again():
    text = lock.write("3.11.2", WANTED, "f" * 64, LockFacts(), BODY)
    old = text.replace("attrs", "# not dated: the package index gives no upload times\nattrs", 1)
    assert not lock.holds(old, WANTED, "f" * 64)
