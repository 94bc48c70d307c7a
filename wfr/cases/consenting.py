"""Consent: what the person, the family or the lawyer agreed to, until when, and what follows when it ends."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from wfr.cases.drafting import lock_case
from wfr.cases.models import Case, CaseStatus, Consent, Consenter
from wfr.errors import Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.auditing import digest, record
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

WARN_BEFORE = timedelta(days=14)
"""How long before it ends the desk speaks of it."""

# "never the family's contact": an address of a mailbox or a number that could be dialled.
_CONTACT = re.compile(r"@|(?:\+|00)?\d(?:[ ()./-]?\d){6,}")


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """What was agreed to; the names are those of `wfr.cases.models.Consent`."""

    given_by: Consenter
    name: str
    photograph: bool
    story: bool
    kinds: list[str]
    schools: bool
    feeds: bool
    on_x: bool
    ends: date
    evidence: str
    checked_on: date


def holds_contact(words: str) -> bool:
    """Say whether words hold what looks like an e-mail address or a telephone number."""
    return bool(_CONTACT.search(words))


def record_consent(*, by: Actor, slug: str, given: ConsentGiven) -> int:
    """Record what was agreed to, and return the record's id; the newest counts.

    Raises `NoSuchThing`, and `Refused` for a consent that ends in the past, was checked in the future, or whose
    evidence holds an address or a number.
    """
    today = utc_now().date()
    if given.ends < today or given.checked_on > today:
        raise Refused(_l("Look at the dates: it was checked today or earlier, and it ends today or later."))
    if holds_contact(given.evidence):
        raise Refused(_l("Say where the evidence lies, not how to reach anybody: no address, no number."))
    if by.account_id is None:
        raise Refused(_l("Consent is checked by somebody with an account."))
    with transaction() as session:
        case = lock_case(session, slug)
        consent = Consent(case_id=case.id, checked_by=by.account_id, recorded_at=utc_now(), **asdict(given))
        session.add(consent)
        session.flush()
        case.consent_ends, case.schools = given.ends, given.schools
        case.feeds, case.on_x = given.feeds, given.on_x
        after = {**asdict(given), "name": digest(given.name), "evidence": digest(given.evidence)}
        after |= {"ends": given.ends.isoformat(), "checked_on": given.checked_on.isoformat()}
        record(session, by, "consent.recorded", f"case:{case.id}", after={**after, "consent": consent.id})
        return consent.id


def revoke_consent(*, by: Actor, slug: str) -> None:
    """Record that the consent was taken back; a published case is paused in the same moment.

    Its page stays: whoever wants the page gone withdraws the case. Raises `NoSuchThing`, and `Refused` where there is
    none.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        require_role(session, by, Role.REVIEWER)
        consent = present_consent(session, case)
        if consent is None or consent.revoked_at:
            raise Refused(_l("There is no consent to take back."))
        consent.revoked_at = utc_now()
        case.consent_ends = utc_now().date() - timedelta(days=1)
        record(session, by, "consent.revoked", f"case:{case.id}", after={"consent": consent.id})
        if case.status == CaseStatus.PUBLISHED:
            pause_case(session, by, case, str(_l("The consent was taken back.")))


def pause_case(session: AnySession, by: Actor, case: Case, reason: str) -> None:
    """Stop the actions of a published case, inside the caller's transaction; its page stays."""
    before = case.status
    case.status, case.status_reason = CaseStatus.PAUSED, reason
    case.status_by, case.status_at = by.account_id, utc_now()
    after = {"status": case.status, "reason": digest(reason)}
    record(session, by, "case.paused", f"case:{case.id}", before={"status": before}, after=after)


def present_consent(session: AnySession, case: Case) -> Consent | None:
    """Return the newest consent of a case, which may have ended or been taken back, or None."""
    return session.scalar(select(Consent).where(Consent.case_id == case.id).order_by(Consent.id.desc()).limit(1))
