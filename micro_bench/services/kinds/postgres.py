"""PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.services.kinds._kind import Access

NAME = "postgres"
IMAGES = r"postgres(ql)?|postgis"
PACKAGES = ("postgresql",)
VERSIONS = {
    "15": "3.11", "12": "3.8", "13": "3.9", "14": "3.10", "16": "3.12", "17": "3.13", "18": "3.14",
}  # fmt: skip
PROGRAMS = ("/usr/lib/postgresql/*/bin/postgres",)
DEFAULT = Access(5432, "postgres", "postgres", "postgres")
_PATH = """
set -e
PATH=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1):$PATH
"""
# Whoever the tests are may do what they like to it; the owner, where it is another, may not come
# in from the network, so that no test ends the server.
PREPARE = f"""{_PATH}
owner=postgres
mkdir -p "$SERVICE_DATA"
chmod 700 "$SERVICE_DATA"
initdb --pgdata="$SERVICE_DATA" --username="$owner" --encoding=UTF8 --locale=C.UTF-8 \\
  --auth=trust --no-sync >&2
if [ "$SERVICE_USER" != "$owner" ]; then
  echo "CREATE ROLE \\"$SERVICE_USER\\" LOGIN CREATEDB CREATEROLE PASSWORD '$SERVICE_PASSWORD';" |
    postgres --single -D "$SERVICE_DATA" postgres >/dev/null
fi
if [ "$SERVICE_DATABASE" != postgres ]; then
  echo "CREATE DATABASE \\"$SERVICE_DATABASE\\" OWNER \\"$SERVICE_USER\\";" |
    postgres --single -D "$SERVICE_DATA" postgres >/dev/null
fi
printf 'local all "%s" trust\\nhost all "%s" all trust\\n' "$SERVICE_USER" "$SERVICE_USER" \\
  > "$SERVICE_DATA/pg_hba.conf"
"""
# Nothing outlives a sandbox: what guards against a crash of the machine only takes time.
START = f"""{_PATH}
exec postgres -D "$SERVICE_DATA" -p "$SERVICE_PORT" -k /tmp \\
  -c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off -c full_page_writes=off \\
  -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off -c shared_buffers=64MB
"""
HEALTH = f"""{_PATH}
psql -X -q -h 127.0.0.1 -p "$SERVICE_PORT" -U "$SERVICE_USER" -d "$SERVICE_DATABASE" \\
  -c 'SELECT 1' >/dev/null
"""
STOP = "SIGINT"


def environment(access: Access) -> Mapping[str, str]:
    """Libpq's variables and the URL of the twelve factors."""
    return {
        "PGHOST": "localhost", "PGPORT": str(access.port), "PGUSER": access.user,
        "PGPASSWORD": access.password, "PGDATABASE": access.database,
        "DATABASE_URL":
            f"postgres://{access.user}:{access.password}@localhost:{access.port}/{access.database}",
    }  # fmt: skip
