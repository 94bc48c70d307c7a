"""Share links: who opens them is counted and never known, what they carry on is a pledge's origin and nothing else."""

from __future__ import annotations

import threading
from datetime import timedelta
from time import monotonic
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests import factories
from tests.acting import act, fill_in, text_of
from tests.drives.driving import case_id
from tests.staffing import colleague
from wfr.cases.models import Case, CaseStatus, Kind
from wfr.cases.queries import today
from wfr.errors import NoSuchThing
from wfr.extensions import db, limiter, transaction
from wfr.intents import CHANNELS
from wfr.pledges.pledging import Promise, pledge, withdraw
from wfr.pledges.tallying import find_drift
from wfr.share.cards import card_of
from wfr.share.codes import EVERYBODY, KEPT, ShareCode, new_sharer, read_code
from wfr.share.link_views import openings, origin_of
from wfr.share.linking import private_token
from wfr.share.models import ShareLink, SharePledge
from wfr.share.queries import FEWEST_TOLD, came_of
from wfr.share.visitors import is_preview
from wfr.staff.models import Role

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PHONE = (
    "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
)
PERSON = {"User-Agent": PHONE, "Accept": "text/html,*/*"}
ROBOT = {"User-Agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}


def code_for(slug: str, channel: str = "whatsapp", sharer: int = EVERYBODY) -> str:
    """Return the code of a case's link; needs an app context."""
    return ShareCode(case_id(slug), channel, sharer).text


def the_link() -> ShareLink:
    """Return the one link that is known, once everything that was gathered is written."""
    openings().flush()
    db.session.rollback()
    return db.session.execute(select(ShareLink)).scalar_one()


def pledges_by(code: str, slug: str, number: int) -> list[Promise]:
    """Record this many letters that came of a link."""
    promises = [Promise(uuid4(), case_id(slug), Kind.LETTER, "TG", "en") for _ in range(number)]
    pledge(promises, origin_of(code).record)
    return promises


@SQLITE
def test_a_code_says_what_it_was_made_of_and_is_short(app: Flask) -> None:
    with app.app_context():
        for channel in CHANNELS:
            assert read_code(ShareCode(7, channel).text) == ShareCode(7, channel)
            own = ShareCode((1 << 20) - 1, channel, new_sharer())
            assert read_code(own.text.upper()) == own
        assert (len(ShareCode(7, "x").text), len(ShareCode(7, "x", 1).text)) == (10, 18)


@SQLITE
def test_two_links_of_one_person_have_nothing_in_common_that_others_could_see(app: Flask) -> None:
    with app.app_context():
        pairs = [(ShareCode(7, "x", sharer).text, ShareCode(7, "whatsapp", sharer).text) for sharer in range(1, 400)]
        strangers = [(first, second) for (first, _), (_, second) in zip(pairs, reversed(pairs), strict=True)]
        alike = [
            sum(a == b for first, second in each for a, b in zip(first, second, strict=True))
            for each in (pairs, strangers)
        ]
    # 399 pairs of 18 letters out of 32: about 224 stand alike by chance, give or take 15.
    assert all(140 < letters < 310 for letters in alike)


@SQLITE
def test_no_code_can_be_made_up(app: Flask, season: factories.Cast) -> None:
    @given(st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=10, max_size=10))
    def refused(text: str) -> None:
        if text != good[:10]:
            with pytest.raises(NoSuchThing):
                read_code(text)

    with app.app_context():
        good = code_for(season.tiny)
        refused()
        changed = good[:-1] + ("0" if good[-1] != "0" else "1")
        for text in (changed, good[:-1], good + "0", "", "é" * 10, good.replace(good[0], "!")):
            with pytest.raises(NoSuchThing):
                read_code(text)
        assert app.test_client().get(f"/s/{changed}").status_code == 404
        assert db.session.scalar(select(ShareLink)) is None


@SQLITE
def test_a_former_secret_keys_links_still_lead_to_their_case(app: Flask, season: factories.Cast) -> None:
    with app.app_context():
        code = code_for(season.tiny)
        settings = app.extensions["wfr.settings"]
        kept = settings.secret_key
        former = kept.get_secret_value() if kept else (settings.data / "secret_key").read_text().strip()
        app.extensions["wfr.settings"] = settings.model_copy(
            update={"secret_key": SecretStr("another"), "secret_key_fallbacks": [SecretStr(former)]}
        )
        app.extensions["wfr.kept"].forget(KEPT)
        assert read_code(code).case_id == case_id(season.tiny)
        assert code_for(season.tiny) != code


@SQLITE
def test_the_landing_shows_the_case_and_carries_the_code_to_every_action(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        code = code_for(season.tiny)
    page = visitor.get(f"/s/{code}", headers=PERSON)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert "Ada Vale" in text_of(page)
    for kind in ("letter", "email", "post", "solidarity", "already"):
        assert f"/cases/{season.tiny}/{kind}?via={code}" in page.text
    assert "?via=" not in visitor.get(f"/cases/{season.tiny}").text


@SQLITE
def test_an_address_in_the_query_leads_nowhere(app: Flask, visitor: FlaskClient, season: factories.Cast) -> None:
    with app.app_context():
        code = code_for(season.tiny)
    page = visitor.get(f"/s/{code}?next=https://evil.example&url=//evil.example", headers=PERSON)
    assert page.status_code == 200
    assert "evil.example" not in page.text


def test_people_and_programs_are_counted_apart(app: Flask, visitor: FlaskClient, season: factories.Cast) -> None:
    with app.app_context():
        code = code_for(season.tiny)
    visitor.get(f"/s/{code}", headers=PERSON)
    visitor.get(f"/s/{code}", headers=ROBOT)
    visitor.head(f"/s/{code}", headers=PERSON)
    visitor.get(f"/s/{code.upper()}", headers=PERSON)
    with app.app_context():
        link = the_link()
        assert (link.visits, link.previews, link.channel, link.sharer) == (2, 2, "whatsapp", EVERYBODY)


@pytest.mark.parametrize(
    "agent",
    [
        "Twitterbot/1.0",
        "WhatsApp/2.23.20.0",
        "TelegramBot (like TwitterBot)",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "Mozilla/5.0 (Macintosh) AppleWebKit/601.2 (KHTML, like Gecko) facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "Mastodon/4.3.0 (http.rb/5.1.1; +https://mastodon.example/) Bot",
        "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
        "python-requests/2.32",
        "curl/8.0",
        "",
    ],
)
def test_what_makes_previews_is_no_visit(agent: str) -> None:
    assert is_preview({"User-Agent": agent})


@pytest.mark.parametrize(
    "agent",
    [
        PHONE,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/604.1",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0;FBDV/iPhone14,5]",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80; U; en) Presto/2.5.25 Version/10.54",
    ],
)
def test_a_person_with_an_old_telephone_or_inside_an_app_is_a_visit(agent: str) -> None:
    assert not is_preview({"User-Agent": agent})
    assert is_preview({"User-Agent": agent, "Sec-Purpose": "prefetch;prerender"})
    assert is_preview({"User-Agent": agent, "Sec-Fetch-Dest": "empty"})


@SQLITE
def test_reloading_makes_no_visits_up(app: Flask, visitor: FlaskClient, season: factories.Cast) -> None:
    with app.app_context():
        code = code_for(season.tiny)
    answers = {visitor.get(f"/s/{code}", headers=PERSON).status_code for _ in range(30)}
    with app.app_context():
        assert (answers, the_link().visits) == ({200}, 12)


def test_a_page_is_not_kept_waiting_by_a_database_that_takes_no_writes(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        code = code_for(season.tiny)
        with transaction() as session:
            session.add(ShareLink(case_id=case_id(season.long), channel="x", sharer=1))
            session.flush()
            began = monotonic()
            assert visitor.get(f"/s/{code}", headers=PERSON).status_code == 200
            assert monotonic() - began < 5
    with app.app_context():
        openings().flush()
        db.session.rollback()
        assert {link.channel: link.visits for link in db.session.scalars(select(ShareLink))} == {"x": 0, "whatsapp": 1}


@SQLITE
def test_what_could_not_be_written_waits(app: Flask, season: factories.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        code = ShareCode(case_id(season.tiny), "x")
        openings().add(code, preview=False)
        with monkeypatch.context() as fault:
            fault.setattr(db.session, "execute", refuse)
            openings().flush()
        openings().add(code, preview=False)
        assert the_link().visits == 2


def refuse(*_args: object, **_values: object) -> None:
    """Be a database that is away."""
    raise OperationalError("insert", {}, Exception("away"))


@SQLITE
def test_limits_that_cannot_be_asked_keep_nobody_out(
    app: Flask, visitor: FlaskClient, season: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        code = code_for(season.tiny)
    monkeypatch.setattr(limiter.limiter, "storage", None)
    assert visitor.get(f"/s/{code}", headers=PERSON).status_code == 200


@SQLITE
def test_visits_at_once_are_all_counted(app: Flask, season: factories.Cast) -> None:
    with app.app_context():
        code = code_for(season.tiny)
    go = threading.Barrier(8)

    def open_it(number: int) -> None:
        go.wait()
        for _ in range(5):
            app.test_client().get(f"/s/{code}", headers=PERSON, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"})

    threads = [threading.Thread(target=open_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert the_link().visits == 40


def test_a_pledge_made_through_a_link_counts_for_it_once(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        code = code_for(season.tiny, "x")
    path = f"/cases/{season.tiny}/email"
    form = visitor.get(f"{path}?via={code}")
    assert f'name="via" value="{code}"' in form.text
    data = fill_in(visitor, path, via=code, message="Free her", subject="Ada Vale")
    for _ in range(3):
        assert visitor.post(path, data=data).status_code == 200
    already = fill_in(visitor, f"/cases/{season.tiny}/already", via=code, kind="letter")
    assert visitor.post(f"/cases/{season.tiny}/already", data=already).status_code == 200
    with app.app_context():
        came = came_of(EVERYBODY)
        assert (came.visits, came.actions) == (0, 2)
        assert find_drift(db.session) == []


@SQLITE
def test_a_code_made_up_or_for_another_case_harms_nothing(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        other = code_for(season.long)
    assert 'name="via"' not in visitor.get(f"/cases/{season.tiny}/letter?via=%3Cscript%3E").text
    for via in ("0" * 10, "<script>", "x" * 5000, other):
        assert act(visitor, season.tiny, via=via).status_code == 200
    with app.app_context():
        assert db.session.scalar(select(SharePledge)) is None


@SQLITE
def test_an_error_and_a_preview_keep_where_one_came_from(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        code = code_for(season.tiny)
    path = f"/cases/{season.tiny}/letter"
    wrong = visitor.post(path, data=fill_in(visitor, path, via=code, country=""))
    assert wrong.status_code == 422
    assert f'name="via" value="{code}"' in wrong.text
    assert f'name="via" value="{code}"' in visitor.post(f"{path}/preview", data=fill_in(visitor, path, via=code)).text
    assert f"/cases/{season.tiny}/email?via={code}" in wrong.text


@SQLITE
def test_a_pledge_taken_back_no_longer_counts_for_the_link(app: Flask, season: factories.Cast) -> None:
    with app.app_context():
        sharer = new_sharer()
        promises = pledges_by(code_for(season.tiny, "sms", sharer), season.tiny, 6)
        assert came_of(sharer).actions == 6
        withdraw(promises[0].id)
        assert came_of(sharer, case_id(season.tiny)).actions == 5
        assert came_of(sharer, case_id(season.long)).actions == 0


@SQLITE
def test_a_private_link_tells_actions_and_no_small_number(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        sharer = new_sharer()
        case = db.session.get(Case, case_id(season.tiny))
        assert case
        address = f"/shared/{private_token(case, sharer)}"
        pledges_by(code_for(season.tiny, "sms", sharer), season.tiny, FEWEST_TOLD - 1)
    few = visitor.get(address)
    assert few.headers["Cache-Control"] == "no-store"
    assert "Fewer than 5 actions so far" in text_of(few)
    with app.app_context():
        pledges_by(code_for(season.tiny, "x", sharer), season.tiny, 8)
    assert "12 actions because you shared" in text_of(visitor.get(address))
    part = visitor.get(address, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "12" in part.text
    assert visitor.get(address[:-1] + ("A" if address[-1] != "A" else "B")).status_code == 404


@SQLITE
def test_a_withdrawn_cases_links_are_gone_and_name_nobody(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        case = db.session.get(Case, case_id(season.tiny))
        assert case
        addresses = [f"/s/{code_for(season.tiny)}", f"/shared/{private_token(case, 9)}"]
        case.status = CaseStatus.WITHDRAWN
        db.session.commit()
    for address in addresses:
        page = visitor.get(address, headers=PERSON)
        assert page.status_code == 410
        assert "Ada" not in page.text
    with app.app_context():
        assert db.session.scalar(select(ShareLink)) is None


@SQLITE
def test_a_consent_that_has_ended_covers_no_other_site_however_late_the_job_is(
    app: Flask, visitor: FlaskClient, season: factories.Cast
) -> None:
    with app.app_context():
        case = db.session.get(Case, case_id(season.tiny))
        assert case
        card = urlsplit(card_of(case, "en").url).path
        named = visitor.get(card).data
        case.consent_ends = today() - timedelta(days=1)
        db.session.commit()
        db.session.remove()
    app.extensions["wfr.kept"].forget("shelf")
    app.extensions["wfr.page_cache"].forget()
    assert visitor.get(card).data != named
    assert visitor.get(f"/api/v1/cases/{season.tiny}").status_code == 404
    assert visitor.get(f"/embed/{season.tiny}").status_code == 404
    assert visitor.get(f"/cases/{season.tiny}/share").status_code == 410
    assert "Ada Vale" not in visitor.get("/feed.atom").text


@SQLITE
def test_the_desk_sees_cases_and_channels_and_nobodys_links(app: Flask, season: factories.Cast) -> None:
    with app.app_context():
        sharer = new_sharer()
        pledges_by(code_for(season.tiny, "bluesky", sharer), season.tiny, 3)
        pledges_by(code_for(season.tiny, "bluesky"), season.tiny, 4)
        for channel, opener in (("bluesky", sharer), ("bluesky", EVERYBODY), ("campaign", new_sharer())):
            openings().add(ShareCode(case_id(season.tiny), channel, opener), preview=False)
        openings().flush()
    page = colleague(app, "writer", Role.WRITER).get("/desk/sharing")
    assert "Bluesky 2 7 0" in text_of(page)
    assert "1 visitor or school has had links of their own opened" in text_of(page)
    assert str(sharer) not in page.text
