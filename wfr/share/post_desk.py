"""The desk's pages of campaign posts: written by one, approved by another, sent by the queue."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("campaign_posts", __name__)
