"""Binds what others read of us to an app."""

from __future__ import annotations

from flask import Flask

from wfr.api import embed_views, feed_views, oembed_views, v1_views


def init_app(app: Flask) -> None:
    """Give `app` its public JSON, embeds, oEmbed, feeds and calendar."""
    v1_views.init_app(app, app.extensions["wfr.settings"])
    for module in (embed_views, feed_views, oembed_views):
        app.register_blueprint(module.blueprint)
