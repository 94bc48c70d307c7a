"""Issuing: what one has written another issues; what is issued never changes; an outcome ends the chain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.network.sending import locks
from tests.network.urgent import People, issue, issued, make_people, make_urgent, publish_words, say_outcome
from wfr.cases.drafting import NewCase, add_editor
from wfr.cases.models import Case, CaseStatus, CaseVersion
from wfr.cases.publishing import shown_version
from wfr.cases.queries import today
from wfr.errors import NotAllowed, Refused
from wfr.extensions import db, transaction
from wfr.network import issuing
from wfr.network.interests import Concern
from wfr.network.issuing import IssuePlan, NewUrgentAction
from wfr.network.models import Mailing, MailingState, Sort, UrgentAction, UrgentIssue
from wfr.network.preparing import approve_mailing
from wfr.network.urgent_desk_queries import chain_at_desk
from wfr.network.urgent_queries import issues_of, next_number, ordinal_words, urgent_of
from wfr.staff.models import AuditEntry

SLUG = "ada-vale"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def people(app: Flask) -> Iterator[People]:
    """Three people at the desk, in an app's context."""
    with app.app_context():
        yield make_people()


def plan(**changes: object) -> IssuePlan:
    values = {"index_number": "AFR 57/0002/2026", "write_before": today() + timedelta(days=21)}
    return IssuePlan(**{**values, "concern": Concern.EXPRESSION, **changes})  # type: ignore[arg-type]


def mailings() -> list[Mailing]:
    return list(db.session.scalars(select(Mailing).order_by(Mailing.id)))


def test_a_first_ua_freezes_its_words_and_begins_its_mailing(people: People) -> None:
    case = make_urgent(people)
    mailing_id = issue(people.reviewer, SLUG)
    found = issued(SLUG)
    assert (found.issued_on, found.issued_by, found.version) == (today(), people.reviewer.account_id, 1)
    assert found.document is not None and found.document["name"] == "Ada Vale"
    for words in ("ada vale", "afr 57/0001/2026", "togo", "poem", "minister of justice", "freedom of expression"):
        assert words in found.words
    assert "z1" not in found.words
    (mailing,) = mailings()
    assert mailing.id == mailing_id and mailing.sort == Sort.URGENT and mailing.asks
    assert mailing.issue_id == found.id and mailing.case_id == case.id
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.what == "urgent.issued")).one()
    assert entry.account_id == people.reviewer.account_id and entry.after["version"] == 1


@ON_SQLITE
def test_nobody_issues_what_they_have_written(people: People) -> None:
    case = make_urgent(people)
    issuing.change_issue(by=people.reviewer, slug=SLUG, ordinal=1, plan=plan())
    with pytest.raises(NotAllowed, match="Somebody else"):
        issue(people.reviewer, SLUG)
    with pytest.raises(NotAllowed, match="another role"):
        issue(people.writer, SLUG)
    # Who wrote the words since they were last approved may not issue them either, whoever made the issue.
    publish_words(People(people.other, people.other, people.other), case)
    with pytest.raises(NotAllowed, match="Somebody else"):
        issue(people.other, SLUG)
    assert not mailings() and issued(SLUG).issued_at is None


@ON_SQLITE
def test_who_wrote_an_earlier_version_may_issue_a_later_one(people: People) -> None:
    case = make_urgent(people)
    publish_words(People(people.other, people.other, people.other), case)
    publish_words(people, case)
    issue(people.other, SLUG)
    assert issued(SLUG).version == 3


@ON_SQLITE
def test_what_stands_in_the_way_is_said_in_words(people: People) -> None:
    case = make_urgent(people)
    later = today() + timedelta(days=30)
    issuing.change_issue(by=people.writer, slug=SLUG, ordinal=1, plan=plan(write_before=later))
    with pytest.raises(Refused, match="They must say the same day"):
        issue(people.reviewer, SLUG)
    issuing.change_issue(by=people.writer, slug=SLUG, ordinal=1, plan=plan(write_before=None))
    with pytest.raises(Refused, match="Give the day to write before"):
        issue(people.reviewer, SLUG)
    issuing.change_issue(by=people.writer, slug=SLUG, ordinal=1, plan=plan())
    case = db.session.get_one(Case, case.id)
    case.status = CaseStatus.PAUSED
    db.session.commit()
    with pytest.raises(Refused, match="not public"):
        issue(people.reviewer, SLUG)
    case.status, case.consent_ends = CaseStatus.PUBLISHED, today() - timedelta(days=1)
    db.session.commit()
    with pytest.raises(Refused, match="consent has ended"):
        issue(people.reviewer, SLUG)
    case.consent_ends, case.feeds = None, False
    db.session.commit()
    with pytest.raises(Refused, match="does not cover what leaves the site"):
        issue(people.reviewer, SLUG)
    case.feeds = True
    db.session.commit()
    issue(people.reviewer, SLUG)


@ON_SQLITE
def test_a_deadline_that_has_passed_is_not_issued(people: People) -> None:
    make_urgent(people, deadline=today() - timedelta(days=1))
    with pytest.raises(Refused, match="has passed"):
        issue(people.reviewer, SLUG)


@ON_SQLITE
def test_nobody_issues_what_changed_since_they_looked(people: People) -> None:
    case = make_urgent(people)
    seen = chain_at_desk(SLUG).seen
    publish_words(people, case)
    with pytest.raises(Refused, match="moved on"):
        issuing.issue(by=people.reviewer, slug=SLUG, ordinal=1, seen=seen)
    seen = chain_at_desk(SLUG).seen
    issuing.change_issue(by=people.writer, slug=SLUG, ordinal=1, plan=plan(index_number="another"))
    with pytest.raises(Refused, match="moved on"):
        issuing.issue(by=people.reviewer, slug=SLUG, ordinal=1, seen=seen)


@ON_SQLITE
def test_an_issued_issue_never_changes(people: People) -> None:
    case = make_urgent(people)
    issue(people.reviewer, SLUG)
    before = issued(SLUG).document
    for verb in (
        lambda: issuing.change_issue(by=people.writer, slug=SLUG, ordinal=1, plan=plan()),
        lambda: issuing.issue(by=people.reviewer, slug=SLUG, ordinal=1, seen=""),
    ):
        with pytest.raises(Refused, match="never changes"):
            verb()
    db.session.get_one(Case, case.id).texts[0].headline = "Other words"
    db.session.commit()
    publish_words(people, case)
    assert issued(SLUG).document == before


def test_an_outcome_closes_the_case_and_stops_what_still_asks(people: People) -> None:
    case = make_urgent(people)
    first = issue(people.reviewer, SLUG)
    db.session.get_one(Mailing, first).state = MailingState.RUNNING
    db.session.commit()
    assert issuing.begin_issue(by=people.writer, slug=SLUG, outcome=True) == 2
    with pytest.raises(Refused, match="no update of the kind"):
        issue(people.reviewer, SLUG, 2)
    assert db.session.get_one(Case, case.id).status == CaseStatus.PUBLISHED
    say_outcome(people, db.session.get_one(Case, case.id))
    second = issue(people.reviewer, SLUG, 2)
    closed = db.session.get_one(Case, case.id, populate_existing=True)
    assert closed.status == CaseStatus.CLOSED and closed.status_reason == "No further action is requested"
    stopped, told = db.session.get_one(Mailing, first, populate_existing=True), db.session.get_one(Mailing, second)
    assert (stopped.state, stopped.why) == (MailingState.STOPPED, "closed")
    assert told.sort == Sort.OUTCOME and not told.asks and told.state != MailingState.STOPPED
    assert issued(SLUG, 2).write_before is None and "by her river" in issued(SLUG, 2).words
    with pytest.raises(Refused, match="has ended"):
        issuing.begin_issue(by=people.writer, slug=SLUG)


@ON_SQLITE
def test_mailings_are_locked_before_the_audit_trail_as_whoever_steers_them_does(people: People) -> None:
    """In another order than everybody else's, two of them would wait for each other."""
    case = make_urgent(people)
    issue(people.reviewer, SLUG)
    issuing.begin_issue(by=people.writer, slug=SLUG, outcome=True)
    say_outcome(people, db.session.get_one(Case, case.id))
    with locks() as locked:
        issue(people.reviewer, SLUG, 2)
    assert locked.index("mailings") < locked.index("audit_head")


@ON_SQLITE
def test_an_outcome_may_follow_a_case_that_was_closed_or_has_expired(people: People) -> None:
    case = make_urgent(people)
    issue(people.reviewer, SLUG)
    issuing.begin_issue(by=people.writer, slug=SLUG, outcome=True)
    say_outcome(people, db.session.get_one(Case, case.id))
    closed = db.session.get_one(Case, case.id)
    closed.status, closed.deadline = CaseStatus.CLOSED, today() - timedelta(days=9)
    db.session.commit()
    issue(people.reviewer, SLUG, 2)
    assert [each.ordinal for each in issues_of(db.session, case.id)] == [1, 2]


@ON_SQLITE
def test_there_is_one_draft_at_a_time_and_it_may_turn_into_the_outcome(people: People) -> None:
    make_urgent(people)
    with pytest.raises(Refused, match="draft of the next issue already"):
        issuing.begin_issue(by=people.writer, slug=SLUG)
    with pytest.raises(Refused, match="cannot be the last"):
        issuing.change_issue(by=people.writer, slug=SLUG, ordinal=1, plan=plan(outcome=True))
    issue(people.reviewer, SLUG)
    issuing.begin_issue(by=people.writer, slug=SLUG)
    issuing.change_issue(by=people.writer, slug=SLUG, ordinal=2, plan=plan(outcome=True))
    assert issued(SLUG, 2).outcome and issued(SLUG, 2).write_before is None


@ON_SQLITE
def test_saving_what_is_there_makes_nobody_an_editor(people: People) -> None:
    make_urgent(people)
    same = plan(index_number="AFR 57/0001/2026")
    issuing.change_issue(by=people.reviewer, slug=SLUG, ordinal=1, plan=same)
    issue(people.reviewer, SLUG)


@ON_SQLITE
def test_an_urgent_action_begins_whole_or_not_at_all(people: People) -> None:
    day = today() + timedelta(days=14)
    new = NewCase("nadia-reed", "Nadia Reed", "TG", None, "fr", day)
    issuing.begin_urgent_action(by=people.writer, new=NewUrgentAction(new, "UA 12/26", Concern.TORTURE))
    case = db.session.scalars(select(Case).where(Case.slug == "nadia-reed")).one()
    action = urgent_of(case.id)
    assert case.season_id is None and case.status == CaseStatus.DRAFT and action is not None
    version = db.session.scalars(select(CaseVersion).where(CaseVersion.case_id == case.id)).one()
    assert version.document["deadline"] == day.isoformat() and list(version.document["texts"]) == ["fr"]
    assert issued("nadia-reed").write_before == day and not issues_of(db.session, case.id)
    other = NewCase("omar-sand", "Omar Sand", "TG", None)
    with pytest.raises(Refused, match="this number"):
        issuing.begin_urgent_action(by=people.writer, new=NewUrgentAction(other, "UA 12/26", Concern.TORTURE))
    with pytest.raises(Refused, match="at this address"):
        issuing.begin_urgent_action(by=people.writer, new=NewUrgentAction(new, "UA 13/26", Concern.TORTURE))
    assert db.session.query(Case).count() == 1 and db.session.query(UrgentAction).count() == 1


@ON_SQLITE
def test_the_next_number_of_a_year_is_suggested(people: People) -> None:
    assert next_number(2026) == "UA 1/26"
    for slug, number in (("a", "UA 9/26"), ("b", "UA 12/26"), ("c", "UA 99/25"), ("d", "odd/26"), ("e", "UA100/26x")):
        make_urgent(people, slug, number=number)
    assert next_number(2026) == "UA 13/26" and next_number(2025) == "UA 100/25"


@ON_SQLITE
def test_issues_are_counted_in_words(app: Flask) -> None:
    with app.test_request_context():
        words = [ordinal_words(UrgentIssue(ordinal=number)) for number in (1, 2, 10, 11, 20, 21)]
    assert words == ["First UA", "Second UA", "Tenth UA", "11th UA", "20th UA", "UA issue 21"]


@ON_SQLITE
def test_the_concern_chooses_who_is_written_to_and_stays_as_the_first_ua_said_it(people: People) -> None:
    make_urgent(people, SLUG)
    issuing.change_issue(by=people.writer, slug=SLUG, ordinal=1, plan=plan(concern=Concern.TORTURE))
    issue(people.reviewer, SLUG)
    issuing.begin_issue(by=people.writer, slug=SLUG)
    with pytest.raises(Refused, match="concern"):
        issuing.change_issue(by=people.writer, slug=SLUG, ordinal=2, plan=plan(concern=Concern.EVICTION))
    assert db.session.scalars(select(UrgentAction.concern)).one() == Concern.TORTURE


@ON_SQLITE
def test_who_wrote_the_words_of_the_case_cannot_approve_the_mailing_that_carries_them(people: People) -> None:
    case = make_urgent(people, SLUG)
    with transaction() as session:
        version = shown_version(session, case)
        assert version
        add_editor(session, people.other, version)
    mailing = db.session.get_one(Mailing, issue(people.reviewer, SLUG), populate_existing=True)
    with pytest.raises(NotAllowed):
        approve_mailing(by=people.other, mailing_id=mailing.id, revision=mailing.revision)
