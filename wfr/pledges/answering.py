"""Showing a form again: with its words kept, a ticket that can still be used, and the reason said."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Response, current_app
from flask_babel import gettext as _

from wfr.errors import RETRY_AFTER_SECONDS
from wfr.pledges.admitting import Admission, Refusal, Refused
from wfr.pledges.forms import PromiseForm
from wfr.pledges.tickets import BadTicket, Ticket

# As long as the words of the page say.
RETRY_AFTER: dict[int, int] = {
    HTTPStatus.SERVICE_UNAVAILABLE: RETRY_AFTER_SECONDS,
    HTTPStatus.TOO_MANY_REQUESTS: 60 * 60,
}


def admission() -> Admission:
    """Return the present app's rules of the door."""
    rules: Admission = current_app.extensions["wfr.admission"]
    return rules


def why_again(refusal: Refused) -> tuple[int, str]:
    """Return the status and the words with which a refused form is shown again."""
    return {
        Refusal.TICKET: (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _("This form had expired. Here is a fresh one with your words kept: please send it again."),
        ),
        Refusal.PROOF: (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _("Your browser's check did not match. Your words are kept: please send the form again."),
        ),
        Refusal.LIMIT: (
            HTTPStatus.TOO_MANY_REQUESTS,
            _("Many actions came from your connection just now. Your words are kept: please try again in an hour."),
        ),
    }[refusal.why]


def away() -> tuple[int, str]:
    """Return the status and the words for while the database is away."""
    return HTTPStatus.SERVICE_UNAVAILABLE, _(
        "We could not record your pledge just now. Your words are kept below. Please try again in a minute."
    )


def fresh(form: PromiseForm, render: Callable[[str | None], str], status: int) -> Response:
    """Show a form with a ticket that can still be used: its own if that is good, else a new one."""
    ticket = usable_ticket(form.ticket.data or "")
    form.ticket.data = ticket.text
    response = Response(render(challenge_for(ticket)), status)
    if status in RETRY_AFTER:
        response.headers["Retry-After"] = str(RETRY_AFTER[status])
    return response


def usable_ticket(text: str) -> Ticket:
    """Return the ticket that `text` is, if it is ours and young, else a new one."""
    try:
        ticket = admission().tickets.read(text)
    except BadTicket:
        return admission().tickets.issue()
    return ticket if ticket.age_seconds <= admission().max_age_seconds / 2 else admission().tickets.issue()


def challenge_for(ticket: Ticket) -> str | None:
    """Return the proof of work asked for this ticket, or None where limits are off."""
    door: Admission = admission()
    return door.proofs.challenge(ticket) if door.limits_on else None
