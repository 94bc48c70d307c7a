"""Mails that somebody asked for by typing an address into a form: few a day to one address, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from wfr import mail
from wfr.extensions import AnySession, transaction, utc_now
from wfr.network.models import RequestedMail, SuppressedFor
from wfr.network.suppressing import digest_of, suppressed_for

MOST_A_DAY = 5
"""How many mails an address is sent in a day (UTC) because of what was typed into forms."""
REMINDER, LINKS = "reminder", "links"
"""What is counted apart from that: reminders asked for, which wait, and a member's own new links."""
KEPT = timedelta(days=2)


def _one_more(insert: Any) -> Any:
    """Return the statement that counts a mail and returns the number, or nothing once there were enough."""
    return insert.on_conflict_do_update(
        index_elements=["digest", "day"],
        set_={"mails": RequestedMail.mails + 1},
        where=RequestedMail.mails < MOST_A_DAY,
    ).returning(RequestedMail.mails)


_ONE_MORE = {
    "postgresql": _one_more(postgresql_insert(RequestedMail)),
    "sqlite": _one_more(sqlite_insert(RequestedMail)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail that is ready to leave: its template, whom it goes to, and what the template needs."""

    template: str
    to: str
    words: Mapping[str, Any]

    def send(self) -> None:
        """Send it; raises `wfr.mail.NotSent`."""
        mail.send_template(self.template, to=self.to, **self.words)


def count_mail(session: AnySession, email: str, *, apart: str = "") -> bool:
    """Count a mail to an address, inside the caller's transaction, and say whether it may leave.

    It may not once the day's number is reached, nor to an address whose mail comes back. Whoever counts for the same
    address waits until the transaction has ended. What a stranger cannot ask for, or what sends nothing yet, is counted
    `apart`, under a word of its own: it must not use up what the owner of the address needs to join.
    """
    statement = _ONE_MORE[session.connection().dialect.name]
    counted = session.execute(statement, {"digest": count_digest(email, apart), "day": utc_now().date(), "mails": 1})
    fits = counted.first() is not None
    return fits and suppressed_for(session, email) is not SuppressedFor.BOUNCED


def count_digest(email: str, apart: str = "") -> str:
    """Return the digest under which the mails to an address are counted: one for all the names of one mailbox.

    What follows a ``+`` is the owner's own addition with nearly every provider; Gmail reads over dots as well.
    """
    name, _, host = email.strip().lower().rpartition("@")
    name = name.partition("+")[0] or name
    if host in ("gmail.com", "googlemail.com"):
        name, host = name.replace(".", ""), "gmail.com"
    return digest_of(f"{apart} {name}@{host}" if apart else f"{name}@{host}")


def knock() -> None:
    """Reach the mail server and send nothing: where no mail may leave the answer is the same, and takes about as long.

    Raises `wfr.mail.NotSent`.
    """
    try:
        with mail.new_backend():
            pass
    except OSError as problem:
        raise mail.NotSent("mail") from problem


def uncount_mail(session: AnySession, email: str) -> None:
    """Take back what `count_mail` has counted today, inside the caller's transaction: the mail could not leave."""
    session.execute(
        update(RequestedMail)
        .where(
            RequestedMail.digest == count_digest(email),
            RequestedMail.day == utc_now().date(),
            RequestedMail.mails > 0,
        )
        .values(mails=RequestedMail.mails - 1)
        .execution_options(synchronize_session=False)
    )


def forget_requests() -> int:
    """Forget how many mails were asked for on days that are over; return how many numbers that were."""
    with transaction() as session:
        old = delete(RequestedMail).where(RequestedMail.day <= (utc_now() - KEPT).date())
        return len(session.execute(old.returning(RequestedMail.digest)).all())
