"""A drive's own share links: for parents and neighbours, who write as visitors do; and what came of them."""

from __future__ import annotations

from dataclasses import dataclass

from wfr.cases.models import Case
from wfr.cases.queries import today
from wfr.drives.queries import DriveSeen
from wfr.share.linking import link_url
from wfr.share.queries import Came, came_by_case


@dataclass(frozen=True, slots=True)
class DriveLink:
    """The link that a drive passes on for one case, and what came of all its links for that case."""

    case: Case
    url: str
    came: Came


def drive_links(seen: DriveSeen) -> list[DriveLink]:
    """Return a drive's share links, one for each of its cases that may be passed on."""
    came = came_by_case(seen.drive.sharer)
    return [
        DriveLink(case, link_url(case, "link", seen.drive.sharer), came.get(case.id, Came()))
        for case in seen.cases
        if case.shareable(today())
    ]
