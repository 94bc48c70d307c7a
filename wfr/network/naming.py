"""The cases that a mailing's own words name: once one of them is withdrawn, nothing of the mailing leaves any more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import normalize
from urllib.parse import unquote

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import today
from wfr.errors import NoSuchThing, Refused
from wfr.extensions import AnySession
from wfr.network.models import Mailing, MailingCase, MailingWords
from wfr.network.stopping import cases_of, never_told
from wfr.share.codes import read_code

_LINK = re.compile(r"/(?:cases|urgent-actions)/([a-z0-9-]+)", re.IGNORECASE)
_SHARE_LINK = re.compile(r"/s/([a-z0-9]+)", re.IGNORECASE)
# A letter that makes a longer word of a name; in Thai, Chinese, Japanese and Korean words stand without spaces.
_LETTER = r"[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"


def add_named_cases(session: AnySession, mailing: Mailing) -> None:
    """Note each case that the words of a mailing link to or name, inside the caller's transaction; none is taken away.

    Raises `Refused` for words about a case that may not be told of, and for a share link: it hides which case it is
    for, and counts for whoever shared it.
    """
    known, words = cases_of(session, mailing), _words(session, mailing)
    if any(map(_is_share_code, _SHARE_LINK.findall(unquote(words)))):
        raise Refused(_l("There is a share link (/s/…) in the words. Use the case’s own address."))
    for case in _named(session, words):
        if case.id in known:
            continue
        if never_told(case, today()):
            raise Refused(
                _l(
                    "“%(name)s” may not be told of now: take the name and its links out of the words. The case is not "
                    "public, or its consent does not cover mail.",
                    name=case.name,
                )
            )
        session.add(MailingCase(mailing_id=mailing.id, case_id=case.id))
    session.flush()


def _words(session: AnySession, mailing: Mailing) -> str:
    """Return what a mailing says in all languages, on one line, without the escapes of Markdown."""
    said = session.execute(
        select(MailingWords.subject, MailingWords.words).where(MailingWords.mailing_id == mailing.id)
    )
    return _plain("\n".join(part for row in said for part in row).replace("\\", ""))


def _named(session: AnySession, words: str) -> Sequence[Case]:
    linked = {slug.lower() for slug in _LINK.findall(unquote(words))}
    found = [
        case_id
        for case_id, slug, name, status in session.execute(select(Case.id, Case.slug, Case.name, Case.status))
        # Of a draft only the desk knows, so its name may be anybody's.
        if slug in linked or (status != CaseStatus.DRAFT and _holds(words, _plain(name)))
    ]
    which = select(Case).where(Case.id.in_(found)).order_by(Case.id)
    return session.scalars(which.execution_options(populate_existing=True)).all()


def _is_share_code(code: str) -> bool:
    try:
        read_code(code)
    except NoSuchThing:
        return False
    return True


def _holds(words: str, name: str) -> bool:
    whole = rf"(?<!{_LETTER}){re.escape(name)}(?!{_LETTER})"
    return bool(name) and name in words and re.search(whole, words) is not None


def _plain(text: str) -> str:
    return " ".join(normalize("NFC", text).split())
