"""Issuing: an Urgent Action begun, its next issue prepared by one and issued by another, the chain closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import format_date
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select

from wfr.cases.documents import CaseDocument
from wfr.cases.drafting import NewCase, add_case, lock_case
from wfr.cases.models import Case, CaseStatus, CaseVersion, UpdateKind, VersionEditor, VersionState
from wfr.cases.publishing import close_case, shown_version
from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.network.interests import Concern
from wfr.network.models import IssueEditor, Sort, UrgentAction, UrgentIssue
from wfr.network.preparing import begin_mailing
from wfr.network.searching import words_of
from wfr.network.stopping import stop_mailings
from wfr.staff.auditing import Values, record
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

NO_MORE_ACTION = _l("No further action is requested")


@dataclass(frozen=True, slots=True)
class NewUrgentAction:
    """What an Urgent Action begins with. The deadline of its case is the day to write before."""

    case: NewCase
    number: str
    concern: Concern


@dataclass(frozen=True, slots=True)
class IssuePlan:
    """What the desk says of an issue. An `outcome` asks for nothing any more, so it has no `write_before`."""

    index_number: str
    write_before: date | None
    concern: Concern
    outcome: bool = False


def begin_urgent_action(*, by: Actor, new: NewUrgentAction) -> str:
    """Begin a case without a season and the draft of its First UA; return its slug.

    Raises `NotAllowed`, and `Refused` where the address or the number cannot be had.
    """
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        if session.scalar(select(UrgentAction.id).where(UrgentAction.number == new.number)):
            raise Refused(_l("There is an Urgent Action with this number already."))
        case = add_case(session, by, new.case)
        action = UrgentAction(case_id=case.id, number=new.number, concern=new.concern)
        session.add(action)
        session.flush()
        _add_issue(session, by, action, UrgentIssue(ordinal=1, write_before=new.case.deadline))
        return case.slug


def begin_issue(*, by: Actor, slug: str, outcome: bool = False) -> int:
    """Begin an update of an Urgent Action, or the notice that ends it, as a draft; return its ordinal.

    Raises `NotAllowed`, `NoSuchThing`, and `Refused` while there is a draft, or where the chain has ended.
    """
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        action = _lock(session, slug)[1]
        last = session.scalars(_newest(action)).one()
        if last.issued_at is None:
            raise Refused(_l("There is a draft of the next issue already."))
        if last.outcome:
            raise Refused(_l("No further action is requested: this Urgent Action has ended."))
        deadline = None if outcome else session.get_one(Case, action.case_id).deadline
        draft = UrgentIssue(ordinal=last.ordinal + 1, outcome=outcome, write_before=deadline)
        _add_issue(session, by, action, draft)
        return draft.ordinal


def change_issue(*, by: Actor, slug: str, ordinal: int, plan: IssuePlan) -> None:
    """Save what the desk says of a draft; whoever changes something cannot issue it any more.

    The concern is said with the First UA, for the whole chain: it chooses who is written to. Raises `NotAllowed`,
    `NoSuchThing`, and `Refused` for what is issued, a First UA that were an outcome, or another concern later.
    """
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        _case, action, issue = _lock_draft(session, slug, ordinal)
        if plan.outcome and issue.ordinal == 1:
            raise Refused(_l("The first issue cannot be the last: issue the First UA before its outcome."))
        if issue.ordinal > 1 and plan.concern != action.concern:
            raise Refused(_l("The concern was said with the First UA and stays as it is."))
        before = _told(action, issue)
        issue.index_number, issue.outcome = plan.index_number, plan.outcome
        issue.write_before = None if plan.outcome else plan.write_before
        action.concern = plan.concern
        if _told(action, issue) == before:
            return
        issue.changed_by, issue.changed_at = by.account_id, utc_now()
        _add_editor(session, by, issue)
        record(session, by, "urgent.changed", f"issue:{issue.id}", before=before, after=_told(action, issue))


def issue(*, by: Actor, slug: str, ordinal: int, seen: str) -> int:
    """Issue a draft: freeze what it says for ever, and begin its mailing; return the mailing's id.

    `seen` is the `state_of` that the page showed, so that nobody issues what changed meanwhile. An outcome closes the
    case, and what still asks for action is stopped, in the same transaction. Raises `NoSuchThing`; `NotAllowed` for who
    is no reviewer or has a hand in the issue or its words; `Refused` with everything that stands in the way.
    """
    with transaction() as session:
        case, action, draft = _lock_draft(session, slug, ordinal)
        require_role(session, by, Role.REVIEWER)
        shown = shown_version(session, case)
        writers = editors_of(session, draft, shown)
        if by.account_id in writers:
            raise NotAllowed(_l("You have changed this issue or its words. Somebody else must issue it."))
        if state_of(draft, shown) != seen:
            raise Refused(_l("Things have moved on: this issue or its case has changed. Look again."))
        problems = issuing_problems(case, draft, shown)
        if problems or shown is None:
            raise Refused(" ".join(map(str, problems)))
        if draft.outcome:
            # Whoever steers a mailing locks it before the audit trail; the other order would be a deadlock.
            stop_mailings(session, case.id, "closed")
        _freeze(session, by, action, draft, shown)
        if draft.outcome and case.status == CaseStatus.PUBLISHED:
            close_case(session, by, case, str(NO_MORE_ACTION))
        sort = Sort.OUTCOME if draft.outcome else Sort.URGENT
        mailing = begin_mailing(session, by=by, sort=sort, issue=draft, writers=writers)
        return mailing.id


def _freeze(session: AnySession, by: Actor, action: UrgentAction, issue: UrgentIssue, shown: CaseVersion) -> None:
    document = CaseDocument.model_validate(shown.document)
    now = utc_now()
    issue.version, issue.document = shown.number, document.as_json()
    issue.issued_at, issue.issued_on, issue.issued_by = now, now.date(), by.account_id
    issue.words = words_of(document, action, issue)
    session.flush()
    after = {**_told(action, issue), "version": shown.number, "digest": document.digest()}
    record(session, by, "urgent.issued", f"issue:{issue.id}", after=after)


def issuing_problems(case: Case, issue: UrgentIssue, shown: CaseVersion | None) -> list[object]:
    """Return, in words, everything that keeps a draft from being issued now; empty when nothing does."""
    day = utc_now().date()
    passable = (CaseStatus.PUBLISHED, CaseStatus.CLOSED) if issue.outcome else (CaseStatus.PUBLISHED,)
    if shown is None or case.status not in passable:
        return [_l("The case is not public: its words are published first, at its own page.")]
    problems: list[object] = []
    if not case.agreed(day):
        problems.append(_l("The consent has ended."))
    if not case.feeds:
        problems.append(_l("The consent does not cover what leaves the site: feeds, other sites and mail."))
    document = CaseDocument.model_validate(shown.document)
    return problems + (_outcome_problems(document) if issue.outcome else _deadline_problems(document, issue, day))


def _outcome_problems(document: CaseDocument) -> list[object]:
    if any(update.kind is UpdateKind.OUTCOME for update in document.updates):
        return []
    return [_l("The case has no update of the kind “Outcome”: say there what came of it, and publish it first.")]


def _deadline_problems(document: CaseDocument, issue: UrgentIssue, day: date) -> list[object]:
    if issue.write_before is None:
        return [_l("Give the day to write before.")]
    if document.deadline != issue.write_before:
        return [
            _l(
                "This issue says to write before %(issue)s, the public case says %(case)s. They must say the same day.",
                issue=format_date(issue.write_before, "d MMMM y"),
                case=format_date(document.deadline, "d MMMM y") if document.deadline else _l("no day"),
            )
        ]
    return [_l("The day to write before has passed.")] if issue.write_before < day else []


def editors_of(session: AnySession, issue: UrgentIssue, shown: CaseVersion | None) -> set[int]:
    """Return the ids of those who may not issue this: they changed it, or its words since an earlier approval."""
    editors = set(session.scalars(select(IssueEditor.account_id).where(IssueEditor.issue_id == issue.id)))
    if shown is None:
        return editors
    mine = CaseVersion.case_id == shown.case_id
    approved = select(func.max(CaseVersion.number)).where(
        mine,
        CaseVersion.number < shown.number,
        CaseVersion.state.in_((VersionState.APPROVED, VersionState.PUBLISHED)),
    )
    since = select(VersionEditor.account_id).join(CaseVersion, CaseVersion.id == VersionEditor.version_id)
    between = CaseVersion.number.between((session.scalar(approved) or 0) + 1, shown.number)
    return editors | set(session.scalars(since.where(mine, between)))


def state_of(issue: UrgentIssue, shown: CaseVersion | None) -> str:
    """Return what changes whenever a draft, or the words it would show, are changed."""
    return f"{issue.changed_at.isoformat()} {shown.number if shown else 0}"


def _lock(session: AnySession, slug: str) -> tuple[Case, UrgentAction]:
    case = lock_case(session, slug)
    action = session.scalar(select(UrgentAction).where(UrgentAction.case_id == case.id))
    if action is None:
        raise NoSuchThing(slug)
    return case, action


def _lock_draft(session: AnySession, slug: str, ordinal: int) -> tuple[Case, UrgentAction, UrgentIssue]:
    case, action = _lock(session, slug)
    issue = session.scalar(
        select(UrgentIssue)
        .where(UrgentIssue.action_id == action.id, UrgentIssue.ordinal == ordinal)
        .execution_options(populate_existing=True)
    )
    if issue is None:
        raise NoSuchThing(f"{slug} {ordinal}")
    if issue.issued_at is not None:
        raise Refused(_l("This is issued, and never changes. Begin the next issue."))
    return case, action, issue


def _newest(action: UrgentAction) -> Select[UrgentIssue]:
    return select(UrgentIssue).where(UrgentIssue.action_id == action.id).order_by(UrgentIssue.ordinal.desc()).limit(1)


def _add_issue(session: AnySession, by: Actor, action: UrgentAction, issue: UrgentIssue) -> None:
    issue.action_id, issue.changed_by = action.id, by.account_id
    session.add(issue)
    session.flush()
    _add_editor(session, by, issue)
    record(session, by, "urgent.begun", f"issue:{issue.id}", after=_told(action, issue))


def _add_editor(session: AnySession, by: Actor, issue: UrgentIssue) -> None:
    if by.account_id is not None and not session.get(IssueEditor, (issue.id, by.account_id)):
        session.add(IssueEditor(issue_id=issue.id, account_id=by.account_id))
        session.flush()


def _told(action: UrgentAction, issue: UrgentIssue) -> Values:
    return {
        "number": action.number,
        "ordinal": issue.ordinal,
        "index": issue.index_number,
        "concern": action.concern,
        "outcome": issue.outcome,
        "write_before": issue.write_before.isoformat() if issue.write_before else None,
    }
