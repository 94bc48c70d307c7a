"""Joining: double opt-in by a button, one mail whoever asks, and no answer from which an address could be learned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from tests.acting import text_of
from tests.factories import Cast
from tests.linting import LintingClient
from tests.network.members import ANNA, ask, everything, join, links_in, mails_to, member, path_to, the_member
from tests.network.sending import another
from wfr.extensions import db, transaction, utc_now
from wfr.jobs import queue_of
from wfr.network.asking import count_digest
from wfr.network.joining import Joining
from wfr.network.joining import join as join_network
from wfr.network.links import LinkFor
from wfr.network.models import Follow, Frequency, Member, RequestedMail, SuppressedFor
from wfr.network.preferring import Wishes
from wfr.network.suppressing import suppress, suppressed_for

ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """The app's context, for tests that look into the database."""
    with app.app_context():
        yield


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_nobody_is_a_member_until_the_button_on_the_page_of_the_mail_is_pressed(
    app: Flask, visitor: LintingClient
) -> None:
    answer = ask(visitor, "Anna@Example.org", frequency="at_most", at_most="2", regions=["002"], concerns=["torture"])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/network/check-your-mail")
    waiting = the_member()
    assert waiting.confirmed_at is None
    link = links_in(mails_to(app, ANNA)[0], "confirm")[0]
    page = visitor.get(link)
    assert "At most 2 Urgent Actions a month" in text_of(page)
    assert "a…@example.org" in text_of(page)
    assert ANNA not in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    assert the_member().confirmed_at is None
    confirmed = visitor.post(link)
    assert (confirmed.status_code, confirmed.headers["Location"]) == (303, path_to(LinkFor.ME))
    anna = the_member()
    assert anna.confirmed_at is not None
    assert (anna.country, anna.languages, anna.frequency, anna.at_most) == ("TG", ["en"], Frequency.AT_MOST, 2)
    assert (anna.regions, anna.concerns) == (1, 2)


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_opening_links_a_thousand_times_changes_not_one_row(app: Flask, visitor: LintingClient) -> None:
    join(app, visitor)
    ask(visitor, "ben@example.org")
    pages = [
        links_in(mails_to(app, "ben@example.org")[0], "confirm")[0],
        path_to(LinkFor.LEAVE),
        path_to(LinkFor.ME),
        f"{path_to(LinkFor.ME)}/export",
    ]
    before, mailed = everything(), len(mails_to(app, ANNA))
    for number in range(1000):
        # Another one each time, that keeps nothing; the pages are linted elsewhere.
        scanner, page = FlaskClient(app, app.response_class), pages[number % len(pages)]
        answer = scanner.head(page) if number // len(pages) % 2 else scanner.get(page)
        assert answer.status_code == 200
    assert everything() == before
    assert len(mails_to(app, ANNA)) == mailed


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_no_answer_tells_whether_an_address_is_known(app: Flask, visitor: LintingClient) -> None:
    join(app, visitor, "known@example.org")
    ask(visitor, "waiting@example.org")
    join(app, visitor, "left@example.org")
    visitor.post(path_to(LinkFor.LEAVE, "left@example.org"))
    with transaction() as session:
        suppress(session, "bounced@example.org", SuppressedFor.BOUNCED)

    def seen(answer: TestResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
        headers = [(name, value) for name, value in answer.headers if not name.startswith("X-RateLimit")]
        return answer.status_code, answer.data, headers

    names = ("known", "waiting", "left", "unknown", "bounced")
    before = {name: len(mails_to(app, f"{name}@example.org")) for name in names}
    answers = [seen(ask(visitor, f"{name}@example.org")) for name in names]
    assert all(answer == answers[0] for answer in answers)
    more = [len(mails_to(app, f"{name}@example.org")) - before[name] for name in names]
    assert more == [1, 1, 1, 1, 0]


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_while_the_mail_server_is_away_no_answer_tells_more(app: Flask, visitor: LintingClient) -> None:
    join(app, visitor, "known@example.org")
    for _ in range(5):
        ask(visitor, "enough@example.org")
    with transaction() as session:
        suppress(session, "bounced@example.org", SuppressedFor.BOUNCED)
    names = ("known", "unknown", "enough", "bounced")
    with another(app, MAIL_URL="smtp://127.0.0.1:1") as away:
        answers = [ask(away.test_client(), f"{name}@example.org") for name in names]
    pages = {answer.get_data(as_text=True).replace(name, "") for answer, name in zip(answers, names, strict=True)}
    assert [answer.status_code for answer in answers] == [503] * 4
    assert len(pages) == 1
    assert "Our mail could not leave just now" in pages.pop()


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_a_member_who_joins_again_is_mailed_her_own_page_and_keeps_what_she_chose(
    app: Flask, visitor: LintingClient
) -> None:
    page = join(app, visitor, frequency="weekly")
    ask(visitor, frequency="every", country="FR")
    mail = mails_to(app, ANNA)[-1]
    assert links_in(mail, "me") == [page]
    assert links_in(mail, "confirm") == []
    assert (the_member().frequency, the_member().country) == ("weekly", "TG")


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_confirming_twice_is_as_once_and_a_new_request_overwrites_one_that_waits(
    app: Flask, visitor: LintingClient
) -> None:
    ask(visitor, frequency="every")
    ask(visitor, frequency="monthly")
    first, second = (links_in(mail, "confirm")[0] for mail in mails_to(app, ANNA))
    visitor.post(first)
    since = the_member().confirmed_at
    assert visitor.post(second).status_code == 303
    assert (the_member().frequency, the_member().confirmed_at) == ("monthly", since)
    assert db.session.scalar(select(func.count()).select_from(Member)) == 1


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_who_has_left_can_join_again_and_stands_on_no_list_then(app: Flask, visitor: LintingClient) -> None:
    join(app, visitor)
    visitor.post(path_to(LinkFor.LEAVE))
    assert suppressed_for(db.session, ANNA) is SuppressedFor.LEFT
    ask(visitor)
    assert suppressed_for(db.session, ANNA) is SuppressedFor.LEFT, "somebody else may have asked"
    visitor.post(links_in(mails_to(app, ANNA)[-1], "confirm")[0])
    assert suppressed_for(db.session, ANNA) is None
    assert the_member().bounces == 0


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_one_address_gets_five_mails_a_day_and_the_sixth_answer_is_the_same(app: Flask, visitor: LintingClient) -> None:
    answers = [ask(visitor) for _ in range(6)]
    assert {(answer.status_code, answer.data) for answer in answers} == {(303, answers[0].data)}
    assert len(mails_to(app, ANNA)) == 5
    asked = the_member().made_at
    ask(visitor, frequency="weekly")
    assert (the_member().frequency, the_member().made_at) == ("every", asked), "what sends no mail changes nothing"
    with transaction() as session:
        session.execute(update(RequestedMail).values(day=utc_now().date() - timedelta(days=1)))
    ask(visitor)
    assert len(mails_to(app, ANNA)) == 6


def test_twelve_at_once_are_five_mails_and_one_row(app: Flask, season: Cast) -> None:
    start = Barrier(12)

    def ask_at_once() -> None:
        with app.app_context():
            start.wait()
            join_network(Joining(ANNA, Wishes()))
            db.session.remove()

    threads = [Thread(target=ask_at_once) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mails_to(app, ANNA)) == 5
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Member)) == 1
        assert db.session.scalars(select(RequestedMail.mails)).all() == [5]
        db.session.remove()


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_no_mail_holds_a_word_that_a_stranger_chose(app: Flask, visitor: LintingClient) -> None:
    words = "Win-a-prize-at-evil.example"
    ask(visitor, name=words, second_language=words, case=words, subject=words)
    ask(visitor, via=words)
    assert mails_to(app, ANNA)
    assert all(words not in mail.as_string() for mail in mails_to(app, ANNA))


WRONG = (
    ("email", "anna at home", "Give an e-mail address such as name@example.org"),
    ("email", "änna@example.org", "Give an e-mail address such as name@example.org"),
    ("email", "anna@example.org\r\nBcc: ben@example.org", "Give an e-mail address such as name@example.org"),
    ("country", "XX", "Choose the country you write from"),
    ("country", "", "Choose your country"),
    ("language", "tlh", "Not a valid choice"),
    ("frequency", "hourly", "Not a valid choice"),
    ("frequency", "following", "Not a valid choice"),
    ("at_most", "900", "Not a valid choice"),
    ("concerns", "<script>", "is not a valid choice"),
)


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_what_cannot_be_is_shown_again_with_words(app: Flask, visitor: LintingClient) -> None:
    for field, value, words in WRONG:
        answer = ask(visitor, **{field: value})
        assert answer.status_code == 422, (field, value)
        assert words in text_of(answer), (field, value)
        assert "<script>" not in answer.get_data(as_text=True)
    assert mails_to(app, ANNA) == []
    assert member() is None


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_a_form_of_another_site_joins_nobody(app: Flask, visitor: LintingClient) -> None:
    data = {"email": ANNA, "country": "TG", "language": "en", "frequency": "every", "at_most": "4"}
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert visitor.post("/network", data=data, headers=headers).status_code == 403
    assert mails_to(app, ANNA) == []


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_the_form_is_the_same_for_everybody_and_any_cache_may_hold_it(visitor: LintingClient) -> None:
    page = visitor.get("/network")
    assert page.headers["CDN-Cache-Control"] == "max-age=2"
    assert " checked" in page.get_data(as_text=True)
    assert page.data == visitor.get("/network").data


@ONLY_SQLITE
@pytest.mark.usefixtures("context")
def test_an_address_that_nobody_confirms_is_erased_after_a_week_with_its_mail(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    join(app, visitor, "ben@example.org", follow=season.tiny)
    ask(visitor)
    forget = queue_of(app).jobs["forget_unconfirmed"]
    with transaction() as session:
        session.execute(update(Member).values(made_at=utc_now() - timedelta(days=6, hours=23)))
    forget()
    assert member() is not None
    with transaction() as session:
        session.execute(update(Member).values(made_at=utc_now() - timedelta(days=7, minutes=1)))
    forget()
    assert member() is None
    assert mails_to(app, ANNA) == []
    assert member("ben@example.org") is not None
    assert db.session.scalar(select(func.count()).select_from(Follow)) == 1


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_how_many_mails_were_asked_for_is_forgotten_after_two_days(app: Flask, visitor: LintingClient) -> None:
    ask(visitor)
    for days, left in ((1, 1), (2, 0)):
        with transaction() as session:
            session.execute(update(RequestedMail).values(day=utc_now().date() - timedelta(days=days)))
        queue_of(app).jobs["forget_requests"]()
        assert db.session.scalar(select(func.count()).select_from(RequestedMail)) == left


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("victim+1@example.org", "victim@example.org"),
        ("v.ic.tim+x@GMAIL.com", "victim@googlemail.com"),
        ("Victim@example.org", "victim@example.org"),
    ],
)
@ONLY_SQLITE
@pytest.mark.usefixtures("context")
def test_the_names_of_one_mailbox_are_counted_as_one(other: str, same: str) -> None:
    assert count_digest(other) == count_digest(same)
    assert count_digest("v.ictim@example.org") != count_digest("victim@example.org")
    assert count_digest(same, "links") != count_digest(same)


@ONLY_SQLITE
@pytest.mark.usefixtures("context", "season")
def test_who_is_leaving_in_this_moment_is_sent_nothing_and_stays_as_she_is(app: Flask, visitor: LintingClient) -> None:
    join(app, visitor)
    with transaction() as session:
        session.get_one(Member, the_member().id).left_at = utc_now()
    known = len(mails_to(app, ANNA))
    assert ask(visitor).status_code == 303
    assert len(mails_to(app, ANNA)) == known
    assert the_member().left_at is not None
