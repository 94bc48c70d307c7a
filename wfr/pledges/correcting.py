"""Corrections: a number of actions proposed by one person and entered in the ledger, or refused, by another."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from wfr.cases.models import Case, CaseStatus, Kind
from wfr.countries import is_country
from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.pledges.models import Correction, CorrectionState, TallyCount
from wfr.pledges.tallying import Change, CountKey, change_count
from wfr.staff import auditing
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

LARGEST_CORRECTION = 100_000
LONGEST_REASON = 300
NOT_CORRECTED = (CaseStatus.DRAFT, CaseStatus.WITHDRAWN)


def propose_correction(*, case_id: int, kind: Kind, country: str, number: int, reason: str, by: Actor) -> Correction:
    """Propose that `number` actions be added to a case, or taken from it where it is negative. Nothing moves yet.

    Raises `NotAllowed`, `NoSuchThing`, `Refused`, `DatabaseAway`.
    """
    if number == 0 or abs(number) > LARGEST_CORRECTION or not is_country(country) or not reason.strip():
        raise Refused(_l("A correction needs a number that is not zero, a country and a reason."))
    with transaction() as session:
        require_role(session, by, Role.COORDINATOR)
        _check_case(session, case_id)
        correction = Correction(
            case_id=case_id,
            kind=kind.value,
            country=country,
            number=number,
            reason=reason,
            state=CorrectionState.PROPOSED,
            proposed_by=_account(by),
        )
        session.add(correction)
        session.flush()
        after = {"case": case_id, "kind": kind.value, "country": country, "number": number}
        auditing.record(
            session, by, "correction.proposed", _thing(correction), after=after | {"reason": auditing.digest(reason)}
        )
    return correction


def enter_correction(*, correction_id: int, by: Actor) -> Correction:
    """Enter a proposed correction in the ledger and move the counters with it, in one transaction.

    Raises `NotAllowed` for whoever proposed it; `NoSuchThing`; `Refused` when it was decided before, when its case was
    withdrawn, or when more would be taken away than there is; `DatabaseAway`.
    """
    with transaction() as session:
        correction = _decided(session, correction_id, CorrectionState.ENTERED, by)
        _check_case(session, correction.case_id)
        key = (correction.case_id, correction.kind, correction.country)
        if correction.number < 0:
            _check_enough(session, key, -correction.number)
        change_count(session, key, Change(pledged=correction.number, taken=correction.number))
        auditing.record(session, by, "correction.entered", _thing(correction), after={"number": correction.number})
    return correction


def refuse_correction(*, correction_id: int, by: Actor) -> Correction:
    """Refuse a proposed correction; it stays on record and never counts.

    Raises `NotAllowed` for whoever proposed it, `NoSuchThing`, `Refused` when it was decided before, `DatabaseAway`.
    """
    with transaction() as session:
        correction = _decided(session, correction_id, CorrectionState.REFUSED, by)
        auditing.record(session, by, "correction.refused", _thing(correction), after={"number": correction.number})
    return correction


def _decided(session: AnySession, correction_id: int, state: CorrectionState, by: Actor) -> Correction:
    """Lock a correction that waits, check that `by` is a second person, and note the decision."""
    require_role(session, by, Role.COORDINATOR)
    correction = session.get(Correction, correction_id, with_for_update=True, populate_existing=True)
    if correction is None:
        raise NoSuchThing(f"correction {correction_id}")
    account_id = _account(by)
    if correction.proposed_by == account_id:
        raise NotAllowed(_l("A second person decides: you proposed this correction."))
    if correction.state != CorrectionState.PROPOSED:
        raise Refused(_l("This correction was decided already."))
    correction.state = state
    correction.decided_by = account_id
    correction.decided_at = utc_now()
    return correction


def _account(by: Actor) -> int:
    if by.account_id is None:
        raise NotAllowed(_l("A correction needs two people who are signed in at the desk."))
    return by.account_id


def _check_case(session: AnySession, case_id: int) -> None:
    # Shared: it keeps the case from being withdrawn meanwhile, and visitors' pledges do not wait for it.
    case = session.get(Case, case_id, with_for_update={"read": True}, populate_existing=True)
    if case is None:
        raise NoSuchThing(f"case {case_id}")
    if case.status in NOT_CORRECTED:
        raise Refused(_l("The figures of a case that is withdrawn, or not yet published, are not corrected."))


def _check_enough(session: AnySession, key: CountKey, wanted: int) -> None:
    """Refuse to take away more actions than are counted as done, or more than are not simulated."""
    mine = (TallyCount.case_id == key[0], TallyCount.kind == key[1], TallyCount.country == key[2])
    # Locked first and added up by a statement of its own, which sees what another correction has just committed.
    session.execute(select(TallyCount.shard).where(*mine).order_by(TallyCount.shard).with_for_update())
    sums = (func.sum(TallyCount.pledged - TallyCount.simulated), func.sum(TallyCount.taken))
    there = min(int(figure or 0) for figure in session.execute(select(*sums).where(*mine)).one())
    if there < wanted:
        raise Refused(
            _l(
                "This would take away %(wanted)s actions, and only %(there)s of this kind and country count as done.",
                wanted=wanted,
                there=max(there, 0),
            )
        )


def _thing(correction: Correction) -> str:
    return f"correction:{correction.id}"
