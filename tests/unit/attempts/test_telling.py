"""What is read out of an agent's own words."""

from __future__ import annotations

import pytest

from micro_bench.attempts.agents._stream_json import exit_code


@pytest.mark.parametrize(
    ("output", "failed", "code"),
    [
        ("Exit code 2\nno such file", True, 2),
        ("Command: false\nExit Code: 3\nSignal: (none)", True, 3),
        ("Command: true\nExit Code: 0", False, 0),
        ("Exit code 2", False, None),  # what a command printed that did not fail
        ("the Exit code 2", True, None),
        ("Exit code two", True, None),
        ("Exit code " + "9" * 5000, True, None),
        ("", True, None),
    ],
)
def test_the_exit_code_of_a_command(output: str, failed: bool, code: int | None):
    assert exit_code(output, failed=failed) == code
