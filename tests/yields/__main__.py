"""How many pairs of issue and fix of public repositories become verified tasks: `make yield`.

Clones are looked for in `--clones`, else they are made from GitHub. Nothing is measured twice for
one commit of this program: what is in `build/yield` is used again, so a run that was cut off
goes on.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from micro_bench.edge import clock, host
from tests.yields import rivals
from tests.yields.measure import Measurement, Repository, measure, read
from tests.yields.page import Row, page

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "yield.md"
BUILD = ROOT / "build" / "yield"


def main() -> None:
    """Measure what is not measured yet, then write the page."""
    asked = _arguments()
    until = time.time() + asked.stop_after * 60
    how = Measurement(
        BUILD, asked.minutes, asked.repetitions, asked.pairs, until, host.harness_version()
    )
    _of_this_commit(how)
    repositories = [
        _repository(said, asked.clones)
        for said in yaml.safe_load((HERE / "repositories.yaml").read_text(encoding="utf-8"))
    ]
    chosen = [one for one in repositories if not asked.only or one.name in asked.only]
    programs = rivals.install(BUILD / "rivals")
    if not asked.page_only:
        # A pair of each, then another: a measurement that is cut off knows something of all.
        with ThreadPoolExecutor(asked.jobs) as pool:
            for upto in range(1, asked.pairs + 1):
                tasks = [pool.submit(_one, one, how, programs, upto) for one in chosen]
                for task in tasks:
                    task.result()
    rows = [row for one in repositories if (row := _row(one))]
    PAGE.write_text(page(rows, f"{_about(how)} {asked.remark}".strip()), encoding="utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.yields", description=__doc__)
    parser.add_argument("--clones", type=Path, default=BUILD / "clones", metavar="DIR")
    parser.add_argument("--only", nargs="*", default=[], metavar="OWNER/NAME")
    parser.add_argument("--minutes", type=float, default=20, help="a pair's cap")
    parser.add_argument("--pairs", type=int, default=8, help="the newest so many of each")
    parser.add_argument(
        "--stop-after", type=float, default=1e6, metavar="MINUTES", help="begin no pair after that"
    )
    parser.add_argument("--repetitions", type=int, default=1, help="as `verify -n`")
    parser.add_argument("--jobs", type=int, default=host.cpus(), help="repositories at a time")
    parser.add_argument("--remark", default="", help="what else is to be known of the figures")
    parser.add_argument("--page-only", action="store_true", help="only write the page anew")
    return parser.parse_args()


def _of_this_commit(how: Measurement) -> None:
    """Figures of another version of the program must not be mixed with these."""
    mark = BUILD / "harness.txt"
    if mark.exists() and mark.read_text(encoding="utf-8") != how.harness:
        sys.exit(f"{BUILD} holds figures of {mark.read_text()}: remove it to measure {how.harness}")
    BUILD.mkdir(parents=True, exist_ok=True)
    mark.write_text(how.harness, encoding="utf-8")


def _repository(said: dict[str, str], clones: Path) -> Repository:
    clone = clones.resolve() / said["name"].replace("/", "+")
    return Repository(said["name"], said["kind"], said["what"], clone)


def _recipe(repository: Repository) -> Path | None:
    path = HERE / "recipes" / f"{repository.slug}.yaml"
    return path if path.exists() else None


def _one(repository: Repository, how: Measurement, programs: dict[str, Path], upto: int) -> None:
    if not repository.clone.exists():
        source = f"https://github.com/{repository.name}"
        subprocess.run(["git", "clone", "--quiet", source, repository.clone], check=True)
    measure(repository, "untouched", None, how, upto)
    if recipe := _recipe(repository):
        measure(repository, "recipe", recipe, how, upto)
    theirs = BUILD / "rivals" / f"{repository.slug}.json"
    if not theirs.exists():
        counts = rivals.found(programs, repository.clone, BUILD / "rivals" / repository.slug)
        theirs.write_text(json.dumps(counts), encoding="utf-8")


def _row(repository: Repository) -> Row | None:
    untouched = BUILD / "untouched" / repository.slug / "funnel.json"
    if not untouched.exists():
        return None
    touched, recipe = BUILD / "recipe" / repository.slug / "funnel.json", _recipe(repository)
    theirs = BUILD / "rivals" / f"{repository.slug}.json"
    return Row(
        repository, read(untouched), read(touched) if recipe and touched.exists() else None,
        recipe.read_text(encoding="utf-8") if recipe else "",
        json.loads(theirs.read_text(encoding="utf-8")) if theirs.exists() else {},
    )  # fmt: skip


def _about(how: Measurement) -> str:
    return (
        f"Measured on {clock.now():%Y-%m-%d} with {how.harness} on {host.cpus()} CPUs "
        f"({platform.machine()}), {how.repetitions} repetition(s) a verification, at most "
        f"{how.minutes:g} minutes a pair. Minutes are wall time, environments and images included."
    )


if __name__ == "__main__":
    main()
