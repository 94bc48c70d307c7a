"""What the desk's page of the campaign's account shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wfr.extensions import db, settings, utc_now
from wfr.share.models import AccountState, XAccount
from wfr.share.renewing import CALLBACK, RECONNECT, newest_account
from wfr.share.sending import stays_because
from wfr.share.x import Limited
from wfr.staff.models import Account


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """The account that was connected last, who connected it, and what stands in the way of posting.

    `app` says whether credentials are set; `callback` is the address to register at X. `stays` is the word for why
    nothing leaves this machine, connected or not; see `wfr.share.sending.stays_because`.
    """

    app: bool
    stays: str | None
    callback: str
    account: XAccount | None
    connected_by: str
    paused_until: datetime | None

    @property
    def standing(self) -> str:
        """``no_app``, ``not_connected``, ``connected``, ``expired``, or ``stuck``: connected, and X takes nothing."""
        if not self.app:
            return "no_app"
        if self.account is None or self.account.state == AccountState.REVOKED:
            return "not_connected"
        if self.account.state == AccountState.EXPIRED or self.account.problem == RECONNECT:
            return "expired"
        over = self.account.problem in (None, Limited.why) and self.paused_until is None
        return "connected" if over else "stuck"

    @property
    def scopes(self) -> list[str]:
        """What X has granted, one scope a word."""
        return self.account.scopes.split() if self.account else []


def account_for_desk() -> AccountSeen:
    """Return the account as the desk shows it. X is not asked, and no token is opened."""
    account = newest_account(db.session)
    coordinator = db.session.get(Account, account.connected_by) if account else None
    pause = account.paused_until if account else None
    return AccountSeen(
        app=bool(settings().x_client_id),
        stays=stays_because(),
        callback=f"{settings().base_url}{CALLBACK}",
        account=account,
        connected_by=coordinator.name if coordinator else "",
        paused_until=pause if pause and pause > utc_now() else None,
    )
