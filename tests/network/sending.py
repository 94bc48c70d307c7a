"""A mailing that is approved and members to send it to; all need an app context."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event, insert, select

from tests.conftest import close_database, make_settings
from tests.factories import make_case
from wfr import create_app
from wfr.cases.models import Case
from wfr.cases.queries import today
from wfr.extensions import db, transaction, utc_now
from wfr.network.models import (
    Delivery,
    Frequency,
    Mailing,
    MailingCase,
    MailingState,
    MailingWords,
    Member,
    Sort,
)

TEXT = "Ada Vale wrote a poem about a river.\n.\nÉcrivez aujourd’hui.\n"
AT_ONCE = 2_000


def open_case(slug: str = "ada-vale", **changes: Any) -> Case:
    """Store a case without a season that can be written for until in three weeks."""
    case = make_case(None, slug, "Ada Vale", **{"deadline": today() + timedelta(days=21), **changes})
    db.session.commit()
    return case


def join(count: int, *, name: str = "reader", **changes: Any) -> list[Member]:
    """Store confirmed members ``reader.0@mail.example.org`` and so on, and return them in this order."""
    values = {"frequency": Frequency.EVERY, "confirmed_at": utc_now(), **changes}
    rows = [{"email": f"{name}.{number}@mail.example.org", **values} for number in range(count)]
    for start in range(0, count, AT_ONCE):
        with transaction() as session:
            session.execute(insert(Member), rows[start : start + AT_ONCE])
    found = select(Member).where(Member.email.like(f"{name}.%")).order_by(Member.id)
    return list(db.session.scalars(found))


def approve(case: Case | None = None, *, languages: tuple[str, ...] = ("en",), **changes: Any) -> int:
    """Store a mailing as somebody has approved it, about a case or none; return its id."""
    values = {"sort": Sort.URGENT, "asks": case is not None, "state": MailingState.APPROVED, **changes}
    with transaction() as session:
        mailing = Mailing(case_id=case.id if case else None, **values)
        session.add(mailing)
        session.flush()
        if case is not None:
            session.add(MailingCase(mailing_id=mailing.id, case_id=case.id))
        for language in languages:
            html = f"<!doctype html><html lang={language}><body><p>{TEXT}</p></body></html>"
            words = {"subject": f"Ada Vale ({language})", "text": TEXT, "html": html}
            session.add(MailingWords(mailing_id=mailing.id, language=language, **words))
    return mailing.id


def mailing_now(mailing_id: int) -> Mailing:
    """Return a mailing as the database has it now."""
    db.session.rollback()
    return db.session.get_one(Mailing, mailing_id, populate_existing=True)


def deliveries(mailing_id: int) -> list[Delivery]:
    """Return a mailing's deliveries as the database has them now, in the order in which they are sent."""
    db.session.rollback()
    found = select(Delivery).where(Delivery.mailing_id == mailing_id).order_by(Delivery.id)
    return list(db.session.scalars(found.execution_options(populate_existing=True)))


@contextmanager
def locks() -> Iterator[list[str]]:
    """The tables whose rows are locked meanwhile, in this order; where a database has no such locks, would be."""
    found: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        if context.compiled and getattr(context.compiled.statement, "_for_update_arg", None) is not None:
            found.extend(re.findall(r"FROM (\w+)", statement)[:1])

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)


@contextmanager
def another(app: Flask, **changes: Any) -> Iterator[Flask]:
    """The same installation with other settings."""
    chosen = app.extensions["wfr.settings"]
    made = create_app(make_settings(chosen.data, chosen.database_url, **changes))
    with made.app_context():
        yield made
        db.session.remove()
    close_database(made)
