"""Mailings as the desk shows them: their titles, times in words, and the parts of the progress bar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask_babel import format_date, format_decimal
from flask_babel import gettext as _

from wfr.extensions import settings
from wfr.network.composing import Composed
from wfr.network.mailing_queries import MailingAtDesk, composed_in
from wfr.network.messages import LEAVE_MARK, ME_MARK
from wfr.network.models import DeliveryState, Sort
from wfr.network.progress import Progress
from wfr.network.urgent_queries import ordinal_words

PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
"""What a browser lets a shown message do: be looked at, by a page of ours."""

NOWHERE = "specimen"
"""Stands for a reader's own token where somebody at the desk looks at a message."""

BAR = 1000
TENS, MINUTE, HOUR, DAY = 10, 60, 3600, 86_400
# Seconds; below ten of them a tenth matters.


@dataclass(frozen=True, slots=True)
class BarPart:
    """A part of the progress bar: what its messages became, where it begins and how wide it is, of `BAR`."""

    what: str
    start: float
    width: float


def title_of(found: MailingAtDesk) -> str:
    """Return what a mailing is called at the desk; of a withdrawn case it says no name."""
    mailing = found.mailing
    if mailing.sort == Sort.WEEKLY:
        return str(_("Weekly digest, %(day)s", day=format_date(mailing.begun_at, "d MMMM y")))
    if mailing.sort == Sort.MONTHLY:
        return str(_("Monthly digest, %(month)s", month=format_date(mailing.begun_at, "MMMM y")))
    name = found.case.name if found.case and not found.withdrawn else _("a withdrawn case")
    if mailing.sort == Sort.NEWS:
        return str(_("News of %(name)s", name=name))
    what = _("Outcome") if mailing.sort == Sort.OUTCOME else ordinal_words(found.issue) if found.issue else ""
    number = found.action.number if found.action else ""
    return str(_("%(number)s, %(what)s: %(name)s", number=number, what=what, name=name))


def preview_of(found: MailingAtDesk, language: str) -> Composed:
    """Return a message as one reads it; its personal links lead nowhere. Raises as `composed_in` does."""
    composed = composed_in(found, language)
    return Composed(composed.subject, _without_marks(composed.text), _without_marks(composed.html))


def _without_marks(text: str) -> str:
    return text.replace(ME_MARK, NOWHERE).replace(LEAVE_MARK, NOWHERE)


def bar_of(progress: Progress) -> list[BarPart]:
    """Return the parts of the progress bar, in their order."""
    parts: list[BarPart] = []
    start = 0.0
    for state in (DeliveryState.SENT, DeliveryState.BOUNCED, DeliveryState.FAILED, DeliveryState.SKIPPED):
        width = BAR * progress.states[state] / progress.total if progress.total else 0
        if width:
            parts.append(BarPart(state.value, round(start, 1), round(width, 1)))
        start += width
    return parts


def duration_parts(duration: timedelta | None) -> list[tuple[str, str]]:
    """Return how long something took as numbers and their units, two at most: 1.8 s; 3 min 12 s; 5 h 7 min; 3 days."""
    if duration is None:
        return []
    seconds = duration.total_seconds()
    if seconds < TENS:
        return [(format_decimal(round(seconds, 1)), _("s"))]
    whole = round(seconds)
    if whole < MINUTE:
        return [(str(whole), _("s"))]
    if whole < HOUR:
        return [(str(whole // MINUTE), _("min")), (str(whole % MINUTE), _("s"))]
    if whole < 2 * DAY:
        return [(str(whole // HOUR), _("h")), (str(whole % HOUR // MINUTE), _("min"))]
    return [(str(whole // DAY), _("days"))]


def duration_words(duration: timedelta | None) -> str:
    """Return what `duration_parts` does in one line, for sentences."""
    return " ".join(f"{number}\N{NO-BREAK SPACE}{unit}" for number, unit in duration_parts(duration)) or "–"


def nothing_leaves() -> bool:
    """Say whether messages are laid in the outbox, and none leaves this machine."""
    return settings().mail_url is None
