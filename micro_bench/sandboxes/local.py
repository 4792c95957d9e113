"""The embedded sandbox: no daemon, no root. Bubblewrap where it works, else a plain process.

Every sandbox is a folder of its own with a copy of the slice. Under bubblewrap the command sees
the same places as in a container, has no network and cannot see the host's files. A plain process
sees everything its user does: only this program's own scripted agents run there unless the user
says otherwise, and reports name it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from micro_bench.edge import files, host, process
from micro_bench.edge.archive import Entry, pack, unpack, write_tree
from micro_bench.edge.containers import HOSTNAME, LOOPBACK
from micro_bench.edge.files import storage_errors
from micro_bench.edge.owners import owner_alive, owner_id
from micro_bench.edge.resources import package_file
from micro_bench.errors import EngineError
from micro_bench.model.image import Image
from micro_bench.model.service import Sidecar
from micro_bench.sandboxes import _ways
from micro_bench.sandboxes._sandbox import OUTPUT_LIMIT, Ended, Places, Sandbox, StartRequest

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
HOSTS, PASSWD = "hosts", "passwd"
SERVICES = ".services"
"""Below the home folder."""
FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")


class LocalBackend:
    """Sandboxes as folders below the cache."""

    name = "local"

    def __init__(self, cache: Path, *, plain: bool) -> None:
        self.root = cache / "sandboxes"
        self._bubblewrap = host.bubblewrap().works
        self._plain_allowed = plain

    def isolation(self) -> str:
        """Bubblewrap, or the plain truth."""
        if self._bubblewrap:
            return "local sandbox: bubblewrap (own namespaces, no network; limits of time only)"
        return "local sandbox: PLAIN PROCESS, no isolation (limits of time only)"

    def confines(self) -> bool:
        """Only with bubblewrap, or when the user takes the risk."""
        return self._bubblewrap or self._plain_allowed

    def answers(self) -> bool:
        """There is nothing that could be down."""
        return True

    def start(self, request: StartRequest) -> Sandbox:
        """Copy the slice into a fresh folder."""
        if request.network != "none" and self._bubblewrap:
            raise EngineError("the local sandbox has no network", next_step="use --backend docker")
        folder = self.root / f"{owner_id()}-{secrets.token_hex(6)}"
        way_out = _ways.make() if request.way_out else ""
        sandbox = LocalSandbox(
            folder, request.image, bubblewrap=self._bubblewrap, toolbox=request.toolbox,
            way_out=way_out,
        )  # fmt: skip
        with storage_errors(folder):
            shutil.copytree(Path(request.image.place), folder, symlinks=True)
            sandbox.settle(request.image.services if request.services else ())
        return sandbox

    def sweep(self) -> int:
        """Remove the folders of processes that are gone."""
        folders = list(self.root.glob("*")) if self.root.exists() else []
        _ways.sweep()
        orphans = [f for f in folders if not owner_alive(f.name.partition("-")[0])]
        for orphan in orphans:
            files.remove(orphan)
        return len(orphans)


class LocalSandbox:
    """One folder: work/, project/, bench/, home/, tmp/."""

    tests_user: tuple[int, int] | None = None
    """There is one user only."""

    def __init__(
        self,
        folder: Path,
        image: Image,
        *,
        bubblewrap: bool,
        toolbox: str = "",
        way_out: str = "",
    ) -> None:
        self._folder, self._image, self._bubblewrap = folder, image, bubblewrap
        cache = Path(image.place).parents[1]
        self._venv = cache / "environments" / image.env_key[:20]
        self._tools = cache / "tools" / image.base_digest.removeprefix("local:")[:20]
        self._toolbox, self.way_out = toolbox, way_out
        self.places = Places() if bubblewrap else self._plain_places()
        self._start = self.places.work
        self._services: tuple[Sidecar, ...] = ()
        self._over = False
        self._deadline = process.Deadline(0)

    def _plain_places(self) -> Places:
        folder, usual = self._folder, Places()
        return Places(
            toolbox=self._toolbox or usual.toolbox, way_out=self.way_out or usual.way_out,
            work=str(folder / "work"), bench=str(folder / "bench"), venv=str(self._venv),
            tools=str(self._tools), project=str(folder / "project"), home=str(folder / "home"),
        )  # fmt: skip

    def settle(self, services: Sequence[Sidecar] = ()) -> None:
        """Make the folders that are not part of the slice; say where the work folder is."""
        self._services = tuple(services)
        for name in ("bench", "home", "tmp"):
            (self._folder / name).mkdir(exist_ok=True)
        names = "".join(f"127.0.0.1\t{one.name}\n" for one in services)
        (self._folder / HOSTS).write_text(LOOPBACK + names, encoding="utf-8")
        if services:
            self._lay_services()
        roots = self._folder / "project" / "micro_bench_roots.pth"
        lines = roots.read_text(encoding="utf-8").splitlines()
        moved = [line.replace("/work", self.places.work, 1) for line in lines]
        roots.write_text("".join(f"{line}\n" for line in moved), encoding="utf-8")

    def _lay_services(self) -> None:
        """Their data as they were kept, and what starts them."""
        place, told = self._folder / "home" / SERVICES, []
        kept = Path(self._services[0].digest)
        if kept.is_dir():
            shutil.copytree(kept, place, symlinks=True)
        place.mkdir(exist_ok=True)
        for one in self._services:
            own = {**one.own, "SERVICE_DATA": f"{self.places.home}/{SERVICES}/{one.name}"}
            told.append({"name": one.name, "main": one.main, "health": one.health, "own": own})
        account = f"agent:x:1000:1000:agent:{self.places.home}:/bin/sh\n"
        (self._folder / PASSWD).write_text(account, encoding="utf-8")
        (place / "services.json").write_text(json.dumps(told), encoding="utf-8")

    def save_services(self, target: Path) -> None:
        """Keep the data of the services; nothing runs between commands."""
        with storage_errors(target):
            shutil.copytree(self._folder / "home" / SERVICES, target, symlinks=True)

    def _beside(self, argv: Sequence[str]) -> tuple[list[str], str]:
        """The command beside the services, and the token of this run."""
        if not self._services:
            return list(argv), ""
        token = secrets.token_hex(8)
        program = package_file("sandboxes/_beside.py").decode()
        services = f"{self.places.home}/{SERVICES}"
        python = f"{self.places.tools}/bin/python"
        return [python, "-I", "-c", program, services, token, *argv], token

    def _check_services(self, token: str) -> None:
        """Raises EngineError where one was down: that says nothing about the command."""
        down = self._folder / "home" / SERVICES / f"down-{token}"
        if token and down.is_file():
            raise EngineError(
                down.read_text(encoding="utf-8", errors="replace")[:2000],
                next_step="look at `services` in recipe.yaml, or run the same command again",
            )

    def _host(self, path: str) -> Path:
        """Where a place inside is on the host."""
        self._open()
        places = self.places
        for inside, name in (
            (places.work, "work"), (places.bench, "bench"), (places.project, "project"),
            (places.home, "home"),
        ):  # fmt: skip
            if path == inside or path.startswith(f"{inside}/"):
                return self._folder / name / path[len(inside) :].lstrip("/")
        raise EngineError(f"{path} is not inside the sandbox")

    def run(
        self,
        argv: Sequence[str],
        *,
        output: BinaryIO,
        deadline_s: float,
        env: Mapping[str, str] | None = None,
        limit: int = OUTPUT_LIMIT,
        files: bytes = b"",
        errors: BinaryIO | None = None,
    ) -> Ended:
        """Run a command; at the deadline its whole process group is killed."""
        self._open()
        self._deadline = process.Deadline(0 if self._over else deadline_s)
        if files:
            self.put(self.places.bench, files)
        told = {name: text for one in self._services for name, text in one.env.items()}
        environment = {**self.places.environment, **told, **(env or {})}
        command, token = self._beside(argv)
        command = [*self._wrap(), *command] if self._bubblewrap else command
        try:
            result, cut = process.stream(
                command, output=output, env=environment,
                cwd=self._folder / "work" if self._start else self._folder,
                deadline=self._deadline, limit=limit, errors=errors,
            )  # fmt: skip
        except (FileNotFoundError, PermissionError) as error:
            output.write(f"{error}\n".encode())
            return Ended(127 if isinstance(error, FileNotFoundError) else 126, False, 0.0, False)
        self._check_services(token)
        return Ended(result.code, result.code is None, result.seconds, cut)

    def terminal(self, argv: Sequence[str]) -> int:
        """A command on this process's own terminal."""
        self._open()
        command = [*self._wrap(), *argv] if self._bubblewrap else list(argv)
        return process.on_terminal(command, self.places.environment, self._folder / "work")

    def _wrap(self) -> list[str]:
        places, folder = self.places, self._folder
        argv = ["bwrap", "--die-with-parent", "--unshare-all", "--new-session", "--cap-drop", "ALL"]
        if self._services:  # servers refuse to be root's, and want to have a name
            argv += ["--uid", "1000", "--gid", "1000"]
            argv += ["--ro-bind", str(folder / PASSWD), "/etc/passwd"]
        argv += ["--hostname", HOSTNAME, "--ro-bind", str(folder / HOSTS), "/etc/hosts"]
        for path in SYSTEM:
            if Path(path).is_symlink():
                argv += ["--symlink", os.readlink(path), path]  # noqa: PTH115 - the text itself
            elif Path(path).exists():
                argv += ["--ro-bind", path, path]
        for path in (*FILES, sys.base_prefix):
            if Path(path).exists() and not path.startswith("/usr"):
                argv += ["--ro-bind", path, path]
        argv += ["--proc", "/proc", "--dev", "/dev", "--bind", str(folder / "tmp"), "/tmp"]  # noqa: S108
        for source, inside in (
            ("work", places.work), ("bench", places.bench), ("home", places.home),
        ):  # fmt: skip
            argv += ["--bind", str(folder / source), inside]
        argv += ["--ro-bind", str(folder / "project"), places.project]
        for place, inside in ((self._venv, places.venv), (self._tools, places.tools)):
            argv += ["--ro-bind", str(place), inside, "--ro-bind", str(place), str(place)]
        argv += self._mounted()
        return [*argv, "--chdir", self._start or "/", "--"]

    def _mounted(self) -> list[str]:
        """The agent's program and the gateway's folder, where there are any."""
        pairs = ((self._toolbox, self.places.toolbox), (self.way_out, self.places.way_out))
        return [part for pair in pairs if pair[0] for part in ("--ro-bind", *pair)]

    def put(self, path: str, archive: bytes) -> None:
        """Unpack a tar below `path`. Links that the code left are replaced, not followed."""
        target = self._host(path)
        with storage_errors(target):
            for entry in unpack(archive):
                place = target / entry.path
                files.clear_way(self._folder, place)
                write_tree([entry], target)
            files.clear_way(self._folder, target / "x")

    def get(self, path: str, limit: int) -> bytes:
        """A tar of `path`. Symlinks stay symlinks; the way there may hold none."""
        root = self._host(path)
        if not root.exists() or root.resolve() != self._folder.resolve() / root.relative_to(
            self._folder
        ):
            raise EngineError(f"{path} is not there")
        entries, total = [], 0
        for file in sorted(root.rglob("*")):
            name = f"{root.name}/{file.relative_to(root).as_posix()}"
            if file.is_symlink():
                entries.append(Entry(name, os.fsencode(os.readlink(file)), 0o120000))  # noqa: PTH115
            elif file.is_file():
                total += file.stat().st_size
                if total > limit:
                    raise EngineError(f"{path} is larger than {limit} bytes")
                entries.append(Entry(name, file.read_bytes(), file.stat().st_mode))
        return pack(entries)

    def stand_by(self) -> None:
        """A folder is always ready."""

    def pause(self) -> None:
        """Nothing runs between commands."""

    def resume(self) -> None:
        """Nothing to thaw."""

    def frozen(self) -> Sandbox:
        """The same files in a folder of another name; the killed commands are gone."""
        self._open()
        fresh = self._folder.with_name(f"{owner_id()}-{secrets.token_hex(6)}")
        with storage_errors(fresh):
            if self._bubblewrap:  # nothing that ran in it is left: the files themselves will do
                self._folder.rename(fresh)
            else:
                files.open_up(self._folder)
                shutil.copytree(
                    self._folder, fresh, symlinks=True, copy_function=files.copy_regular
                )
        sandbox = LocalSandbox(fresh, self._image, bubblewrap=self._bubblewrap)
        sandbox._start = ""
        return sandbox

    def _open(self) -> None:
        if not self._folder.is_dir():
            raise EngineError("the sandbox is closed")

    def end(self) -> None:
        """The command that runs, and every further one, is at its deadline."""
        self._over = True
        self._deadline.now()

    def alive(self) -> bool:
        """There is no main process to end."""
        return True

    def out_of_memory(self) -> bool:
        """Unknown here; no limit of memory is set."""
        return False

    def close(self) -> None:
        """Remove the folder, whatever rights the code took away in it."""
        _ways.remove(self.way_out)
        files.remove(self._folder)
