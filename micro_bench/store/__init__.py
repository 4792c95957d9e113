"""Nouns as files: what one stage leaves for the next. Written whole or not at all."""

from micro_bench.store.decisions import Decisions
from micro_bench.store.nights import NIGHT, nights
from micro_bench.store.parses import Parses
from micro_bench.store.runs import BUSY, RunStore, list_runs, open_run, run_locks
from micro_bench.store.specs import SpecStore

__all__ = [
    "BUSY",
    "NIGHT",
    "Decisions",
    "Parses",
    "RunStore",
    "SpecStore",
    "list_runs",
    "nights",
    "open_run",
    "run_locks",
]
