"""What nox and tox write for Django's runner is read like what a shell is given."""

from __future__ import annotations

import pytest

from micro_bench.languages.python.testing.recognised import find_runner


@pytest.mark.parametrize(
    ("text", "runner"),
    [
        ('session.run("python", "manage.py", "test")', "django"),
        ("session.run('coverage', 'run', 'manage.py', 'test')", "django"),
        ('session.run("python", "manage.py", "migrate")\nsession.run("pytest")', "pytest"),
    ],
)
def test_arguments_of_a_session_are_a_command(text: str, runner: str) -> None:
    """Django's is found by `manage.py test` alone, not by any `manage.py`."""
    assert find_runner({"noxfile.py": text.encode()}, ()) == (runner, "noxfile.py (command)")
