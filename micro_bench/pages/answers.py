"""Answers that all pages have in common: their files, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from micro_bench.errors import MicroBenchError, NotFoundError
from micro_bench.pages import shell


def shell_routes() -> list[Route]:
    """The files that every page loads."""
    return [Route("/static/{name}", _static)]


def handlers() -> Mapping[Any, Any]:
    """A page for every failure that a user can act on."""
    return {MicroBenchError: _failed, HTTPStatus.NOT_FOUND: _lost}


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in shell.STATIC:
        raise NotFoundError(f"there is no {name}")
    return Response(shell.static(name), media_type=shell.STATIC[name])


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, MicroBenchError)  # noqa: S101 - registered for these alone
    status = HTTPStatus.NOT_FOUND if isinstance(error, NotFoundError) else HTTPStatus.CONFLICT
    mistakes = [str(one) for one in getattr(error, "mistakes", ())]
    return _page(request, error.title, error.message, mistakes, status)


def _lost(request: Request, _error: Exception) -> Response:
    message = f"there is no page {request.url.path}"
    return _page(request, "not found", message, [], HTTPStatus.NOT_FOUND)


def _page(
    request: Request, title: str, message: str, mistakes: list[str], status: HTTPStatus
) -> Response:
    frame = shell.Frame("error", request.url.path.removeprefix("/"))
    values = {"title": title, "message": message, "mistakes": mistakes}
    return HTMLResponse(shell.render("error.html", frame, values), status)
