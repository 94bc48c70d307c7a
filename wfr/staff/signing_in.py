"""Signing in, and giving a fresh code."""

from __future__ import annotations

from sqlalchemy import update

from wfr.extensions import transaction
from wfr.staff.models import Account, DeskSession, utc_now
from wfr.staff.second_factor import take_code


def confirm_code(*, session_id: str, code: str, address: str) -> bool:  # noqa: ARG001 -- limits come with the budgets
    """Take a code of the second factor for a session that is signed in, and say whether it was right."""
    with transaction() as session:
        row = session.get(DeskSession, session_id)
        account = session.get(Account, row.account_id, with_for_update=True) if row else None
        if account is None or not take_code(session, account, code):
            return False
        session.execute(update(DeskSession).where(DeskSession.id == session_id).values(code_at=utc_now()))
    return True
