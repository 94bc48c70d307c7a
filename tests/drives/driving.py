"""A drive for tests: told, confirmed, and pupils who join it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.factories import Cast
from wfr.cases.models import Case, Kind
from wfr.cases.queries import today
from wfr.drives.codes import code_of
from wfr.drives.joining import Joining, join_drive
from wfr.drives.links import LinkFor, link_token
from wfr.drives.models import Drive
from wfr.drives.starting import NewDrive, confirm_drive, start_drive
from wfr.extensions import db

TEACHER = "teacher@school.example.org"


def make_drive(season: Cast, *, confirmed: bool = True, **changes: Any) -> Drive:
    """Start a drive for both letter cases of the season and confirm it; needs an app context."""
    cases = changes.pop("cases", [season.tiny, season.long])
    drive = start_drive(season_slug="test", new=new_drive(cases, **changes))
    return confirm_drive(token=link_token(drive, LinkFor.CONFIRM)) if confirmed else drive


def new_drive(cases: list[str], **changes: Any) -> NewDrive:
    """Return what a teacher tells of a drive for these cases, today and the ten days after."""
    values: dict[str, Any] = {
        "name": "Lycée de la Rivière",
        "country": "TG",
        "email": TEACHER,
        "language": "en",
        "starts": today(),
        "ends": today() + timedelta(days=10),
        "cases": cases,
        "hoped": 30,
        **changes,
    }
    return NewDrive(**values)


def code_for(drive: Drive) -> str:
    """Return the drive's present join code."""
    code = code_of(db.session, drive)
    assert code
    return code


def case_id(slug: str) -> int:
    """Return the id of a case."""
    found = db.session.query(Case.id).filter(Case.slug == slug).scalar()
    assert found
    return int(found)


def join(code: str, slug: str, *, kind: Kind = Kind.LETTER, ticket: UUID | None = None) -> UUID:
    """Write one letter with a join code; return its ticket."""
    ticket = ticket or uuid4()
    join_drive(code=code, joining=Joining(ticket=ticket, case_id=case_id(slug), kind=kind, language="en"))
    return ticket
