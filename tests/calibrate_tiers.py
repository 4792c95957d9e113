"""How the tiers agree with what people said of the same fixes. No test: it needs public clones.

    python tests/calibrate_tiers.py CLONES PATCHES LABELS [--save FILE] [--against FILE]

CLONES   a folder with one clone for each repository, named `owner+name`
PATCHES  JSON lines with `instance_id`, `repo`, `base_commit` and `patch` (may be gzipped)
LABELS   CSV with `instance_id` and `difficulty`: the four classes of SWE-bench Verified

`--save` keeps the tiers; `--against` prints those of an earlier run beside the new ones.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from micro_bench import graphs
from micro_bench.edge.git import Repository
from micro_bench.edge.git_output import ChangedFile
from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from micro_bench.tasks.measure import Fixed, measure
from micro_bench.tasks.tiers import effort_of, rule_of

LABELS = ("<15 min fix", "15 min - 1 hour", "1-4 hours", ">4 hours")
ENOUGH_FILES, ENOUGH_TICKETS = 100, 5
LARGEST = 4 << 20
Row = dict[str, object]


def main() -> None:
    """Measures, prints, saves."""
    asked = _asked()
    with (gzip.open if asked.patches.suffix == ".gz" else open)(asked.patches, "rt") as lines:
        fixes = [json.loads(line) for line in lines]
    with asked.labels.open() as table:
        labels = {r["instance_id"]: LABELS.index(r["difficulty"]) for r in csv.DictReader(table)}
    found = dict(_measured(asked.clones, fixes))
    if asked.save:
        asked.save.write_text(json.dumps(found, indent=1))
    runs = {"now": found}
    if asked.against:
        runs = {"before": json.loads(asked.against.read_text()), **runs}
    for name, rows in runs.items():
        _print(name, {k: {**row, "label": labels[k]} for k, row in rows.items()})


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("clones", "patches", "labels"):
        parser.add_argument(name, type=Path)
    for name in ("--save", "--against"):
        parser.add_argument(name, type=Path)
    return parser.parse_args()


def _measured(clones: Path, fixes: Iterable[Mapping[str, str]]) -> Iterable[tuple[str, Row]]:
    by_repo = sorted(fixes, key=lambda fix: (fix["repo"], fix["instance_id"]))
    for fix in by_repo:
        folder = clones / fix["repo"].replace("/", "+")
        if not folder.is_dir():
            _say(f"no clone of {fix['repo']}: {fix['instance_id']} is left out")
            continue
        yield fix["instance_id"], _one(Repository.open(folder), fix)


def _one(clone: Repository, fix: Mapping[str, str]) -> Row:
    rev = fix["base_commit"]
    plain = [path for path, entry in clone.tree_files(rev).items() if not entry.is_symlink]
    before = clone.read_files(rev, plain, max_bytes=LARGEST)
    changed, after = _applied(before, fix["patch"])
    trees = (graphs.build(python, tree, Recipe()) for tree in (before, after))
    measures = measure(Fixed(changed, before, after, *trees), python, Recipe())
    return {
        "repo": fix["repo"],
        "files": sum(map(python.owns, before)),
        "tier": rule_of(measures).tier,
        "lines": measures.evidence.changed_lines,
    }


def _applied(
    before: Mapping[str, bytes], patch: str
) -> tuple[tuple[ChangedFile, ...], dict[str, bytes]]:
    """The patch as the commit of a small repository of the files that it names."""
    heads = [line.removeprefix("diff --git ") for line in patch.split("\n") if "diff --git" in line]
    named = {side[2:] for head in heads for side in head.split(" ")}
    with tempfile.TemporaryDirectory() as folder:
        for path in named & before.keys():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_bytes(before[path])
        _git(folder, "init", "-q")
        _commit(folder)
        _git(folder, "apply", "--whitespace=nowarn", "-", text=patch)
        _commit(folder)
        clone = Repository.open(Path(folder))
        changed, new = clone.changed("HEAD~1", "HEAD"), clone.read_files("HEAD")
    return changed, {**{p: c for p, c in before.items() if p not in named}, **new}


def _commit(folder: str) -> None:
    _git(folder, "add", "-A", "-f")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    _git(folder, *who, "commit", "-q", "--allow-empty", "-m", "x")


def _git(folder: str, *arguments: str, text: str = "") -> None:
    subprocess.run(["git", *arguments], cwd=folder, input=text, text=True, check=True)


def _print(name: str, rows: Mapping[str, Row]) -> None:
    by_repo: dict[object, list[Row]] = defaultdict(list)
    for row in rows.values():
        by_repo[row["repo"]].append(row)
    _say(f"\n{name}")
    _say("| repository | tickets | tier 1 | 2 | 3 | 4 | rho |")
    _say("|---|---|---|---|---|---|---|")
    for repo, its in sorted(by_repo.items(), key=lambda item: -len(item[1])):
        _line(str(repo), its)
    _line("all", list(rows.values()))
    large = [its for its in by_repo.values() if _is_large(its)]
    shares = [sum(_share(its, tier) for its in large) / max(1, len(large)) for tier in (1, 2, 3, 4)]
    _say(f"mean share, {len(large)} repositories: {', '.join(f'{s:.1%}' for s in shares)}")
    for tier in (1, 2, 3, 4):
        sizes = [effort_of(int(str(r["lines"]))) for r in rows.values() if r["tier"] == tier]
        _say(f"tier {tier}: " + ", ".join(f"{size} {sizes.count(size)}" for size in "SML"))
    _say(f"rho of tier and changed lines: {_told(_rho(list(rows.values()), 'lines'))}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _line(name: str, rows: Sequence[Row]) -> None:
    counts = [sum(row["tier"] == tier for row in rows) for tier in (1, 2, 3, 4)]
    rho = _told(_rho(rows, "label"))
    _say(f"| {name} | {len(rows)} | {' | '.join(map(str, counts))} | {rho} |")


def _told(rho: float | None) -> str:
    return "-" if rho is None else f"{rho:.3f}"


def _is_large(rows: Sequence[Row]) -> bool:
    most = max(int(str(row["files"])) for row in rows)
    return most > ENOUGH_FILES and len(rows) >= ENOUGH_TICKETS


def _share(rows: Sequence[Row], tier: int) -> float:
    return sum(row["tier"] == tier for row in rows) / len(rows)


def _rho(rows: Sequence[Row], other: str) -> float | None:
    """Spearman's rank correlation of the tier, ties at their mean rank."""
    left, right = (_ranks([int(str(row[key])) for row in rows]) for key in ("tier", other))
    middle = (len(rows) + 1) / 2
    both = sum((a - middle) * (b - middle) for a, b in zip(left, right, strict=True))
    own = [sum((rank - middle) ** 2 for rank in ranks) for ranks in (left, right)]
    return both / (own[0] * own[1]) ** 0.5 if own[0] and own[1] else None


def _ranks(values: Sequence[int]) -> list[float]:
    order = sorted(values)
    return [order.index(value) + (order.count(value) + 1) / 2 for value in values]


if __name__ == "__main__":
    main()
