"""What keeps a mailing from going out: the cases that it speaks of, and what it says or does not say."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from wfr.cases.desk_forms import language_name
from wfr.cases.queries import today
from wfr.errors import Refused
from wfr.extensions import AnySession
from wfr.network.composing import compose
from wfr.network.models import Mailing, MailingWords
from wfr.network.stopping import obstacle

WHY_NOT = {
    "withdrawn": _l("A case that it speaks of is withdrawn."),
    "consent": _l("The consent of a case that it speaks of has ended, or does not cover mail."),
    "paused": _l("A case that it speaks of is paused."),
    "closed": _l("Its case is closed: nobody can act on it any more."),
    "expired": _l("Its “write before” has passed: nobody can act on it any more."),
}
"""Why a mailing may not leave: the words of `wfr.network.stopping.obstacle`."""


def problems_of(session: AnySession, mailing: Mailing) -> list[object]:
    """Return, in words, everything that keeps a mailing from going out: its cases, and what it says."""
    word = obstacle(session, mailing, today())
    problems: list[object] = [WHY_NOT[word]] if word else []
    written = words_of(session, mailing)
    if not written:
        problems.append(_l("Write what it says."))
    for said in written:
        where = language_name(said.language)
        if not said.subject:
            problems.append(_l("%(language)s: write a subject.", language=where))
        if not said.words and mailing.issue_id is None:
            problems.append(_l("%(language)s: write what it says.", language=where))
    return problems or _unfit(session, mailing)


def words_of(session: AnySession, mailing: Mailing) -> list[MailingWords]:
    """Return what a mailing says, a row a language."""
    found = select(MailingWords).where(MailingWords.mailing_id == mailing.id).order_by(MailingWords.language)
    return list(session.scalars(found.execution_options(populate_existing=True)))


def _unfit(session: AnySession, mailing: Mailing) -> list[object]:
    """Return, in words, what no mail can say."""
    problems: list[object] = []
    for language in (said.language for said in words_of(session, mailing)):
        try:
            compose(session, mailing, language)
        except Refused as problem:
            problems.append(f"{language_name(language)}: {problem.why}")
    return problems
