"""Answers for the pages of runs."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from micro_bench.errors import MicroBenchError, NotFoundError
from micro_bench.pages import shell
from micro_bench.pages.view import screens
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.viewing.loading import Shelf


def app(line: Line) -> Starlette:
    """The pages over a workspace."""
    shelf = Shelf(line)
    pages = {
        "/index.html": lambda _asked: screens.runs(shelf.runs(), live=True),
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
        exception_handlers={MicroBenchError: _failed, HTTPStatus.NOT_FOUND: _lost},
    )


def shell_routes() -> list[Route]:
    """The files that every page loads."""
    return [Route("/static/{name}", _static)]


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in shell.STATIC:
        raise NotFoundError(f"there is no {name}")
    return Response(shell.static(name), media_type=shell.STATIC[name])


def _html(made: Callable[[dict[str, str]], str]) -> Callable[[Request], Response]:
    return lambda request: HTMLResponse(made(request.path_params))


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


def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, MicroBenchError)  # noqa: S101 - registered for these alone
    status = HTTPStatus.NOT_FOUND if isinstance(error, NotFoundError) else HTTPStatus.CONFLICT
    mistakes = [str(one) for one in getattr(error, "mistakes", ())]
    values = {"title": error.title, "message": error.message, "mistakes": mistakes}
    return HTMLResponse(shell.render("error.html", _frame(_request), values), status)


def _lost(request: Request, _error: Exception) -> Response:
    values = {
        "title": "not found",
        "message": f"there is no page {request.url.path}",
        "mistakes": (),
    }
    page = shell.render("error.html", _frame(request), values)
    return HTMLResponse(page, HTTPStatus.NOT_FOUND)


def _frame(request: Request) -> shell.Frame:
    return shell.Frame("error", request.url.path.removeprefix("/"))
