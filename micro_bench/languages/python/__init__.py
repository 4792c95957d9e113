"""Python: pytest, pip's index, and the manifests that projects really have."""

from micro_bench.languages.python.altering.alterations import alterations
from micro_bench.languages.python.asking import asked
from micro_bench.languages.python.building import build_program
from micro_bench.languages.python.causes.cause import cause
from micro_bench.languages.python.graph.build import graph
from micro_bench.languages.python.manifests.distributions import distributions
from micro_bench.languages.python.manifests.environment import (
    build_plan,
    declared_dependencies,
    environment,
)
from micro_bench.languages.python.paths import (
    contract_file,
    counts_for_tier,
    is_infrastructure,
    is_test,
    is_test_module,
    owns,
)
from micro_bench.languages.python.survey import survey
from micro_bench.languages.python.suspicions.read import suspicions
from micro_bench.languages.python.symbols import symbol_change
from micro_bench.languages.python.testing.canary import canary
from micro_bench.languages.python.testing.command import test_command, test_folder
from micro_bench.languages.python.testing.completed import completed
from micro_bench.languages.python.testing.config import merge_infrastructure
from micro_bench.languages.python.testing.definitions import test_definitions
from micro_bench.languages.python.testing.results import has_other_content, results, traces
from micro_bench.languages.python.testing.selecting import test_plugin
from micro_bench.languages.python.testing.streamed import discord
from micro_bench.languages.python.testing.words import complaint

NAME: str = "python"

__all__ = [
    "NAME",
    "alterations",
    "asked",
    "build_plan",
    "build_program",
    "canary",
    "cause",
    "complaint",
    "completed",
    "contract_file",
    "counts_for_tier",
    "declared_dependencies",
    "discord",
    "distributions",
    "environment",
    "graph",
    "has_other_content",
    "is_infrastructure",
    "is_test",
    "is_test_module",
    "merge_infrastructure",
    "owns",
    "results",
    "survey",
    "suspicions",
    "symbol_change",
    "test_command",
    "test_definitions",
    "test_folder",
    "test_plugin",
    "traces",
]
