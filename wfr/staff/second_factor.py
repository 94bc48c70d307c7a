"""The second factor: time-based codes (RFC 6238), each of which works once, and recovery codes."""

from __future__ import annotations

import base64
import hmac
import time

import pyotp
from cryptography.fernet import Fernet, MultiFernet

from wfr.extensions import AnySession, settings
from wfr.staff.models import Account

STEP_SECONDS = 30
STEPS_EITHER_SIDE = 1


def seal_secret(secret: str) -> str:
    """Return a secret as the database keeps it: encrypted with a key that is not in the database."""
    return _cipher().encrypt(secret.encode()).decode()


def open_secret(sealed: str) -> str:
    """Return the secret that `seal_secret` sealed; raises `cryptography.fernet.InvalidToken`."""
    return _cipher().decrypt(sealed.encode()).decode()


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in settings().keys("second-factor")])


def matching_step(secret: str, code: str, *, after: int | None, now: float | None = None) -> int | None:
    """Return the time step that `code` belongs to, if it is a present one later than `after`; else None."""
    step = int((time.time() if now is None else now) // STEP_SECONDS)
    totp = pyotp.TOTP(secret)
    found = None
    for candidate in range(step - STEPS_EITHER_SIDE, step + STEPS_EITHER_SIDE + 1):
        right = hmac.compare_digest(totp.generate_otp(candidate), code)
        if right and (after is None or candidate > after):
            found = candidate
    return found


def take_code(session: AnySession, account: Account, code: str) -> bool:  # noqa: ARG001 -- recovery codes need it
    """Use up a code of `account`, inside the caller's transaction, and say whether it was right and unused."""
    if account.totp_secret is None:
        return False
    step = matching_step(open_secret(account.totp_secret), code.replace(" ", ""), after=account.totp_counter)
    if step is None:
        return False
    account.totp_counter = step
    return True
