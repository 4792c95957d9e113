"""Nouns as files: what one stage leaves for the next. Written whole or not at all."""

from micro_bench.store.runs import RunStore, list_runs, open_run
from micro_bench.store.specs import SpecStore

__all__ = ["RunStore", "SpecStore", "list_runs", "open_run"]
