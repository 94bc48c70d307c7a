"""Binds the Urgent Action Network to an app."""

from __future__ import annotations

from flask import Flask

from wfr.network import mailing_desk, models, outbox_desk, urgent_desk, urgent_views, views  # noqa: F401


def init_app(app: Flask) -> None:
    """Give `app` the pages of the network, the public ones and the desk's."""
    for module in (views, urgent_views, urgent_desk, mailing_desk, outbox_desk):
        app.register_blueprint(module.blueprint)
