"""The scanners' part of grading, inside the sandbox. Standard library only; it lies beside
`_inside.py` there.

A scanner gets its files in batches: no list is longer than the system takes, and no large file
shares its fate with others. What makes a scanner crash or hang is narrowed down to single files, so
that the rest is scanned all the same. All that has one deadline.
"""

from __future__ import annotations

import ast
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES, CONTENT = 200_000, 2**20
"""Bytes in one batch: of the files' names, of the files."""
SOURCE_LIMIT, SOURCES_LIMIT = 2 * 2**20, 16 * 2**20
CONTROL = "control/control.py"
DISGUISED_LIMIT = 2**20
TOGETHER = 0.25
"""The share of the time after which the two sides are scanned apart."""
NO_TIME = "no time was left for it"
TOO_LONG = "it takes too long"


def scan_all(
    bench: Path, touched: list[str], scanners: list[dict[str, Any]], become: Any = None
) -> dict[str, Any]:
    """Every scanner's record, and the text of the files.

    Args:
        bench: Where the copies are.
        touched: The patch's paths.
        scanners: What each is to do.
        become: Called in each scanner's process before it begins.
    """
    scans = [scan(bench, touched, scanner, become) for scanner in scanners]
    found = sources(bench, touched, scanners)
    wanted = {path for scanner in scanners for path in scanner["files"]} & set(touched)
    disguised = {
        path for scanner in scanners for path in scanner.get("others", ())
        if is_code(bench / "head" / path)
    }  # fmt: skip
    unsent = [
        path for path in sorted(wanted)
        if f"head/{path}" not in found and (bench / "head" / path).is_file()
    ]  # fmt: skip
    return {
        "scans": scans,
        "sources": found,
        "unsent": unsent[:1000],
        "disguised": sorted(disguised)[:1000],
    }


def scan(
    bench: Path, touched: list[str], scanner: dict[str, Any], become: Any = None
) -> dict[str, Any]:
    """Run one scanner on the explicit list of its files; its words go back unread."""
    others = [path for path in scanner.get("others", ()) if is_code(bench / "head" / path)]
    wanted = sorted({*scanner["files"], *others} & set(touched))
    record: dict[str, Any] = {
        "name": scanner["name"], "state": "ran", "errors": "", "seconds": 0.0,
        "version": installed(scanner),
    }  # fmt: skip
    work = _Scan(bench, scanner, become)
    try:
        base, head = (
            [f"{side}/{path}" for path in wanted if (bench / side / path).is_file()]
            for side in ("base", "head")
        )
        if not work.together([*base, *head]):
            work.side(base, 0.5)
            work.side(head, 1.0)
        if not work.runs and not work.lost:
            return {**record, "state": "not_applicable", "runs": [], "lost": {}}
        if work.lost and not any(run["files"] for run in work.runs):
            work.control()
    except OSError as error:
        record.update(state="crashed", errors=str(error))
    return {**record, "runs": work.runs, "lost": work.lost, "seconds": work.seconds()}


def installed(scanner: dict[str, Any]) -> str:
    """The version that lies in the tools: an old Python has an older one. Empty: not known."""
    site = Path(scanner["argv"][0]).parent.parent
    found = site.glob(f"lib/python3*/site-packages/{scanner['name']}-*.dist-info")
    return next((place.name.split("-")[1][: -len(".dist-info")] for place in found), "")


def is_code(place: Path) -> bool:
    """Whether a file by another name is Python all the same: a loader may be near."""
    try:
        if place.is_symlink() or not 0 < place.stat().st_size <= DISGUISED_LIMIT:
            return False
        tree = ast.parse(place.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) for node in tree.body)


class _Scan:
    """One scanner at work."""

    def __init__(self, bench: Path, scanner: dict[str, Any], become: Any = None) -> None:
        self.bench, self.scanner, self._become = bench, scanner, become
        self.runs: list[dict[str, Any]] = []
        self.lost: dict[str, str] = {}
        """File -> why the scanner said nothing of it."""
        self._begin = time.monotonic()
        self._end = self._begin
        self._left = int(scanner["output_limit"])

    def seconds(self) -> float:
        """So far."""
        return time.monotonic() - self._begin

    def together(self, files: list[str]) -> bool:
        """Both sides at once, as nearly always is possible: a scanner takes long to start."""
        if not all(map(_is_plain, files)) or len(list(batches(self.bench, files))) != 1:
            return False
        return not self._run(files, float(self.scanner["timeout_s"]) * TOGETHER)

    def side(self, files: list[str], share: float) -> None:
        """The files before or after; the base may use its share of the time, the rest has all."""
        self._end = self._begin + float(self.scanner["timeout_s"]) * share
        plain = [name for name in files if _is_plain(name)]
        self.lost.update(dict.fromkeys(set(files) - set(plain), "its name is no text"))
        for batch in batches(self.bench, plain):
            self._batch(batch)

    def _batch(self, files: list[str]) -> None:
        """Scan them; where that fails, each half, down to the file at fault."""
        left = self._end - time.monotonic()
        if left <= 0:
            self.lost.update(dict.fromkeys(files, NO_TIME))
            return
        why = self._run(files, left if len(files) == 1 else left / 2)
        if why and len(files) == 1:
            self.lost[files[0]] = why
        elif why:
            self._batch(files[: len(files) // 2])
            self._batch(files[len(files) // 2 :])

    def _begins(self) -> None:
        """In the scanner's process."""
        if self._become:
            self._become()
        _dies_first()

    def control(self) -> None:
        """Whether the scanner works at all: on one line that nobody wrote."""
        place = self.bench / CONTROL
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("CONTROL = 1\n", encoding="utf-8")
        self._run([CONTROL], float(self.scanner["timeout_s"]) / 2)

    def _run(self, files: list[str], seconds: float) -> str:
        """Run it once; returns why that is no scan."""
        try:
            done = subprocess.run(
                [*self.scanner["argv"], *files], cwd=self.bench, capture_output=True, check=False,
                timeout=seconds, stdin=subprocess.DEVNULL, preexec_fn=self._begins,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return TOO_LONG
        text = done.stdout.decode("utf-8", "replace")
        errors = done.stderr.decode("utf-8", "replace")[-2000:]
        if done.returncode != 0 or not _is_json(text):
            last = (errors.strip().splitlines() or ["no word"])[-1]
            return f"the scanner crashes, exit code {done.returncode}: {last[:200]}"
        length = len(json.dumps(text))  # as it is sent
        if length > self._left:
            return "more findings than can be told"
        self._left -= length
        self.runs.append({"files": files, "code": 0, "output": text, "errors": errors})
        return ""


def _dies_first() -> None:
    """If memory runs out, the scanner is what the kernel ends: not the grading."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:
        return


def _is_plain(name: str) -> bool:
    """Whether a scanner can print it as it is."""
    try:
        return name.encode("utf-8").decode("utf-8").isprintable()
    except UnicodeEncodeError:
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def batches(bench: Path, files: list[str]) -> Iterator[list[str]]:
    """Small files first; a batch has names and content that a system and a scanner take."""
    sizes = {name: (bench / name).stat().st_size for name in files}
    batch: list[str] = []
    names = content = 0
    for name in sorted(files, key=lambda each: (sizes[each], each)):
        length = len(name.encode()) + 16  # with its pointer
        if batch and (names + length > NAMES or content + sizes[name] > CONTENT):
            yield batch
            batch, names, content = [], 0, 0
        batch.append(name)
        names, content = names + length, content + sizes[name]
    if batch:
        yield batch


def sources(bench: Path, touched: list[str], scanners: list[dict[str, Any]]) -> dict[str, str]:
    """The scanned files' text, so that findings can be matched by content; not without end."""
    wanted = {path for scanner in scanners for path in scanner["files"]} & set(touched)
    found, left = {}, SOURCES_LIMIT
    for name in (f"{side}/{path}" for side in ("base", "head") for path in sorted(wanted)):
        if left > 0 and (bench / name).is_file():
            text = (bench / name).read_bytes()[:SOURCE_LIMIT].decode("utf-8", "replace")
            left -= len(json.dumps(text))  # as it is sent: a byte may become six
            if left > 0:
                found[name] = text
    return found
