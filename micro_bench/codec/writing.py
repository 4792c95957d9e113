"""Nouns -> YAML that people like to edit."""

from __future__ import annotations

import re
import sys
from typing import Any, Literal, get_origin

import yaml
from pydantic import BaseModel
from yaml.emitter import ScalarAnalysis
from yaml.nodes import ScalarNode

KEPT = "schema_version"
"""The one field that is written even when it equals its default."""


def to_yaml(noun: BaseModel) -> str:
    """In the model's order of fields, without those that equal their defaults."""
    return block(sparse(noun, noun.model_dump(mode="json")))


def block(data: object) -> str:
    """Plain data in the same style."""
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize,
        default_flow_style=False,
    )  # fmt: skip


def sparse(value: Any, dumped: Any) -> Any:
    """The JSON form of a value without the fields that equal their defaults."""
    if isinstance(value, BaseModel):
        return {
            name: sparse(getattr(value, name), part)
            for name, part in dumped.items()
            if not _implied(value, name)
        }
    if isinstance(value, dict):
        return {
            name: sparse(part, dumped[name])
            for name, part in zip(dumped, value.values(), strict=True)
        }
    if isinstance(value, tuple | list):
        return [sparse(*pair) for pair in zip(value, dumped, strict=True)]
    return dumped


def _implied(noun: BaseModel, name: str) -> bool:
    """Whether reading fills the field in by itself. A literal may be what tells a union apart."""
    field = type(noun).model_fields[name]
    if name == KEPT or field.is_required() or get_origin(field.annotation) is Literal:
        return False
    return bool(getattr(noun, name) == field.get_default(call_default_factory=True))


class _Dumper(yaml.SafeDumper):
    """Indents lists, writes long text as blocks, quotes what YAML 1.1 or 1.2 would misread."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def analyze_scalar(self, scalar: str) -> ScalarAnalysis:
        """Allow blocks with trailing spaces, which the emitter shies from and readers keep."""
        analysis = super().analyze_scalar(scalar)
        if _fits_block(scalar):
            analysis.allow_block = True
        return analysis


def _fits_block(text: str) -> bool:
    lines = text.split("\n")
    starts_well = bool(lines[0].strip()) and lines[0][0] != "\t"
    return len(lines) > 1 and starts_well and not _UNFIT.search(text)


_UNFIT = re.compile(
    "[^\n\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Carriage returns, other line breaks and control characters would not survive in a block."""


def _text(dumper: yaml.SafeDumper, text: str) -> ScalarNode:
    style = '"' if _UNFIT.search(text) else "|" if _fits_block(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
for _tag, _pattern, _first in (
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("bool", r"^(?:y|Y|n|N)$", "yYnN"),
):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
