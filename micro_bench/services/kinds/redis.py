"""Redis."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.services.kinds._kind import Access

NAME = "redis"
IMAGES = r"redis|redis-stack(-server)?|valkey"
PACKAGES = ("redis-server",)
VERSIONS = {"7": "3.11", "5": "3.8", "6": "3.9", "8": "3.13"}
PROGRAMS = ("/usr/bin/redis-server",)
DEFAULT = Access(6379, "default", "", "0")
PREPARE = """
mkdir -p "$SERVICE_DATA"
"""
# It saves when it is ended in order, and never while it works. No test may end it.
START = """
set -- --port "$SERVICE_PORT" --bind 127.0.0.1 ::1 --dir "$SERVICE_DATA" --save 86400 1 \\
  --appendonly no --protected-mode no --rename-command SHUTDOWN ''
[ -z "$SERVICE_PASSWORD" ] || set -- "$@" --requirepass "$SERVICE_PASSWORD"
exec redis-server "$@"
"""
HEALTH = """
[ -z "$SERVICE_PASSWORD" ] || export REDISCLI_AUTH=$SERVICE_PASSWORD
[ "$(redis-cli -h 127.0.0.1 -p "$SERVICE_PORT" ping)" = PONG ]
"""
STOP = "SIGTERM"


def environment(access: Access) -> Mapping[str, str]:
    """Host, port and URL."""
    secret = f":{access.password}@" if access.password else ""
    return {
        "REDIS_HOST": "localhost", "REDIS_PORT": str(access.port),
        "REDIS_URL": f"redis://{secret}localhost:{access.port}/{access.database}",
    }  # fmt: skip
