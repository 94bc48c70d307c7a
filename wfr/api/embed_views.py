"""Embeds: a case as a small page that other sites show in a frame of theirs."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from wfr.api.reading import listed_case
from wfr.api.showing import whole_url
from wfr.cases.models import Case
from wfr.cases.queries import today
from wfr.errors import NoSuchThing, NotPossibleNow
from wfr.extensions import settings
from wfr.pages import language, public
from wfr.security import content_policy

WIDTH, HEIGHT = 400, 520
"""Pixels of a frame, where nobody asks for another size."""

THEMES = ("light", "dark")

blueprint = Blueprint("embeds", __name__)


@blueprint.get("/embed/<slug>")
@public
def embed(slug: str) -> ResponseReturnValue:
    """The case's stamp, its number and the way to act; light or dark as the reader's system or ``theme`` says."""
    return _page("embed", slug)


@blueprint.get("/embed/<slug>/now")
@public
def now(slug: str) -> ResponseReturnValue:
    """What may change while the frame is open: the number, and what can be done."""
    return _page("_embed_now", slug)


def _page(name: str, slug: str) -> str:
    case = listed_case(slug)
    standing = case.standing(today()).value
    return render_template(f"api/{name}.html", case=case, text=case.text(language()), standing=standing, theme=_theme())


def _theme() -> str | None:
    wanted = request.args.get("theme")
    return wanted if wanted in THEMES else None


def no_longer(error: NoSuchThing | NotPossibleNow) -> Response:
    """Answer 404 or 410 with a small page that names nobody and fits the frame."""
    status = HTTPStatus.GONE if isinstance(error, NotPossibleNow) else HTTPStatus.NOT_FOUND
    response = make_response(render_template("api/embed_gone.html", theme=_theme()), status)
    response.headers["Cache-Control"] = "no-cache"
    return response


blueprint.register_error_handler(NoSuchThing, no_longer)
blueprint.register_error_handler(NotPossibleNow, no_longer)


@blueprint.after_request
def let_others_frame(response: Response) -> Response:
    """Let the sites of the settings show this in a frame, also in one that may not say which site it is."""
    response.headers["Content-Security-Policy"] = content_policy(settings(), framed_by=settings().embed_sites)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@blueprint.app_template_global()
def embed_code(case: Case, width: int = WIDTH, height: int = HEIGHT) -> Markup:
    """Return the HTML with which another site shows a case in a frame of `width` by `height` pixels."""
    name = Markup.escape(case.name)
    return Markup('<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy" frameborder="0"></iframe>').format(
        whole_url("embeds.embed", slug=case.slug), name, width, height
    )
