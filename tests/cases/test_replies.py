"""Replies from officials: logged with date, sender and summary, and never changed."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from tests.acting import text_of
from tests.factories import Cast
from tests.linting import LintingClient
from tests.staffing import colleague
from wfr.cases.models import Reply
from wfr.cases.queries import today
from wfr.extensions import db
from wfr.staff.models import AuditEntry


def test_a_reply_is_logged_and_read_by_the_desk_alone(app: Flask, season: Cast, visitor: LintingClient) -> None:
    wim = colleague(app, "wim")
    path = f"/desk/cases/{season.tiny}/replies"
    assert "No reply has come yet" in text_of(wim.get(path))
    reply = {"dated": "2026-11-02", "sender": "Ministry of <Justice>", "summary": "They look into it.\nNo date."}
    assert wim.send(path, **reply).status_code == 303
    page = text_of(wim.get(path))
    assert "Ministry of <Justice>" in page and "They look into it." in page and "Logged by wim" in page
    assert visitor.get(path).status_code == 303
    with app.app_context():
        (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.what == "reply.logged"))
        assert entry.after["dated"] == "2026-11-02" and "Ministry" not in str(entry.after)


def test_a_reply_lacks_nothing_and_is_not_from_tomorrow(app: Flask, season: Cast) -> None:
    wim = colleague(app, "wim")
    path = f"/desk/cases/{season.tiny}/replies"
    tomorrow = (today() + timedelta(days=1)).isoformat()
    good = {"dated": today().isoformat(), "sender": "A ministry", "summary": "No."}
    for wrong in ({"dated": tomorrow}, {"dated": "x"}, {"sender": " "}, {"summary": ""}, {"summary": "x" * 2001}):
        assert wim.send(path, **{**good, **wrong}).status_code == 422
    assert wim.send("/desk/cases/nobody/replies", **good).status_code == 404
    with app.app_context():
        assert db.session.scalar(select(Reply.id)) is None
