"""The wall: a class's number for the projector, live, without anything to click."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.models import Case, Kind, SeasonState
from wfr.cases.queries import today
from wfr.drives.join_views import blueprint
from wfr.drives.joining import Barrier, barrier_of
from wfr.drives.queries import DriveSeen, drive_by_slug, seen_drive
from wfr.extensions import settings
from wfr.letters.printing import qr_code
from wfr.pages import KEEP_HEADER, public

MARKS = (1, 2, 3, 4, 6, 10, 20, 40, 80)
"""How many letters bring a stamp its first postmark, its second and so on: a class fills it, and so does a school."""
FRAGMENT_SECONDS = 1
"""How long a shared cache may hold the numbers: with the poll's two seconds a withdrawn case is gone within five."""


@dataclass(frozen=True, slots=True)
class WallCase:
    """A case on the wall: how many letters and cards stand for it, and how many postmarks that makes."""

    case: Case
    number: int

    @property
    def marks(self) -> int:
        """How many postmarks lie on its stamp."""
        return bisect_right(MARKS, self.number)


@blueprint.get("/schools/<slug>/wall")
@public
def wall(slug: str) -> ResponseReturnValue:
    """The wall, on a page of its own without the site's frame."""
    return render_template("drives/wall.html", **_parts(slug))


@blueprint.get("/schools/<slug>/wall/numbers")
@public
def wall_numbers(slug: str) -> ResponseReturnValue:
    """What of the wall moves, as out-of-band fragments."""
    return render_template("drives/_wall_numbers.html", **_parts(slug))


@blueprint.after_request
def keep_numbers_a_second(response: Any) -> Any:
    """Let a shared cache hold the wall for a shorter time than other pages."""
    if KEEP_HEADER in response.headers:
        response.headers[KEEP_HEADER] = f"max-age={FRAGMENT_SECONDS}"
    return response


def _parts(slug: str) -> dict[str, Any]:
    seen = seen_drive(drive_by_slug(slug))
    numbers = seen.numbers
    return {
        "slug": slug,
        "drive": seen.drive,
        "room": seen.drive.public_name or _("This room"),
        "cases": [WallCase(case, numbers.written(case.id)) for case in seen.cases if case.schools],
        "written": numbers.written(),
        "with_cards": any(
            line.standing for (_case, sort), line in numbers.lines.items() if sort.kind is Kind.SOLIDARITY
        ),
        "reported": numbers.reported(),
        "counted": numbers.counted(),
        "days": _days_left(seen),
        **_door(seen),
    }


def _door(seen: DriveSeen) -> dict[str, Any]:
    """Return what stands where the code stands: the code with its address, or why there is none now."""
    barrier = barrier_of(seen.drive)
    if seen.season.state(today()) is not SeasonState.OPEN:
        barrier = barrier or Barrier.OVER
    if barrier is None and seen.drive.joined >= seen.drive.limit:
        barrier = Barrier.LIMIT
    if barrier or seen.code is None:
        return {"barrier": barrier or Barrier.CLOSED}
    url = settings().base_url + url_for(".choose", code=seen.code)
    host = settings().base_url.partition("://")[2] + url_for(".code")
    return {"barrier": None, "code": seen.code, "host": host, "qr": qr_code(url, _("QR code: write with us"))}


def _days_left(seen: DriveSeen) -> tuple[str, int] | None:
    """Return what is waited for, ``key`` for Human Rights Day or ``end`` for the drive's last day, and for how long."""
    drive, key = seen.drive, seen.season.key_date
    if today() <= key <= drive.ends:
        return "key", (key - today()).days
    return ("end", (drive.ends - today()).days) if today() <= drive.ends else None
