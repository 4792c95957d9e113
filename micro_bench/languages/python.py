"""Python: pytest, pip's index, and the manifests that projects really have."""

from micro_bench.languages._python_distributions import distributions
from micro_bench.languages._python_imports import graph
from micro_bench.languages._python_junit import canary, has_other_content, results
from micro_bench.languages._python_manifests import declared_dependencies, environment
from micro_bench.languages._python_paths import (
    contract_file,
    counts_for_tier,
    is_infrastructure,
    is_test,
    is_test_module,
    owns,
)
from micro_bench.languages._python_pytest import merge_infrastructure, test_command
from micro_bench.languages._python_symbols import symbol_change
from micro_bench.languages._python_tests import test_definitions

NAME: str = "python"

__all__ = [
    "NAME",
    "canary",
    "contract_file",
    "counts_for_tier",
    "declared_dependencies",
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
    "symbol_change",
    "test_command",
    "test_definitions",
]
