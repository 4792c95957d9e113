"""Answers for the pages of curation. Whatever changes something is a form."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qs, quote, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from micro_bench.errors import BadInputError, ConflictError
from micro_bench.model.decision import Act, Answers, Why
from micro_bench.pages import shell
from micro_bench.pages.answers import handlers, shell_routes
from micro_bench.pages.curate import screens
from micro_bench.pipeline.curation.card import card
from micro_bench.pipeline.curation.deciding import Wish
from micro_bench.pipeline.curation.desk import Desk
from micro_bench.pipeline.curation.queue import Filter, Queue

FIELDS = ("state", "tier", "level", "q")
"""Of the address: what of the queue is shown."""


def app(desk: Desk) -> Starlette:
    """The pages over a workspace's tasks."""
    pages = _Pages(desk)
    return Starlette(
        routes=[
            Route("/", lambda _request: RedirectResponse("/index.html")),
            *shell_routes(),
            Route("/index.html", pages.first),
            Route("/curate/{task}.html", pages.one),
            Route("/curate/{task}.decide", pages.decide, methods=["POST"]),
        ],
        exception_handlers=handlers(),
    )


@dataclass(frozen=True)
class _Pages:
    desk: Desk

    def first(self, request: Request) -> Response:
        """The first that waits; or that none does."""
        shown, found = self._queue(request)
        if found.shown:
            place = f"/curate/{quote(found.shown[0].task.id)}.html{_query(request)}"
            return RedirectResponse(place, HTTPStatus.SEE_OTHER)
        return HTMLResponse(screens.done(found, shown, _done(request), self.desk))

    def one(self, request: Request) -> Response:
        """One task."""
        return HTMLResponse(self._card(request, request.path_params["task"]))

    async def decide(self, request: Request) -> Response:
        """A decision; the next task comes up."""
        told = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        form = {key: values[-1] for key, values in told.items()}
        return await run_in_threadpool(self._decide, request, form)

    def _decide(self, request: Request, form: dict[str, str]) -> Response:
        ident = request.path_params["task"]
        following = self._after(request, ident)
        try:
            made = self.desk.decide(_wish(ident, form))
        except (BadInputError, ConflictError) as error:
            page = self._card(request, ident, error.describe(), form)
            status = (
                HTTPStatus.CONFLICT if isinstance(error, ConflictError) else HTTPStatus.BAD_REQUEST
            )
            return HTMLResponse(page, status)
        stays = made.act in {Act.MEND, Act.RETIER, Act.UNDO}
        place = (
            f"/curate/{quote(ident if stays else following)}.html"
            if stays or following
            else "/index.html"
        )
        query = _query(request, done=f"{made.act.value} {ident}")
        return RedirectResponse(f"{place}{query}", HTTPStatus.SEE_OTHER)

    def _card(
        self, request: Request, ident: str, problem: str = "", form: dict[str, str] | None = None
    ) -> str:
        shown, found = self._queue(request)
        one = card(self.desk.line, ident, second=self.desk.second)
        return screens.card(
            one, found, shown, screens.Around(_done(request), problem, form or {}, _query(request)),
            self.desk,
        )  # fmt: skip

    def _after(self, request: Request, ident: str) -> str:
        """The task that comes next in what is shown; empty where none does."""
        names = [one.task.id for one in self._queue(request)[1].shown]
        at = names.index(ident) if ident in names else -1
        rest = names[at + 1 :] + names[: max(at, 0)]
        return rest[0] if rest else ""

    def _queue(self, request: Request) -> tuple[Filter, Queue]:
        asked = request.query_params
        tier = asked.get("tier", "")
        shown = Filter(
            asked.get("state") or "open", int(tier) if tier.isdigit() else None,
            asked.get("level", ""), asked.get("q", ""),
        )  # fmt: skip
        return shown, self.desk.queue(shown)


def _wish(ident: str, form: dict[str, str]) -> Wish:
    """What a form asks for.

    Raises:
        BadInputError: It is no form of ours.
    """
    try:
        wish = Wish(
            ident, Act(form.get("act", "")), seconds=_seconds(form.get("since", "")),
            why=Why(form["why"]) if form.get("why") else None, words=form.get("words", ""),
            tier=int(form["tier"]) if form.get("tier") else None, spec=form.get("spec", ""),
            answers=Answers(
                underspecified=_grade(form, "underspecified"), unfair_tests=_grade(form, "unfair"),
                other_issues={"yes": True, "no": False}.get(form.get("other", "")),
            ),
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        raise BadInputError(f"that is no decision: {error}") from None
    if wish.act in {Act.MEND, Act.ACCEPT} and "instruction" in form:
        wish = replace(wish, title=form.get("title"), instruction=form["instruction"])
    return wish


def _grade(form: dict[str, str], name: str) -> int | None:
    return int(form[name]) if form.get(name) else None


def _seconds(since: str) -> float | None:
    """From when the task was shown: the script says when, else the page does."""
    try:
        spent = time.time() - float(since)
    except ValueError:
        return None
    return round(spent, 1) if 0 <= spent < 86_400 else None


def _query(request: Request, **more: str) -> str:
    kept = {key: request.query_params[key] for key in FIELDS if request.query_params.get(key)}
    return f"?{urlencode(kept | more)}" if kept or more else ""


def _done(request: Request) -> tuple[str, str]:
    """What was decided last, and of which task."""
    act, _, ident = request.query_params.get("done", "").partition(" ")
    return act, ident


Answer = Callable[[Request], Response]
__all__ = ["app", "shell"]
