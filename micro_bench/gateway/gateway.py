"""The gateway of a run: one Unix socket and one random key for each attempt.

    with Gateway(settings.gateway, run_folder, workspace=root) as gateway:
        lease = gateway.lease("task/agent/1", socket, log, model="sonnet")
        ...                        # the sandbox gets lease.socket and lease.key, nothing else
        metered = lease.close()    # the key is dead, the socket gone

On the socket, `/anthropic`, `/openai` and `/gemini` each begin the paths of one family of wire
formats. All methods may be called from any thread.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from micro_bench.edge import clock
from micro_bench.edge.files import write_atomic
from micro_bench.edge.serving import Door, Loop, open_door
from micro_bench.edge.upstream import Upstream
from micro_bench.errors import BadInputError
from micro_bench.gateway import routes
from micro_bench.gateway.budget import Budget
from micro_bench.gateway.desk import Desk
from micro_bench.gateway.exchanges import Exchanges
from micro_bench.gateway.prices import Prices
from micro_bench.gateway.proxy import Proxy
from micro_bench.gateway.routes import Route
from micro_bench.gateway.scrub import encoded
from micro_bench.model.provider import GatewaySettings
from micro_bench.model.usage import Caps, Metered, PriceSource, Stop, Tokens


class Lease:
    """One attempt's way to models. Ends with `close`."""

    def __init__(
        self, loop: Loop, proxy: Proxy, door: Door, prices: PriceSource,
        note: Callable[[Sequence[Route]], None],
    ) -> None:  # fmt: skip
        self.key = proxy.key
        """The only key that the sandbox sees."""
        self.socket = door.path
        self._loop = loop
        self._proxy = proxy
        self._door = door
        self._prices = prices
        self._note = note
        self._closed: Metered | None = None
        self._lock = threading.Lock()

    def stopped(self) -> Stop | None:
        """The cap that was reached, if any: the attempt is over."""
        return self._proxy.ledger.stop

    def metered(self) -> Metered:
        """What was used so far."""
        return self._closed or self._loop.run(self._account())

    def close(self) -> Metered:
        """End it: every connection is broken. What was used; the same when called again."""
        with self._lock:
            if self._closed is None:
                self._loop.run(self._door.close())
                self._proxy.log.close()
                self._closed = self._loop.run(self._account())
                self._note([share.route for share in self._proxy.ledger.shares.values()])
            return self._closed

    async def _account(self) -> Metered:
        return self._proxy.ledger.metered(self._prices)


class Gateway:
    """Serves the attempts of one run while the context is open.

    Args:
        settings: Providers, names of models, caps, prices.
        run_folder: Gets `prices.json`, the prices as they were used.
        workspace: The folder that the path of the price file is relative to.
        environ: Where keys are read; the process's own by default.
        home: Where logins are read; the user's own by default.

    Raises:
        BadInputError, NotFoundError: The price file cannot be read.

    """

    def __init__(
        self,
        settings: GatewaySettings,
        run_folder: Path,
        *,
        workspace: Path = Path(),
        environ: Mapping[str, str] | None = None,
        home: Path | None = None,
    ) -> None:
        own = workspace / settings.prices if settings.prices else None
        self._desk = Desk(
            settings, Prices(own), Upstream(settings.timeout_s), Budget("run", settings.run_caps),
            os.environ if environ is None else environ, home or Path.home(),
        )  # fmt: skip
        self._folder = run_folder
        self._loop = Loop("micro-bench-gateway")
        self._stack = ExitStack()
        self._leases: list[Lease] = []
        self._shown: dict[str, object] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start."""
        self._stack.enter_context(self._loop)
        self._loop.run(self._desk.upstream.open())
        self._stack.callback(lambda: self._loop.run(self._desk.upstream.close()))
        return self

    def __exit__(self, *_: object) -> None:
        """End every lease, and stop."""
        for lease in self._leases:
            lease.close()
        self._stack.close()

    @property
    def prices(self) -> PriceSource:
        """The tables in use."""
        return self._desk.prices.source

    def check(self, model: str, caps: Caps | None = None) -> Route:
        """Whether an attempt could use a model; call it before a run.

        Raises:
            NotFoundError: No route leads there.
            BadInputError: There is no key, or a cap in dollars for a model without a price.

        """
        settings = self._desk.settings
        route = routes.find(settings, model, self._desk.wires)
        self._desk.credential(route)
        capped = (caps or settings.caps).usd is not None or settings.run_caps.usd is not None
        known = route.model != routes.ANY  # of any other, each request is looked at
        if capped and known and self._desk.cost(route, Tokens(input=1), clock.now()) is None:
            raise BadInputError(
                f"the model {model} has no known price, so a cap in dollars cannot be kept",
                next_step="add the model to the file of gateway.prices, or cap tokens instead",
            )
        return route

    def lease(
        self,
        attempt_id: str,
        socket: Path,
        log: Path,
        *,
        model: str,
        caps: Caps | None = None,
        also: Sequence[str] = (),
    ) -> Lease:
        """A socket and a key for one attempt.

        Args:
            attempt_id: For the log.
            socket: Where the socket is made; its folder must exist. Any user may connect.
            log: The file that gets each exchange, as a line of JSON.
            model: What the attempt is about: a name of the settings, or `provider/model`.
            caps: For this attempt, instead of those of the settings.
            also: Further models that the agent may ask, such as a small one for titles.

        Raises:
            NotFoundError, BadInputError: As `check`.
            StorageError: The socket cannot be made.

        """
        found = tuple(self.check(name, caps) for name in dict.fromkeys((model, *also)))
        self._note_prices(found)
        key = f"mb-{secrets.token_urlsafe(32)}"
        known = [key, *(self._desk.credential(route).token for route in found)]
        exchanges = Exchanges(
            log, encoded(known), int(self._desk.settings.log_mb * 2**20), attempt_id
        )
        budget = Budget("attempt", caps or self._desk.settings.caps)
        proxy = Proxy(self._desk, key, found, budget, exchanges)
        door = self._loop.run(open_door(socket, proxy.handle))
        lease = Lease(self._loop, proxy, door, self.prices, self._note_prices)
        self._leases.append(lease)
        return lease

    def spent(self) -> dict[str, object]:
        """What the run has used so far: `usd`, `tokens`, `requests`."""
        spent = self._desk.run.spent
        return {"usd": spent.usd, "tokens": spent.tokens, "requests": spent.requests}

    def _note_prices(self, found: Sequence[Route]) -> None:
        """Keep the prices that are used beside the run."""
        with self._lock:
            new = [
                r for r in found
                if r.model != routes.ANY and f"{r.name}/{r.model}" not in self._shown
            ]  # fmt: skip
            for route in new:
                shown = self._desk.prices.shown(
                    route.name, route.provider, route.model, clock.now()
                )
                self._shown[f"{route.name}/{route.model}"] = shown
            if new:
                whole = {"source": self.prices.model_dump(), "models": self._shown}
                text = json.dumps(whole, indent=2) + "\n"
                write_atomic(self._folder / "prices.json", text.encode())
