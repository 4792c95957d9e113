"""Services in the local sandbox: processes beside each command, with their data in the folder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro_bench.edge import host
from micro_bench.errors import BuildError, EngineError
from micro_bench.model.image import Image
from micro_bench.model.service import Service, Sidecar
from micro_bench.sandboxes._sandbox import Sandbox, StartRequest
from micro_bench.services.declared import declared
from micro_bench.services.folders import Folders
from tests.fakes.shop import Shop

pytestmark = pytest.mark.skipif(not host.bubblewrap().works, reason="bubblewrap does not work here")

SERVER = """\
import http.server, os, pathlib
os.makedirs(os.environ["SERVICE_DATA"], exist_ok=True)
os.chdir(os.environ["SERVICE_DATA"])

class Handler(http.server.SimpleHTTPRequestHandler):
    def do_PUT(self):
        pathlib.Path(self.path.strip("/")).write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204); self.end_headers()
    def do_DELETE(self):
        os._exit(3)

http.server.HTTPServer(("127.0.0.1", 8123), Handler).serve_forever()
"""
ASK = """\
import sys, urllib.request
data = sys.argv[3].encode() if len(sys.argv) > 3 else None
request = urllib.request.Request("http://files:8123/" + sys.argv[2], data=data, method=sys.argv[1])
try:
    print(urllib.request.urlopen(request).read())
except Exception as error:
    print(error)
"""
HEALTH = "import socket; socket.create_connection(('127.0.0.1', 8123), 1)"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("local"), "local")


@pytest.fixture
def sandbox(shop: Shop, tmp_path: Path) -> Iterator[Sandbox]:
    one = Sidecar(
        name="files", digest=str(tmp_path / "none"), main=("python3", "-c", SERVER),
        health=("python3", "-c", HEALTH), own={}, env={"FILES_URL": "http://files:8123"},
        memory_mb=64,
    )  # fmt: skip
    image = Image.model_validate({**dict(shop.prepared.image), "services": (one,)})
    made = shop.line.start(StartRequest(image, shop.task.limits))
    yield made
    made.close()


def ask(sandbox: Sandbox, *argv: str) -> str:
    output = io.BytesIO()
    sandbox.run(("python3", "-c", ASK, *argv), output=output, deadline_s=60)
    return output.getvalue().decode()


def test_a_command_reaches_it_and_the_next_finds_what_was_written(sandbox: Sandbox) -> None:
    ask(sandbox, "PUT", "a", "kept")
    assert "kept" in ask(sandbox, "GET", "a")
    output = io.BytesIO()
    end = sandbox.run(("sh", "-c", "echo $FILES_URL; exit 5"), output=output, deadline_s=60)
    assert (end.exit_code, output.getvalue()) == (5, b"http://files:8123\n")


def test_one_that_is_down_is_nobodys_failure(sandbox: Sandbox) -> None:
    with pytest.raises(EngineError, match=r"the service files is down \(exit code 3\)"):
        ask(sandbox, "DELETE", "a")


def test_what_this_machine_lacks_is_named_with_its_package(shop: Shop, tmp_path: Path) -> None:
    (one,) = declared({"mq": Service(kind="rabbitmq")}, Path("recipe.yaml"))
    if any(Path("/").glob(one.kind.PROGRAMS[0][1:])):  # type: ignore[union-attr]
        pytest.skip("it is here")
    folders = Folders(shop.line.start, print, tmp_path)
    with pytest.raises(BuildError, match="needs rabbitmq on this machine") as error:
        folders.made((one,), shop.prepared.image, {})
    assert "apt-get install rabbitmq-server" in error.value.next_step
    (image,) = declared({"x": Service(image="a", health=("true",))}, Path("recipe.yaml"))
    with pytest.raises(BuildError, match="the local sandbox has none"):
        folders.made((image,), shop.prepared.image, {})
