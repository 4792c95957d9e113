"""Answers for the pages of runs."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from micro_bench.pages.answers import handlers, shell_routes
from micro_bench.pages.view import screens
from micro_bench.pipeline.deciding.comparing import Asked, compared
from micro_bench.pipeline.viewing.loading import Shelf
from micro_bench.pipeline.viewing.nights import nights


def app(shelf: Shelf) -> Starlette:
    """The pages over a workspace."""
    pages = {
        "/index.html": lambda _asked: _runs(shelf),
        "/trend.html": lambda _asked: screens.trend(nights(shelf.line.workspace), live=True),
        "/run/{run}/compare.html": lambda asked: _compare(shelf, asked["run"]),
        "/run/{run}/beside/{task}/{one}/{other}.html": lambda asked: _beside(shelf, asked),
        "/run/{run}.html": lambda asked: screens.run(shelf.run(asked["run"]), live=True),
        "/run/{run}/{task}/{agent}/{number}.html": lambda asked: _attempt(shelf, asked),
    }
    return Starlette(
        routes=[
            Route("/", lambda _request: RedirectResponse("/index.html")),
            *shell_routes(),
            Route("/run/{run}/walk.js", _walk(shelf)),
            Route("/state.json", _state(shelf)),
            *(Route(path, _html(made)) for path, made in pages.items()),
        ],
        exception_handlers=handlers(),
    )


def _html(made: Callable[[dict[str, str]], str]) -> Callable[[Request], Response]:
    return lambda request: HTMLResponse(made(request.path_params))


def _runs(shelf: Shelf) -> str:
    return screens.runs(shelf.runs(), live=True, nights=bool(nights(shelf.line.workspace)))


def _compare(shelf: Shelf, run: str) -> str:
    return screens.compare(compared(shelf.line, Asked((run,))), run, live=True)


def _beside(shelf: Shelf, asked: dict[str, str]) -> str:
    found = shelf.run(asked["run"])
    sides = shelf.beside(found, asked["task"], (asked["one"], asked["other"]))
    return screens.beside(found, asked["task"], sides, live=True)


def _attempt(shelf: Shelf, asked: dict[str, str]) -> str:
    number, _, page = asked["number"].partition(".p")
    ident = f"{asked['task']}/{asked['agent']}/{number}"
    run, seen = shelf.attempt(asked["run"], ident, int(page) if page.isdigit() else 1)
    return screens.attempt(run, seen, live=True)


def _walk(shelf: Shelf) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        text = screens.walk(shelf.run(request.path_params["run"]))
        return Response(text, media_type="text/javascript")

    return answer


def _state(shelf: Shelf) -> Callable[[Request], Response]:
    """What changes while a run is going on: a page that asks knows when to look again."""
    return lambda request: JSONResponse(shelf.state(request.query_params.get("run", "")))
