"""What people change about their own account: password, second factor, recovery codes, sessions elsewhere."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, db, settings, transaction
from wfr.staff import passwords
from wfr.staff.auditing import record
from wfr.staff.devices import keep_devices
from wfr.staff.models import Account, Actor, DeskSession
from wfr.staff.second_factor import confirm_enrolment, new_recovery_codes, set_secret
from wfr.staff.sessions import end_other_sessions, end_rows_of_others
from wfr.staff.signing_in import spend_inside


def change_password(*, present: str, new: str, session_id: str, device: str | None, by: Actor) -> None:
    """Change one's password. Every other session is over, and every other device is a stranger again.

    Raises `passwords.WrongPassword`, `passwords.BadPassword`, and `Refused` when too many were tried.
    """
    account = _own(db.session, by)
    kept = account.password_hash
    passwords.demand_good(new, personal=(account.name, settings().site_name))
    if passwords.normal(new) == passwords.normal(present):
        raise passwords.BadPassword(_l("Take another one than your present password"))
    spend_inside(session_id, f"account:{by.account_id}")
    if not passwords.matches(present, kept):
        raise passwords.WrongPassword
    changed = passwords.hashed(new)
    with transaction() as session:
        account = _own(session, by, lock=True)
        if account.password_hash != kept:
            raise passwords.WrongPassword
        account.password_hash = changed
        _end_the_others(session, account, session_id, device)
        record(session, by, "password.changed", f"account:{account.id}")


def replace_second_factor(*, sealed: str, code: str, session_id: str, device: str | None, by: Actor) -> list[str]:
    """Take a new second factor in place of the old one, and return new recovery codes to show once.

    Every other session is over. Raises `second_factor.WrongCode`.
    """
    secret, step = confirm_enrolment(sealed, whose(by), code)
    with transaction() as session:
        account = _own(session, by, lock=True)
        set_secret(account, secret, step)
        codes = new_recovery_codes(session, account)
        _end_the_others(session, account, session_id, device)
        record(session, by, "second_factor.replaced", f"account:{account.id}")
    return codes


def renew_recovery_codes(*, by: Actor) -> list[str]:
    """Replace one's recovery codes, and return the new ones to show once."""
    with transaction() as session:
        account = _own(session, by, lock=True)
        codes = new_recovery_codes(session, account)
        record(session, by, "recovery_codes.renewed", f"account:{account.id}")
    return codes


def sign_out_others(*, session_id: str, by: Actor) -> int:
    """End one's sessions in other browsers, and return how many there were."""
    with transaction() as session:
        account = _own(session, by, lock=True)
        ended = end_rows_of_others(session, account, _row(session, session_id))
        record(session, by, "sessions.ended", f"account:{account.id}", after={"ended": ended})
    return ended


def whose(by: Actor) -> str:
    """Return what binds an offered secret to an account."""
    return f"account:{by.account_id}"


def _own(session: AnySession, by: Actor, *, lock: bool = False) -> Account:
    account = session.get(Account, by.account_id, with_for_update=lock or None, populate_existing=True)
    if account is None:
        raise NoSuchThing(f"account {by.account_id}")
    return account


def _row(session: AnySession, session_id: str) -> DeskSession:
    row = session.get(DeskSession, session_id, populate_existing=True)
    if row is None:
        raise NoSuchThing("session")
    return row


def _end_the_others(session: AnySession, account: Account, session_id: str, device: str | None) -> None:
    former = account.epoch
    end_other_sessions(session, account, keep=_row(session, session_id))
    keep_devices(session, account, former, only=device or "")
