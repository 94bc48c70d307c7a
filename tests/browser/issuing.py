"""The desk's part of the walk, as a program of its own: an Urgent Action gets its next issue, which is mailed.

Everything goes the way that the desk's pages go: two people, a consent, the verbs; the mailing is left to the queue of
the program under test. It stands apart because a walk in a browser cannot hold the program's database open meanwhile.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from wfr import create_app
from wfr.cases import consenting, drafting, publishing, reviewing
from wfr.cases.consenting import ConsentGiven
from wfr.cases.documents import CaseDocument, UpdateDocument
from wfr.cases.models import Case, Consenter, UpdateKind
from wfr.cases.queries import today
from wfr.extensions import db
from wfr.network import issuing, preparing
from wfr.network.interests import Concern
from wfr.network.issuing import IssuePlan
from wfr.network.models import Mailing
from wfr.network.urgent_desk_queries import chain_at_desk
from wfr.staff.models import Account, Actor


def issue_update(slug: str, news: str) -> None:
    """Publish an update of a case, issue it as the next of its Urgent Action, and approve its mailing."""
    writer, reviewer, chief = (Actor(_account(name)) for name in ("writer", "reviewer", "coordinator"))
    _publish(writer, reviewer, chief, slug, news)
    ordinal = issuing.begin_issue(by=writer, slug=slug)
    deadline = db.session.query(Case).filter_by(slug=slug).one().deadline
    plan = IssuePlan("DEMO 01/0003", deadline, Concern.DEFENDERS)
    issuing.change_issue(by=writer, slug=slug, ordinal=ordinal, plan=plan)
    mailing_id = issuing.issue(by=reviewer, slug=slug, ordinal=ordinal, seen=chain_at_desk(slug).seen)
    mailing = db.session.get_one(Mailing, mailing_id, populate_existing=True)
    preparing.approve_mailing(by=chief, mailing_id=mailing_id, revision=mailing.revision)


def _publish(writer: Actor, reviewer: Actor, chief: Actor, slug: str, news: str) -> None:
    case = db.session.query(Case).filter_by(slug=slug).one()
    given = ConsentGiven(
        given_by=Consenter.FAMILY,
        name=case.name,
        photograph=True,
        story=True,
        kinds=list(case.kinds),
        schools=False,
        feeds=True,
        on_x=False,
        ends=today() + timedelta(days=90),
        evidence="file 7",
        checked_on=today(),
    )
    consenting.record_consent(by=writer, slug=slug, given=given)
    drafting.begin_draft(by=writer, slug=slug)
    draft = drafting.newest_version(db.session, case)
    document = CaseDocument.model_validate(draft.document)
    document.updates.append(UpdateDocument(kind=UpdateKind.GOOD_NEWS, dated=today(), text=news))
    draft = drafting.save_draft(by=writer, slug=slug, revision=draft.revision, document=document)
    reviewing.submit(by=writer, slug=slug, revision=draft.revision)
    reviewing.approve(by=reviewer, slug=slug, number=draft.number, sources_seen=True)
    publishing.publish(by=chief, slug=slug, number=draft.number)


def _account(name: str) -> int:
    return db.session.query(Account).filter_by(name=name).one().id


if __name__ == "__main__":
    with create_app().app_context():
        issue_update(*sys.argv[1:])
