"""The mails in which private links go out. They repeat no word that somebody else may have typed."""

from __future__ import annotations

import hashlib

from limits import parse

from wfr import mail
from wfr.drives.links import CONFIRM_SECONDS, LinkFor, link_address
from wfr.drives.models import Drive
from wfr.drives.queries import drives_of_address
from wfr.errors import DomainError
from wfr.extensions import limiter, settings

MAILS_TO_ONE = parse("6 per hour")
CONFIRM_DAYS = CONFIRM_SECONDS // (24 * 60 * 60)


class EnoughMail(DomainError):
    """This address was sent enough for the moment, whoever asks; nothing was sent."""


def mail_confirmation(drive: Drive) -> None:
    """Send the link that confirms a drive; raises `EnoughMail`, `wfr.mail.NotSent`.

    The drive's name is not in it: until the drive is confirmed, a stranger may have typed it.
    """
    email = drive.email or ""
    _spare(email)
    mail.send_template("drive_confirm", to=email, link=link_address(drive, LinkFor.CONFIRM), days=CONFIRM_DAYS)


def mail_links(email: str) -> None:
    """Send whoever reads `email` the links of its drives, or that there are none: the same act for every address.

    Raises `EnoughMail`, `wfr.mail.NotSent`.
    """
    _spare(email)
    drives = drives_of_address(email)
    confirmed = [(drive, link_address(drive, LinkFor.MANAGE)) for drive in drives if drive.confirmed_at]
    waiting = [link_address(drive, LinkFor.CONFIRM) for drive in drives if not drive.confirmed_at]
    mail.send_template(
        "drive_links", to=email, confirmed=confirmed, waiting=waiting, start=f"{settings().base_url}/schools"
    )


def _spare(email: str) -> None:
    """Count a mail to this address; raises `EnoughMail` where it was the last straw."""
    if not settings().ratelimit_enabled:
        return
    key = settings().key("addresses")[:64]
    digest = hashlib.blake2b(email.lower().encode(), key=key, digest_size=16).hexdigest()
    if not limiter.limiter.hit(MAILS_TO_ONE, "drive mail", digest):
        raise EnoughMail("mail")
