"""Digests: drafts that compose themselves, each month and each week, for the desk to edit and approve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import structlog
from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from wfr.cases.models import Case, Kind, Standing, UpdateKind
from wfr.cases.queries import Shelf, shelf, today
from wfr.extensions import AnySession, settings, transaction
from wfr.network.composing import frame_language
from wfr.network.digest_words import Digest, Happening, digest_subject, digest_words
from wfr.network.models import Mailing, MailingCase, MailingWords, Sort, UrgentAction, UrgentIssue
from wfr.network.preparing import note
from wfr.staff.models import JOB

MOST_TO_WRITE_FOR = 5
MOST_NEWS = 8
LATE_DAYS = 3
"""Days after its own on which a digest is still proposed, where nothing ran on that day."""
GOOD_NEWS_LASTS = timedelta(days=92)
BEFORE_THE_FIRST = {Sort.WEEKLY: timedelta(days=7), Sort.MONTHLY: timedelta(days=31)}
"""How far back the first digest looks; later ones look back to the one before."""

log = structlog.get_logger(__name__)


def propose_digests(day: date | None = None) -> int:
    """Propose the digests that are due on `day`, today where it is None, and return how many were proposed.

    The month's on the first, the week's on Monday, each once; a week's with nothing to tell is left out.
    """
    return sum(_propose(sort, occasion, day or today()) for sort, occasion in _due(day or today()))


def _due(day: date) -> Iterator[tuple[Sort, str]]:
    if day.day <= LATE_DAYS:
        yield Sort.MONTHLY, f"monthly:{day:%Y-%m}"
    if day.isoweekday() <= LATE_DAYS:
        yield Sort.WEEKLY, f"weekly:{day:%G-W%V}"


def _propose(sort: Sort, occasion: str, day: date) -> bool:
    seen = shelf()
    try:
        with transaction() as session:
            if session.scalar(select(Mailing.id).where(Mailing.occasion == occasion)) is not None:
                return False
            digests = _digests(session, seen, sort, day)
            if not any(digest.says_something for digest in digests.values()):
                return False
            _store(session, Mailing(sort=sort, occasion=occasion), digests)
    except IntegrityError:
        # Another worker proposed it in the same moment.
        return False
    log.info("digest_proposed", occasion=occasion)
    return True


def _store(session: AnySession, mailing: Mailing, digests: dict[str, Digest]) -> None:
    cases = {case_id for digest in digests.values() for case_id in digest.cases}
    mailing.asks = any(digest.to_write_for for digest in digests.values())
    session.add(mailing)
    session.flush()
    session.add_all(MailingCase(mailing_id=mailing.id, case_id=case_id) for case_id in sorted(cases))
    for language, digest in digests.items():
        with force_locale(frame_language(language).replace("-", "_")):
            subject, words = digest_subject(digest, language), digest_words(digest, language)
        session.add(MailingWords(mailing_id=mailing.id, language=language, subject=subject, words=words))
    session.flush()
    note(session, JOB, "begun", mailing, after={"sort": mailing.sort, "occasion": mailing.occasion})


def _digests(session: AnySession, seen: Shelf, sort: Sort, day: date) -> dict[str, Digest]:
    """Return what there is to tell, in each language of the site."""
    since = _last_told(session, sort, day)
    # What goes by mail has left the site: only cases whose consent covers that.
    cases = [case for case in seen.cases.values() if case.for_feeds(day) and _has_a_page(session, case)]
    turn = session.scalar(select(func.count()).where(Mailing.occasion.is_not(None))) or 0
    return {
        language: _digest(cases, seen, sort, _Span(since, day, turn), language) for language in settings().languages
    }


def _last_told(session: AnySession, sort: Sort, day: date) -> date:
    """Return the day of the last digest of this sort."""
    last = session.scalar(select(func.max(Mailing.begun_at)).where(Mailing.sort == sort, Mailing.occasion.is_not(None)))
    return last.date() if last else day - BEFORE_THE_FIRST[sort]


def _has_a_page(session: AnySession, case: Case) -> bool:
    """Say whether visitors find a page of this case: one without a season has it from its First UA on."""
    issued = select(UrgentIssue.id).join(UrgentAction).where(UrgentAction.case_id == case.id)
    return case.season_id is not None or bool(
        session.scalar(select(issued.where(UrgentIssue.issued_at.is_not(None)).exists()))
    )


@dataclass(frozen=True, slots=True)
class _Span:
    since: date
    day: date
    turn: int


def _digest(cases: list[Case], seen: Shelf, sort: Sort, span: _Span, language: str) -> Digest:
    told = sorted(
        ((case, update) for case in cases for update in case.updates_in(language) if update.dated <= span.day),
        key=lambda happening: happening[1].dated,
        reverse=True,
    )
    good = next((happening for happening in told if _is_good_news(happening, span.day)), None)
    stories = seen.stories_in(language)
    return Digest(
        sort=sort,
        day=span.day,
        turn=span.turn,
        to_write_for=tuple(_most_urgent(cases, span.day)),
        happened=tuple(each for each in told if each[1].dated >= span.since and each is not good)[:MOST_NEWS],
        good=good,
        story=stories[span.turn % len(stories)] if stories and not good else None,
    )


def _most_urgent(cases: list[Case], day: date) -> list[Case]:
    """Return the cases that can be written for, the nearest deadline first."""
    is_open = [case for case in cases if case.standing(day) is Standing.OPEN and not _has_turned(case, day)]
    can_be = [case for case in is_open if any(case.offers(kind) for kind in Kind)]
    return sorted(can_be, key=lambda case: (case.deadline or date.max, case.position, case.id))[:MOST_TO_WRITE_FOR]


def _has_turned(case: Case, day: date) -> bool:
    """Say whether something good has come since a case's words were true, such as that the prisoner is free."""
    stood = case.as_it_stood
    return any(stood and update.kind != UpdateKind.NEWS and stood < update.dated <= day for update in case.updates)


def _is_good_news(happening: Happening, day: date) -> bool:
    _case, update = happening
    return update.kind != UpdateKind.NEWS and update.dated >= day - GOOD_NEWS_LASTS
