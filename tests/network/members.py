"""Members for tests: joined by the form and the mail, as a visitor joins; and what the database holds of them."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from tests.drives.post import mails
from wfr.extensions import Base, db
from wfr.network.links import LinkFor, link_token
from wfr.network.models import Member

ANNA = "anna@example.org"


def mails_to(app: Flask, email: str) -> list[EmailMessage]:
    """Return the mails that were sent to an address, the oldest first."""
    return [mail for mail in mails(app) if mail["To"] == email]


def links_in(mail: EmailMessage, page: str) -> list[str]:
    """Return the paths of the links to one of the members' pages."""
    return re.findall(rf"https?://[^/\s]+(/network/{page}/\S+)", mail.get_content())


def ask(visitor: FlaskClient, email: str = ANNA, **fields: Any) -> TestResponse:
    """Send the form that joins."""
    told = {"email": email, "country": "TG", "language": "en", "frequency": "every", "at_most": "4", **fields}
    return visitor.post("/network", data=told)


def join(app: Flask, visitor: FlaskClient, email: str = ANNA, *, follow: str | None = None, **fields: Any) -> str:
    """Join by form, mail and button, following a case where asked; return the path of the member's own page."""
    if follow is None:
        ask(visitor, email, **fields)
    else:
        after(visitor, follow, email, follow="y", **fields)
    link = links_in(mails_to(app, email)[-1], "confirm")[0]
    return str(visitor.post(link).headers["Location"])


def after(visitor: FlaskClient, slug: str, email: str = ANNA, *, kind: str = "letter", **fields: Any) -> TestResponse:
    """Send the form of the thank-you page."""
    return visitor.post(f"/network/after/{slug}/{kind}", data={"email": email, "country": "TG", "days": "7", **fields})


def member(email: str = ANNA) -> Member | None:
    """Return a member's row as it is now; needs an app context."""
    db.session.rollback()
    return db.session.scalar(select(Member).where(Member.email == email).execution_options(populate_existing=True))


def the_member(email: str = ANNA) -> Member:
    """Return the row of somebody who is one."""
    found = member(email)
    assert found
    return found


def path_to(purpose: LinkFor, email: str = ANNA) -> str:
    """Return the path of a member's link; needs an app context."""
    return f"/network/{purpose.value}/{link_token(the_member(email), purpose)}"


def everything() -> dict[str, list[Any]]:
    """Return every row of every table; needs an app context."""
    db.session.rollback()
    names = sorted(table.name for table in Base.metadata.tables.values())
    return {name: sorted(map(repr, db.session.execute(text(f"SELECT * FROM {name}")).all())) for name in names}  # noqa: S608
