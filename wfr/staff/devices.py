"""Known devices: a browser that has signed in before has a budget of attempts that strangers cannot use up."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, update

from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.models import Account, KnownDevice
from wfr.staff.sessions import TOKEN_BYTES, token_digest

KEPT = timedelta(days=180)


def find_device(session: AnySession, token: str | None) -> KnownDevice | None:
    """Return the device that holds `token`, whoever signed in on it."""
    return session.get(KnownDevice, token_digest(token), populate_existing=True) if token else None


def belongs(device: KnownDevice | None, account: Account) -> bool:
    """Say whether `account` has signed in on this device and it was not revoked since."""
    return (
        device is not None
        and device.account_id == account.id
        and device.epoch == account.epoch
        and utc_now() - device.seen_at < KEPT
    )


def remember_device(session: AnySession, account: Account, token: str | None) -> str:
    """Make the browser that holds `token` known to `account`, inside the caller's transaction; return its token."""
    device = find_device(session, token)
    if device and token and belongs(device, account):
        device.seen_at = utc_now()
        return token
    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(KnownDevice(id=token_digest(fresh), account_id=account.id, epoch=account.epoch))
    return fresh


def keep_devices(session: AnySession, account: Account, former_epoch: int, only: str | None = None) -> None:
    """Take the devices of `former_epoch` over into the present one: all of them, or `only` the one with this token."""
    rows = update(KnownDevice).where(KnownDevice.account_id == account.id, KnownDevice.epoch == former_epoch)
    if only is not None:
        rows = rows.where(KnownDevice.id == token_digest(only))
    session.execute(rows.values(epoch=account.epoch))


def forget_old_devices() -> int:
    """Delete devices that were not seen for half a year, and return how many there were."""
    with transaction() as session:
        old = session.execute(
            delete(KnownDevice).where(KnownDevice.seen_at < utc_now() - KEPT).returning(KnownDevice.id)
        )
        return len(old.all())
