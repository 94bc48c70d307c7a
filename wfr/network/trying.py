"""A mailing sent to whoever asks at the desk, to be looked at in a real mail program. It counts for nothing."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from wfr.carrier import NotTaken, ServerAway, open_carrier
from wfr.errors import Refused
from wfr.extensions import settings, transaction
from wfr.network.mailing_queries import composed_in, mailing_at_desk
from wfr.network.messages import UnsafeAddress, specimen_of
from wfr.network.models import MailingWords
from wfr.network.preparing import note
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role


def send_to_oneself(*, by: Actor, mailing_id: int, language: str) -> None:
    """Send what a mailing says in a language to the address of who asks, marked as a test; its links lead nowhere.

    Raises `NoSuchThing`, `NotPossibleNow` where a case was withdrawn, `NotAllowed`, and `Refused` where no mail can say
    this or the mail server did not take it.
    """
    composed = composed_in(mailing_at_desk(mailing_id), language)
    words = MailingWords(language=language, subject=composed.subject, text=composed.text, html=composed.html)
    with transaction() as session:
        account = require_role(session, by, Role.WRITER)
        mailing = mailing_at_desk(mailing_id).mailing
        note(session, by, "tried", mailing, after={"language": language})
    carrier = open_carrier()
    try:
        carrier.carry(sender=settings().mail_from, to=account.email, data=specimen_of(words, account.email))
    except UnsafeAddress:
        raise Refused(_l("Your own address holds letters that not every mail server knows.")) from None
    except (NotTaken, ServerAway):
        raise Refused(_l("The mail server did not take it. Try again in a minute.")) from None
    finally:
        carrier.close()
