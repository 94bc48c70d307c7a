"""`wfr demo school`."""

from __future__ import annotations

from datetime import timedelta

import click
from flask import current_app, url_for
from flask.cli import with_appcontext

from wfr.cases.queries import is_demonstration, shelf, today
from wfr.drives.codes import code_of
from wfr.drives.links import LinkFor, link_token
from wfr.drives.starting import NewDrive, confirm_drive, start_drive
from wfr.extensions import db, settings
from wfr.pledges.cli import demo

DAYS = 14


@demo.command("school")
@with_appcontext
def school() -> None:
    """Start and confirm a school's letter drive, and say where its pages are."""
    if not is_demonstration(db.session):
        raise click.ClickException("This database is no demonstration. Schools start their own drives, at /schools.")
    season, cases = shelf().season, shelf().for_schools(today())
    if season is None or not cases:
        raise click.ClickException("No case is open for schools today.")
    new = NewDrive(
        name="Riverside School",
        country="IE",
        email="teacher@example.org",
        language="en",
        starts=today(),
        ends=min(today() + timedelta(days=DAYS), season.closes),
        cases=[case.slug for case in cases],
        hoped=60,
    )
    drive = start_drive(season_slug=season.slug, new=new)
    drive = confirm_drive(token=link_token(drive, LinkFor.CONFIRM))
    code = code_of(db.session, drive)
    with current_app.test_request_context(base_url=settings().base_url):
        pages = {
            f"The pupils' code is {code}. Their page": url_for("joining.choose", code=code, _external=True),
            "For the projector": url_for("joining.wall", slug=drive.slug, _external=True),
            "The teacher's own page": url_for("drives.manage", token=link_token(drive, LinkFor.MANAGE), _external=True),
        }
    for what, address in pages.items():
        click.echo(f"{what}: {address}")


commands: tuple[click.Command, ...] = (demo,)
