"""Memcached."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.services.kinds._kind import Access

NAME = "memcached"
IMAGES = r"memcached"
PACKAGES = ("memcached",)
VERSIONS = {"": "3.11"}
PROGRAMS = ("/usr/bin/memcached",)
DEFAULT = Access(11211, "", "", "")
PREPARE = """
mkdir -p "$SERVICE_DATA"
"""
START = """
exec memcached -l 127.0.0.1 -p "$SERVICE_PORT" -U 0
"""
HEALTH = """
exec python3 -c 'import os, socket, sys
with socket.create_connection(("127.0.0.1", int(os.environ["SERVICE_PORT"])), 2) as peer:
    peer.sendall(b"version\\r\\n")
    sys.exit(not peer.recv(100).startswith(b"VERSION"))'
"""
STOP = "SIGTERM"


def environment(access: Access) -> Mapping[str, str]:
    """Host and port, each alone and together."""
    place = f"127.0.0.1:{access.port}"
    return {
        "MEMCACHED_HOST": "127.0.0.1", "MEMCACHED_PORT": str(access.port),
        "MEMCACHED_URL": place, "MEMCACHE_SERVERS": place,
    }  # fmt: skip
