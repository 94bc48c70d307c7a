"""The second factor: time-based codes (RFC 6238), each of which works once, and recovery codes."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
import unicodedata
from dataclasses import dataclass

import pyotp
import segno
import structlog
from cryptography.fernet import InvalidToken
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select

from wfr.errors import DomainError, Refused
from wfr.extensions import AnySession, settings, transaction, utc_now
from wfr.sealing import seal, unseal
from wfr.staff.auditing import record
from wfr.staff.models import Account, Actor, RecoveryCode

STEP_SECONDS = 30
STEPS_EITHER_SIDE = 1
RECOVERY_CODES = 10
DRAFT_SECONDS = 60 * 60
# Neither l nor 1, neither o nor 0: what is read from paper must be typed without guessing.
RECOVERY_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"

log = structlog.get_logger(__name__)


class WrongCode(DomainError):
    """A code is wrong, was used before, or is too old."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that is offered to somebody: as a line, as a picture, and sealed, for the form that confirms it."""

    secret: str
    line: str
    sealed: str

    @property
    def picture(self) -> str:
        """The line as a QR code: a ``data:`` address of an SVG."""
        return str(segno.make(self.line, error="m").svg_data_uri(border=4, scale=6, dark="#111111", light="#ffffff"))

    @property
    def spaced(self) -> str:
        """The secret in groups of four, for who types it."""
        return " ".join(re.findall("....", self.secret))


def seal_secret(secret: str) -> str:
    """Return a secret as the database keeps it: encrypted with a key that is not in the database."""
    return seal("second-factor", secret)


def open_secret(sealed: str) -> str:
    """Return the secret that `seal_secret` sealed; raises `cryptography.fernet.InvalidToken`."""
    return unseal("second-factor", sealed)


def otpauth_line(name: str, secret: str) -> str:
    """Return the line that an authenticator app takes a secret from."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=settings().site_name)


def offer_enrolment(name: str, whose: str, sealed: str | None = None) -> Enrolment:
    """Return a secret for `name` to enrol: that of `sealed`, if it was offered to `whose`, else a new one.

    Nothing is stored: the form carries it back, sealed, for an hour. `whose` binds it to one invitation or account.
    """
    secret = open_enrolment(sealed, whose) if sealed else None
    if secret is None or sealed is None:
        secret = pyotp.random_base32()
        sealed = seal("enrolment", f"{secret} {whose}")
    return Enrolment(secret, otpauth_line(name, secret), sealed)


def open_enrolment(sealed: str, whose: str) -> str | None:
    """Return the secret that was offered to `whose` in the last hour, or None."""
    try:
        secret, _, owner = unseal("enrolment", sealed, seconds=DRAFT_SECONDS).partition(" ")
    except InvalidToken:
        return None
    return secret if owner == whose else None


def confirm_enrolment(sealed: str, whose: str, code: str) -> tuple[str, int]:
    """Return the secret offered to `whose` and the step of `code`, which must be a present one; raises `WrongCode`."""
    secret = open_enrolment(sealed, whose)
    step = matching_step(secret, tidy_code(code), after=None) if secret else None
    if secret is None or step is None:
        raise WrongCode
    return secret, step


def set_secret(account: Account, secret: str, step: int) -> None:
    """Give `account` this secret, inside the caller's transaction; the code of `step` has been used."""
    account.totp_secret, account.totp_counter = seal_secret(secret), step


def matching_step(secret: str, code: str, *, after: int | None, now: float | None = None) -> int | None:
    """Return the time step that `code` belongs to, if it is a present one later than `after`; else None."""
    step = int((time.time() if now is None else now) // STEP_SECONDS)
    totp = pyotp.TOTP(secret)
    found = None
    for candidate in range(step - STEPS_EITHER_SIDE, step + STEPS_EITHER_SIDE + 1):
        right = hmac.compare_digest(totp.generate_otp(candidate).encode(), code.encode())
        if right and (after is None or candidate > after):
            found = candidate
    return found


def tidy_code(code: str) -> str:
    """Return a code without the spaces and dashes that it is read or written with."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code[:100])).casefold()


def take_code(session: AnySession, account: Account, code: str) -> bool:
    """Use up a code of `account`, inside the caller's transaction, and say whether it was right and unused.

    It may be one of the app's or a recovery code. The caller has locked the account.
    """
    tidy = tidy_code(code)
    if account.totp_secret is None:
        return False
    if not re.fullmatch(r"[0-9]{6}", tidy):
        return _take_recovery_code(session, account, tidy)
    try:
        secret = open_secret(account.totp_secret)
    except InvalidToken:
        log.error("second_factor_sealed_with_another_key", account=account.id)
        return False
    step = matching_step(secret, tidy, after=account.totp_counter)
    if step is None:
        return False
    # Sealed anew each time, so that a former secret key is needed until everybody has signed in once, not for ever.
    account.totp_counter, account.totp_secret = step, seal_secret(secret)
    return True


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A present code, whether it was used already, and the seconds until the next one."""

    code: str
    used: bool
    seconds: int


def show_code(*, account_id: int, now: float, by: Actor) -> ShownCode:
    """Return the present code of an account, for who has the server's shell; it is recorded."""
    with transaction() as session:
        account = session.get(Account, account_id, populate_existing=True)
        if account is None or account.totp_secret is None:
            raise Refused(_l("This account has no second factor yet: it has to be set up first."))
        step = int(now // STEP_SECONDS)
        code = pyotp.TOTP(open_secret(account.totp_secret)).generate_otp(step)
        record(session, by, "code.shown", f"account:{account_id}")
    used = account.totp_counter is not None and account.totp_counter >= step
    return ShownCode(code, used, STEP_SECONDS - int(now % STEP_SECONDS))


def new_recovery_codes(session: AnySession, account: Account) -> list[str]:
    """Replace the recovery codes of `account`, inside the caller's transaction; return the new ones to show once."""
    codes = ["".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    key = settings().key("recovery-codes")
    session.add_all(RecoveryCode(digest=_digest(key, account, code), account_id=account.id) for code in codes)
    session.flush()
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def recovery_codes_left(session: AnySession, account_id: int) -> int:
    """Return how many recovery codes of an account are unused."""
    unused = RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def _take_recovery_code(session: AnySession, account: Account, tidy: str) -> bool:
    digests = [_digest(key, account, tidy) for key in settings().keys("recovery-codes")]
    row = session.scalars(
        select(RecoveryCode).where(RecoveryCode.digest.in_(digests), RecoveryCode.used_at.is_(None))
    ).first()
    if row is None:
        return False
    row.used_at = utc_now()
    session.flush()
    left = recovery_codes_left(session, account.id)
    record(session, Actor(account.id), "recovery_code.used", f"account:{account.id}", after={"left": left})
    return True


def _digest(key: bytes, account: Account, code: str) -> str:
    return hmac.new(key, f"{account.id} {code}".encode(), hashlib.sha256).hexdigest()
