"""MySQL, as Debian has it: MariaDB."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.services.kinds._kind import Access

NAME = "mysql"
IMAGES = r"mysql|mariadb|percona"
PACKAGES = ("mariadb-server",)
VERSIONS = {"10.11": "3.11", "10.5": "3.9", "10.6": "3.10", "11.8": "3.13"}
PROGRAMS = ("/usr/sbin/mariadbd", "/usr/sbin/mysqld")
DEFAULT = Access(3306, "root", "", "test")
PREPARE = """
set -e
PATH=$PATH:/usr/sbin
mkdir -p "$SERVICE_DATA"
mariadb-install-db --no-defaults --force --datadir="$SERVICE_DATA" --skip-test-db \\
  --auth-root-authentication-method=normal >&2
{
  echo "FLUSH PRIVILEGES;"
  echo "CREATE DATABASE IF NOT EXISTS \\`$SERVICE_DATABASE\\` CHARACTER SET utf8mb4;"
  for host in localhost 127.0.0.1 ::1 %; do
    echo "CREATE OR REPLACE USER '$SERVICE_USER'@'$host' IDENTIFIED BY '$SERVICE_PASSWORD';"
    echo "GRANT ALL PRIVILEGES ON *.* TO '$SERVICE_USER'@'$host' WITH GRANT OPTION;"
  done
} | mariadbd --no-defaults --bootstrap --datadir="$SERVICE_DATA" >&2
"""
START = """
PATH=$PATH:/usr/sbin
exec mariadbd --no-defaults --datadir="$SERVICE_DATA" --port="$SERVICE_PORT" \\
  --bind-address=127.0.0.1 --socket=/tmp/mysqld.sock --pid-file=/tmp/mysqld.pid \\
  --character-set-server=utf8mb4 --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 \\
  --skip-log-bin
"""
HEALTH = """
MYSQL_PWD=$SERVICE_PASSWORD exec mariadb-admin --no-defaults --protocol=tcp -h 127.0.0.1 \\
  -P "$SERVICE_PORT" -u "$SERVICE_USER" --silent ping
"""
STOP = "SIGTERM"


def environment(access: Access) -> Mapping[str, str]:
    """The variables of the official image, and the URL of the twelve factors."""
    place = f"127.0.0.1:{access.port}/{access.database}"
    return {
        "MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": str(access.port), "MYSQL_USER": access.user,
        "MYSQL_PASSWORD": access.password, "MYSQL_DATABASE": access.database,
        "DATABASE_URL": f"mysql://{access.user}:{access.password}@{place}",
    }  # fmt: skip
