"""What we say to X and what its answers mean: tweepy's real client against a fake of X's interface."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine

from tests.share.fake_x import FakeX, Post
from wfr.extensions import utc_now
from wfr.share import x

NOON = datetime(2026, 12, 10, 12, 0, tzinfo=UTC).replace(tzinfo=None)
CREATE = "POST /2/tweets"
PICTURE = b"\x89PNG\r\n\x1a\n with \r\n\r\n in it"
VERIFIER = "a-verifier-of-more-than-forty-three-letters-in-all"


@pytest.fixture
def fake() -> Iterator[FakeX]:
    with FakeX().answering() as fake:
        yield fake


@pytest.fixture
def access(fake: FakeX) -> str:
    return fake.let_in()[0]


def our_app(fake: FakeX) -> x.App:
    return x.App(fake.client_id, fake.client_secret, "http://127.0.0.1:8000/desk/share/account/callback")


def problem_of(work: Callable[[], object]) -> x.XProblem:
    with pytest.raises(x.XProblem) as raised:
        work()
    return raised.value


def posting(access: str) -> Callable[[], object]:
    return lambda: x.create_post(access, "Letters open doors.")


def test_the_way_to_x_asks_for_what_posting_needs_and_shows_no_verifier(fake: FakeX) -> None:
    address = x.authorise_url(our_app(fake), "a-state", VERIFIER)
    asked = parse_qs(urlsplit(address).query)
    assert address.startswith("https://x.com/i/oauth2/authorize?")
    assert asked["scope"] == ["tweet.read tweet.write users.read media.write offline.access"]
    assert asked["state"] == ["a-state"] and asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [our_app(fake).redirect_uri]
    assert VERIFIER not in address


@pytest.mark.parametrize("secret", ["a-secret-of-our-app", None], ids=["confidential", "public"])
def test_a_code_and_then_a_refresh_token_are_traded_once_each(fake: FakeX, secret: str | None) -> None:
    fake.client_secret = secret
    app = our_app(fake)
    back = fake.allow(x.authorise_url(app, "a-state", VERIFIER))
    tokens = x.fetch_tokens(app, back["code"], VERIFIER)
    assert tokens.missing == [] and timedelta(hours=1) < tokens.expires_at - utc_now() <= timedelta(hours=2)
    assert x.whoami(tokens.access) == x.Person(fake.user_id, fake.handle, "Sunrise Letters")
    renewed = x.refresh_tokens(app, tokens.refresh)
    assert renewed.refresh != tokens.refresh and renewed.access != tokens.access
    again = problem_of(lambda: x.refresh_tokens(app, tokens.refresh))
    assert isinstance(again, x.RefusedByX) and again.status == 400
    x.revoke_token(app, renewed.access)
    assert isinstance(problem_of(lambda: x.whoami(renewed.access)), x.Unauthorised)


def test_a_code_is_worth_nothing_without_its_verifier(fake: FakeX) -> None:
    app = our_app(fake)
    back = fake.allow(x.authorise_url(app, "a-state", VERIFIER))
    problem = problem_of(lambda: x.fetch_tokens(app, back["code"], VERIFIER[::-1]))
    assert isinstance(problem, x.RefusedByX)
    assert "authorization code was invalid" in problem.detail and back["code"] not in problem.detail


def test_what_x_did_not_grant_is_said_by_name(fake: FakeX) -> None:
    fake.scopes = ("tweet.read", "users.read")
    app = our_app(fake)
    tokens = x.fetch_tokens(app, fake.allow(x.authorise_url(app, "a-state", VERIFIER))["code"], VERIFIER)
    assert tokens.missing == ["tweet.write", "media.write", "offline.access"] and tokens.refresh == ""


def test_a_post_goes_out_with_its_picture_described_and_its_reply_below(fake: FakeX, access: str) -> None:
    words = "“Łukasz” & <you> — حرية 🕊 https://letters.example.org/s/abc?a=1&b=2"
    media_id = x.upload_picture(access, PICTURE, "A stamp: رسالة")
    first = x.create_post(access, words, media_id=media_id)
    x.create_post(access, "Write yourself.", reply_to=first)
    assert (fake.media[media_id].data, fake.media[media_id].alt) == (PICTURE, "A stamp: رسالة")
    assert [(post.text, post.media_ids, post.reply_to) for post in fake.posts] == [
        (words, [media_id], None),
        ("Write yourself.", [], first),
    ]


def test_own_posts_are_found_by_their_links_and_words(fake: FakeX, access: str) -> None:
    with time_machine.travel(NOON - timedelta(hours=1), tick=False):
        x.create_post(access, "Long ago.")
    with time_machine.travel(NOON, tick=False):
        first = x.create_post(access, "Fish & <chips>: https://letters.example.org/s/abc")
        second = x.create_post(access, "Below.", reply_to=first)
    found = x.own_posts_since(access, fake.user_id, NOON - timedelta(minutes=5))
    assert [post.id for post in found] == [second, first]
    assert found[0].in_reply_to == first and found[1].in_reply_to is None
    assert found[1].links == ("https://letters.example.org/s/abc",)
    assert found[1].text.startswith("Fish & <chips>: https://t.co/")


def test_every_page_of_own_posts_is_read_and_too_many_are_said_to_be(fake: FakeX, access: str) -> None:
    fake.posts += [Post(str(number), f"Letter {number}.", [], None, utc_now()) for number in range(150)]
    assert len(x.own_posts_since(access, fake.user_id, utc_now() - timedelta(hours=1))) == 150
    fake.posts += [Post(str(number), f"Letter {number}.", [], None, utc_now()) for number in range(150, 501)]
    problem = problem_of(lambda: x.own_posts_since(access, fake.user_id, utc_now() - timedelta(hours=1)))
    assert isinstance(problem, x.Unclear)


def test_numbers_are_read_in_portions_and_without_what_is_gone(fake: FakeX, access: str) -> None:
    ids = [str(number) for number in range(1001, 1102)]
    fake.posts += [Post(post_id, "A letter.", [], None, utc_now()) for post_id in ids]
    numbers = x.numbers_of(access, [*ids, "77"])
    assert set(numbers) == set(ids) and fake.count("GET /2/tweets") == 2
    assert numbers[ids[0]] == x.Numbers(likes=3, reposts=2, replies=1, shown=400)
    assert x.numbers_of(access, []) == {}


def test_an_unknown_token_is_unauthorised(fake: FakeX) -> None:
    problem = problem_of(posting("access-nobody-has-given-out"))
    assert isinstance(problem, x.Unauthorised) and problem.why == "unauthorised"


def test_the_same_words_again_are_a_duplicate_and_other_refusals_are_not(fake: FakeX, access: str) -> None:
    x.create_post(access, "Letters open doors.")
    problem = problem_of(posting(access))
    assert isinstance(problem, x.Forbidden) and problem.duplicate and problem.why == "duplicate"
    fake.next(403, at=CREATE, body={"title": "Forbidden", "detail": "Your account is suspended."})
    problem = problem_of(posting(access))
    assert isinstance(problem, x.Forbidden) and not problem.duplicate and problem.why == "forbidden"
    assert problem.detail == "Your account is suspended."


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"x-rate-limit-reset": "{10}"}, 10),
        ({"x-rate-limit-reset": "{0}"}, 1),
        ({"x-rate-limit-reset": "{9000}"}, 24 * 60),
        ({"x-rate-limit-reset": "soon"}, 15),
        ({"x-rate-limit-reset": "9" * 30}, 15),
        ({"retry-after": "300"}, 5),
        ({"retry-after": "Fri, 11 Dec 2026 00:00:00 GMT"}, 15),
        ({}, 15),
        (
            {
                "x-rate-limit-remaining": "7",
                "x-rate-limit-reset": "{5}",
                "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": "{300}",
            },
            300,
        ),
    ],
    ids=str,
)
def test_a_limit_is_waited_for_until_the_hour_x_names_and_a_day_at_most(
    fake: FakeX, access: str, headers: dict[str, str], minutes: int
) -> None:
    noon = int(NOON.replace(tzinfo=UTC).timestamp())
    told = {
        name: str(noon + 60 * int(value.strip("{}"))) if value.startswith("{") else value
        for name, value in headers.items()
    }
    with time_machine.travel(NOON, tick=False):
        fake.next(429, at=CREATE, headers=told)
        problem = problem_of(posting(access))
    assert isinstance(problem, x.Limited) and problem.why == "limited"
    assert problem.until == NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_of_xs_own_may_have_done_what_was_asked(fake: FakeX, access: str, status: int) -> None:
    fake.next(status, at=CREATE, body="<html>no JSON</html>", after=True)
    problem = problem_of(posting(access))
    assert isinstance(problem, x.Unclear) and problem.may_have_happened
    assert len(fake.posts) == 1 and fake.count(CREATE) == 1


@pytest.mark.parametrize("body", ["<html>Sign in to this network</html>", "[]", "{}"])
def test_an_answer_that_is_none_of_xs_is_unclear(fake: FakeX, access: str, body: str) -> None:
    fake.next(200, at=CREATE, body=body)
    problem = problem_of(posting(access))
    assert isinstance(problem, x.Unclear) and problem.may_have_happened


def test_a_redirect_is_not_followed(fake: FakeX, access: str) -> None:
    fake.next(307, at=CREATE, headers={"Location": "https://api.x.com/2/tweets"})
    problem = problem_of(posting(access))
    assert isinstance(problem, x.RefusedByX) and problem.status == 307
    assert fake.count(CREATE) == 1 and fake.posts == []


def test_a_time_out_after_acceptance_may_have_happened_and_is_not_tried_again(fake: FakeX, access: str) -> None:
    fake.time_out(at=CREATE)
    problem = problem_of(posting(access))
    assert isinstance(problem, x.Unclear) and problem.may_have_happened and problem.why == "unclear"
    assert len(fake.posts) == 1 and fake.count(CREATE) == 1


def test_a_refused_connection_has_done_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setattr(x, "HOST", f"http://127.0.0.1:{closed.getsockname()[1]}")
        problem = problem_of(posting("access"))
    assert isinstance(problem, x.Unclear) and not problem.may_have_happened


@pytest.mark.parametrize("hangs_up", [False, True], ids=["silent", "hangs up"])
def test_a_server_that_takes_the_request_and_says_nothing_may_have_done_it(
    monkeypatch: pytest.MonkeyPatch, hangs_up: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                if not hangs_up:
                    over.wait(10)

        over = threading.Event()
        taking = threading.Thread(target=take)
        taking.start()
        monkeypatch.setattr(x, "HOST", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(x, "TIMEOUT_SECONDS", (1.0, 0.1))
        problem = problem_of(posting("access"))
        over.set()
        taking.join()
    assert isinstance(problem, x.Unclear) and problem.may_have_happened


def test_a_token_goes_to_no_other_host(fake: FakeX) -> None:
    with pytest.raises(ValueError, match="not X's"):
        x._session().get("https://api.x.com.example.org/2/users/me")


def test_no_password_of_a_netrc_takes_the_tokens_place(
    fake: FakeX, access: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine api.x.com login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert x.whoami(access).id == fake.user_id


def test_no_token_reaches_a_log_or_hangs_on_to_a_problem(fake: FakeX, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "tweepy", "tweepy.client", "requests_oauthlib", "requests_oauthlib.oauth2_session", "urllib3"):
        caplog.set_level(logging.DEBUG, name)
    app = our_app(fake)
    tokens = x.fetch_tokens(app, fake.allow(x.authorise_url(app, "a-state", VERIFIER))["code"], VERIFIER)
    tokens = x.refresh_tokens(app, tokens.refresh)
    x.create_post(tokens.access, "Letters open doors.", media_id=x.upload_picture(tokens.access, PICTURE, "A stamp"))
    echo = {"detail": f"Bearer {tokens.access} and {tokens.refresh}, really"}
    problems = []
    for status in (400, 401, 403, 500):
        fake.next(status, at=CREATE, body=echo)
        problems.append(problem_of(posting(tokens.access)))
    fake.next(at=CREATE, error=requests.exceptions.ReadTimeout(f"Bearer {tokens.access}"))
    problems.append(problem_of(posting(tokens.access)))
    problems.append(problem_of(lambda: x.refresh_tokens(app, fake.secrets[2])))
    told = [caplog.text, repr(tokens), repr(app)]
    for problem in problems:
        assert problem.__cause__ is None and problem.__context__ is None
        told += ["".join(traceback.format_exception(problem)), repr(vars(problem))]
    assert not [secret for secret in [*fake.secrets, VERIFIER, str(fake.client_secret)] if secret in " ".join(told)]
