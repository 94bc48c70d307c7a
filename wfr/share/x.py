"""X as it is spoken to: the only module that knows tweepy, X's addresses and the meaning of its answers.

Each function is one request, or a few that belong together, and raises `XProblem` (`wfr.share.x_problems`). A request
has a time-out, is made once, goes to one host and follows no redirect. No token leaves this module but in what it
returns.
"""

from __future__ import annotations

import base64
import hashlib
import html
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import tweepy

from wfr.extensions import utc_now
from wfr.share.x_problems import (
    Forbidden,
    Limited,
    RefusedByX,
    Unauthorised,
    Unclear,
    XProblem,
    no_answer,
    problem_in,
)

__all__ = [
    "App",
    "Forbidden",
    "Found",
    "Limited",
    "Numbers",
    "Person",
    "RefusedByX",
    "Tokens",
    "Unauthorised",
    "Unclear",
    "XProblem",
]

HOST = "https://api.x.com"
"""Where every request goes: the host that X documents. tweepy 4.17 still writes the former one into its addresses."""

_FORMER_HOST = "https://api.twitter.com"
_AUTHORISE = "https://x.com/i/oauth2/authorize"
SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
TIMEOUT_SECONDS = (5.0, 30.0)
"""How long to wait for a connection, and then for each part of the answer."""

LONGEST_ALT = 1000
"""Characters of a picture's description that X takes."""

_PAGE = 100
_MOST_PAGES = 5

# These libraries write tokens and bodies into their debug log: they write none, whatever the level of ours.
for _name in list(logging.root.manager.loggerDict):
    if _name.partition(".")[0] in ("tweepy", "requests_oauthlib", "oauthlib", "urllib3"):
        logging.getLogger(_name).disabled = True


@dataclass(frozen=True, slots=True)
class App:
    """Our app at X: its client id, its secret unless it is a public client, and where X sends a coordinator back to."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """What X lets us in with. `refresh` works once. `expires_at` is UTC without a zone; `scopes` as X writes them."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    scopes: str

    @property
    def missing(self) -> list[str]:
        """The scopes we need and were not given."""
        return [scope for scope in SCOPES if scope not in self.scopes.split()]


@dataclass(frozen=True, slots=True)
class Person:
    """An account on X: its id, which stays, its handle without @, and its name."""

    id: str
    handle: str
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """A post as X has it: its words without HTML's escapes, its links as they were before X shortened them."""

    id: str
    text: str
    links: tuple[str, ...]
    in_reply_to: str | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """How often a post was liked, reposted, answered and shown, as X counts."""

    likes: int
    reposts: int
    replies: int
    shown: int


def authorise_url(app: App, state: str, verifier: str) -> str:
    """Return the address at X where somebody lets our app post for her account. No request is made."""
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    url, _state = _Door(app, SCOPES).authorization_url(
        _AUTHORISE, state=state, code_challenge=challenge, code_challenge_method="S256"
    )
    return str(url)


def fetch_tokens(app: App, code: str, verifier: str) -> Tokens:
    """Trade the code that X sent back for tokens; whoever calls has checked the state."""
    return _tokens(_Door(app).trade_code(code, verifier))


def refresh_tokens(app: App, refresh: str) -> Tokens:
    """Trade a refresh token for new tokens, its own successor among them.

    Raises `Unauthorised`, or `RefusedByX` with status 400, where X knows the token no longer.
    """
    return _tokens(_Door(app).trade_refresh_token(refresh))


def revoke_token(app: App, token: str) -> None:
    """Have X forget a token, whichever of the two it is."""
    door = _Door(app)
    door.post(f"{HOST}/2/oauth2/revoke", data={"token": token, "client_id": app.client_id})


def whoami(access: str) -> Person:
    """Return whose token this is."""
    user = _said(_client(access).get_me(user_auth=False).data)
    return Person(str(user.id), str(user.username), str(user.name))


def upload_picture(access: str, png: bytes, alt: str) -> str:
    """Hand X a PNG and its description, and return what a post names it by. X forgets an unused one within a day."""
    session = _session()
    bearer = {"Authorization": f"Bearer {access}"}
    answer = session.post(
        f"{HOST}/2/media/upload",
        headers=bearer,
        files={"media": ("card.png", png, "image/png")},
        data={"media_category": "tweet_image", "media_type": "image/png"},
    )
    media_id = str(_said(_said(answer.json().get("data")).get("id")))
    about = {"id": media_id, "metadata": {"alt_text": {"text": alt[:LONGEST_ALT]}}}
    session.post(f"{HOST}/2/media/metadata", headers=bearer, json=about)
    return media_id


def create_post(access: str, words: str, *, media_id: str | None = None, reply_to: str | None = None) -> str:
    """Post `words`, with a picture or as a reply where one is named, and return the post's id."""
    answer = _client(access).create_tweet(
        text=words, media_ids=[media_id] if media_id else None, in_reply_to_tweet_id=reply_to, user_auth=False
    )
    return str(_said(_said(answer.data).get("id")))


def own_posts_since(access: str, user_id: str, since: datetime) -> list[Found]:
    """Return what an account has posted since a moment (UTC without a zone), newest first.

    X's timeline may be some minutes behind. Raises `Unclear` where there is more than we read.
    """
    client, found, page = _client(access), list[Found](), None
    for _page in range(_MOST_PAGES):
        answer = client.get_users_tweets(
            user_id,
            start_time=since.replace(microsecond=0, tzinfo=UTC),
            max_results=_PAGE,
            tweet_fields=["entities", "referenced_tweets"],
            pagination_token=page,
            user_auth=False,
        )
        found += [_found(post) for post in answer.data or ()]
        page = answer.meta.get("next_token")
        if not page:
            return found
    raise Unclear("the account has posted more than we read", may_have_happened=False)


def numbers_of(access: str, ids: Sequence[str]) -> dict[str, Numbers]:
    """Return the numbers of posts by their ids; those that X has no longer are left out."""
    client, numbers = _client(access), dict[str, Numbers]()
    for start in range(0, len(ids), _PAGE):
        some = list(ids[start : start + _PAGE])
        answer = client.get_tweets(some, tweet_fields=["public_metrics"], user_auth=False)
        numbers |= {str(post.id): _numbers(post.public_metrics or {}) for post in answer.data or ()}
    return numbers


class _Careful(requests.Session):
    """A session for X alone: with a time-out, without redirects, and with our own problems instead of anybody's."""

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Make one request and return its answer, a JSON object; raises `XProblem`, which holds no token."""
        address = str(url).replace(_FORMER_HOST, HOST, 1)
        if not address.startswith(f"{HOST}/2/"):
            raise ValueError("an address that is not X's")
        kwargs |= {"timeout": TIMEOUT_SECONDS, "allow_redirects": False}
        try:
            answer = super().request(method, address, *args, **kwargs)
            problem = problem_in(answer)
        except requests.RequestException as broken:
            answer, problem = requests.Response(), no_answer(broken)
        # Raised only here, where no exception of the library's, which holds the request, hangs on to it.
        if problem is not None:
            raise problem
        return answer


class _Door(_Careful, tweepy.OAuth2UserHandler):  # type: ignore[misc]  # tweepy has no types.
    """tweepy's handler of OAuth 2.0 with PKCE, for a verifier and a state that are kept elsewhere between its steps.

    Without `scopes` it takes what X grants; with them it would raise a warning that holds the tokens where they differ.
    """

    def __init__(self, app: App, scopes: Iterable[str] | None = None) -> None:
        super().__init__(  # type: ignore[call-arg]
            client_id=app.client_id,
            redirect_uri=app.redirect_uri,
            scope=list(scopes) if scopes else None,
            client_secret=app.client_secret,
        )
        self.auth = self.auth or _as_it_is

    def trade_code(self, code: str, verifier: str) -> Mapping[str, Any]:
        """Ask for tokens with a code; tweepy's own method would want the whole address, and that to be https."""
        answer: Mapping[str, Any] = super(tweepy.OAuth2UserHandler, self).fetch_token(
            _TOKEN, code=code, auth=self.auth, include_client_id=True, code_verifier=verifier
        )
        return answer

    def trade_refresh_token(self, refresh: str) -> Mapping[str, Any]:
        """Ask for tokens with a refresh token, which tweepy has no method for."""
        answer: Mapping[str, Any] = self.refresh_token(
            _TOKEN, refresh_token=refresh, auth=self.auth, client_id=self.client_id
        )
        return answer


_TOKEN = f"{HOST}/2/oauth2/token"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Without any, `requests` would take a password for the host from ~/.netrc and put it in the token's place.
    return request


def _session() -> requests.Session:
    session = _Careful()
    session.auth = _as_it_is
    return session


def _client(access: str) -> Any:
    client = tweepy.Client(access)
    client.session = _session()
    return client


def _tokens(answer: Mapping[str, Any]) -> Tokens:
    lasts = timedelta(seconds=int(answer.get("expires_in") or 0))
    scopes = answer.get("scope") or ()
    return Tokens(
        access=str(_said(answer.get("access_token"))),
        refresh=str(answer.get("refresh_token") or ""),
        expires_at=utc_now() + lasts,
        scopes=scopes if isinstance(scopes, str) else " ".join(scopes),
    )


def _said(value: Any) -> Any:
    """Return what X must have said; raises `Unclear` where it is missing."""
    if not value:
        raise Unclear("X's answer lacks what it was asked for")
    return value


def _found(post: Any) -> Found:
    links = ((post.entities or {}).get("urls")) or ()
    replied = [str(other.id) for other in post.referenced_tweets or () if other.type == "replied_to"]
    return Found(
        id=str(post.id),
        text=html.unescape(post.text),
        links=tuple(link.get("expanded_url") or link["url"] for link in links),
        in_reply_to=replied[0] if replied else None,
    )


def _numbers(metrics: Mapping[str, int]) -> Numbers:
    counted = (metrics.get(f"{name}_count", 0) for name in ("like", "retweet", "reply", "impression"))
    return Numbers(*counted)
