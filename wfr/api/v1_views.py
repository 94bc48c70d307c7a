"""The public JSON, version 1: read-only, the same for everybody, open to every origin, described by a document."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ParamSpec

from flask import Blueprint as PlainBlueprint
from flask import Flask, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from flask_smorest import Api, Blueprint
from marshmallow import Schema
from werkzeug.exceptions import MethodNotAllowed

from wfr.api import schemas
from wfr.api.answering import METHODS, PROBLEM_TYPE, open_to_all
from wfr.api.reading import listed_case, listed_cases, listed_updates
from wfr.api.showing import (
    Shown,
    shown_case,
    shown_case_in_full,
    shown_case_tally,
    shown_page,
    shown_season,
    shown_tally,
    shown_update,
)
from wfr.cases.queries import shelf
from wfr.config import Settings
from wfr.errors import NoSuchThing
from wfr.pages import language, public
from wfr.pledges.queries import board

P = ParamSpec("P")

OTHER_METHODS = ("POST", "PUT", "PATCH", "DELETE", "TRACE")

SLUG = {
    "name": "slug",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "description": "The name of the case in addresses.",
    "example": "ada-vale",
}

ABOUT = """Seasons, cases, their news and the tally, as the site shows them; read-only and without a key.

Ask again rather than keep: answers are about five seconds old at most and carry an `ETag`. Only the countries of the
tally are read once an hour, and told in steps of ten: nobody is to tell who wrote. A case that was withdrawn answers
410; one whose consent has ended, or that is paused and so gone for now, 404. All of them leave the lists within
seconds: take down then what you show. Cases for which nobody agreed that other sites show them are not here; their
actions are in the totals."""

PREFIX = "/api/v1"
blueprint = Blueprint("api_v1", __name__, url_prefix=PREFIX, description="What the site shows, as data.")
undescribed = PlainBlueprint("api_v1_rest", __name__, url_prefix=PREFIX)
for each in (blueprint, undescribed):
    open_to_all(each)


class PublicApi(Api):  # type: ignore[misc]  # flask-smorest publishes no types
    """flask-smorest's description of the API, without its pages and without its hold on the errors of other pages."""

    ERROR_SCHEMA = schemas.Problem

    def _register_error_handlers(self) -> None:
        """Leave errors alone: `open_to_all` answers them, for this blueprint only."""

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status >= HTTPStatus.BAD_REQUEST:
                self._register_problem(status.name, status.phrase)
        self._register_problem(self.DEFAULT_ERROR_RESPONSE_NAME, "Any other refusal")

    def _register_pagination_header(self) -> None:
        """Describe no such header: the parts of a list say where the next one is."""

    def _register_problem(self, name: str, description: str) -> None:
        words = {"description": description, "content": {PROBLEM_TYPE: {"schema": self.ERROR_SCHEMA}}}
        self.spec.components.response(name, words, lazy=True)


def init_app(app: Flask, settings: Settings) -> None:
    """Give `app` the public JSON and the document that describes it."""
    about = {
        "title": f"{settings.site_name}: public data",
        "version": "1",
        "openapi_version": "3.1.0",
        "info": {"description": ABOUT},
        "servers": [{"url": settings.base_url, "description": "This site"}],
    }
    api = app.extensions["wfr.api"] = PublicApi(app, spec_kwargs=about)
    # Its commands print the document, which has an address.
    app.cli.commands.pop("openapi", None)
    api.register_blueprint(blueprint)
    app.register_blueprint(undescribed)


def resource(
    rule: str, schema: type[Schema], *refusals: HTTPStatus, paged: bool = False
) -> Callable[[Callable[P, Shown]], Callable[P, Response]]:
    """Serve what a view returns at `rule`, in the shape of `schema`, and describe it with the refusals it may give."""

    def decorate(view: Callable[P, Shown]) -> Callable[P, Response]:
        answer: Any = blueprint.response(HTTPStatus.OK, schema)(view)
        for refusal in refusals:
            answer = blueprint.alt_response(refusal, response=refusal.name)(answer)
        if paged:
            answer = blueprint.arguments(schemas.Paging, location="query", as_kwargs=False)(answer)
        served: Callable[P, Response] = public(answer)
        blueprint.route(rule, parameters=[SLUG] if "<slug>" in rule else None)(served)
        return served

    return decorate


@resource("/season", schemas.Season, HTTPStatus.NOT_FOUND)
def season() -> Shown:
    """The season: the open one, else the next, else the last.

    404 until there is one.
    """
    seen = shelf()
    if seen.season is None:
        raise NoSuchThing("season")
    return shown_season(seen.season, seen)


@resource("/cases", schemas.CasePage, paged=True)
def cases(paging: dict[str, int]) -> Shown:
    """The cases in short.

    In the campaign's order; the present season's, past ones and urgent actions.
    """
    return shown_page(listed_cases(), paging, shown_case)


@resource("/cases/<slug>", schemas.CaseDetail, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
def case(slug: str) -> Shown:
    """One case with its words and news.

    410 once it was withdrawn: take down then what you show of it.
    """
    return shown_case_in_full(listed_case(slug))


@resource("/cases/<slug>/tally", schemas.CaseTally, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
def case_tally(slug: str) -> Shown:
    """The actions for one case, by kind, and by country in steps of ten."""
    return shown_case_tally(board(), listed_case(slug))


@resource("/tally", schemas.Tally)
def tally() -> Shown:
    """The actions of the whole site, by kind and by country, and of each case by kind."""
    return shown_tally(board(), listed_cases())


@resource("/updates", schemas.UpdatePage, paged=True)
def updates(paging: dict[str, int]) -> Shown:
    """News of the cases, the newest first."""
    return shown_page(listed_updates(language()), paging, lambda found: shown_update(*found))


@undescribed.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """The document that describes all this (OpenAPI 3.1)."""
    api: PublicApi = current_app.extensions["wfr.api"]
    return jsonify(api.spec.to_dict())


@undescribed.get("/", defaults={"rest": ""})
@undescribed.get("/<path:rest>")
def nothing_here(rest: str) -> ResponseReturnValue:
    """Answer every other address below the prefix, so that each refusal is a problem in JSON."""
    raise NoSuchThing(rest)


@undescribed.route("/", defaults={"rest": ""}, methods=OTHER_METHODS)
@undescribed.route("/<path:rest>", methods=OTHER_METHODS)
def read_only(rest: str) -> ResponseReturnValue:  # noqa: ARG001 -- whatever the address
    """Refuse every method that would change something."""
    raise MethodNotAllowed(METHODS)
