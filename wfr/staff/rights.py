"""Whether an account may do what a verb is about to do: asked inside the verb's transaction, not only at the door."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from wfr.errors import NotAllowed
from wfr.extensions import AnySession
from wfr.staff.models import Account, Actor, Role


def require_role(session: AnySession, by: Actor, role: Role) -> Account:
    """Return the account that acts, if it is active and its role is enough now; raises `NotAllowed`."""
    account = session.get(Account, by.account_id, populate_existing=True) if by.account_id else None
    if account is None or not account.may(role):
        raise NotAllowed(_l("This needs another role than yours."))
    return account
