"""What bad input gets: an error that helps, the words kept, never a stack trace and never half a pledge."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.acting import act, fill_in, text_of
from tests.factories import Cast
from tests.linting import LintingClient
from wfr.extensions import db
from wfr.pledges.models import Pledge


def pledges_in(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Pledge)) or 0


def test_a_missing_country_is_said_above_and_beside_the_field(app: Flask, visitor: LintingClient, season: Cast) -> None:
    page = act(visitor, season.tiny, country="", name="Ana Ribeiro", own_words="I teach biology.")
    html = page.get_data(as_text=True)
    assert page.status_code == 422
    assert html.count("Choose the country you write from") >= 2
    assert 'href="#country"' in html and 'aria-invalid="true"' in html
    assert "<title>Error: " in html
    assert "Ana Ribeiro" in html and "I teach biology." in html
    assert pledges_in(app) == 0


@pytest.mark.parametrize("country", ["XX", "ZZ", "Portugal", "<script>"])
def test_a_country_that_is_none_is_refused(app: Flask, visitor: LintingClient, season: Cast, country: str) -> None:
    assert act(visitor, season.tiny, country=country).status_code == 422
    assert pledges_in(app) == 0


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("محمد علي", "محمد علي"),
        ("דוד בן־גוריון", "דוד בן־גוריון"),
        ("می‌خواهم", "می‌خواهم"),
        ("Łukasz Đặng", "Łukasz Đặng"),
    ],
)
def test_names_of_the_world_are_left_intact(visitor: LintingClient, season: Cast, name: str, kept: str) -> None:
    page = act(visitor, season.tiny, "email", name=name)
    assert page.status_code == 200
    assert kept in page.get_data(as_text=True)


@pytest.mark.parametrize("evil", ["Ana\x00", "Ana\u202egnp.exe", "Ana\x1b[31m", "Ana\u2066"])
def test_hidden_characters_never_reach_a_letter(visitor: LintingClient, season: Cast, evil: str) -> None:
    page = act(visitor, season.tiny, name=evil)
    hidden = set(evil) - set("Anagnp.exe[31m ")
    assert page.status_code in (200, 422)
    if page.status_code == 200:
        assert not any(character in page.get_data(as_text=True) for character in hidden)


def test_broken_utf8_is_not_an_error_of_ours(visitor: LintingClient, season: Cast) -> None:
    form = fill_in(visitor, f"/cases/{season.tiny}/letter")
    body = f"ticket={form['ticket']}&country=TG&name=%ff%fe%ed%a0%80".encode()
    page = visitor.post(f"/cases/{season.tiny}/letter", data=body, content_type="application/x-www-form-urlencoded")
    assert page.status_code in (200, 422)


def test_a_character_our_fonts_lack_is_refused_by_its_name(visitor: LintingClient, season: Cast) -> None:
    page = act(visitor, season.tiny, own_words="Be well \U00012000")
    assert page.status_code == 422
    assert "CUNEIFORM SIGN A" in page.get_data(as_text=True).upper()


@pytest.mark.parametrize("field", ["name", "address", "own_words", "message"])
def test_too_long_a_text_is_refused_and_kept(visitor: LintingClient, season: Cast, field: str) -> None:
    page = act(visitor, season.tiny, **{field: "long " * 1_700})
    assert page.status_code == 422
    assert "at most" in text_of(page)


def test_a_megabyte_of_text_is_413(app: Flask, visitor: LintingClient, season: Cast) -> None:
    form = fill_in(visitor, f"/cases/{season.tiny}/letter", message="x" * 1_000_000)
    assert visitor.post(f"/cases/{season.tiny}/letter", data=form).status_code == 413
    assert pledges_in(app) == 0


def test_markup_in_a_letter_is_text(visitor: LintingClient, season: Cast) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    for kind in ("letter", "email", "post"):
        page = act(visitor, season.tiny, kind, name=evil, own_words=evil, message=evil)
        assert "<script>alert" not in page.get_data(as_text=True)
        assert "<img src=x" not in page.get_data(as_text=True)


def test_braces_typed_by_a_visitor_mean_nothing(visitor: LintingClient, season: Cast) -> None:
    page = act(visitor, season.tiny, "email", message="Dear {person} {0} {own_words}")
    html = page.get_data(as_text=True)
    assert "Dear {person} {0} {own_words}" in html


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_from_another_site_is_refused(
    app: Flask, visitor: LintingClient, season: Cast, headers: dict[str, str]
) -> None:
    form = fill_in(visitor, f"/cases/{season.tiny}/letter")
    page = visitor.post(f"/cases/{season.tiny}/letter", data=form, headers=headers)
    assert page.status_code == 403
    assert pledges_in(app) == 0


def test_wrong_methods_and_wrong_types_get_pages_too(visitor: LintingClient, season: Cast) -> None:
    assert visitor.put(f"/cases/{season.tiny}/letter").status_code == 405
    assert visitor.get("/posted").status_code == 405
    page = visitor.post(f"/cases/{season.tiny}/letter", data=b"{}", content_type="application/json")
    assert page.status_code == 422


def test_an_unknown_ticket_is_told_plainly(visitor: LintingClient, season: Cast) -> None:
    assert visitor.get("/posted/nonsense").status_code == 404
    assert visitor.post("/posted", data={"ticket": "nonsense"}).status_code == 404
    assert visitor.post("/posted").status_code == 404
