"""A package index of one's own: PEP 691 pages with or without upload times, over real HTTP."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class Index:
    """Serves what was added to it."""

    files: dict[str, bytes] = field(default_factory=dict)
    pages: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    status: int = 200
    """What every page is answered with; 401 and 503 are of interest."""

    def __post_init__(self) -> None:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.answer(self)

            def do_HEAD(self) -> None:
                index.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.http.server_port}"
        self.url = f"http://{self.host}/simple/"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def add(self, name: str, version: str, when: str | None, needs: tuple[str, ...] = ()) -> None:
        """A wheel. Without `when` the page gives no time for it."""
        self._add(name, f"{name}-{version}-py3-none-any.whl", wheel(name, version, needs), when)

    def add_source(self, name: str, version: str, when: str | None) -> None:
        """A source archive whose metadata can be read without building it."""
        self._add(name, f"{name}-{version}.tar.gz", sdist(name, version), when)

    def add_broken(self, name: str, version: str, when: str | None, says: str = "") -> None:
        """A source archive that tells its metadata to nobody: its build ends with an error.

        With `says`, a back end of its own ends with these words.
        """
        files = {"setup.py": b"raise SystemExit('no compiler for this one')\n"}
        if says:
            system = '[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n'
            files = {
                "pyproject.toml": system.encode(),
                "back.py": f"raise SystemExit({says!r})".encode(),
            }
        self._add(name, f"{name}-{version}.tar.gz", archive(name, version, files), when)

    def _add(self, name: str, file: str, content: bytes, when: str | None) -> None:
        self.files[file] = content
        page = {
            "filename": file, "url": f"/files/{file}",
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
        }  # fmt: skip
        if when:
            page["upload-time"] = f"{when}T12:00:00.000000Z"
        self.pages.setdefault(name, []).append(page)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        *_, folder, name = ["", *request.path.strip("/").split("/")]
        if folder == "files" and name in self.files:
            self._send(request, 200, "application/octet-stream", self.files[name])
        elif self.status != 200 or name not in self.pages:
            self._send(request, self.status if self.status != 200 else 404, "text/plain", b"")
        else:
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": self.pages[name]}
            self._send(request, 200, JSON, json.dumps(page).encode())

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, status: int, kind: str, content: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content)


def metadata(name: str, version: str, needs: tuple[str, ...] = ()) -> str:
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
    return "\n".join([*lines, *(f"Requires-Dist: {need}" for need in needs)]) + "\n"


def wheel(name: str, version: str, needs: tuple[str, ...] = ()) -> bytes:
    folder = f"{name}-{version}.dist-info"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{folder}/METADATA", metadata(name, version, needs))
        tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{folder}/WHEEL", tag)
        archive.writestr(f"{folder}/RECORD", "")
    return buffer.getvalue()


def sdist(name: str, version: str) -> bytes:
    project = f'[project]\nname = "{name}"\nversion = "{version}"\n'
    files = {"PKG-INFO": metadata(name, version).encode(), "pyproject.toml": project.encode()}
    return archive(name, version, files)


def archive(name: str, version: str, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for path, content in files.items():
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
