"""What a mailing says: its subject, its text and its HTML in one language, put together from what it tells of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from babel.dates import format_date, format_skeleton
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from wfr.cases.documents import CaseDocument
from wfr.cases.models import Case, CaseUpdate, Kind
from wfr.cases.queries import is_demonstration
from wfr.countries import country_name
from wfr.errors import Refused
from wfr.extensions import AnySession, render_apart, settings
from wfr.intents import cut
from wfr.letters.addressing import language_direction, written_date
from wfr.letters.merging import post_text
from wfr.network.links import LinkFor, address_before
from wfr.network.messages import LEAVE_MARK, ME_MARK, pattern_of
from wfr.network.models import Mailing, MailingWords, Sort, UrgentAction, UrgentIssue
from wfr.network.naming import add_named_cases
from wfr.network.plain import mail_html, plain_text, underlined
from wfr.network.urgent_queries import issues_of
from wfr.network.urgent_showing import UrgentSheet, issued_sheet
from wfr.share.cards import site_languages
from wfr.text import RefusedText, clean_line, without_sources

SUBJECT_LENGTH = 200
LARGEST_HTML = 80_000
"""Bytes; some mail programs cut a message off at 102 kB, and what comes last is how to leave."""
MOST_COPIES = 8
"""Embassies whose addresses stand in a mail; of more it names the page that has them."""

_TEMPLATES = {
    Sort.URGENT: "urgent",
    Sort.OUTCOME: "outcome",
    Sort.NEWS: "news",
    Sort.WEEKLY: "digest",
    Sort.MONTHLY: "digest",
}


@dataclass(frozen=True, slots=True)
class Composed:
    """A whole message in one language, with the marks of `wfr.network.messages` where a reader's own links go."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a mail tells of: the sort and the desk's own words, and the issue or the case it is about, if any."""

    sort: str
    words: str
    case: Case | None = None
    sheet: UrgentSheet | None = None
    news: list[CaseUpdate] = field(default_factory=list)
    demonstration: bool = False


def compose(session: AnySession, mailing: Mailing, language: str) -> Composed:
    """Return what a mailing says in `language`.

    Raises `Refused` for a subject that no header can carry and for words that are too many for one mail.
    """
    said = session.get(MailingWords, (mailing.id, language)) or MailingWords(subject="", words="")
    frame = frame_language(language)
    with force_locale(frame.replace("-", "_")):
        told = _told(session, mailing, said, language)
        values = _values(told, frame)
        mark = _("[Demonstration]") + " " if told.demonstration else ""
    # Once approved, the subject has its mark already.
    subject = _clean_subject(said.subject).removeprefix(mark)
    name = f"emails/network/{_TEMPLATES[Sort(mailing.sort)]}"
    text = render_apart(f"{name}.txt", frame, subject=subject, **values)
    html = render_apart(f"{name}.html", frame, subject=subject, **values)
    if len(html.encode()) > LARGEST_HTML:
        raise Refused(_("This is too long for one mail: mail programs would cut it off. Shorten the words."))
    return Composed(short_subject(mark + subject), _tidy(text), html)


def frame_language(language: str) -> str:
    """Return the language of what a mail says around a case's own words: English, where the site has no other."""
    return language if language in site_languages() else "en"


def as_it_stood(case: Case, frame: str) -> str:
    """Return how old a case's own words are, in the frame's language; empty where they are of today."""
    if case.as_it_stood is None:
        return ""
    month = format_date(case.as_it_stood, "MMMM y", locale=frame.replace("-", "_"))
    return str(_("As it stood in %(month)s", month=month))


def freeze_words(session: AnySession, mailing: Mailing) -> None:
    """Keep the whole message in each language, inside the transaction that approves it.

    Raises as `compose` does, and `Refused` for what no message can carry or a case that may not be told of.
    """
    add_named_cases(session, mailing)
    for said in _words_of(session, mailing):
        composed = compose(session, mailing, said.language)
        said.subject, said.text, said.html = composed.subject, composed.text, composed.html
        pattern_of(mailing.id, said)
    session.flush()


def languages_of(session: AnySession, mailing: Mailing) -> list[str]:
    """Return the languages that a mailing has words in, English first."""
    return sorted((said.language for said in _words_of(session, mailing)), key=lambda each: (each != "en", each))


def first_words(session: AnySession, mailing: Mailing) -> None:
    """Give a mailing that was just begun the words it says anyway, inside the caller's transaction."""
    issue, case = _subject_of(session, mailing)
    if case is None:
        return
    document = CaseDocument.model_validate(issue.document) if issue and issue.document else None
    for language in _languages_written(case, document):
        with force_locale(frame_language(language).replace("-", "_")):
            subject, words = _begun_with(session, case, issue, language)
        session.add(MailingWords(mailing_id=mailing.id, language=language, subject=subject, words=words))
    session.flush()


def short_date(day: date, language: str) -> str:
    """Return a day without its year, such as 12 December."""
    locale = language.replace("-", "_")
    return format_date(day, "d MMMM", "en") if language == "en" else format_skeleton("MMMMd", day, None, True, locale)


def address_of(case: Case) -> str:
    """Return the address of a case's page; that of an Urgent Action, for a case without a season."""
    return f"{settings().base_url}/{'cases' if case.season_id else 'urgent-actions'}/{case.slug}"


def _told(session: AnySession, mailing: Mailing, said: MailingWords, language: str) -> Told:
    issue, case = _subject_of(session, mailing)
    sheet, news = None, []
    if issue is not None and case is not None:
        action = session.get_one(UrgentAction, issue.action_id)
        sheet, framed = (issued_sheet(case, action, issue, each) for each in (language, frame_language(language)))
        # Where to write to stands in sentences of the frame: countries and languages have the frame's names.
        sheet = replace(sheet, appeals=framed.appeals, country=country_name(case.country, frame_language(language)))
        news = _since_last(session, issue, sheet)
    return Told(
        sort=mailing.sort,
        words=said.words,
        case=case,
        sheet=sheet,
        news=news,
        demonstration=is_demonstration(session),
    )


def _values(told: Told, frame: str) -> dict[str, Any]:
    """Return everything that the templates use; `plain_text` and `styled` turn Markdown into what each can show."""
    values = {
        "told": told,
        "sheet": told.sheet,
        "direction": language_direction(frame),
        "direction_of": language_direction,
        "day": lambda day: written_date(day, frame),
        "styled": mail_html,
        "plain_text": plain_text,
        "underlined": underlined,
        "without_sources": without_sources,
        "site": settings().site_name,
        "organisation_name": settings().organisation,
        "me": address_before(LinkFor.ME) + ME_MARK,
        "leave": address_before(LinkFor.LEAVE) + LEAVE_MARK,
        "most_copies": MOST_COPIES,
    }
    if told.case is not None:
        values |= {"page": address_of(told.case), "country": country_name(told.case.country, frame)}
    if told.sheet is not None:
        values |= _acting(told.sheet, told, frame)
    return values


def _acting(sheet: UrgentSheet, told: Told, frame: str) -> dict[str, Any]:
    """Return what somebody needs who acts: the words of a post, and the pages with each way to act."""
    case = sheet.case
    acting = f"{settings().base_url}/cases/{case.slug}"
    target = case.target(Kind.POST)
    posted = case.offers(Kind.POST) and target is not None and sheet.text.post.strip()
    return {
        "stood": as_it_stood(case, frame),
        "post": post_text(case, target, None, told.demonstration, language=sheet.language) if posted and target else "",
        "ways": {kind.value: f"{acting}/{kind.value}" for kind in Kind if case.offers(kind) and case.target(kind)},
        "already": f"{acting}/already",
        "unreached": [_names(target.unreached_from, frame) for target in case.targets if not target.for_solidarity],
    }


def _names(countries: list[str], language: str) -> str:
    return ", ".join(country_name(country, language) for country in countries or ())


def _since_last(session: AnySession, issue: UrgentIssue, sheet: UrgentSheet) -> list[CaseUpdate]:
    """Return what has happened since the issue before, the newest first; nothing in the First UA."""
    before = [other.issued_on for other in issues_of(session, sheet.case.id) if other.ordinal < issue.ordinal]
    since = before[-1] if before else None
    return [update for update in reversed(sheet.updates) if since and update.dated >= since]


def _subject_of(session: AnySession, mailing: Mailing) -> tuple[UrgentIssue | None, Case | None]:
    issue = session.get(UrgentIssue, mailing.issue_id) if mailing.issue_id is not None else None
    case_id = session.get_one(UrgentAction, issue.action_id).case_id if issue else mailing.case_id
    return issue, session.get(Case, case_id) if case_id is not None else None


def _languages_written(case: Case, document: CaseDocument | None) -> list[str]:
    """Return the languages in which there is a mail's worth of words: others serve letters only."""
    texts: Iterable[tuple[str, Any]] = (
        document.texts.items() if document else ((text.language, text) for text in case.texts)
    )
    return [language for language, text in texts if text.headline.strip() and text.summary.strip()] or ["en"]


def _begun_with(session: AnySession, case: Case, issue: UrgentIssue | None, language: str) -> tuple[str, str]:
    """Return the subject, and, where the desk's words are all that a mail says, how they may begin."""
    frame = frame_language(language)
    if issue is None:
        newest = max(case.updates_in(language), key=lambda update: update.dated, default=None)
        words = f"**{day_of(case, newest, frame)}**\n\n{newest.text.strip()}" if newest else ""
        return short_subject(_("News of %(person)s", person=case.name)), words
    action = session.get_one(UrgentAction, issue.action_id)
    head = f"{action.number} {country_name(case.country, frame)}: {case.name}"
    if issue.outcome or issue.write_before is None:
        return short_subject(_("%(urgent)s – no further action is requested", urgent=head)), ""
    end = short_date(issue.write_before, frame)
    return short_subject(_("%(urgent)s – write before %(day)s", urgent=head, day=end)), ""


def day_of(case: Case, update: CaseUpdate, frame: str) -> str:
    """Return the day of an update in words; one that is no newer than the case's own words says how old those are."""
    day = update.dated_as or written_date(update.dated, frame)
    old = case.as_it_stood is not None and update.dated <= case.as_it_stood
    return f"{day} · {as_it_stood(case, frame)}" if old else day


def short_subject(subject: str) -> str:
    """Return a subject that its column holds."""
    return cut(" ".join(subject.split()), lambda part: len(part) <= SUBJECT_LENGTH)


def _clean_subject(subject: str) -> str:
    try:
        return clean_line(subject)
    except RefusedText as problem:
        raise Refused(str(problem)) from problem


def _words_of(session: AnySession, mailing: Mailing) -> list[MailingWords]:
    found = select(MailingWords).where(MailingWords.mailing_id == mailing.id).order_by(MailingWords.language)
    return list(session.scalars(found))


def _tidy(text: str) -> str:
    """Return a rendered text with one blank line between its parts."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
