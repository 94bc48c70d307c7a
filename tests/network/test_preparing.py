"""A mailing is written by one person and approved by another, always; what is approved is what is sent."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.network.mailings import make_issue
from tests.network.preparing import Desk, make_members, read, say
from wfr.cases.models import Case
from wfr.errors import NotAllowed, Refused
from wfr.extensions import db, transaction, utc_now
from wfr.network.audience import count_recipients
from wfr.network.models import IssueEditor, Mailing, MailingCase, MailingEditor, MailingState, Sort
from wfr.network.preparing import (
    Said,
    approve_mailing,
    begin_mailing,
    begin_news,
    change_mailing,
    return_mailing,
    submit_mailing,
    unschedule_mailing,
)
from wfr.network.progress import estimate_of
from wfr.staff.models import JOB, AuditEntry

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def desk(app: Flask) -> Desk:
    with app.app_context():
        return Desk()


@SQLITE
def test_an_issues_mailing_waits_for_review_at_once_and_who_issued_it_may_approve(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing = desk.urgent()
        assert (mailing.state, mailing.asks, mailing.case_id) == (MailingState.IN_REVIEW, True, desk.case_id)
        assert db.session.get(MailingCase, (mailing.id, desk.case_id)) is not None
        with pytest.raises(NotAllowed):
            approve_mailing(by=desk.wanda, mailing_id=mailing.id, revision=mailing.revision)
        approve_mailing(by=desk.rita, mailing_id=mailing.id, revision=mailing.revision)
        assert read(mailing.id).state == MailingState.APPROVED


@SQLITE
def test_whoever_changed_the_issue_or_the_mailing_cannot_approve_it(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing = desk.urgent()
        with transaction() as session:
            session.add(MailingEditor(mailing_id=mailing.id, account_id=desk.rita.account_id))
        with pytest.raises(NotAllowed):
            approve_mailing(by=desk.rita, mailing_id=mailing.id, revision=mailing.revision)
        change_mailing(by=desk.rosa, mailing_id=mailing.id, revision=1, said=Said("en", "Write for Ada", ""))
        submit_mailing(by=desk.wanda, mailing_id=mailing.id, revision=2)
        with pytest.raises(NotAllowed):
            approve_mailing(by=desk.rosa, mailing_id=mailing.id, revision=3)
        assert read(mailing.id).state == MailingState.IN_REVIEW


@SQLITE
def test_who_changed_the_issue_is_taken_over_as_editor(app: Flask, desk: Desk) -> None:
    with app.app_context():
        with transaction() as session:
            issue = make_issue(session.get_one(Case, desk.case_id))
            issue.changed_by = desk.wanda.account_id
            session.add(IssueEditor(issue_id=issue.id, account_id=desk.rosa.account_id))
            mailing = begin_mailing(session, by=desk.rita, sort=Sort.URGENT, issue=issue)
        editors = db.session.scalars(select(MailingEditor.account_id).where(MailingEditor.mailing_id == mailing.id))
        assert set(editors) == {desk.wanda.account_id, desk.rosa.account_id}


@SQLITE
def test_a_change_makes_a_draft_again_and_nobody_overwrites_what_they_have_not_seen(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing = desk.urgent()
        change_mailing(by=desk.wanda, mailing_id=mailing.id, revision=1, said=Said("en", "Write today", "Hurry."))
        assert (read(mailing.id).state, read(mailing.id).submitted_by) == (MailingState.DRAFT, None)
        with pytest.raises(Refused):
            change_mailing(by=desk.rita, mailing_id=mailing.id, revision=1, said=Said("en", "Mine", ""))
        words = say(mailing.id)
        assert words is not None and (words.subject, words.words) == ("Write today", "Hurry.")


@SQLITE
def test_a_language_can_be_left_out_but_not_the_last_one(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.urgent().id
        change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=1, said=Said("en", "", ""))
        assert say(mailing_id) is None and say(mailing_id, "fr") is not None
        with pytest.raises(Refused, match="only language"):
            change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=2, said=Said("fr", "", ""))


@SQLITE
def test_what_was_approved_is_kept_and_taking_it_back_lets_it_go(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.urgent().id
        hour = utc_now() + timedelta(days=1)
        approve_mailing(by=desk.rita, mailing_id=mailing_id, revision=1, start_at=hour)
        words = say(mailing_id, "fr")
        assert words is not None and "poème" in (words.text or "") and "poème" in (words.html or "")
        assert read(mailing_id).start_at == hour
        with pytest.raises(Refused):
            change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=2, said=Said("en", "Later", ""))
        unschedule_mailing(by=desk.wanda, mailing_id=mailing_id, revision=2)
        words, mailing = say(mailing_id, "fr"), read(mailing_id)
        assert words is not None and words.text is None
        assert (mailing.state, mailing.start_at, mailing.approved_by) == (MailingState.IN_REVIEW, None, None)


@SQLITE
def test_nothing_is_approved_for_an_hour_that_has_passed_or_of_a_withdrawn_case(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.urgent().id
        with pytest.raises(Refused, match="hour has passed"):
            approve_mailing(by=desk.rita, mailing_id=mailing_id, revision=1, start_at=utc_now() - timedelta(minutes=1))
        desk.withdraw()
        with pytest.raises(Refused, match="withdrawn"):
            approve_mailing(by=desk.rita, mailing_id=mailing_id, revision=1)


@SQLITE
def test_news_are_for_followers_and_go_out_only_when_they_say_something(app: Flask, desk: Desk) -> None:
    with app.app_context():
        make_members(2, follow=desk.case_id)
        make_members(3, prefix="other")
        mailing_id = begin_news(by=desk.wanda, case_id=desk.case_id)
        assert (read(mailing_id).state, read(mailing_id).asks) == (MailingState.DRAFT, False)
        assert count_recipients(db.session, read(mailing_id)) == 2
        change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=1, said=Said("en", "News of Ada", ""))
        with pytest.raises(Refused, match="write what it says"):
            submit_mailing(by=desk.wanda, mailing_id=mailing_id, revision=2)
        change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=2, said=Said("en", "News of Ada", "She is home."))
        change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=3, said=Said("fr", "", ""))
        submit_mailing(by=desk.wanda, mailing_id=mailing_id, revision=4)
        return_mailing(by=desk.rita, mailing_id=mailing_id, revision=5, words="Say where she is.")
        assert (read(mailing_id).state, read(mailing_id).note) == (MailingState.DRAFT, "Say where she is.")


@SQLITE
def test_a_digest_that_proposed_itself_has_no_editor_until_somebody_changes_it(app: Flask, desk: Desk) -> None:
    with app.app_context():
        with transaction() as session:
            mailing_id = begin_mailing(session, by=JOB, sort=Sort.MONTHLY).id
        with pytest.raises(Refused, match="Write what it says"):
            submit_mailing(by=desk.wanda, mailing_id=mailing_id, revision=1)
        change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=1, said=Said("en", "This month", "Ada is free."))
        submit_mailing(by=desk.wanda, mailing_id=mailing_id, revision=2)
        with pytest.raises(NotAllowed):
            approve_mailing(by=desk.wanda, mailing_id=mailing_id, revision=3)
        approve_mailing(by=desk.rita, mailing_id=mailing_id, revision=3)


@SQLITE
def test_the_estimate_is_what_starting_makes(app: Flask, desk: Desk) -> None:
    with app.app_context():
        make_members(3, language="fr", prefix="fr")
        make_members(1, language="de", second_language="fr", prefix="de")
        make_members(2, language="zh", prefix="zh")
        estimate = estimate_of(desk.urgent())
        assert estimate.languages == [("fr", 4), ("en", 2)]
        assert (estimate.recipients, estimate.duration) == (6, None)


@SQLITE
def test_the_trail_names_no_words_and_no_address(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.urgent().id
        change_mailing(by=desk.wanda, mailing_id=mailing_id, revision=1, said=Said("en", "Hurry", "Secret words."))
        submit_mailing(by=desk.wanda, mailing_id=mailing_id, revision=2)
        approve_mailing(by=desk.rita, mailing_id=mailing_id, revision=3)
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
        done = [entry.what for entry in entries if entry.thing == f"mailing:{mailing_id}"]
        assert done == ["mailing.begun", "mailing.changed", "mailing.submitted", "mailing.approved"]
        assert not [entry for entry in entries if "Secret" in f"{entry.before}{entry.after}"]


def test_of_two_who_approve_at_once_one_does(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing = desk.urgent()
    together, answers = threading.Barrier(2), []

    def approve(by: object) -> None:
        with app.app_context():
            together.wait()
            try:
                approve_mailing(by=by, mailing_id=mailing.id, revision=1)  # type: ignore[arg-type]
                answers.append("approved")
            except Refused:
                answers.append("refused")
            finally:
                db.session.remove()

    people = [threading.Thread(target=approve, args=(by,)) for by in (desk.rita, desk.rosa)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert sorted(answers) == ["approved", "refused"]
    with app.app_context():
        assert db.session.get_one(Mailing, mailing.id).revision == 2
