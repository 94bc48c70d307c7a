"""A restored backup brings nobody back who has left since."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import select

from tests.factories import Cast
from tests.linting import LintingClient
from tests.network.members import ANNA, after, join, mails_to, member, path_to, the_member
from wfr.cli import main
from wfr.extensions import db, transaction
from wfr.network.leaving import erase_member
from wfr.network.links import LinkFor
from wfr.network.models import Reminder, SuppressedFor, Suppression
from wfr.network.suppressing import suppressed_for

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def wfr(app: Flask, *words: str) -> str:
    """Run a command of the console script on the database of `app`; return what it says."""
    ran = CliRunner().invoke(main, words, obj=ScriptInfo(create_app=lambda: app))
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_who_has_left_since_the_backup_stays_away(
    app: Flask, visitor: LintingClient, season: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WFR_DATA", str(tmp_path))
    file = str(tmp_path / "backup.zip")
    with app.app_context():
        join(app, visitor, follow=season.tiny)
        after(visitor, season.tiny, remind="y")
        for name in ("ben", "cora", "dora"):
            join(app, visitor, f"{name}@example.org")
        visitor.post(path_to(LinkFor.LEAVE, "dora@example.org"))
        assert "rows of" in wfr(app, "backup", file)
        visitor.post(path_to(LinkFor.LEAVE))
        with transaction() as session:
            erase_member(session, the_member("ben@example.org"), SuppressedFor.BOUNCED)
        visitor.post(path_to(LinkFor.LEAVE, "cora@example.org"))
        join(app, visitor, "cora@example.org")

        said = wfr(app, "restore", file, "--force")

        assert "2 members are erased again" in said
        assert "is a member again" not in said
        assert (member(), member("ben@example.org"), member("dora@example.org")) == (None, None, None)
        assert member("cora@example.org") is not None, "she joined again"
        assert db.session.scalars(select(Reminder)).all() == []
        assert mails_to(app, ANNA) == []
        assert suppressed_for(db.session, ANNA) is SuppressedFor.LEFT
        assert suppressed_for(db.session, "ben@example.org") is SuppressedFor.BOUNCED
        assert len(db.session.scalars(select(Suppression)).all()) == 3

        with transaction() as session:
            for table in reversed(db.metadata.sorted_tables):
                if table.name in ("suppressions", "follows", "members"):
                    session.execute(table.delete())
        said = wfr(app, "restore", file, "--force")
        assert "Who left after this backup was made is a member again: 3 members are restored" in said
