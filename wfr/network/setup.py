"""Binds the Urgent Action Network to an app."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from wfr.network import mailing_desk, me_views, outbox_desk, urgent_desk, urgent_views, views
from wfr.network.demonstrating import load_urgent_actions
from wfr.network.mailing_queries import mailings_waiting_for
from wfr.network.mailing_showing import title_of
from wfr.pledges.cli import PARTS as DEMONSTRATION_PARTS
from wfr.staff.models import Role
from wfr.staff.places import Place, add_place

MEMBERS = me_views
"""Its routes belong to the blueprint of `views`, which has them once it is imported."""


def init_app(app: Flask) -> None:
    """Give `app` the pages of the network, the public ones and the desk's."""
    for module in (views, urgent_views, urgent_desk, mailing_desk, outbox_desk):
        app.register_blueprint(module.blueprint)
    app.extensions.setdefault(DEMONSTRATION_PARTS, []).append(load_urgent_actions)
    app.add_template_global(mailings_waiting_for)
    app.add_template_global(title_of, "mailing_title")
    add_place(app, Place("mailings.mailings", _l("Mailings"), Role.WRITER, 7))
    add_place(app, Place("urgent_actions.index", _l("Urgent Actions"), Role.WRITER, 6))
    add_place(app, Place("outbox.index", _l("Outbox"), Role.COORDINATOR, 62))
