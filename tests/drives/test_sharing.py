"""A drive's own links: whoever comes by one counts as a visitor, and the class's numbers stay the class's."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import factories
from tests.acting import fill_in, text_of
from tests.drives.driving import make_drive
from wfr.cases.models import Case, CaseStatus
from wfr.drives.links import LinkFor, link_token
from wfr.drives.models import Drive
from wfr.extensions import db

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def manage_page(app: Flask, visitor: FlaskClient, drive: Drive) -> str:
    """Return the teacher's page."""
    with app.app_context():
        address = f"/schools/manage/{link_token(drive, LinkFor.MANAGE)}"
    return visitor.get(address).text


def test_each_case_has_a_link_and_what_came_of_it_is_not_the_classs(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        drive = make_drive(season)
    codes = re.findall(r"/s/([0-9a-z]{18})", manage_page(app, visitor, drive))
    assert len(set(codes)) == 2
    assert season.tiny in visitor.get(f"/s/{codes[0]}", headers=PERSON).text
    path = f"/cases/{season.tiny}/letter"
    for _ in range(5):
        assert visitor.post(path, data=fill_in(visitor, path, via=codes[0])).status_code == 200
    app.extensions["wfr.openings"].flush()
    page = visitor.get(f"/schools/manage/{_token(app, drive)}")
    assert "Opened 1 time · 5 actions came of it" in text_of(page)
    assert 'id="drive-link-1-label"' in page.text and 'aria-describedby="drive-link-1-label"' in page.text
    with app.app_context():
        again = db.session.get(Drive, drive.id)
        assert again
        assert again.joined == 0


def test_two_drives_have_links_of_their_own(app: Flask, visitor: FlaskClient, season: factories.Cast) -> None:
    with app.app_context():
        drives = [make_drive(season), make_drive(season, name="Another school", email="other@school.example.org")]
    codes = [set(re.findall(r"/s/([0-9a-z]{18})", manage_page(app, visitor, drive))) for drive in drives]
    assert not codes[0] & codes[1]


@pytest.mark.parametrize("values", [{"feeds": False}, {"status": CaseStatus.PAUSED}], ids=["no consent", "paused"])
def test_a_case_that_others_may_not_be_shown_has_no_link(
    app: Flask, visitor: FlaskClient, season: factories.Cast, values: dict[str, object]
) -> None:
    with app.app_context():
        drive = make_drive(season)
        db.session.query(Case).update(values)
        db.session.commit()
    page = manage_page(app, visitor, drive)
    assert "/s/" not in page
    assert "For parents and neighbours" not in page


def _token(app: Flask, drive: Drive) -> str:
    with app.app_context():
        return link_token(drive, LinkFor.MANAGE)
