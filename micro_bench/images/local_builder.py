"""Environments and slices as folders, for the embedded sandbox: no engine needed."""

from __future__ import annotations

import platform
import secrets
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from micro_bench.edge import packages, process
from micro_bench.edge.alone import alone
from micro_bench.edge.archive import unpack, write_tree
from micro_bench.edge.recipes import recipe_path
from micro_bench.errors import BuildError
from micro_bench.images import recipe
from micro_bench.images._builder import Base, Installed, Material
from micro_bench.model.base import Noun
from micro_bench.model.image import Image
from micro_bench.model.slice import LeftOut
from micro_bench.plurals import count

Log = Callable[[str], None]


class Left(Noun):
    """What an environment lacks, kept in the file that says it is complete."""

    out: tuple[LeftOut, ...] = ()


class LocalBuilder:
    """Builds below the cache folder, each thing once for a key."""

    backend = "local"
    offered: tuple[str, ...] = (f"{sys.version_info.major}.{sys.version_info.minor}",)

    def __init__(self, cache: Path, log: Log) -> None:
        self.cache = cache
        self.log = log

    def base(self, python: str) -> Base:
        """The interpreter that runs this program, if it is of the wanted minor version."""
        version = platform.python_version()
        if "@" in python:
            raise BuildError(
                f"the local sandbox has no images, and the recipe wants {python.partition('@')[2]}",
                next_step="start a container engine, or remove `base:` from recipe.yaml",
            )
        if not version.startswith(f"{python}."):
            raise BuildError(
                f"the local sandbox has Python {version} only, and the task wants {python}",
                next_step="start a container engine, or run micro-bench with that Python",
            )
        return Base(version, f"{sys.executable} {version} {sysconfig.get_platform()}")

    def installed(self, image: Image) -> Installed:
        """The lock tells; system packages are the host's."""
        del image
        return Installed({}, ())

    def compile(
        self,
        python: str,
        apt: Sequence[str],
        names: Sequence[str],
        argv: Sequence[str],
        files: Mapping[str, bytes],
    ) -> process.Result | None:
        """Nothing is built here."""
        del python, apt, names, argv, files
        return None

    def build(self, material: Material) -> Image:
        """See `Builder.build`. One at a time builds in a cache, of threads and of processes."""
        wanted = material.piece.environment
        base = self.base(wanted.interpreter())
        if wanted.apt:
            raise BuildError(
                f"{material.piece.task} needs system packages ({', '.join(wanted.apt)})",
                next_step="start a container engine",
            )
        all_of_them = recipe_path("tools.lock").read_text(encoding="utf-8")
        lock = packages.fitting(all_of_them, base.python)
        mtime = int(wanted.before.timestamp())
        layer = recipe.rootfs(
            material.files, material.sealed.files, material.piece.distributions, "/work", mtime
        )
        with alone(self.cache / ".building", self._waiting):
            tools_key = recipe.key("tools", base.digest, recipe.lock_body(lock))
            self._venv("tools", tools_key, lock, base)
            body = recipe.lock_body(material.lock)
            env_key = recipe.key("environment", base.digest, body, recipe.PROJECT_HOOK)
            place = self._venv("environments", env_key, material.lock, base, material.piece.task)
            said = (place / ".complete").read_text(encoding="utf-8")
            left = Left.model_validate_json(said) if said else Left()
            key = recipe.key("slice", env_key, layer)
            place = self._slice(key, layer)
        return Image(
            task=material.piece.task, key=key, env_key=env_key, tag=f"local:{key[:20]}",
            digest=f"local:{key}", base_digest=f"local:{tools_key}", place=str(place),
            python=base.python,
            backend=self.backend, work_tree=material.sealed.tree,
            work_commit=material.sealed.commit, left_out=left.out,
        )  # fmt: skip

    def _waiting(self) -> None:
        self.log("waiting for another build in the same cache")

    def _venv(self, kind: str, key: str, lock: str, base: Base, task: str = "") -> Path:
        """A virtual environment, made at its final place; a marker file says it is complete."""
        place = self.cache / kind / key[:20]
        if (place / ".complete").exists():
            return place
        what = {"tools": "scanners", "environments": "environment"}[kind]
        size = count(len(packages.split_lock(lock)), "package")
        self.log(f"building local {what} of {size}{f' for {task}' if task else ''}")
        with suppress(FileNotFoundError):
            shutil.rmtree(place)
        with TemporaryDirectory(prefix="micro-bench-wheels-") as folder:
            wheels = Path(folder) / "wheels"
            missing = packages.fetch_wheels(lock, base.python, wheels)
            lines = [line for line in packages.split_lock(lock) if line not in missing]
            text = Path(folder) / "lock.txt"
            text.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            self._uv("venv", "--python", sys.executable, str(place))
            self._uv(
                "pip", "sync", "--no-index", "--find-links", str(wheels), "--require-hashes",
                "--compile-bytecode", "--python", str(place / "bin" / "python"), str(text),
            )  # fmt: skip
        for site in place.glob("lib/python*/site-packages"):
            (site / "micro_bench_project.pth").write_text(recipe.PROJECT_HOOK, encoding="utf-8")
        why = f"there is no wheel for Python {base.python}, and the local sandbox builds none"
        left = Left(
            out=tuple(
                LeftOut(name=name, version=version, why=why)
                for name, _, version in (packages.pin_of(line).partition("==") for line in missing)
            )
        )
        (place / ".complete").write_text(left.model_dump_json(), encoding="utf-8")
        return place

    def _uv(self, *argv: str) -> None:
        done = process.run([packages.uv_binary(), *argv, "--quiet", "--offline", "--no-config"])
        if done.code != 0:
            raise BuildError(f"uv {argv[0]} failed:\n{done.tail}")

    def _slice(self, key: str, layer: bytes) -> Path:
        place = self.cache / "slices" / key[:20]
        if place.exists():
            return place
        part = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        write_tree(unpack(layer), part)
        (part / "opt" / "project").rename(part / "project")
        (part / "opt").rmdir()
        for name in ("objects", "refs/heads"):
            (part / "work" / ".git" / name).mkdir(parents=True, exist_ok=True)
        part.rename(place)
        return place
