"""Invitations: a single-use link, by mail, with which somebody sets up an account. Only its digest is kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update

from wfr import mail
from wfr.errors import DomainError, Refused
from wfr.extensions import AnySession, db, settings, transaction, utc_now
from wfr.staff import passwords
from wfr.staff.auditing import record
from wfr.staff.models import Account, AccountState, Actor, RecoveryCode
from wfr.staff.second_factor import confirm_enrolment, new_recovery_codes, set_secret
from wfr.staff.sessions import TOKEN_BYTES, end_other_sessions, token_digest

VALID = timedelta(hours=72)


class InvitationOver(DomainError):
    """This invitation was used, has expired or was replaced; or there never was one (410)."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was just made: the only moment at which its token is known. `sent` says by mail."""

    account_id: int
    name: str
    email: str
    role: str
    token: str
    sent: bool = False

    @property
    def link(self) -> str:
        """The address that the invited person opens."""
        return f"{settings().base_url}/desk/invitation/{self.token}"


def invite(session: AnySession, account: Account) -> Invitation:
    """Make a new invitation for `account`, inside the caller's transaction: whatever it had until now is over."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    account.state = AccountState.INVITED
    account.invitation, account.invitation_ends = token_digest(token), utc_now() + VALID
    account.password_hash = account.totp_secret = account.totp_counter = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    end_other_sessions(session, account)
    return Invitation(account.id, account.name, account.email, account.role, token)


def deliver(invitation: Invitation, by: Actor) -> Invitation:
    """Mail an invitation that is committed, and return it with whether that succeeded.

    What the desk could not mail nobody has: its digest is taken away again, which shows it as not sent. The server's
    shell prints the link, and mails only where there is a mail server.
    """
    shell = by.via == "shell"
    if shell and not settings().mail_url:
        return invitation
    try:
        hours = int(VALID.total_seconds()) // 3600
        mail.send_template("invitation", to=invitation.email, invitation=invitation, hours=hours)
    except mail.NotSent:
        if not shell:
            _take_back(invitation, by)
        return invitation
    return replace(invitation, sent=True)


def _take_back(invitation: Invitation, by: Actor) -> None:
    with transaction() as session:
        session.execute(
            update(Account)
            .where(Account.invitation == token_digest(invitation.token))
            .values(invitation=None, invitation_ends=None)
        )
        record(session, by, "invitation.not_sent", f"account:{invitation.account_id}")


def send_again(*, account_id: int, by: Actor) -> Invitation:
    """Make a new invitation for somebody who was invited, and mail it; the one before is over."""
    with transaction() as session:
        account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
        if account is None or account.state != AccountState.INVITED:
            raise Refused(_l("This account does not wait for an invitation."))
        invitation = invite(session, account)
        record(session, by, "invitation.renewed", f"account:{account_id}")
    return deliver(invitation, by)


def read_invitation(token: str) -> Account:
    """Return whom an invitation is for; raises `InvitationOver`. Reading changes nothing."""
    return _valid(db.session.scalar(select(Account).where(Account.invitation == token_digest(token))))


def _valid(account: Account | None) -> Account:
    if (
        account is None
        or account.state != AccountState.INVITED
        or account.invitation_ends is None
        or account.invitation_ends < utc_now()
    ):
        raise InvitationOver
    return account


def accept(*, token: str, password: str, sealed: str, code: str) -> list[str]:
    """Set up an account by its invitation, which is used up by that, and return the recovery codes to show once.

    Raises `InvitationOver`, `passwords.BadPassword` and `second_factor.WrongCode`; the invitation stays good then.
    """
    account = read_invitation(token)
    secret, step = confirm_enrolment(sealed, whose(token), code)
    passwords.demand_good(password, personal=(account.name, settings().site_name))
    kept = passwords.hashed(password)
    with transaction() as session:
        locked = select(Account).where(Account.invitation == token_digest(token)).with_for_update()
        account = _valid(session.scalars(locked.execution_options(populate_existing=True)).first())
        account.password_hash, account.state = kept, AccountState.ACTIVE
        account.invitation = account.invitation_ends = None
        set_secret(account, secret, step)
        codes = new_recovery_codes(session, account)
        record(session, Actor(account.id), "invitation.accepted", f"account:{account.id}")
    return codes


def whose(token: str) -> str:
    """Return what binds an offered secret to an invitation."""
    return f"invitation:{token_digest(token)}"
