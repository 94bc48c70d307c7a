"""Binds the desk's pages of cases to an app."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from wfr.cases import consent_desk, edit_desk, version_desk
from wfr.cases.desk import blueprint
from wfr.staff.models import Role
from wfr.staff.places import Place, add_place

PAGES = (consent_desk, edit_desk, version_desk)
"""The modules whose routes belong to the blueprint: it has them once they are imported."""


def init_app(app: Flask) -> None:
    """Give `app` the desk's pages of cases, and their places in its navigation."""
    app.register_blueprint(blueprint)
    add_place(app, Place("curating.home", _l("What waits"), Role.WRITER, 0))
    add_place(app, Place("curating.cases", _l("Cases"), Role.WRITER, 5))
    add_place(app, Place("seasons.index", _l("Seasons"), Role.COORDINATOR, 10))
    add_place(app, Place("stories.index", _l("Stories"), Role.WRITER, 15))
