"""One repository, one phase: import until there are enough pairs, then verify them one by one.

Everything goes through the command line, as a user would do it. What is known is written down after
every pair, so that an interrupted measurement goes on.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import yaml

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe

FIRST = 24
UNLINKED = ("ticket_open", "no_fix_link", "not_merged", "commit_not_in_clone")


@dataclass(frozen=True)
class Repository:
    """A line of `repositories.yaml`, and where its clone lies."""

    name: str
    kind: str
    what: str
    clone: Path

    @property
    def slug(self) -> str:
        return self.name.replace("/", "+")


@dataclass
class Pair:
    """An issue→fix pair and how far it came. None is what was not found out."""

    task: str
    fixed: str
    """The day of the fix."""
    environment: bool = False
    base_ran: bool = False
    gold_passes: bool = False
    faithful: bool | None = None
    verified: bool = False
    seconds: float = 0.0
    reason: str = ""
    """Why it was lost, in the program's words."""


@dataclass
class Funnel:
    """What became of a repository."""

    tickets: int
    linked: int
    drafted: int
    well_formed: int
    """Drafts whose fix brings a test that the base does not have."""
    pairs: list[Pair] = field(default_factory=list)

    @property
    def measured(self) -> list[Pair]:
        """Those that were tried; the time may have been up before the others."""
        return [pair for pair in self.pairs if pair.seconds]


@dataclass(frozen=True)
class Measurement:
    """How it is measured."""

    root: Path
    """Where workspaces and results are kept."""
    minutes: float
    """A pair's cap."""
    repetitions: int
    pairs: int
    """The newest so many of each repository."""
    until: float
    """Seconds since 1970 after which no further pair is begun."""
    harness: str
    """The commit that is measured: figures of another are thrown away."""


def measure(
    repository: Repository, phase: str, recipe: Path | None, how: Measurement, upto: int
) -> Funnel:
    """The funnel of a repository, its first pairs tried; what is stored is used again."""
    place = how.root / phase / repository.slug
    stored = place / "funnel.json"
    if not stored.exists():
        shutil.rmtree(place, ignore_errors=True)
        _write(stored, _drafted(repository, place, recipe, how.pairs))
    funnel = read(stored)
    for pair in funnel.pairs[:upto]:
        if not pair.seconds and time.time() < how.until:
            _verify(pair, place, how)
            _write(stored, funnel)
            _say(f"{phase} {pair.task}: {'verified' if pair.verified else pair.reason[:160]}")
    return funnel


def read(stored: Path) -> Funnel:
    """A funnel that was written down."""
    said = json.loads(stored.read_text(encoding="utf-8"))
    pairs = [Pair(**one) for one in said.pop("pairs")]
    return Funnel(**said, pairs=pairs)


def _write(stored: Path, funnel: Funnel) -> None:
    part = stored.with_suffix(".part")
    part.write_text(json.dumps(asdict(funnel), indent=1), encoding="utf-8")
    part.replace(stored)


def _drafted(repository: Repository, place: Path, recipe: Path | None, least: int) -> Funnel:
    """Import ever more of the newest tickets until there are enough pairs."""
    place.mkdir(parents=True)
    _bench(["init", "."], place)
    wanted = FIRST
    while True:
        argv = ["import", str(repository.clone), "--repo", repository.name]
        _, said = _bench([*argv, "--newest", str(wanted), "--json"], place)
        if "funnel" not in said:
            _say(f"{repository.name}: {said.get('error')}")
            return Funnel(0, 0, 0, 0)
        total, drafted = said["funnel"]["total"], said["written"] + said["unchanged"]
        pairs = [pair for task in drafted if (pair := _pair(task, place, repository))]
        if len(pairs) >= least or total < wanted:
            break
        wanted *= 2
    if recipe:
        spec = next((place / "tickets").rglob("*.gold.patch"))
        folder = place / "repo_slices" / spec.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(recipe, folder / "recipe.yaml")
    lost = said["funnel"]["rejected"]
    linked = total - sum(len(lost.get(reason, ())) for reason in UNLINKED)
    pairs.sort(key=lambda pair: (pair.fixed, pair.task), reverse=True)
    return Funnel(total, linked, len(drafted), len(pairs), pairs[:least])


def _pair(task: str, place: Path, repository: Repository) -> Pair | None:
    """The task as a pair; None where its fix brings no test of its own.

    Formatting, renamed settings and dropped versions touch tests too, and are nobody's issue.
    """
    path = next((place / "tickets").rglob(f"{task}.yaml"))
    repo = yaml.safe_load(path.read_text(encoding="utf-8"))["repo"]
    base, fix = repo["base_commit"], repo["fix_commit"]
    names = _git(repository.clone, "diff", "--name-only", "--no-renames", "-z", base, fix)
    changed = [name for name in names.split("\0") if python.is_test_module(name, Recipe())]
    before = set[str]().union(*(_tests(repository.clone, base, name) for name in changed))
    after = set[str]().union(*(_tests(repository.clone, fix, name) for name in changed))
    if not after - before:
        return None
    return Pair(task, _git(repository.clone, "log", "-1", "--format=%cs", fix).strip())


def _tests(clone: Path, commit: str, path: str) -> set[str]:
    text = _git(clone, "show", f"{commit}:{path}")
    return set(python.test_definitions(path, text.encode(errors="surrogateescape"), Recipe()))


def _git(clone: Path, *argv: str) -> str:
    """What git prints; nothing where it fails, as for a file that is not there."""
    done = subprocess.run(
        ["git", "-C", clone, *argv], capture_output=True, check=False, errors="surrogateescape",
        text=True,
    )  # fmt: skip
    return done.stdout


def _verify(pair: Pair, place: Path, how: Measurement) -> None:
    began = time.monotonic()
    argv = ["verify", pair.task, "--json", "-j", "1", "-n", str(how.repetitions)]
    code, said = _bench(argv, place, how.minutes * 60)
    pair.seconds = max(time.monotonic() - began, 0.1)
    if "tasks" in said:
        _read_verification(pair, said["tasks"][0])
    elif "error" in said:
        pair.reason = said["error"]["message"]
    else:
        pair.reason = f"not settled in {how.minutes:g} minutes" if code is None else f"exit {code}"
        logs = place / "runs" / "verification" / pair.task
        pair.environment = any(logs.glob("gold_hidden-*.log"))


def _read_verification(pair: Pair, row: dict) -> None:
    found = row["verification"]
    pair.verified, pair.reason = row["sound"], row["problem"]
    if found is None:
        return
    pair.environment = True
    ran = [one for one in found["executions"] if one["kind"].startswith("base")]
    pair.base_ran = any(sum(one["counts"].values()) for one in ran)
    pair.gold_passes = bool(found["fail_to_pass"])
    pair.reason = "; ".join(found["reasons"])


def _bench(argv: list[str], place: Path, seconds: float = 1800) -> tuple[int | None, dict]:
    """Exit code and the printed object; no code where the time was up."""
    program = [sys.executable, "-m", "micro_bench", *argv]
    with (place / "log.txt").open("a", encoding="utf-8") as log:
        try:
            done = subprocess.run(
                program, cwd=place, stdout=subprocess.PIPE, stderr=log, text=True,
                check=False, timeout=seconds, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None, {}
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return done.returncode, {}


def _say(message: str) -> None:
    sys.stderr.write(f"yield: {message}\n")
