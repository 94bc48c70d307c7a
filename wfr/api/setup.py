"""Binds what others read of us to an app."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Give `app` its public JSON, embeds, oEmbed, feeds and calendar."""
