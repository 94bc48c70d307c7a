"""Publishing: what was approved becomes what visitors read, now or at its hour; pausing, resuming and closing."""

from __future__ import annotations

from datetime import datetime

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from wfr.cases.checking import consent_problems, find_gaps
from wfr.cases.consenting import pause_case, present_consent
from wfr.cases.documents import CaseDocument, apply_document
from wfr.cases.drafting import lock_case, newest_version
from wfr.cases.models import Case, CaseStatus, CaseVersion, VersionState
from wfr.cases.reviewing import approved_version
from wfr.errors import Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.auditing import digest, record
from wfr.staff.models import JOB, Actor, Role
from wfr.staff.queries import people_on_desk
from wfr.staff.rights import require_role

log = structlog.get_logger(__name__)

FEWEST_PEOPLE = 2


def publish(*, by: Actor, slug: str, number: int, at: datetime | None = None) -> None:
    """Show an approved version to visitors, at once or at the moment `at` (UTC).

    Raises `NoSuchThing`; `NotAllowed` for who is no coordinator; `Refused` with the reason: not approved, fewer than
    two people on the desk, no consent that covers it, or the case is withdrawn.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.COORDINATOR)
        version = approved_version(session, case)
        if version is None or version.number != number:
            raise Refused(_l("Things have moved on: this version does not wait to be published. Look again."))
        why_not = publication_problems(session, case, version)
        if why_not:
            raise Refused(" ".join(map(str, why_not)))
        if at is not None and at > utc_now():
            version.publish_at, version.published_by, version.note = at, by.account_id, None
            after = {"version": version.number, "at": at.isoformat(timespec="minutes")}
            record(session, by, "version.scheduled", f"case:{case.id}", after=after)
            return
        _publish(session, by, case, version)


def _publish(session: AnySession, by: Actor, case: Case, version: CaseVersion) -> None:
    before = case.status
    document = CaseDocument.model_validate(version.document)
    apply_document(session, case, document)
    if case.status == CaseStatus.DRAFT:
        case.status = CaseStatus.PUBLISHED
    version.state, version.note = VersionState.PUBLISHED, None
    version.publish_at, version.published_at = None, utc_now()
    version.published_by = by.account_id or version.published_by
    after = {"status": case.status, "version": version.number, "digest": document.digest()}
    record(session, by, "case.published", f"case:{case.id}", before={"status": before}, after=after)


def publication_problems(session: AnySession, case: Case, version: CaseVersion) -> list[object]:
    """Return, in words, everything that keeps this version from being published now; empty when nothing does."""
    problems: list[object] = []
    document = CaseDocument.model_validate(version.document)
    if case.status == CaseStatus.WITHDRAWN:
        problems.append(_l("The case is withdrawn. Two people must bring it back first."))
    if people_on_desk(session) < FEWEST_PEOPLE:
        problems.append(_l("There are fewer than two people on the desk; nobody publishes alone."))
    if find_gaps(document):
        problems.append(_l("The version has gaps."))
    return problems + consent_problems(present_consent(session, case), document, utc_now().date())


def unschedule(*, by: Actor, slug: str) -> None:
    """Call off a publication that waits for its hour. Raises `NoSuchThing`, `Refused` where none does."""
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.COORDINATOR)
        version = approved_version(session, case)
        if version is None or version.publish_at is None:
            raise Refused(_l("Nothing is scheduled."))
        version.publish_at = None
        record(session, by, "version.unscheduled", f"case:{case.id}", after={"version": version.number})


def publish_due() -> int:
    """Publish what waits for an hour that has come, and return how much; what cannot be is held, with the reason."""
    with transaction() as session:
        due = session.scalars(
            select(CaseVersion.case_id).where(
                CaseVersion.state == VersionState.APPROVED, CaseVersion.publish_at <= utc_now()
            )
        ).all()
        return sum(_publish_due(session, case_id) for case_id in sorted(set(due)))


def _publish_due(session: AnySession, case_id: int) -> bool:
    case = session.get(Case, case_id, with_for_update=True, populate_existing=True)
    version = approved_version(session, case) if case else None
    if case is None or version is None or version.publish_at is None or version.publish_at > utc_now():
        return False
    why_not = publication_problems(session, case, version)
    if why_not:
        version.publish_at, version.note = None, " ".join(map(str, why_not))
        record(session, JOB, "version.held", f"case:{case.id}", after={"version": version.number})
        return False
    _publish(session, JOB, case, version)
    return True


def pause(*, by: Actor, slug: str, reason: str) -> None:
    """Stop the actions of a published case; its page stays. A reviewer may. Raises `NoSuchThing`, `Refused`."""
    _require_reason(reason)
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.REVIEWER)
        if case.status != CaseStatus.PUBLISHED:
            raise Refused(_l("Only a published case can be paused."))
        pause_case(session, by, case, reason)


def resume(*, by: Actor, slug: str) -> None:
    """Let a paused or closed case go on. Raises `NoSuchThing`, `NotAllowed`, and `Refused` without a valid consent."""
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.COORDINATOR)
        if case.status not in (CaseStatus.PAUSED, CaseStatus.CLOSED):
            raise Refused(_l("Only a paused or closed case can go on."))
        shown = shown_version(session, case)
        problems = publication_problems(session, case, shown) if shown else []
        if problems:
            raise Refused(" ".join(map(str, problems)))
        _set_status(session, by, case, CaseStatus.PUBLISHED, "case.resumed")


def close(*, by: Actor, slug: str, reason: str, at: datetime | None = None) -> None:
    """End the actions of a case for good, at once or at the moment `at` (UTC); its page stays, with what came of it.

    Raises `NoSuchThing`, `NotAllowed`, and `Refused` for a case that is not published or paused.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.COORDINATOR)
        if case.status not in (CaseStatus.PUBLISHED, CaseStatus.PAUSED):
            raise Refused(_l("Only a published or paused case can be closed."))
        if at is not None and at > utc_now():
            case.close_at = at
            after = {"at": at.isoformat(timespec="minutes")}
            record(session, by, "case.closing_scheduled", f"case:{case.id}", after=after)
            return
        close_case(session, by, case, reason)


def close_case(session: AnySession, by: Actor, case: Case, reason: str) -> None:
    """End the actions of a case now, inside the caller's transaction; raises `Refused` without a reason."""
    _require_reason(reason)
    case.close_at = None
    _set_status(session, by, case, CaseStatus.CLOSED, "case.closed", reason)


def close_due() -> int:
    """Close every case whose hour has come, and return how many."""
    with transaction() as session:
        due = session.scalars(
            select(Case)
            .where(Case.close_at <= utc_now(), Case.status.in_((CaseStatus.PUBLISHED, CaseStatus.PAUSED)))
            .order_by(Case.id)
            .with_for_update()
        ).all()
        for case in due:
            case.close_at = None
            _set_status(session, JOB, case, CaseStatus.CLOSED, "case.closed")
    return len(due)


def pause_lapsed() -> int:
    """Pause every published case whose consent has ended, and return how many.

    Visitors were refused already: `Case.standing` looks at the day. This makes it stay so, and be remembered.
    """
    with transaction() as session:
        lapsed = session.scalars(
            select(Case)
            .where(Case.consent_ends < utc_now().date(), Case.status == CaseStatus.PUBLISHED)
            .order_by(Case.id)
            .with_for_update()
        ).all()
        for case in lapsed:
            pause_case(session, JOB, case, str(_l("The consent has ended.")))
    return len(lapsed)


def keep_hours() -> None:
    """Do everything whose hour has come; the queue calls it every minute."""
    done = {"published": publish_due(), "closed": close_due(), "paused": pause_lapsed()}
    if any(done.values()):
        log.info("kept_hours", **done)


def shown_version(session: AnySession, case: Case) -> CaseVersion | None:
    """Return the version that visitors read, or None where the case was never published."""
    newest_version(session, case)
    return session.scalar(
        select(CaseVersion)
        .where(CaseVersion.case_id == case.id, CaseVersion.state == VersionState.PUBLISHED)
        .order_by(CaseVersion.number.desc())
        .limit(1)
    )


def _set_status(
    session: AnySession, by: Actor, case: Case, status: CaseStatus, what: str, reason: str | None = None
) -> None:
    before = case.status
    case.status, case.status_reason = status, reason
    case.status_by, case.status_at = by.account_id, utc_now()
    after = {"status": status.value, **({"reason": digest(reason)} if reason else {})}
    record(session, by, what, f"case:{case.id}", before={"status": before}, after=after)


def _require_reason(reason: str) -> None:
    if not reason:
        raise Refused(_l("Say why, for those who come after you."))
