"""The reads that the desk's pages need of Urgent Actions. Rows belong to the request's session."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import defer, selectinload

from wfr.cases.desk_queries import case_at_desk
from wfr.cases.models import Case, CaseVersion, Standing
from wfr.cases.queries import today
from wfr.errors import NoSuchThing
from wfr.extensions import db
from wfr.network.issuing import editors_of, issuing_problems, state_of
from wfr.network.models import Mailing, UrgentAction, UrgentIssue

WRITTEN, OPEN, ENDED = "written", "open", "ended"
WITHOUT_WORDS = (defer(UrgentIssue.document), defer(UrgentIssue.words))


@dataclass(frozen=True, slots=True)
class UrgentAtDesk:
    """An Urgent Action as the desk lists it: `issues` by ordinal, the last of which may be a draft."""

    action: UrgentAction
    case: Case
    issues: list[UrgentIssue]

    @property
    def draft(self) -> UrgentIssue | None:
        """The issue that is being prepared, if one is."""
        return next((issue for issue in self.issues if issue.issued_at is None), None)

    @property
    def last_issued(self) -> UrgentIssue | None:
        """The issue that counts now, or None before the first."""
        return next((issue for issue in reversed(self.issues) if issue.issued_at is not None), None)

    @property
    def part(self) -> str:
        """Which part of the list it stands in: ``written`` (nothing is issued yet), ``open`` or ``ended``."""
        if self.last_issued is None:
            return WRITTEN
        return OPEN if self.case.standing(today()) in (Standing.OPEN, Standing.PAUSED) else ENDED


@dataclass(frozen=True, slots=True)
class ChainAtDesk(UrgentAtDesk):
    """An Urgent Action as its own page shows it.

    `seen` is the state of the draft for `issuing.issue`, `problems` what keeps it from being issued, `editors` who may
    not issue it; `mailings` has each issue's mailing by the issue's id.
    """

    shown: CaseVersion | None = None
    seen: str = ""
    problems: list[object] = field(default_factory=list)
    editors: set[int] = field(default_factory=set)
    mailings: dict[int, Mailing] = field(default_factory=dict)


def urgent_actions_at_desk() -> dict[str, list[UrgentAtDesk]]:
    """Return every Urgent Action by the part of the list it stands in, the newest first."""
    issues: dict[int, list[UrgentIssue]] = {}
    for issue in db.session.scalars(select(UrgentIssue).order_by(UrgentIssue.ordinal).options(*WITHOUT_WORDS)):
        issues.setdefault(issue.action_id, []).append(issue)
    rows = db.session.execute(
        select(UrgentAction, Case)
        .join(Case, Case.id == UrgentAction.case_id)
        .order_by(UrgentAction.id.desc())
        .options(selectinload(Case.season))
    )
    parts: dict[str, list[UrgentAtDesk]] = {WRITTEN: [], OPEN: [], ENDED: []}
    for action, case in rows:
        found = UrgentAtDesk(action, case, issues.get(action.id, []))
        parts[found.part].append(found)
    return parts


def chain_at_desk(slug: str) -> ChainAtDesk:
    """Return one Urgent Action with everything that its desk page shows; raises `NoSuchThing`."""
    found = case_at_desk(slug)
    action = db.session.scalar(select(UrgentAction).where(UrgentAction.case_id == found.case.id))
    if action is None:
        raise NoSuchThing(slug)
    issues = list(
        db.session.scalars(
            select(UrgentIssue)
            .where(UrgentIssue.action_id == action.id)
            .order_by(UrgentIssue.ordinal)
            .options(*WITHOUT_WORDS)
        )
    )
    mailings = db.session.scalars(select(Mailing).where(Mailing.issue_id.in_([issue.id for issue in issues])))
    chain = ChainAtDesk(
        action,
        found.case,
        issues,
        shown=found.shown,
        mailings={each.issue_id: each for each in mailings if each.issue_id},
    )
    draft = chain.draft
    if draft is None:
        return chain
    return replace(
        chain,
        seen=state_of(draft, found.shown),
        problems=issuing_problems(found.case, draft, found.shown),
        editors=editors_of(db.session, draft, found.shown),
    )
