"""A toy language with every notion of the language contract and no parser to speak of.

    import shop/core.toy      runs when the file is imported
    lazy shop/core.toy        runs when a function is called
    type shop/core.toy        never runs
    names shop/core.toy       a string that names a module
    import requests           from outside the tree: it is no `.toy` file
    def total a b             a definition; the lines up to the next one are its body

The package of a file is its first directory, or the workspace member in `packages/<member>/`.
`deps.txt` lists the dependencies, one a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from micro_bench.languages._language import (
    NOTHING_KNOWN,
    Files,
    Known,
    SymbolChange,
    TestRun,
)
from micro_bench.languages._recipe import Recipe, TestNames
from micro_bench.model.graph import Edge, EdgeKind, Graph

_KINDS = {
    "import": EdgeKind.RUN,
    "lazy": EdgeKind.LAZY,
    "type": EdgeKind.TYPE,
    "names": EdgeKind.STRING,
}
_CONTRACTS = {
    r"(^|/)migrations/": "migration",
    r"\.sql$": "schema",
    r"^\.ci/": "ci",
    r"^build\.cfg$|^deps\.txt$": "build",
    r"^Deployfile$": "deployment",
}


class FakeLanguage:
    """Satisfies `micro_bench.languages._language.Language` as far as importing needs."""

    NAME = "toy"

    def owns(self, path: str) -> bool:
        return path.endswith(".toy")

    def completed(self, recipe: Recipe, files: Files, later: Files | None = None) -> Recipe:
        """`files test_ check_` in `toytest.cfg` names the prefixes of test files."""
        said = _prefixes(files) + (_prefixes(later) if later is not None else ())
        names = (TestNames(files=said),) if said else ()
        return Recipe.model_validate({**dict(recipe), "test_names": (*recipe.test_names, *names)})

    def is_test(self, path: str, recipe: Recipe) -> bool:
        return "tests" in path.split("/")[:-1] or self.is_test_module(path, recipe)

    def is_test_module(self, path: str, recipe: Recipe) -> bool:
        prefixes = next((each.files for each in recipe.test_names), ("test_",))
        return path.rpartition("/")[2].startswith(prefixes) and self.owns(path)

    def is_infrastructure(self, path: str) -> bool:
        return path.rpartition("/")[2] in {"toytest.cfg", "setup_tests.toy"}

    def counts_for_tier(self, path: str) -> bool:
        return not path.endswith((".md", ".lock", ".generated.toy")) and "vendor/" not in path

    def contract_file(self, path: str) -> str | None:
        fitting = (kind for pattern, kind in _CONTRACTS.items() if re.search(pattern, path))
        return next(fitting, None)

    def graph(self, files: Files, recipe: Recipe, known: Known = NOTHING_KNOWN) -> Graph:  # noqa: ARG002
        own = sorted(path for path in files if self.owns(path))
        statements = [(path, *line) for path in own for line in _statements(files[path])]
        inner = [
            Edge(source=path, target=target, kind=_KINDS[word])
            for path, word, target in statements
            if target in files
        ]
        return Graph(
            files=tuple(own),
            edges=tuple(sorted(set(inner), key=lambda e: (e.source, e.target, e.kind))),
            packages={p: package for p in own if (package := self._package(p, recipe))},
            unparsed=tuple(f"{path}: broken" for path in own if b"\nBROKEN" in files[path]),
            unresolved=tuple(
                f"{path}:1: {target}"
                for path, word, target in statements
                if target.endswith(".toy") and target not in files
            ),
            external=tuple(sorted({t for _, _, t in statements if not t.endswith(".toy")})),
        )

    def symbol_change(
        self,
        path: str,  # noqa: ARG002
        before: bytes | None,
        after: bytes | None,
    ) -> SymbolChange:
        old, new = _definitions(before), _definitions(after)
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        breaks = [
            f"{name}: {'removed' if name not in new else 'signature'}"
            for name in sorted(old)
            if name[0] not in "_<" and (name not in new or old[name][0] != new[name][0])
        ]
        return SymbolChange(changed=tuple(sorted(changed)), public_breaks=tuple(breaks))

    def declared_dependencies(self, files: Files) -> frozenset[str]:
        return frozenset(files.get("deps.txt", b"").decode().split())

    def test_definitions(
        self,
        path: str,  # noqa: ARG002
        text: bytes,
        recipe: Recipe,  # noqa: ARG002
    ) -> Mapping[str, str]:
        return {name: str(body) for name, (_, body) in _definitions(text).items()}

    def test_command(self, paths: Sequence[str], plan: TestRun) -> tuple[str, ...]:  # noqa: ARG002
        return ("toytest", *paths)

    def test_plugin(self, plan: TestRun) -> str:  # noqa: ARG002
        return ""

    def traces(self, report: bytes, ran: Sequence[str] = ()) -> Mapping[str, str]:  # noqa: ARG002
        return {}

    def _package(self, path: str, recipe: Recipe) -> str | None:
        parts = path.split("/")
        if self.is_test(path, recipe) or len(parts) == 1:
            return None
        return parts[1] if parts[0] == "packages" else parts[0]


def _prefixes(files: Files) -> tuple[str, ...]:
    words = files.get("toytest.cfg", b"").decode().split()
    return tuple(words[1:]) if words[:1] == ["files"] else ()


def _statements(content: bytes) -> Iterator[tuple[str, str]]:
    for line in content.decode("utf-8", "replace").split("\n"):
        word, _, rest = line.partition(" ")
        if word in _KINDS:
            yield word, rest.strip()


def _definitions(content: bytes | None) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name -> arguments and body, without white space and comments."""
    found: dict[str, tuple[str, list[str]]] = {}
    name = "<module>"
    for line in (content or b"").decode("utf-8", "replace").split("\n"):
        code = line.partition("--")[0].strip()
        if code.startswith("def "):
            _, name, *arguments = code.split()
            found[name] = (" ".join(arguments), [])
        elif code:
            found.setdefault(name, ("", []))[1].append("".join(code.split()))
    return {name: (arguments, tuple(body)) for name, (arguments, body) in found.items()}
