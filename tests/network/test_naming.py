"""Whom the words of a mailing name is noted with it, so that it stops when that case may not be told of any more."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import make_case
from tests.network.preparing import Desk, read
from wfr.cases.models import Case, CaseStatus
from wfr.errors import Refused
from wfr.extensions import db, transaction
from wfr.network.models import MailingCase, MailingWords
from wfr.network.preparing import Said, approve_mailing, begin_news, change_mailing, submit_mailing
from wfr.share.codes import ShareCode

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NAME = "María del Rosario Sand"


def another(**changes: object) -> Case:
    """Store a second case; return it."""
    case = make_case(None, "rosario-sand", NAME, **changes)
    db.session.commit()
    return case


def save(desk: Desk, mailing_id: int, words: str, language: str = "en") -> set[str]:
    """Save words, and return the slugs of the cases that the mailing speaks of then."""
    said = Said(language, "News of Ada Vale", words)
    change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=read(mailing_id).revision, said=said)
    found = select(Case.slug).join(MailingCase, MailingCase.case_id == Case.id)
    return set(db.session.scalars(found.where(MailingCase.mailing_id == mailing_id)))


@pytest.mark.parametrize(
    "words",
    [
        "Read [this](https://example.org/cases/rosario-sand/letter?a=1).",
        "See /URGENT-ACTIONS/Rosario%2DSand.",
        "And María del\nRosario Sand’s sister.",
        "她给María del Rosario Sand写信。",
        "**Mari\u0301a del Rosario Sand**",
    ],
)
def test_a_case_that_is_linked_or_named_belongs_to_the_mailing_in_any_language(app: Flask, words: str) -> None:
    with app.app_context():
        desk = Desk()
        another()
        mailing_id = begin_news(by=desk.wanda, case_id=desk.case_id)
        assert save(desk, mailing_id, words, "fr") == {"ada-vale", "rosario-sand"}
        assert save(desk, mailing_id, "Nothing of her.", "fr") == {"ada-vale", "rosario-sand"}


@pytest.mark.parametrize("words", [f"{NAME}oval", "Rosario Sand", "/cases/rosario", "/cases/nobody"])
def test_other_words_name_nobody(app: Flask, words: str) -> None:
    with app.app_context():
        desk = Desk()
        another()
        mailing_id = begin_news(by=desk.wanda, case_id=desk.case_id)
        assert save(desk, mailing_id, words) == {"ada-vale"}


@pytest.mark.parametrize("words", [f"Write for {NAME}!", "See /cases/rosario-sand."])
@pytest.mark.parametrize("changes", [{"feeds": False}, {"status": CaseStatus.WITHDRAWN}, {"status": CaseStatus.PAUSED}])
def test_words_about_a_case_that_may_not_be_told_of_are_refused(
    app: Flask, changes: dict[str, object], words: str
) -> None:
    with app.app_context():
        desk = Desk()
        another(**changes)
        mailing_id = begin_news(by=desk.wanda, case_id=desk.case_id)
        with pytest.raises(Refused, match="may not be told of"):
            save(desk, mailing_id, words)
        assert save(desk, mailing_id, "Nothing of her.") == {"ada-vale"}


@pytest.mark.parametrize("sharer", [0, 7])
def test_a_share_link_is_refused_as_it_hides_its_case(app: Flask, sharer: int) -> None:
    with app.app_context():
        desk = Desk()
        code = ShareCode(another().id, "email", sharer).text
        mailing_id = begin_news(by=desk.wanda, case_id=desk.case_id)
        with pytest.raises(Refused, match="case’s own address"):
            save(desk, mailing_id, f"Look: https://example.org/s/{code.upper()}.")
        assert save(desk, mailing_id, f"Look: https://example.org/s/{code[::-1]}.") == {"ada-vale"}


def test_a_draft_is_known_by_its_link_alone(app: Flask) -> None:
    with app.app_context():
        desk = Desk()
        another(status=CaseStatus.DRAFT)
        mailing_id = begin_news(by=desk.wanda, case_id=desk.case_id)
        assert save(desk, mailing_id, NAME) == {"ada-vale"}
        with pytest.raises(Refused, match="may not be told of"):
            save(desk, mailing_id, "/cases/rosario-sand")


def test_words_are_looked_at_again_when_they_are_fixed(app: Flask) -> None:
    with app.app_context():
        desk = Desk()
        mailing_id = begin_news(by=desk.wanda, case_id=desk.case_id)
        save(desk, mailing_id, "Nothing of her.")
        submit_mailing(by=desk.wanda, mailing_id=mailing_id, revision=read(mailing_id).revision)
        with transaction() as session:
            session.get_one(MailingWords, (mailing_id, "en")).words = "/cases/rosario-sand"
        case = another(feeds=False)
        with pytest.raises(Refused, match="may not be told of"):
            approve_mailing(by=desk.rosa, mailing_id=mailing_id, revision=read(mailing_id).revision)
        with transaction() as session:
            session.get_one(Case, case.id).feeds = True
        approve_mailing(by=desk.rosa, mailing_id=mailing_id, revision=read(mailing_id).revision)
        assert db.session.get(MailingCase, (mailing_id, case.id)) is not None
