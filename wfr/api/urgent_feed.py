"""The Atom feed of Urgent Actions: what was issued, newest first, as far as its case's consent covers feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from flask_babel import gettext as _
from markupsafe import Markup, escape

from wfr.api.feeds import Entry, identity
from wfr.cases.models import Case, Standing
from wfr.letters.addressing import written_date
from wfr.network.models import UrgentAction, UrgentIssue
from wfr.network.urgent_queries import bare_number, ordinal_words
from wfr.text import render_markdown

NAME = "urgent actions"
ENTRIES = 40
"""How many entries the feed has at most."""

Issued = tuple[Case, UrgentAction, UrgentIssue]


def urgent_entries(issued: Iterable[Issued], today: date, language: str, url_of: Callable[[Case], str]) -> list[Entry]:
    """Return an entry for each issue that others may be shown, in the order given, which is the newest first.

    A case's newest issue has its present words; an earlier one says only that there is a newer.
    """
    entries: list[Entry] = []
    updated: set[int] = set()
    for case, action, issue in issued:
        if case.for_feeds(today):
            words = _updated_since() if case.id in updated else _present_words(case, issue, today, language)
            entries.append(_entry(case, action, issue, url_of(case), words))
            updated.add(case.id)
    return entries


def _entry(case: Case, action: UrgentAction, issue: UrgentIssue, url: str, words: tuple[str, str]) -> Entry:
    which = _("Outcome") if issue.outcome else ordinal_words(issue)
    summary, content = words
    return Entry(
        identity=identity("urgent issue", case.slug, issue.ordinal),
        title=f"{which} {bare_number(action)}: {case.name}",
        url=url,
        dated=issue.issued_on or issue.changed_at.date(),
        summary=summary,
        content=content,
    )


def _updated_since() -> tuple[str, str]:
    words = str(_("It has been updated since. Please do not act on it any more."))
    return words, Markup("<p>{}</p>").format(words)


def _present_words(case: Case, issue: UrgentIssue, today: date, language: str) -> tuple[str, str]:
    text = case.text(language)
    asked = _what_is_asked(case, issue, today, language)
    outcome = [update for update in case.updates_in(language) if issue.outcome and update.kind == "outcome"]
    note = f"<p><em>{escape(text.content_note)}</em></p>" if text.content_note else ""
    told = [render_markdown(update.text) for update in outcome[-1:]] or map(render_markdown, (text.summary, text.ask))
    return f"{text.headline} {asked}", f"{note}<p><strong>{escape(asked)}</strong></p>{''.join(told)}"


def _what_is_asked(case: Case, issue: UrgentIssue, today: date, language: str) -> str:
    if issue.outcome or case.standing(today) is Standing.CLOSED or case.deadline is None:
        return str(_("No further action is requested."))
    day = written_date(case.deadline, language)
    if case.standing(today) is Standing.OPEN:
        return str(_("Write before %(day)s.", day=day))
    return str(_("It has expired: people were asked to write before %(day)s.", day=day))
