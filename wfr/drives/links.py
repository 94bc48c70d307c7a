"""The private links of a drive: signed, stored nowhere, each good for one thing."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from itsdangerous import BadSignature, TimestampSigner
from sqlalchemy import select

from wfr.drives.models import Drive
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, settings

CONFIRM_SECONDS = 7 * 24 * 60 * 60


class LinkFor(StrEnum):
    """What a link is good for. Who has one of them has not the others."""

    CONFIRM = "confirm"
    MANAGE = "manage"
    REPORT = "report"


def link_token(drive: Drive, purpose: LinkFor) -> str:
    """Return the last part of the drive's link for `purpose`."""
    return _signer(purpose).sign(f"{drive.slug}.{drive.links}").decode()


def link_address(drive: Drive, purpose: LinkFor) -> str:
    """Return the whole link for `purpose`, as it stands in mails and on paper."""
    return f"{settings().base_url}/schools/{purpose.value}/{link_token(drive, purpose)}"


def drive_of_link(session: AnySession, token: str, purpose: LinkFor) -> Drive:
    """Return the drive that a link leads to; raises `NoSuchThing` for one that is forged, replaced or too old.

    A link that confirms lasts for a week; the others last until they are replaced.
    """
    longest = CONFIRM_SECONDS if purpose is LinkFor.CONFIRM else None
    try:
        slug, _, links = _signer(purpose).unsign(token, max_age=longest).decode().rpartition(".")
    except (BadSignature, UnicodeDecodeError):
        raise NoSuchThing("drive") from None
    drive = session.scalar(select(Drive).where(Drive.slug == slug))
    if drive is None or str(drive.links) != links or drive.merged_into is not None:
        raise NoSuchThing("drive")
    return drive


def _signer(purpose: LinkFor) -> TimestampSigner:
    keys = list(reversed(settings().keys("drives")))
    return TimestampSigner(keys, salt=purpose.encode(), sep="~", digest_method=hashlib.sha256)
