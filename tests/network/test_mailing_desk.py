"""The desk's pages of mailings, as the people on it use them."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.acting import text_of
from tests.drives.post import mails
from tests.network.mailings import part
from tests.network.preparing import Desk, make_members, read, settle
from tests.network.sending import another
from tests.staffing import Colleague, colleague
from wfr.extensions import db, transaction, utc_now
from wfr.network.links import LinkFor, link_token
from wfr.network.models import Delivery, DeliveryState, Mailing, MailingState
from wfr.staff.models import Role

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def desk(app: Flask) -> Desk:
    with app.app_context():
        return Desk()


@pytest.fixture
def wilma(app: Flask) -> Colleague:
    return colleague(app, "wilma", Role.WRITER)


@pytest.fixture
def rena(app: Flask) -> Colleague:
    return colleague(app, "rena", Role.REVIEWER)


def revision_in(client: Colleague, path: str) -> str:
    found = re.search(r'name="revision" value="(\d+)"', client.get(path).get_data(as_text=True))
    assert found
    return found[1]


def urgent(app: Flask, desk: Desk) -> int:
    with app.app_context():
        return desk.urgent().id


def running(app: Flask, desk: Desk, members: int) -> int:
    with app.app_context():
        return desk.running(members)


def test_news_are_written_handed_in_and_approved_by_somebody_else(
    app: Flask, desk: Desk, wilma: Colleague, rena: Colleague
) -> None:
    with app.app_context():
        make_members(2, follow=desk.case_id)
    begun = wilma.send("/desk/mailings", case=desk.case_id)
    path = begun.headers["Location"]
    saved = wilma.send(
        f"{path}/in/en", revision=revision_in(wilma, path), subject="Ada is home", words="She sends *thanks*."
    )
    assert saved.status_code == 303
    assert wilma.send(f"{path}/submit", revision=revision_in(wilma, path)).status_code == 303
    assert "somebody else approves it" in text_of(wilma.get(path))
    assert wilma.send(f"{path}/approve", revision=revision_in(wilma, path)).status_code == 403
    assert "Ada is home" in text_of(rena.get("/desk/"))
    assert "it goes to 2 members" in text_of(rena.get(path))
    assert rena.send(f"{path}/approve", revision=revision_in(rena, path)).status_code == 303
    with app.app_context():
        mailing = db.session.scalars(select(Mailing)).one()
        assert mailing.state == MailingState.APPROVED and mailing.start_at is not None


def test_what_was_typed_stays_when_somebody_else_was_faster(app: Flask, desk: Desk, wilma: Colleague) -> None:
    path = f"/desk/mailings/{urgent(app, desk)}"
    wilma.send(f"{path}/in/en", revision=1, subject="First", words="")
    late = wilma.send(f"{path}/in/en", revision=1, subject="My long subject", words="My words")
    assert late.status_code == 422
    assert "Things have moved on" in text_of(late) and "My words" in late.get_data(as_text=True)


def test_an_approved_mailing_waits_for_the_hour_that_was_chosen(app: Flask, desk: Desk, rena: Colleague) -> None:
    mailing_id = urgent(app, desk)
    tomorrow = utc_now().replace(second=0, microsecond=0) + timedelta(days=1)
    path, at = f"/desk/mailings/{mailing_id}", f"{tomorrow:%H:%M}"
    half = rena.send(f"{path}/approve", revision=1, at=at)
    assert half.status_code == 409 and "neither" in text_of(half)
    assert rena.send(f"{path}/approve", revision=1, on=tomorrow.date().isoformat(), at=at).status_code == 303
    with app.app_context():
        assert read(mailing_id).start_at == tomorrow
    assert "It goes out on" in text_of(rena.get(path))
    assert rena.send(f"{path}/unschedule", revision=2).status_code == 303


def test_the_preview_can_do_nothing_and_is_shown_by_our_own_page_only(app: Flask, desk: Desk, wilma: Colleague) -> None:
    path = f"/desk/mailings/{urgent(app, desk)}"
    page = wilma.get(f"{path}/in/fr")
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert f'sandbox title="The message as HTML" src="{path}/in/fr/message"' in page.get_data(as_text=True)
    # A mail carries its own styles, so it is no page of ours for the linter.
    message = FlaskClient.open(wilma, f"{path}/in/fr/message")
    assert message.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = message.headers["Content-Security-Policy"]
    assert {"default-src 'none'", "frame-ancestors 'self'", "sandbox"} <= set(policy.split("; "))
    assert "Détenue pour un poème" in message.get_data(as_text=True)
    assert not re.search("[\ue000\ue001]", message.get_data(as_text=True))


def test_a_test_goes_to_who_asks_and_opens_nobodys_page(app: Flask, desk: Desk, wilma: Colleague) -> None:
    with app.app_context():
        (member,) = make_members(1, follow=desk.case_id)
        mailing_id = desk.urgent().id
        tokens = [link_token(member, purpose) for purpose in (LinkFor.ME, LinkFor.LEAVE)]
    sent = wilma.send(f"/desk/mailings/{mailing_id}/in/fr/try")
    assert sent.status_code == 303
    (mail,) = mails(app)
    assert mail["To"] == "wilma@desk.example.org" and mail["Subject"].startswith("[Test] UA 12/26")
    links = personal_links(mail)
    assert links and not [token for token in tokens if token in mail.as_string()]
    for link in links:
        assert app.test_client().get(link).status_code in (200, 404), link
        app.test_client().post(link)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert db.session.get_one(type(member), member.id).left_at is None
        assert read(mailing_id).state == MailingState.IN_REVIEW


def personal_links(mail: EmailMessage) -> list[str]:
    return re.findall(r"https?://[^/\s]+(/network/(?:me|leave)/[^\s\"<>]+)", part(mail, "html"))


def test_the_numbers_are_asked_for_again_while_it_runs_and_stop_by_themselves(
    app: Flask, desk: Desk, wilma: Colleague
) -> None:
    mailing_id = running(app, desk, members=4)
    with app.app_context():
        settle(mailing_id, 3, DeliveryState.SENT, seconds=2)
    path = f"/desk/mailings/{mailing_id}"
    page = wilma.get(path)
    assert 'hx-trigger="every 2s"' in page.get_data(as_text=True)
    assert "3 of 4 messages sent" in text_of(page) and "From issue to inbox" in text_of(page)
    asking = {"HX-Request": "true"}
    again = wilma.get(f"{path}/progress?was=running", headers=asking)
    assert "HX-Refresh" not in again.headers and 'id="mailing-progress"' in again.get_data(as_text=True)
    # What one opens stands outside of what is replaced: only the rows in it come anew.
    html = page.get_data(as_text=True)
    polled = re.search(
        r'<div id="mailing-progress"(.*?)\n  </div>\n  <details class="disclosure mailing-codes">', html, re.DOTALL
    )
    assert polled and "<details" not in polled[1] and "<a " not in polled[1] and "<button" not in polled[1]
    assert 'hx-select-oob="#mailing-codes:innerHTML"' in polled[1] and '<tbody id="mailing-codes">' in html
    with app.app_context(), transaction() as session:
        row = session.get_one(Mailing, mailing_id)
        row.state, row.finished_at = MailingState.DONE, utc_now()
    over = wilma.get(f"{path}/progress?was=running", headers=asking)
    assert over.headers["HX-Refresh"] == "true" and "hx-trigger" not in over.get_data(as_text=True)
    assert wilma.get(f"{path}/progress").headers["Location"] == path


def test_a_page_of_older_mailings_asks_for_itself_again(app: Flask, desk: Desk, wilma: Colleague) -> None:
    running(app, desk, members=1)
    assert 'hx-get="/desk/mailings"' in wilma.get("/desk/mailings").text
    assert 'hx-get="/desk/mailings?before=7"' in wilma.get("/desk/mailings?before=7").text


def test_running_and_finished_mailings_say_how_long_they_took_on_the_list(
    app: Flask, desk: Desk, wilma: Colleague
) -> None:
    mailing_id = running(app, desk, members=4)
    with app.app_context():
        settle(mailing_id, 4, DeliveryState.SENT, seconds=75)
    listed = text_of(wilma.get("/desk/mailings"))
    assert "UA 12/26, First UA: Ada Vale" in listed and "1 min 15 s" in listed and "4 of 4 sent" in listed


def test_a_link_of_the_list_is_found_again_when_the_list_comes_anew(app: Flask, desk: Desk, wilma: Colleague) -> None:
    mailing_id = running(app, desk, members=2)
    html = wilma.get("/desk/mailings").get_data(as_text=True)
    parts = html.partition('id="mailing-parts"')[2].partition("</main>")[0]
    assert 'hx-trigger="every 5s"' in parts and f'id="mailing-{mailing_id}" href="/desk/mailings/{mailing_id}"' in parts
    assert not re.findall(r"<a (?!id=)|<details|<button", parts)


def test_the_estimate_says_what_a_rate_that_is_set_leaves_out(app: Flask, desk: Desk) -> None:
    path = f"/desk/mailings/{urgent(app, desk)}"
    with app.app_context():
        make_members(2)
    for domain_rate in (0, 5):
        with another(app, WFR_MAIL_RATE="10", WFR_MAIL_DOMAIN_RATE=str(domain_rate)) as limited:
            page = text_of(colleague(limited, f"walt{domain_rate}", Role.WRITER).get(path))
        assert "at 10 a second, as is set" in page
        assert ("longer where one domain has a limit of its own" in page) == bool(domain_rate)


def test_anybody_at_the_desk_pauses_and_a_reviewer_decides(
    app: Flask, desk: Desk, wilma: Colleague, rena: Colleague
) -> None:
    path = f"/desk/mailings/{running(app, desk, members=2)}"
    assert wilma.send(f"{path}/pause").status_code == 303
    assert "A reviewer lets it go on" in text_of(wilma.get(path))
    assert "A mailing is paused" in text_of(rena.get("/desk/"))
    assert rena.send(f"{path}/resume", revision=revision_in(rena, path)).status_code == 303
    assert rena.send(f"{path}/cancel").status_code == 303
    assert "Somebody at the desk called it off" in text_of(rena.get(path))


def test_a_withdrawn_cases_mailing_shows_no_name_and_no_words(app: Flask, desk: Desk, rena: Colleague) -> None:
    mailing_id = urgent(app, desk)
    with app.app_context():
        desk.withdraw()
    for path in ("/desk/mailings", f"/desk/mailings/{mailing_id}", "/desk/"):
        page = text_of(rena.get(path))
        assert "Ada" not in page and "poem" not in page, path
    assert rena.get(f"/desk/mailings/{mailing_id}/in/en/message").status_code == 410
    assert rena.send(f"/desk/mailings/{mailing_id}/in/en/try").status_code == 410


def test_it_is_said_plainly_that_nothing_leaves_this_machine(app: Flask, desk: Desk, wilma: Colleague) -> None:
    urgent(app, desk)
    assert "Nothing leaves this machine: no mail server is set" in text_of(wilma.get("/desk/mailings"))
