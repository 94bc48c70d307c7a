"""Binds school drives to an app: their pages, and what templates may ask of them."""

from __future__ import annotations

from flask import Flask

from wfr.drives import desk, join_views, views

PAGES = (views, join_views, desk)


def init_app(app: Flask) -> None:
    """Give `app` the pages of drives."""
    for pages in PAGES:
        app.register_blueprint(pages.blueprint)
