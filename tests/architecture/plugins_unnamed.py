"""A contract for import-linter: nobody names a plugin, neither a room nor another plugin.

`micro_bench.plugins` finds them by their files; so no list of them can grow anywhere. Modules
whose name begins with an underscore are a room's protocol and helpers and may be imported.
"""

from __future__ import annotations

from grimp import ImportGraph
from importlinter.application import output
from importlinter.domain import fields
from importlinter.domain.contract import Contract, ContractCheck


class PluginsUnnamed(Contract):
    """Modules of the given folders are imported by nothing outside themselves."""

    type_name = "plugins_unnamed"

    folders = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - the base class asks for it
        """Every import of a plugin from elsewhere is a break."""
        found = [
            (importer, plugin)
            for folder in self.folders
            if folder in graph.modules
            for plugin in sorted(graph.find_children(folder))
            if not plugin.rpartition(".")[2].startswith("_")
            for module in sorted({plugin, *graph.find_descendants(plugin)})
            for importer in sorted(graph.find_modules_that_directly_import(module))
            if not f"{importer}.".startswith(f"{plugin}.")
        ]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import."""
        for importer, plugin in check.metadata["found"]:
            output.print_error(f"{importer} names the plugin {plugin}: ask micro_bench.plugins")
