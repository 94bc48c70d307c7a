"""Mailings that are under way: paused, let go on, called off. What has left is out of anybody's reach."""

from __future__ import annotations

from wfr.cases.queries import today
from wfr.errors import Refused
from wfr.extensions import transaction, utc_now
from wfr.jobs import ring
from wfr.network.delivering import QUEUE
from wfr.network.mailing_rules import WHY_NOT
from wfr.network.models import MailingState
from wfr.network.preparing import EDITABLE, lock_mailing, note, require_state, touch
from wfr.network.stopping import UNDER_WAY, obstacle
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role


def pause_mailing(*, by: Actor, mailing_id: int) -> None:
    """Have nothing more of a running mailing leave, from the next message on.

    Anybody at the desk may, whatever they saw last: seconds count. Raises `NoSuchThing`, `NotAllowed`, and `Refused`
    where it does not run.
    """
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        mailing = lock_mailing(session, mailing_id)
        require_state(mailing, MailingState.RUNNING)
        mailing.state, mailing.why = MailingState.PAUSED, "hand"
        touch(mailing)
        note(session, by, "paused", mailing, after={"why": "hand"})


def resume_mailing(*, by: Actor, mailing_id: int, revision: int) -> None:
    """Let a paused mailing go on where it stopped.

    Raises `NoSuchThing`, `NotAllowed`, and `Refused` where it is not paused any more, or where a case that it speaks of
    stands in its way.
    """
    with transaction() as session:
        require_role(session, by, Role.REVIEWER)
        mailing = lock_mailing(session, mailing_id, revision)
        require_state(mailing, MailingState.PAUSED)
        word = obstacle(session, mailing, today())
        if word is not None:
            raise Refused(WHY_NOT[word])
        # One that was paused before its deliveries were made has none yet: starting makes them.
        mailing.state = MailingState.RUNNING if mailing.started_at else MailingState.APPROVED
        mailing.why = None
        touch(mailing)
        note(session, by, "resumed", mailing)
    ring(QUEUE)


def cancel_mailing(*, by: Actor, mailing_id: int) -> None:
    """Call a mailing off for good, at any time before it is done; what has not left by then is not sent.

    As with pausing, what somebody saw last does not matter. Raises `NoSuchThing`, `NotAllowed`, and `Refused` where it
    is over.
    """
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        mailing = lock_mailing(session, mailing_id)
        require_state(mailing, *EDITABLE, *UNDER_WAY)
        if mailing.state in UNDER_WAY:
            require_role(session, by, Role.REVIEWER)
        mailing.state, mailing.why, mailing.finished_at = MailingState.STOPPED, "cancelled", utc_now()
        touch(mailing)
        note(session, by, "cancelled", mailing)
