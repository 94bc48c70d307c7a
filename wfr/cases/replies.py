"""Replies from officials: logged, never changed; what was wrong is put right by a further line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import lazy_gettext as _l

from wfr.cases.drafting import lock_case
from wfr.cases.models import Reply
from wfr.errors import Refused
from wfr.extensions import transaction, utc_now
from wfr.staff.auditing import digest, record
from wfr.staff.models import Actor


@dataclass(frozen=True, slots=True)
class Received:
    """A reply: the day it bears, who sent it, and what it says in a few words."""

    dated: date
    sender: str
    summary: str


def log_reply(*, by: Actor, slug: str, reply: Received) -> int:
    """Log a reply to letters about a case and return its id; the trail keeps digests of who wrote and what.

    Raises `NoSuchThing`, and `Refused` for a day that has not come yet.
    """
    now = utc_now()
    if reply.dated > now.date():
        raise Refused(_l("A reply cannot bear a day that has not come yet."))
    with transaction() as session:
        case = lock_case(session, slug)
        row = Reply(
            case_id=case.id,
            dated=reply.dated,
            sender=reply.sender,
            summary=reply.summary,
            logged_by=by.account_id,
            logged_at=now,
        )
        session.add(row)
        session.flush()
        told = {"reply": row.id, "dated": reply.dated.isoformat(), "sender": digest(reply.sender)}
        record(session, by, "reply.logged", f"case:{case.id}", after={**told, "summary": digest(reply.summary)})
        return row.id
