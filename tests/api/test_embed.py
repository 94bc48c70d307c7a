"""Embeds: other sites may frame them, and nothing else of ours; they say what is so, or that the case is gone."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from flask import Flask, render_template
from sqlalchemy import update

from tests.acting import text_of
from tests.cases.test_public_pages import forget_everything
from tests.conftest import close_database, make_settings
from tests.factories import Cast
from tests.linting import LintingClient
from wfr import create_app
from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import shelf
from wfr.extensions import transaction

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NAME = "Ada Vale"


def change(app: Flask, slug: str, **values: object) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Case).where(Case.slug == slug).values(**values))
    forget_everything(app)


def frame_policy(headers: object) -> str:
    found = re.search(r"frame-ancestors ([^;]*)", headers["Content-Security-Policy"])  # type: ignore[index]
    assert found
    return found[1]


def test_other_sites_may_frame_an_embed(visitor: LintingClient, season: Cast) -> None:
    for rest in ("", "?theme=dark", "/now"):
        check_headers(visitor, f"/embed/{season.tiny}{rest}")


def check_headers(visitor: LintingClient, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200 and "X-Frame-Options" not in answer.headers
    assert frame_policy(answer.headers) == "*" and "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "same-origin" and "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-cache" and answer.headers["ETag"]


PAGES = (
    "/",
    "/cases/ada-vale",
    "/cases/ada-vale/letter",
    "/nowhere",
    "/tally.json",
    "/api/v1/cases",
    "/oembed",
    "/desk",
)


def test_nothing_else_may_be_framed(visitor: LintingClient, season: Cast) -> None:
    for path in PAGES:
        answer = visitor.get(path)
        assert answer.headers["X-Frame-Options"] == "DENY" and frame_policy(answer.headers) == "'none'", path


def test_the_settings_say_which_sites_may(tmp_path: Path, database_url: str) -> None:
    for sites, options in (("https://paper.example.org https://radio.example.org", None), ("'none'", "DENY")):
        app = create_app(make_settings(tmp_path, database_url, WFR_EMBED_SITES=sites))
        answer = app.test_client().get("/embed/nobody")
        assert frame_policy(answer.headers) == sites and answer.headers.get("X-Frame-Options") == options
        close_database(app)


def test_an_embed_names_the_person_and_leads_to_the_case_in_a_new_tab(visitor: LintingClient, season: Cast) -> None:
    page = visitor.get(f"/embed/{season.tiny}")
    assert f"{NAME}: Held for a poem about a river" in text_of(page) and "No actions yet" in text_of(page)
    link = re.search(r'<a class="button[^>]*>', page.get_data(as_text=True))
    assert link and 'target="_blank"' in link[0] and 'rel="noopener"' in link[0]
    assert f'href="http://127.0.0.1:8000/cases/{season.tiny}"' in link[0]
    assert "ticket" not in page.get_data(as_text=True)


def test_the_theme_can_be_asked_for(visitor: LintingClient, season: Cast) -> None:
    for theme, shown in (("dark", "embed embed-dark"), ("light", "embed embed-light"), ("<b>", "embed")):
        page = visitor.get(f"/embed/{season.tiny}", query_string={"theme": theme}).get_data(as_text=True)
        assert f'class="{shown}"' in page


def test_a_case_that_has_closed_says_so_and_has_no_button(app: Flask, visitor: LintingClient, season: Cast) -> None:
    change(app, season.tiny, status=CaseStatus.CLOSED)
    for path in (f"/embed/{season.tiny}", f"/embed/{season.tiny}/now"):
        page = visitor.get(path)
        assert "Writing has closed" in text_of(page) and "Write now" not in text_of(page)
        assert "button" not in page.get_data(as_text=True)


@pytest.mark.parametrize("values", [{"feeds": False}, {"status": CaseStatus.PAUSED}], ids=["no consent", "paused"])
def test_what_other_sites_may_not_show_has_no_embed(
    app: Flask, visitor: LintingClient, season: Cast, values: dict[str, object]
) -> None:
    change(app, season.tiny, **values)
    for path in (f"/embed/{season.tiny}", f"/embed/{season.tiny}/now", "/embed/nobody"):
        answer = visitor.get(path)
        assert answer.status_code == 404 and NAME not in answer.get_data(as_text=True)
        assert "This case is not here now" in text_of(answer)
    with app.test_request_context():
        case = shelf().case(season.tiny)
        assert not render_template("api/_embed_code.html", case=case).strip()


def test_the_embed_of_a_withdrawn_case_names_nobody_and_still_fits_the_frame(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    paths = [f"/embed/{season.tiny}{rest}" for rest in ("", "/now", "?theme=dark")]
    assert {visitor.get(path).status_code for path in paths} == {200}
    change(app, season.tiny, status=CaseStatus.WITHDRAWN)
    for path in paths:
        answer = visitor.get(path)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 410 and NAME not in text and season.tiny not in text
        assert "This case is not here now" in text and "X-Frame-Options" not in answer.headers


def test_the_code_to_paste_is_the_frame_and_shows_as_text(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.test_request_context():
        part = render_template("api/_embed_code.html", case=shelf().case(season.long))
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", part, re.DOTALL)
    assert found and "<" not in found[1]
    code = html.unescape(found[1])
    assert code.startswith(f'<iframe src="http://127.0.0.1:8000/embed/{season.long}" title="María del Rosario')
    assert 'width="400" height="520"' in code and code.endswith("</iframe>")
