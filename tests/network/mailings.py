"""Mailings of invented cases, for tests of what they say and how they look as mail. All need an app context."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from sqlalchemy import select

from tests.factories import make_case
from wfr.cases.documents import document_of
from wfr.cases.models import Case, CaseText, CaseUpdate, UpdateKind
from wfr.cases.queries import today
from wfr.extensions import db, utc_now
from wfr.network.composing import first_words, freeze_words
from wfr.network.messages import Reader, pattern_of
from wfr.network.models import Mailing, MailingWords, Sort, UrgentAction, UrgentIssue

READER = Reader(salt=3, delivery_id=7, number=0x1234ABCD5678EF, links=1, email="ines@example.org")

SCRIPTS = {
    "fr": (
        "Détenue pour un poème",
        "Elle a écrit un poème sur le fleuve : « À l’eau ! ». Le lendemain, on l’a emmenée.",
    ),
    "ar": ("محتجزة بسبب قصيدة", "كتبت قصيدة عن النهر. وفي اليوم التالي اقتيدت من منزلها."),
    "hi": ("एक कविता के लिए हिरासत में", "उसने नदी पर एक कविता लिखी। अगले दिन उसे ले जाया गया।"),
    "zh": ("因一首诗而被关押", "她写了一首关于河流的诗。第二天她就被带走了。" * 40),
}


def make_urgent_case(slug: str = "ada-vale", name: str = "Ada Vale", **changes: Any) -> Case:
    """Store a case without a season that can be written for until in three weeks."""
    values = {"deadline": today() + timedelta(days=21), **changes}
    case = make_case(None, slug, name, **values)
    case.targets[0].x_handle = "MinisterOfJustice"
    case.targets[0].languages = ["fr", "en"]
    case.targets[0].embassies = {"DE": ["Embassy of Togo", "1 Long Street", "10115 Berlin"]}
    db.session.flush()
    return case


def say_in(case: Case, language: str, headline: str, summary: str) -> None:
    """Give a case words in another language."""
    case.texts.append(
        CaseText(
            language=language,
            headline=headline,
            summary=f"{summary} [Z1]",
            story=f"{summary}\n\n{summary}",
            ask=f"- {headline}",
            letter=f"{summary}\n\n{{own_words}}\n\n{headline}: {{person}}",
            letter_close=headline[:40],
            post=headline,
        )
    )
    db.session.flush()


def make_issue(case: Case, number: str = "UA 12/26", *, ordinal: int = 1, outcome: bool = False) -> UrgentIssue:
    """Store an issue of a case's Urgent Action as it is issued today."""
    action = db.session.scalar(select(UrgentAction).where(UrgentAction.case_id == case.id))
    if action is None:
        action = UrgentAction(case_id=case.id, number=number, concern="expression")
        db.session.add(action)
        db.session.flush()
    if outcome:
        case.updates.append(CaseUpdate(dated=today(), kind=UpdateKind.OUTCOME, text="She came home to her river. [Z9]"))
        db.session.flush()
    issue = UrgentIssue(
        action_id=action.id,
        ordinal=ordinal,
        index_number="AFR 57/0001/2026",
        outcome=outcome,
        write_before=None if outcome else case.deadline,
        issued_on=today(),
        issued_at=utc_now(),
        version=1,
        document=document_of(case).as_json(),
    )
    db.session.add(issue)
    db.session.flush()
    return issue


def make_mailing(issue: UrgentIssue | None = None, *, case_id: int | None = None, sort: str = "") -> Mailing:
    """Store a mailing with the words that it begins with."""
    chosen = sort or (Sort.OUTCOME if issue and issue.outcome else Sort.URGENT)
    mailing = Mailing(sort=chosen, issue_id=issue.id if issue else None, case_id=case_id)
    db.session.add(mailing)
    db.session.flush()
    first_words(db.session, mailing)
    return mailing


def words_in(mailing: Mailing, language: str = "en") -> MailingWords:
    """Return what a mailing says in a language."""
    return db.session.get_one(MailingWords, (mailing.id, language))


def freeze(mailing: Mailing) -> None:
    """Fix what a mailing says, as approving it does."""
    freeze_words(db.session, mailing)


def raw_message(mailing: Mailing, language: str = "en", reader: Reader = READER) -> bytes:
    """Return a frozen mailing's message, as it leaves."""
    return pattern_of(mailing.id, words_in(mailing, language)).fill(reader)


def parse(raw: bytes) -> EmailMessage:
    """Return a message as Python's own library reads it."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, sort: str) -> str:
    """Return the words of the ``plain`` or ``html`` part."""
    found = message.get_body((sort,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def unwrapped(text: str) -> str:
    """Return a text part with its paragraphs whole again (RFC 3676)."""
    lines: list[str] = []
    flowing = False
    for line in text.splitlines():
        words = line.removeprefix(" ")
        if flowing:
            lines[-1] += words
        else:
            lines.append(words)
        flowing = line.endswith(" ")
    return "\n".join(lines)
