"""What a plugin protocol names, read off the protocol itself."""

from __future__ import annotations

import inspect


def members(protocol: type) -> set[str]:
    """Its constants and functions."""
    functions = {key for key, value in vars(protocol).items() if isinstance(value, staticmethod)}
    return set(protocol.__annotations__) | functions


def parameters(function: object) -> list[str]:
    """The names of a function's parameters, in order."""
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]
