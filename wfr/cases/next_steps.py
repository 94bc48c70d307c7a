"""What comes next for a case, and for whom: the one thing its overview offers first, and why not where it cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import lazy_gettext as _l

from wfr.cases.checking import find_gaps
from wfr.cases.desk_queries import CaseAtDesk
from wfr.cases.models import CaseStatus, CaseVersion, VersionState
from wfr.staff.models import Account, Role


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `what` is the verb its button sends to; `why_not` says in words what is in the way."""

    what: str
    version: CaseVersion | None = None
    why_not: list[object] = field(default_factory=list)


def next_steps(found: CaseAtDesk, account: Account) -> list[Step]:
    """Return what can be done next with a case, the most pressing first; never empty.

    `what` is ``agree_return``, ``ask_return``, ``publish``, ``scheduled``, ``review``, ``submit``, ``edit`` or
    ``draft``.
    """
    steps = _return_steps(found, account) + _publish_steps(found, account)
    newest = found.newest
    if newest is None or newest.state in (VersionState.RETURNED, VersionState.PUBLISHED, VersionState.APPROVED):
        return [*steps, Step("draft", newest)]
    if newest.state == VersionState.IN_REVIEW:
        return [*steps, Step("review", newest, _why_no_review(found, account))]
    document = found.document
    if document and not find_gaps(document):
        return [*steps, Step("submit", newest)]
    return [*steps, Step("edit", newest)]


def waiting_version(found: CaseAtDesk) -> CaseVersion | None:
    """Return the approved version that visitors have not seen yet, unless a later one has overtaken it."""
    approved, shown = found.approved, found.shown
    if approved is None or (shown is not None and shown.number > approved.number):
        return None
    return approved


def _return_steps(found: CaseAtDesk, account: Account) -> list[Step]:
    case = found.case
    if case.status != CaseStatus.WITHDRAWN:
        return []
    if case.return_asked_by is None:
        needs = [] if account.may(Role.REVIEWER) else [_l("A reviewer or a coordinator asks for it.")]
        return [Step("ask_return", why_not=needs)]
    if case.return_asked_by == account.id:
        return [Step("agree_return", why_not=[_l("You have asked for this yourself. Somebody else must agree.")])]
    needs = [] if account.may(Role.COORDINATOR) else [_l("A coordinator agrees to it.")]
    return [Step("agree_return", why_not=needs)]


def _publish_steps(found: CaseAtDesk, account: Account) -> list[Step]:
    approved = waiting_version(found)
    if approved is None:
        return []
    if approved.publish_at:
        return [Step("scheduled", approved)]
    problems = found.publication_problems()
    if not account.may(Role.COORDINATOR):
        problems = [_l("A coordinator publishes it."), *problems]
    return [Step("publish", approved, problems)]


def _why_no_review(found: CaseAtDesk, account: Account) -> list[object]:
    if not account.may(Role.REVIEWER):
        return [_l("A reviewer who has changed nothing must read and approve it.")]
    if account.id in found.editors:
        return [_l("You changed this case; somebody else must approve it.")]
    return []
