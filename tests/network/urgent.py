"""Invented Urgent Actions, written by one and issued by another, as the verbs leave them. All need an app context."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from tests.factories import make_case
from tests.staffing import make_account
from wfr.cases.documents import document_of
from wfr.cases.drafting import add_editor, add_version
from wfr.cases.models import Case, CaseUpdate, CaseVersion, UpdateKind, VersionState
from wfr.cases.queries import today
from wfr.extensions import db, transaction, utc_now
from wfr.network import issuing
from wfr.network.interests import Concern
from wfr.network.models import IssueEditor, UrgentAction, UrgentIssue
from wfr.network.urgent_desk_queries import chain_at_desk
from wfr.staff.models import Account, Actor, Role

LONG = "María del Rosario Fernández de la Vega and the People of Tierra Alta"
ARABIC = "نسيمة السادة"


@dataclass(frozen=True, slots=True)
class People:
    """Who writes, who issues, and a second reviewer."""

    writer: Actor
    reviewer: Actor
    other: Actor


def make_people() -> People:
    """Store three accounts."""
    accounts = (make_account("Wanda"), make_account("Rita", Role.REVIEWER), make_account("Otto", Role.REVIEWER))
    return People(*(Actor(account.id) for account in accounts))


def make_urgent(people: People, slug: str = "ada-vale", name: str = "Ada Vale", **changes: Any) -> Case:
    """Store a published Urgent Action with the draft of its First UA; `number` and `concern` may be given."""
    number, concern = changes.pop("number", f"UA 1/{slug[:8]}"), changes.pop("concern", Concern.EXPRESSION)
    deadline = changes.pop("deadline", today() + timedelta(days=21))
    case = make_case(None, slug, name, deadline=deadline, **changes)
    case.targets[0].languages = ["fr", "en"]
    case.targets[0].embassies = {"DE": ["Embassy of Togo", "1 Long Street", "10115 Berlin"]}
    db.session.commit()
    publish_words(people, case)
    action = UrgentAction(case_id=case.id, number=number, concern=concern)
    db.session.add(action)
    db.session.flush()
    draft = UrgentIssue(action_id=action.id, ordinal=1, index_number="AFR 57/0001/2026", write_before=deadline)
    db.session.add(draft)
    db.session.flush()
    db.session.add(IssueEditor(issue_id=draft.id, account_id=people.writer.account_id))
    db.session.commit()
    return case


def publish_words(people: People, case: Case) -> CaseVersion:
    """Make what a case says its next published version, written by the writer."""
    with transaction() as session:
        version = add_version(session, people.writer, case, document_of(case), based_on=None)
        add_editor(session, people.writer, version)
        version.state, version.published_at = VersionState.PUBLISHED, utc_now()
    return version


def say_outcome(people: People, case: Case, text: str = "She is at home by her river. [Z9]") -> None:
    """Publish an update that says what came of a case."""
    case.updates.append(CaseUpdate(dated=today(), kind=UpdateKind.OUTCOME, text=text))
    db.session.commit()
    publish_words(people, case)


def issue(by: Actor, slug: str, ordinal: int = 1) -> int:
    """Issue the draft of an Urgent Action as it stands now."""
    return issuing.issue(by=by, slug=slug, ordinal=ordinal, seen=chain_at_desk(slug).seen)


def issued(slug: str, ordinal: int = 1) -> UrgentIssue:
    """Return an issue as the database has it."""
    db.session.expire_all()
    found = select(UrgentIssue).join(UrgentAction).join(Case, Case.id == UrgentAction.case_id)
    return db.session.scalars(found.where(Case.slug == slug, UrgentIssue.ordinal == ordinal)).one()


def set_day(slug: str, day: date, ordinal: int = 1) -> None:
    """Move the day on which an issue was issued."""
    found = issued(slug, ordinal)
    found.issued_on = day
    db.session.commit()


def forget(app: Flask) -> None:
    """Let the next visitor be shown what is true now."""
    kept = app.extensions["wfr.kept"]
    kept.keep_newest("", 1)
    for name in list(kept._entries):
        kept.forget(name)
    app.extensions["wfr.page_cache"].forget()


def account_of(actor: Actor) -> Account:
    """Return the account that acts."""
    return db.session.get_one(Account, actor.account_id)
