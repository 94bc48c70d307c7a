"""Accounts: what one coordinator asks for, a second one or the server's shell agrees to. Disabling needs no second.

So that one stolen account cannot make its own reviewer, or take over a colleague's account.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.auditing import digest, record
from wfr.staff.devices import keep_devices
from wfr.staff.inviting import Invitation, deliver, invite
from wfr.staff.models import Account, AccountState, Actor, Request, Role
from wfr.staff.naming import tidy_name
from wfr.staff.sessions import end_other_sessions

POSSIBLE = {
    Request.JOIN: (AccountState.PROPOSED,),
    Request.ROLE: (AccountState.ACTIVE,),
    Request.RESET: (AccountState.ACTIVE,),
    Request.ENABLE: (AccountState.DISABLED,),
}
"""In which states of an account each request makes sense."""


class NameTaken(Refused):
    """There is an account of this name already, perhaps a disabled one."""

    def __init__(self) -> None:
        super().__init__(_l("There is an account of this name already"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: it waits for a second person, or was carried out, perhaps with an invitation."""

    account: Account
    waits: bool = False
    invitation: Invitation | None = None


def propose(*, name: str, email: str, role: Role, by: Actor) -> Outcome:
    """Ask for a new account; the server's shell needs nobody's agreement. Raises `NameTaken`.

    `name` is tidy and `email` a valid address.
    """
    with transaction() as session:
        if session.scalar(select(Account.id).where(func.lower(Account.name) == tidy_name(name))) is not None:
            raise NameTaken
        account = Account(name=tidy_name(name), email=email, role=role, state=AccountState.PROPOSED)
        session.add(account)
        session.flush()
        after = {"name": digest(account.name), "email": digest(email), "role": role.value}
        record(session, by, "account.proposed", f"account:{account.id}", after=after)
        outcome = _ask(session, account, Request.JOIN, by)
    return _delivered(outcome, by)


def ask(*, account_id: int, request: Request, role: Role | None = None, by: Actor) -> Outcome:
    """Ask that an account gets another `role`, is set up anew, or is enabled again."""
    with transaction() as session:
        account = _locked(session, account_id)
        if account.request:
            raise Refused(_l("Something is already waiting for a second person here. Agree to it or refuse it first."))
        if account.state not in POSSIBLE[request]:
            raise Refused(_l("This account is not in a state for that."))
        if request is Request.ROLE and (role is None or role == account.role):
            raise Refused(_l("Choose another role than the present one."))
        account.requested_role = role if request is Request.ROLE else None
        after = {"request": request.value, **({"role": role.value} if role and request is Request.ROLE else {})}
        record(session, by, "account.asked", f"account:{account.id}", before={"role": account.role}, after=after)
        outcome = _ask(session, account, request, by)
    return _delivered(outcome, by)


def agree(*, account_id: int, mark: str | None, by: Actor) -> Outcome:
    """Agree to what waits for a second person, which carries it out. `mark` is that of the request that was shown.

    Raises `NotAllowed` for who asked, for whom it is about, and for who is no coordinator. The server's shell shows
    nothing before it agrees, and gives no mark.
    """
    with transaction() as session:
        account = _locked(session, account_id)
        _demand_waiting(account, mark)
        _demand_second(session, account, by)
        outcome = _carry_out(session, account, by)
    return _delivered(outcome, by)


def refuse(*, account_id: int, mark: str | None, by: Actor) -> Account:
    """Refuse what waits for a second person, or take back what one asked for oneself."""
    with transaction() as session:
        account = _locked(session, account_id)
        _demand_waiting(account, mark)
        if by.account_id != account.requested_by:
            _demand_second(session, account, by)
        before = {"request": account.request}
        _forget_request(account)
        if account.state == AccountState.PROPOSED:
            # The row stays: the trail speaks of it, and its number must never become somebody else's.
            account.state = AccountState.DISABLED
        record(session, by, "account.request_refused", f"account:{account.id}", before=before)
    return account


def disable(*, account_id: int, by: Actor) -> Account:
    """Close an account at once: its sessions and its invitation are over. One coordinator is enough."""
    with transaction() as session:
        account = _locked(session, account_id)
        if account.id == by.account_id:
            raise NotAllowed(_l("Nobody can disable their own account. Ask another coordinator."))
        if account.state == AccountState.DISABLED:
            raise Refused(_l("This account is disabled already."))
        before = {"state": account.state}
        account.state = AccountState.DISABLED
        account.invitation = account.invitation_ends = None
        _forget_request(account)
        end_other_sessions(session, account)
        record(session, by, "account.disabled", f"account:{account.id}", before=before)
    return account


def _locked(session: AnySession, account_id: int) -> Account:
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise NoSuchThing(f"account {account_id}")
    return account


def _ask(session: AnySession, account: Account, request: Request, by: Actor) -> Outcome:
    account.request, account.requested_by, account.requested_at = request, by.account_id, utc_now()
    return _carry_out(session, account, by) if by.via == "shell" else Outcome(account, waits=True)


def _demand_waiting(account: Account, mark: str | None) -> None:
    if not account.request:
        raise Refused(_l("Nothing is waiting for a second person here any more."))
    if mark is not None and mark != account.request_mark:
        raise Refused(_l("The request has changed since you saw it. Look at it again."))


def _demand_second(session: AnySession, account: Account, by: Actor) -> None:
    if by.via == "shell":
        return
    second = session.get(Account, by.account_id, populate_existing=True)
    if second is None or not second.may(Role.COORDINATOR):
        raise NotAllowed(_l("Only a coordinator decides about accounts."))
    if second.id in (account.requested_by, account.id):
        raise NotAllowed(_l("A second coordinator decides: neither who asked for it nor whom it is about."))


def _carry_out(session: AnySession, account: Account, by: Actor) -> Outcome:
    request, before = account.request, {"state": account.state, "role": account.role}
    invitation = None
    if request == Request.ROLE:
        former = account.epoch
        account.role = account.requested_role or account.role
        end_other_sessions(session, account)
        keep_devices(session, account, former)
    else:
        invitation = invite(session, account)
    _forget_request(account)
    after = {"request": request, "state": account.state, "role": account.role}
    record(session, by, "account.request_agreed", f"account:{account.id}", before=before, after=after)
    return Outcome(account, invitation=invitation)


def _forget_request(account: Account) -> None:
    account.request = account.requested_role = account.requested_by = account.requested_at = None


def _delivered(outcome: Outcome, by: Actor) -> Outcome:
    if outcome.invitation is None:
        return outcome
    return Outcome(outcome.account, invitation=deliver(outcome.invitation, by))
