"""Binds the ledger's domain to an app: the rules of the door, the newsroom, and what templates may ask of the tally."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import lazy_gettext as _l

from wfr.cases.queries import shelf, today
from wfr.config import Settings
from wfr.pledges.admitting import Admission
from wfr.pledges.live import Newsroom
from wfr.pledges.number_views import numbers, stream_url
from wfr.pledges.proofs import ProofDesk
from wfr.pledges.queries import board, corrections_waiting_for, standings
from wfr.pledges.season_figures import season_progress
from wfr.pledges.tickets import TicketOffice
from wfr.server import AT_END
from wfr.staff.models import Role
from wfr.staff.places import Place, add_place

HOUR_SECONDS = 60 * 60


def init_app(app: Flask, settings: Settings) -> None:
    """Give `app` its ticket office, its proofs and limits, its newsroom and the tally for all templates."""
    max_age = settings.ticket_hours * HOUR_SECONDS
    app.extensions["wfr.admission"] = Admission.from_limits(
        TicketOffice(settings.keys("tickets")),
        ProofDesk(settings.key("proofs"), cost=settings.proof_cost, max_age_seconds=max_age),
        with_proof=settings.limit_pledges,
        without_proof=settings.limit_pledges_without_proof,
        max_age_seconds=max_age,
        limits_on=settings.ratelimit_enabled,
    )
    newsroom = app.extensions["wfr.newsroom"] = Newsroom(app, numbers, room=settings.streams)
    app.extensions.setdefault(AT_END, []).append(newsroom.end)

    add_place(app, Place("figures.numbers", _l("Numbers"), Role.WRITER, 20))
    add_place(app, Place("figures.corrections", _l("Corrections"), Role.COORDINATOR, 50))
    app.jinja_env.globals.update(
        season_progress=season_progress,
        corrections_waiting_for=corrections_waiting_for,
        standings=lambda: standings(shelf(), today()),
    )

    @app.context_processor
    def tally_for_templates() -> dict[str, Any]:
        return {
            "tally_of": lambda case=None: board().of(case),
            "tally_as_of": lambda: board().as_of,
            "live_stream_url": stream_url(),
        }
