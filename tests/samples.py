"""Small, valid nouns for tests that need one and care little which."""

from __future__ import annotations

from micro_bench import codec
from micro_bench.model.task import Task

A_TASK = codec.decode(
    """
schema_version: 1
id: parcel-17
title: Slugs lose their accents
status: reviewed
language: python
tier:
  auto: 1
  confidence: high
  rule: 1 file, 1 symbol
  evidence: {files: 1, symbols: 1, modules: 1, packages: 1, cross_package_edges: 0}
effort: {auto: S}
instruction: |
  Slugs lose their accents.

  `slug("é")` gives an empty text; it should give "e".
ticket:
  source: github
  number: 17
  url: https://example.org/parcel/issues/17
  opened: 2024-05-01T10:00:00Z
repo:
  name: parcel-labs/parcel
  base_commit: aa11111111111111111111111111111111111111
  fix_commit: bb22222222222222222222222222222222222222
  fixed: 2024-05-02T10:00:00Z
links: []
link_confidence: 0.99
gold_patch:
  file: parcel-17.gold.patch
  sha256: cc33333333333333333333333333333333333333333333333333333333333333
test_patch:
  file: parcel-17.test.patch
  sha256: dd44444444444444444444444444444444444444444444444444444444444444
tests:
  hidden:
    - tests/test_slug.py
""",
    Task,
    "sample.yaml",
)
