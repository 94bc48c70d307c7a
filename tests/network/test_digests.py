"""Digests compose themselves, once each, of what may be shown and nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import Cast, make_case
from tests.network.mailings import SCRIPTS, make_issue, make_urgent_case, say_in, words_in
from wfr.cases.models import Case, CaseStatus, CaseUpdate, UpdateKind
from wfr.cases.queries import today
from wfr.extensions import db, kept, settings, utc_now
from wfr.network.composing import compose
from wfr.network.digests import propose_digests
from wfr.network.models import Mailing, MailingCase, MailingState, Sort

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def first_of_month() -> date:
    """Return a first of a month near today that is no Monday, Tuesday or Wednesday; cases are made to fit it."""
    day = today().replace(day=1)
    while day < today() or day.isoweekday() <= 3:
        day = (day + timedelta(days=32)).replace(day=1)
    return day


def next_monday() -> date:
    """Return the Monday to come that is not among the first days of a month."""
    day = today() + timedelta(days=8 - today().isoweekday())
    return day if day.day > 3 else day + timedelta(days=7)


def proposed(sort: Sort) -> Mailing:
    """Return the digest of a sort that was proposed last."""
    found = db.session.scalars(select(Mailing).where(Mailing.sort == sort).order_by(Mailing.id.desc())).first()
    assert found is not None
    return found


def cases_of(mailing: Mailing) -> set[str]:
    """Return the slugs of the cases that a digest names."""
    found = select(Case.slug).join(MailingCase, MailingCase.case_id == Case.id)
    return set(db.session.scalars(found.where(MailingCase.mailing_id == mailing.id)))


@pytest.fixture
def monday(app: Flask) -> date:
    """A Monday on which there are Urgent Actions and news of every sort."""
    day = next_monday()
    with app.app_context():
        for number in range(6):
            end = day + timedelta(days=10 - number)
            case = make_urgent_case(f"open-{number}", f"Open {number}", deadline=end, as_it_stood=None)
            make_issue(case, f"UA {number}/26")
        make_urgent_case("not-issued", "Not Issued", deadline=day)
        for slug, name, changes in (
            ("hidden", "Hidden From Feeds", {"feeds": False}),
            ("paused", "Paused Now", {"status": CaseStatus.PAUSED}),
            ("withdrawn", "With Drawn", {"status": CaseStatus.WITHDRAWN}),
            ("closed", "Closed *Down*", {"status": CaseStatus.CLOSED, "status_at": utc_now()}),
        ):
            case = make_case(None, slug, name, deadline=day + timedelta(days=1), **changes)
            make_issue(case, f"UA {slug}")
            case.updates = [CaseUpdate(dated=day - timedelta(days=2), text=f"News of {slug}. [Z1]")]
        doctor = db.session.scalars(select(Case).where(Case.slug == "open-1")).one()
        doctor.updates.append(
            CaseUpdate(dated=day - timedelta(days=3), kind=UpdateKind.GOOD_NEWS, text="She may see a doctor.")
        )
        db.session.commit()
    return day


def test_a_week_tells_what_is_urgent_and_what_is_new(app: Flask, monday: date) -> None:
    with app.app_context():
        assert propose_digests(monday) == 1
        mailing = proposed(Sort.WEEKLY)
        words = words_in(mailing)
        assert (mailing.state, mailing.begun_by, mailing.asks) == (MailingState.DRAFT, None, True)
        assert mailing.occasion == f"weekly:{monday:%G-W%V}"
        assert words.subject == "Write this week: Open 5, Open 4 and others"
        assert cases_of(mailing) == {"open-5", "open-4", "open-3", "open-2", "open-1", "closed"}
        text = compose(db.session, mailing, "en").text
    order = ["Write for them now", "Open 5, Togo", "Open 1, Togo", "What is new", "Closed *Down*", "News of closed."]
    order += ["Good news", "She may see a doctor.", "One more way to help"]
    places = [text.find(words) for words in order]
    assert -1 not in places and places == sorted(places), list(zip(order, places, strict=True))
    assert "http://127.0.0.1:8000/urgent-actions/open-5\n" in text
    for name in ("Hidden", "Paused", "Drawn", "Not Issued", "Open 0", "[Z1]"):
        assert name not in text


def test_old_words_say_how_old_they_are_and_news_go_before_them(app: Flask) -> None:
    """Nobody is asked to write for somebody who is free since."""
    day = next_monday()
    with app.app_context():
        for slug, kind, dated in (
            ("freed", UpdateKind.GOOD_NEWS, date(2021, 6, 30)),
            ("moved", UpdateKind.NEWS, day - timedelta(days=1)),
            ("waiting", UpdateKind.NEWS, date(2020, 11, 1)),
        ):
            case = make_urgent_case(slug, slug.title(), deadline=day + timedelta(days=5))
            case.updates = [CaseUpdate(dated=dated, kind=kind, text=f"News of {slug}.")]
            make_issue(case, f"UA {slug}")
        db.session.commit()
        assert propose_digests(day) == 1
        mailing = proposed(Sort.WEEKLY)
        text, words = compose(db.session, mailing, "en").text, words_in(mailing).words
        assert cases_of(mailing) == {"moved", "waiting"}
    assert "Freed" not in text and text.count("News of moved.") == 1 and "What is new" not in text
    assert text.count("Held for a poem") == 1
    stood = "\\\nAs it stood in November 2020\\\nHeld for a poem about a river\\\nWrite before "
    assert f"/waiting)**, Togo{stood}" in words


def test_each_digest_is_proposed_once(app: Flask, monday: date) -> None:
    with app.app_context():
        assert [propose_digests(monday + timedelta(days=days)) for days in (0, 0, 1, 3)] == [1, 0, 0, 0]


def test_a_day_on_which_nothing_ran_is_made_up_for(app: Flask, monday: date) -> None:
    with app.app_context():
        assert propose_digests(monday + timedelta(days=2)) == 1


def test_a_week_with_nothing_to_tell_is_left_out_and_a_month_has_its_story(app: Flask, season: Cast) -> None:
    with app.app_context():
        for case in db.session.scalars(select(Case)):
            case.status = CaseStatus.CLOSED
        db.session.commit()
        kept().forget("shelf")
        assert propose_digests(next_monday()) == 0
        day = first_of_month()
        assert propose_digests(day) == 1
        mailing = proposed(Sort.MONTHLY)
        assert mailing.occasion == f"monthly:{day:%Y-%m}" and not mailing.asks
        words = words_in(mailing)
        assert "Nadia Reed" in words.words and "Free after 300 letters." in words.words
        assert words.subject == f"{day:%B %Y}: whom you can write for now"
        assert cases_of(mailing) == set()


def test_the_ways_to_help_take_turns(app: Flask, monday: date) -> None:
    with app.app_context():
        ways = []
        for week in range(2):
            assert propose_digests(monday + timedelta(days=7 * week)) >= 1
            ways.append(words_in(proposed(Sort.WEEKLY)).words.rpartition("## One more way to help")[2])
    assert len(set(ways)) == 2
    assert "[http://127.0.0.1:8000/network](http://127.0.0.1:8000/network)" in ways[1]
    assert "this mail" not in "".join(ways), "whoever has it has its reader's links"


def test_a_digest_has_words_in_each_language_of_the_site(app: Flask, monday: date) -> None:
    with app.app_context():
        app.extensions["wfr.settings"] = settings().model_copy(update={"languages": ["en", "fr"]})
        say_in(db.session.scalars(select(Case).where(Case.slug == "open-5")).one(), "fr", *SCRIPTS["fr"])
        db.session.commit()
        propose_digests(monday)
        mailing = proposed(Sort.WEEKLY)
        words = words_in(mailing, "fr").words
    assert "Open 5" in words and "Togo" in words
    assert "\n\nDétenue pour un poème\n\nWrite before " in words, "what is in another language stands apart"
