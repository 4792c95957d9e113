"""RabbitMQ."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.services.kinds._kind import Access

NAME = "rabbitmq"
IMAGES = r"rabbitmq"
PACKAGES = ("rabbitmq-server",)
VERSIONS = {"3.10": "3.11", "3.8": "3.9", "3.9": "3.10", "4.0": "3.13"}
PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server",)
DEFAULT = Access(5672, "guest", "guest", "/")
PREPARE = """
mkdir -p "$SERVICE_DATA"
"""
START = """
set -e
export HOME=$SERVICE_DATA RABBITMQ_MNESIA_BASE=$SERVICE_DATA RABBITMQ_LOG_BASE=/tmp RABBITMQ_LOGS=-
export RABBITMQ_USE_LONGNAME=true RABBITMQ_NODENAME=rabbit@127.0.0.1
export RABBITMQ_PID_FILE=/tmp/rabbitmq.pid
export RABBITMQ_ENABLED_PLUGINS_FILE=$SERVICE_DATA/plugins
export RABBITMQ_CONFIG_FILE=$SERVICE_DATA/rabbitmq
printf '%s\\n' "listeners.tcp.default = 127.0.0.1:$SERVICE_PORT" "default_user = $SERVICE_USER" \\
  "default_pass = $SERVICE_PASSWORD" "default_vhost = $SERVICE_DATABASE" \\
  > "$RABBITMQ_CONFIG_FILE.conf"
echo '[].' > "$RABBITMQ_ENABLED_PLUGINS_FILE"
exec /usr/lib/rabbitmq/bin/rabbitmq-server
"""
# Its own commands start a virtual machine each, which takes seconds. It greets who speaks its
# protocol.
HEALTH = """
exec python3 -c 'import os, socket, sys
with socket.create_connection(("127.0.0.1", int(os.environ["SERVICE_PORT"])), 2) as peer:
    peer.sendall(b"AMQP\\0\\0\\x09\\x01")
    sys.exit(peer.recv(1) != b"\\x01")'
"""
STOP = "SIGTERM"


def environment(access: Access) -> Mapping[str, str]:
    """Host, port and the usual names of the URL."""
    vhost = "" if access.database == "/" else access.database
    url = f"amqp://{access.user}:{access.password}@localhost:{access.port}/{vhost}"
    return {
        "RABBITMQ_HOST": "localhost", "RABBITMQ_PORT": str(access.port),
        "AMQP_URL": url, "RABBITMQ_URL": url,
    }  # fmt: skip
