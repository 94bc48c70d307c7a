"""A drive's own paper, from its private page: the packing slip, the parcel's label, petitions, the certificate."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.models import Kind
from wfr.cases.queries import shelf, today
from wfr.cases.views import open_case
from wfr.countries import country_name
from wfr.drives.links import LinkFor, link_address
from wfr.drives.manage_showing import collected_at, packing_slip
from wfr.drives.models import Sort
from wfr.drives.papers import Certificate, ParcelLabel, print_certificate, print_packing_slip, print_parcel_label
from wfr.drives.queries import DriveSeen, drive_by_link, seen_drive
from wfr.drives.views import blueprint
from wfr.errors import NoSuchThing, NotPossibleNow, Refused
from wfr.extensions import limit_of, settings
from wfr.letters.petitions import petition_for, print_petition
from wfr.letters.printing import Paper
from wfr.letters.views import target_of
from wfr.pages import language, private


@blueprint.get("/schools/manage/<token>/slip.pdf")
@private
@limit_of("limit_prints")
def slip(token: str) -> ResponseReturnValue:
    """The slip that lies on top of the parcel."""
    slip = packing_slip(_seen(token), today(), language=language(), demonstration=shelf().demonstration)
    return _pdf("packing-slip", print_packing_slip(slip, paper=_paper(), render=render_template))


@blueprint.get("/schools/manage/<token>/parcel-label.pdf")
@private
@limit_of("limit_prints")
def parcel_label(token: str) -> ResponseReturnValue:
    """The label of the parcel, where the season gathers its letters."""
    seen = _seen(token)
    if not collected_at(seen):
        raise Refused(_("Letters are not gathered this season: post them straight to the addresses on them."))
    label = ParcelLabel(
        collected_at=collected_at(seen),
        drive_name=seen.drive.name,
        country_name=country_name(seen.drive.country, language()),
        demonstration=shelf().demonstration,
        language=language(),
    )
    return _pdf("parcel-label", print_parcel_label(label, paper=_paper(), render=render_template))


@blueprint.get("/schools/manage/<token>/certificate.pdf")
@private
@limit_of("limit_prints")
def certificate(token: str) -> ResponseReturnValue:
    """What the class hangs in the corridor: the numbers that the office has counted."""
    seen = _seen(token)
    letters, cards = (seen.numbers.counted(sort) or 0 for sort in (Sort.LETTER, Sort.SOLIDARITY))
    if not letters + cards:
        raise Refused(_("There is a certificate as soon as the office has counted your letters."))
    counted = [case.name for case in seen.cases if any(seen.numbers.of(case.id, sort).counted for sort in Sort)]
    made = Certificate(
        drive_name=seen.drive.name,
        season_name=seen.season.name,
        letters=letters,
        cards=cards,
        cases=tuple(counted),
        dated=today(),
        site_name=settings().site_name,
        organisation=settings().organisation or settings().site_name,
        language=language(),
    )
    return _pdf("certificate", print_certificate(made, paper=_paper(), render=render_template))


@blueprint.get("/schools/manage/<token>/petition/<slug>.pdf")
@private
@limit_of("limit_prints")
def petition(token: str, slug: str) -> ResponseReturnValue:
    """A sheet to sign for one of the drive's cases, as long as it may be written for."""
    seen = _seen(token)
    case = open_case(slug, Kind.LETTER)
    if case.id not in {chosen.id for chosen in seen.cases}:
        raise NoSuchThing(slug)
    if not case.schools:
        raise NotPossibleNow("not_offered", {"case": case, "why_not": _("Classes cannot write for this case.")})
    sheet = petition_for(
        case,
        target_of(case, Kind.LETTER),
        url=f"{link_address(seen.drive, LinkFor.REPORT)}?case={case.slug}",
        language=language(),
        demonstration=shelf().demonstration,
    )
    return _pdf(f"petition-{case.slug}", print_petition(sheet, paper=_paper(), render=render_template))


def _seen(token: str) -> DriveSeen:
    return seen_drive(drive_by_link(token, LinkFor.MANAGE))


def _paper() -> Paper:
    return "Letter" if request.args.get("paper") == "Letter" else "A4"


def _pdf(name: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(content, mimetype="application/pdf", headers=headers)
