"""What every template may use: the site's name and look, dates and numbers, countries, addresses of static files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from babel import Locale
from flask import Flask, Response, g, has_request_context, request
from flask_babel import format_date, format_datetime, format_decimal, get_translations

from wfr import paths
from wfr.config import Settings
from wfr.countries import country_name
from wfr.extensions import babel, kept
from wfr.pages import PROCESS_SECONDS, language
from wfr.text import render_markdown, without_sources


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who runs this site, as its settings say."""

    name: str
    site_name: str
    logo: str | None
    privacy_contact: str | None
    legal_notice: str | None


def init_app(app: Flask) -> None:
    """Give every template its common words and filters."""
    settings: Settings = app.extensions["wfr.settings"]
    babel.init_app(app, locale_selector=_wanted_language)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda words: catalogue().ugettext(words),
        lambda one, many, count: catalogue().ungettext(one, many, count),
        newstyle=True,
        pgettext=lambda context, words: catalogue().upgettext(context, words),
        npgettext=lambda context, one, many, count: catalogue().unpgettext(context, one, many, count),
    )
    organisation = Organisation(
        name=settings.organisation,
        site_name=settings.site_name,
        logo=f"/uploads/{settings.logo}" if settings.logo else None,
        privacy_contact=settings.privacy_contact,
        legal_notice=settings.legal_notice,
    )
    app.jinja_env.globals.update(
        organisation=organisation,
        static_url=static_url,
        base_url=settings.base_url,
        country_name=lambda code: country_name(code, language()),
        kept_part=kept_part,
    )
    app.jinja_env.filters.update(
        date=_date, time=_time, number=format_decimal, markdown=render_markdown, plain=without_sources
    )
    app.context_processor(lambda: {"language": language(), "direction": direction(language())})
    if settings.colours:
        _serve_colours(app, settings.colours)


def _wanted_language() -> str | None:
    # A verb says why it refuses also where no page is asked for: in a job, in a command.
    return (request.view_args or {}).get("lang") if has_request_context() else None


def kept_part(name: str, caller: Callable[[], str]) -> str:
    """Render a part of a page that is the same for everybody, once a second. Templates wrap it in a `call` block."""
    return kept().get(f"part {name} {language()}", PROCESS_SECONDS, caller)


def catalogue() -> Any:
    """Return the present language's catalogue, looked up once a request: a page asks it forty times."""
    if "wfr_catalogue" not in g:
        g.wfr_catalogue = get_translations()
    return g.wfr_catalogue


def direction(tag: str) -> str:
    """Return ``rtl`` for a language written from right to left, else ``ltr``."""
    return str(Locale.parse(tag, sep="-").text_direction)


def static_url(path: str) -> str:
    """Return the address of a static file; it changes with the file, so that browsers may keep it for a year."""
    return f"/static/{path}?v={_fingerprint(path)}"


@cache
def _fingerprint(path: str) -> str:
    return hashlib.sha256((paths.STATIC / path).read_bytes()).hexdigest()[:10]


def _date(day: date, pattern: str = "d MMMM y") -> str:
    return str(format_date(day, pattern))


def _time(moment: datetime) -> str:
    return str(format_datetime(moment, "HH:mm", rebase=False))


def _serve_colours(app: Flask, colours: dict[str, str]) -> None:
    rules = "".join(f"--{token}:{value};" for token, value in colours.items())
    sheet = f":root{{{rules}}}"

    @app.get("/colours.css")
    def colours_css() -> Response:
        return Response(sheet, mimetype="text/css", headers={"Cache-Control": "public, max-age=3600"})

    stylesheet: Callable[[], Any] = lambda: {"colours_url": "/colours.css"}  # noqa: E731
    app.context_processor(stylesheet)
