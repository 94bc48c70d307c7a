"""Withdrawing a case, which never waits, and bringing it back, which takes two people."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from wfr.cases.drafting import lock_case
from wfr.cases.models import CaseStatus
from wfr.cases.publishing import publication_problems, shown_version
from wfr.errors import NotAllowed, Refused
from wfr.extensions import transaction, utc_now
from wfr.staff.auditing import digest, record
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role


def withdraw(*, by: Actor, slug: str, reason: str) -> None:
    """Take a case from the public at once: its addresses answer 410 and nothing names the person any more.

    Publications and closings that wait for an hour no longer happen. Raises `NoSuchThing`; `NotAllowed` for a writer;
    `Refused` without a reason, or where visitors have never seen the case or it is withdrawn already.
    """
    if not reason:
        raise Refused(_l("Say why, for those who come after you."))
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.REVIEWER)
        if case.status in (CaseStatus.DRAFT, CaseStatus.WITHDRAWN):
            raise Refused(_l("Visitors cannot see this case; there is nothing to withdraw."))
        before = case.status
        case.status, case.status_reason = CaseStatus.WITHDRAWN, reason
        case.status_by, case.status_at = by.account_id, utc_now()
        case.return_asked_by, case.close_at = None, None
        after = {"status": case.status, "reason": digest(reason)}
        record(session, by, "case.withdrawn", f"case:{case.id}", before={"status": before}, after=after)


def ask_return(*, by: Actor, slug: str) -> None:
    """Ask that a withdrawn case be brought back; somebody else must agree.

    Raises `NoSuchThing`, `NotAllowed` for a writer, and `Refused` for a case that is not withdrawn.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.REVIEWER)
        if case.status != CaseStatus.WITHDRAWN:
            raise Refused(_l("This case is not withdrawn."))
        case.return_asked_by = by.account_id
        record(session, by, "case.return_asked", f"case:{case.id}")


def agree_return(*, by: Actor, slug: str) -> None:
    """Bring a withdrawn case back, as the second of two people; it comes back paused, and is resumed from there.

    Raises `NoSuchThing`; `NotAllowed` for who is no coordinator or asked for it; `Refused` where nobody asked, or
    nobody's consent covers it.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.COORDINATOR)
        if case.status != CaseStatus.WITHDRAWN or case.return_asked_by is None:
            raise Refused(_l("Nobody has asked to bring this case back."))
        if case.return_asked_by == by.account_id:
            raise NotAllowed(_l("You have asked for this yourself. Somebody else must agree."))
        case.status = CaseStatus.PAUSED
        shown = shown_version(session, case)
        problems = publication_problems(session, case, shown) if shown else []
        if problems:
            raise Refused(" ".join(map(str, problems)))
        case.status_reason, case.return_asked_by = str(_l("It was withdrawn and has been brought back.")), None
        case.status_by, case.status_at = by.account_id, utc_now()
        after = {"status": case.status}
        record(session, by, "case.returned", f"case:{case.id}", before={"status": "withdrawn"}, after=after)
