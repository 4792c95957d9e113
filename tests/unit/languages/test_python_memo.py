"""What is remembered between two trees, and that it never mixes two files up."""

from __future__ import annotations

from micro_bench.languages.python.graph.scan import scan
from micro_bench.languages.python.memo import Memo


def test_equal_work_is_done_once_and_the_oldest_is_forgotten() -> None:
    done: list[str] = []
    memo: Memo[str, str] = Memo(2)

    def ask(key: str) -> str:
        return memo.get(key, lambda: done.append(key) or key.upper())

    assert [ask(key) for key in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert done == ["a", "b", "c", "b"]


def test_a_file_is_read_once_for_each_meaning_of_its_name() -> None:
    content = b"from here_it_is_remembered import x\n__all__ = ['one']\n"
    module, package = scan("a/b.py", content), scan("a/__init__.py", content)
    stub = scan("a/b.pyi", content)
    assert scan("elsewhere/c.py", content) is module
    assert (module.exports, package.exports) == ((), ("one",))
    assert [item.kind for item in (*module.imports, *stub.imports)] == ["run", "type"]
    assert scan("a/b.py", content + b"import y\n") is not module
