"""What a kind of service offers. Pure: constants, and what its tests are told.

The programs are shell texts that never change. What a lead writes reaches them as variables:
`SERVICE_USER`, `SERVICE_PASSWORD`, `SERVICE_DATABASE`, `SERVICE_PORT`, and `SERVICE_DATA`, the
folder that is the service's own. They run as an ordinary user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Access:
    """How a service is reached."""

    port: int
    user: str
    password: str
    database: str


class Kind(Protocol):
    """A module under `micro_bench/services/kinds/`."""

    NAME: str
    IMAGES: str
    """A pattern of what images of it are called, for proposals."""
    PACKAGES: Sequence[str]
    """Debian's and Ubuntu's packages with the server."""
    VERSIONS: Mapping[str, str]
    """Version -> the Python whose base image has it in its packages. The first is the usual one;
    `""` where all will do."""
    PROGRAMS: Sequence[str]
    """Patterns of the server's programs, one of which a machine must have to run it locally."""
    DEFAULT: Access
    """What is meant where a lead says nothing."""
    PREPARE: str
    """Makes the data folder, once."""
    START: str
    """Becomes the server."""
    HEALTH: str
    """Succeeds once it answers."""
    STOP: str
    """The signal by which it ends orderly."""

    @staticmethod
    def environment(access: Access) -> Mapping[str, str]:
        """The variables by which applications usually find it."""
