"""What may break a budget, by name, each with its reason. An entry that is not needed fails too."""

from __future__ import annotations

FUNCTIONS: dict[str, str] = {}
"""`micro_bench/x.py:name` -> why the function has more than 40 lines of code."""

MODULES: dict[str, str] = {}
"""`micro_bench/x.py` -> why the module has more than 400 lines."""

UNREAD_SETTINGS: dict[str, str] = {}
"""Setting -> why no code reads it."""
