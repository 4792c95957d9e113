"""Makes the bare repositories that are the inputs of these cases: python build.py

Each is one small pack, with commit ids that are the same everywhere.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[3]))

from tests.unit.tickets.git_builder import GitBuilder  # noqa: E402

CORE, TEST = "shop/core.py", "tests/test_core.py"


def fix(built: GitBuilder, message: str) -> str:
    """A commit that touches source and tests."""
    count = str(built.hours)
    return built.commit(message, {CORE: f"TOTAL = {count}\n", TEST: f"assert {count}\n"})


def pull_requests(built: GitBuilder) -> None:
    """Merge and squash commits, with and without a description, and one that closes a ticket."""
    built.branch("topic")
    fix(built, "Do not count twice\n\nA line that stands in two carts was counted in both.")
    fix(built, "fixup! Do not count twice")
    built.checkout("main")
    built.merge("topic", "Merge pull request #12 from acme/topic\n\nTotals count lines twice")
    fix(built, "Empty carts have a total (#13)\n\nThey have none today.\n\nFixes #7.")
    fix(built, "Say the currency (#14)\n\nCo-authored-by: Bo <bo@example.org>")
    built.branch("other")
    fix(built, "wip")
    built.checkout("main")
    built.merge("other", "Merge pull request #15 from acme/other\n\nRound up\n\nNever down.")


def keywords(built: GitBuilder) -> None:
    """No pull requests: closing words, trailers, plain commits; and what is no ticket."""
    fix(built, "Fix #3: Totals are wrong for empty carts.")
    fix(built, "Handle discounts, fixes #4 and #5")
    fix(built, "Sort by price\n\nThe order was that of insertion.\n\nCloses: #6\n")
    fix(built, "Keep the currency\n\nBug: 8\nSigned-off-by: Ada <ada@example.org>\n")
    fix(built, "Fix #9")
    fix(built, "Accept carts of one line")
    built.commit("Fix #3: Say so in the docs", {"docs/core.md": "totals\n"})
    built.commit("Tidy up", {"docs/core.md": "totals!\n"})
    taken_back = fix(built, "Count in cents")
    fix(built, f'Revert "Count in cents"\n\nThis reverts commit {taken_back}.')


def other_hosts(built: GitBuilder) -> None:
    """GitLab, Bitbucket, Azure and a tracker's keys; each kind is counted by itself."""
    built.run("remote", "add", "origin", "https://gitlab.example.org/acme/tools/shop.git")
    built.branch("gitlab")
    fix(built, "Add totals")
    built.checkout("main")
    message = "Merge branch 'gitlab' into 'main'\n\nTotals for carts\n\nCloses #2\n\n"
    built.merge("gitlab", f"{message}See merge request acme/tools/shop!4")
    built.branch("second")
    fix(built, "Totals in cents\n\nFloats lose them.")
    built.checkout("main")
    built.merge("second", "Merge branch 'second' into 'main'\n\nSee merge request !5")
    fix(built, "Merged in topic (pull request #4)\n\nTotals of nothing\n\nApproved-by: Bo")
    fix(built, "Pull request #6: Totals of one\n\nMerge in AC/shop from one to main\n")
    fix(built, "Merged PR 71: Totals of two")
    fix(built, "SHOP-31: Totals of three\n\nThree were two.")
    fix(built, "[SHOP-31] Totals of three again")
    fix(built, "UTF-8 in totals")


def long_lived(built: GitBuilder) -> None:
    """Branches without a pull request: a topic is one change, a long-lived one many."""
    built.run("remote", "add", "origin", "git@github.com:acme/shop.git")
    built.branch("feature/gift-cards")
    fix(built, "Add cards\n\nCards are money.")
    fix(built, "Cards may be empty")
    built.checkout("main")
    built.merge("feature/gift-cards", "Merge branch 'feature/gift-cards'")
    built.branch("2.0.x")
    fix(built, "Backport totals")
    built.checkout("main")
    fix(built, "Release v2.1.0")
    built.commit(b"Caf\xe9 totals", {CORE: "TOTAL = 0\n", TEST: "assert 0\n"})


def make(case: Callable[[GitBuilder], None]) -> None:
    place = HERE / case.__name__ / "input"
    shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        built = GitBuilder(Path(folder) / "shop")
        built.commit("Begin", {CORE: "TOTAL = None\n", TEST: "\n"})
        case(built)
        address = subprocess.run(
            ["git", "-C", str(built.path), "config", "remote.origin.url"],
            capture_output=True, text=True, check=False,
        ).stdout.strip()  # fmt: skip
        tip = built.head()
        built.run("clone", "--quiet", "--bare", "--no-local", ".", str(place))
    for name in ("hooks", "info", "branches"):
        shutil.rmtree(place / name, ignore_errors=True)
    for name in ("packed-refs", "description"):
        (place / name).unlink()
    head = place / "refs" / "heads" / "main"
    head.parent.mkdir(parents=True, exist_ok=True)
    head.write_text(f"{tip}\n")
    remote = f'[remote "origin"]\n\turl = {address}\n' if address else ""
    (place / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n\tbare = true\n{remote}")


if __name__ == "__main__":
    for one in (pull_requests, keywords, other_hosts, long_lived):
        make(one)
