"""Binds sharing to an app: share links, cards, the campaign's account and its posts."""

from __future__ import annotations

from flask import Flask

from wfr.share import card_views, link_views, models, post_desk, views, x_desk

TABLES = models.ShareLink.metadata
"""Alembic and the tests know a table once its module is imported."""


def init_app(app: Flask) -> None:
    """Give `app` the pages of sharing, the public ones and the desk's."""
    for module in (views, link_views, card_views, x_desk, post_desk):
        app.register_blueprint(module.blueprint)
