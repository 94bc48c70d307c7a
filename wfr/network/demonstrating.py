"""The demonstration's Urgent Action: an invented person, with days counted from today, loaded with the season."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from wfr import paths
from wfr.cases.documents import CaseDocument, apply_document
from wfr.cases.drafting import newest_version
from wfr.cases.models import Case, CaseStatus, CaseVersion
from wfr.cases.queries import is_demonstration, today
from wfr.extensions import AnySession, transaction
from wfr.network.interests import Concern
from wfr.network.models import UrgentAction, UrgentIssue
from wfr.network.searching import words_of

HOUR_OF_ISSUE = time(9)


class _IssueEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    index_number: str
    days_ago: int


@dataclass(frozen=True, slots=True)
class UrgentFile:
    """One file of `demo/urgent`: a case's document as it stands today, and when each issue was issued."""

    slug: str
    number: str
    concern: Concern
    document: CaseDocument
    issues: list[_IssueEntry]


def load_urgent_actions() -> None:
    """Bring the demonstration's Urgent Actions before visitors; loading again moves their days, and nothing else.

    What the desk has changed since stays as it is. Any other database is left alone.
    """
    with transaction() as session:
        if is_demonstration(session):
            for path in sorted((paths.DEMO / "urgent").glob("*.toml")):
                _load(session, read_urgent_file(path, today()), today())


def read_urgent_file(path: Path, day: date) -> UrgentFile:
    """Read one file, its days counted from `day`."""
    data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    slug, number, concern = data.pop("slug"), data.pop("number"), data.pop("concern")
    issues = [_IssueEntry.model_validate(entry) for entry in data.pop("issues")]
    for update in data["updates"]:
        update["dated"] = day - timedelta(days=update.pop("days_ago"))
    data["deadline"] = day + timedelta(days=data.pop("write_before_in_days"))
    return UrgentFile(slug, number, Concern(concern), CaseDocument.model_validate(data), issues)


def _load(session: AnySession, file: UrgentFile, day: date) -> None:
    case = session.scalar(select(Case).where(Case.slug == file.slug))
    if case is None:
        case = Case(slug=file.slug, status=CaseStatus.PUBLISHED, schools=False, feeds=True, on_x=False)
        apply_document(session, case, file.document)
        newest_version(session, case)
        session.add(UrgentAction(case_id=case.id, number=f"{file.number}/{day.year % 100:02}", concern=file.concern))
        session.flush()
    action = session.scalars(select(UrgentAction).where(UrgentAction.case_id == case.id)).one()
    if not _as_loaded(session, case, action, len(file.issues)):
        return
    apply_document(session, case, file.document)
    newest_version(session, case).document = file.document.as_json()
    for ordinal, entry in enumerate(file.issues, start=1):
        _set_issue(session, action, ordinal, file.document, entry, day - timedelta(days=entry.days_ago))


def _as_loaded(session: AnySession, case: Case, action: UrgentAction, issues: int) -> bool:
    """Say whether nobody has touched it at the desk: no version, issue or status of its own."""
    versions = session.scalar(select(func.count()).where(CaseVersion.case_id == case.id))
    drafts = session.scalar(
        select(func.count()).where(UrgentIssue.action_id == action.id, UrgentIssue.ordinal > issues)
    )
    return versions == 1 and not drafts and case.status == CaseStatus.PUBLISHED


def _set_issue(
    session: AnySession, action: UrgentAction, ordinal: int, document: CaseDocument, entry: _IssueEntry, day: date
) -> None:
    known = select(UrgentIssue).where(UrgentIssue.action_id == action.id, UrgentIssue.ordinal == ordinal)
    issue = session.scalar(known) or UrgentIssue(action_id=action.id, ordinal=ordinal)
    told = document.model_copy(update={"updates": [update for update in document.updates if update.dated <= day]})
    issue.index_number, issue.write_before = entry.index_number, document.deadline
    issue.issued_on, issue.issued_at = day, datetime.combine(day, HOUR_OF_ISSUE)
    issue.changed_at, issue.version = issue.issued_at, 1
    issue.document, issue.words = told.as_json(), words_of(told, action, issue)
    session.add(issue)
