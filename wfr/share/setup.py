"""Binds sharing to an app: share links, cards, the campaign's account and its posts."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from wfr.pledges.origins import add_origin
from wfr.server import AT_END
from wfr.share import card_views, figures_desk, link_views, post_desk, showing, views, x_desk
from wfr.share.openings import Openings
from wfr.share.post_queries import posts_waiting_for
from wfr.staff.models import Role
from wfr.staff.places import Place, add_place


def init_app(app: Flask) -> None:
    """Give `app` the pages of sharing, the public ones and the desk's."""
    for module in (views, link_views, card_views, figures_desk, x_desk, post_desk):
        app.register_blueprint(module.blueprint)
    app.add_template_global(showing.page_preview)
    app.add_template_global(posts_waiting_for)
    openings = app.extensions["wfr.openings"] = Openings(app)
    app.extensions.setdefault(AT_END, []).append(openings.end)
    add_origin(app, link_views.origin_of)
    add_place(app, Place("sharing.figures", _l("Sharing"), Role.WRITER, 24))
    add_place(app, Place("campaign_posts.posts", _l("Posts"), Role.WRITER, 25))
    add_place(app, Place("x_account.account", _l("X"), Role.COORDINATOR, 60))
