"""Binds school drives to an app: their pages, and what templates may ask of them."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from wfr.drives import desk, join_views, manage_views, pack_views, paper_views, report_views, views, wall_views
from wfr.staff.models import Role
from wfr.staff.places import Place, add_place

PAGES = (views, join_views, pack_views, desk)
TEACHERS = (manage_views, report_views, paper_views)
"""Their routes belong to the blueprint of `views`, which has them once they are imported."""
WALL = wall_views
"""Its routes belong to the blueprint of `join_views`, which has them once it is imported."""


def init_app(app: Flask) -> None:
    """Give `app` the pages of drives."""
    app.jinja_env.globals.update(school_totals_now=views.school_totals_now)
    for pages in PAGES:
        app.register_blueprint(pages.blueprint)
    add_place(app, Place("drives_desk.index", _l("Schools"), Role.WRITER, 18))
