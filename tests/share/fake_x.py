"""X as far as we speak to it, on this machine: what tweepy's real client and ours send is answered as X documents.

`FakeX` keeps what it was told (`posts`, `media`, `asked`) and what it has given out (`secrets`). `next` scripts what
goes wrong: an answer in place of the proper one, or none at all, before or after X has done what it was asked.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses
from urllib3.exceptions import MaxRetryError, NewConnectionError

from wfr.extensions import utc_now
from wfr.share.x import HOST, SCOPES

HANDLE = "sunrise_letters"
USER_ID = "4200000000000000001"
TWO_HOURS = 7200

Answer = tuple[int, dict[str, str], str]


@dataclass
class Post:
    """A post that X has taken."""

    id: str
    text: str
    media_ids: list[str]
    reply_to: str | None
    at: datetime
    user_id: str = USER_ID
    hidden: bool = False
    """True while X's timeline lags behind: there, and not yet found."""

    @property
    def as_x_says(self) -> dict[str, Any]:
        links = re.findall(r"https?://\S+", self.text)
        shown = self.text
        for number, link in enumerate(links):
            shown = shown.replace(link, f"https://t.co/{self.id[-4:]}{number}", 1)
        said: dict[str, Any] = {"id": self.id, "edit_history_tweet_ids": [self.id]}
        said["text"] = html.escape(shown, quote=False)
        if links:
            said["entities"] = {"urls": [{"url": "https://t.co/x", "expanded_url": link} for link in links]}
        if self.reply_to:
            said["referenced_tweets"] = [{"type": "replied_to", "id": self.reply_to}]
        return said


@dataclass
class Media:
    """A picture that X has taken, and its description."""

    data: bytes
    alt: str | None = None


@dataclass
class _Script:
    at: str
    answer: Answer | None = None
    error: Exception | None = None
    after: bool = False
    meanwhile: Callable[[], object] | None = None


@dataclass
class _Code:
    challenge: str
    redirect_uri: str
    scopes: str
    used: bool = False


@dataclass
class FakeX:
    """X. Use it as `with FakeX().answering() as x:`, or by a fixture that does."""

    user_id: str = USER_ID
    handle: str = HANDLE
    client_id: str = "an-app-of-ours"
    client_secret: str | None = "a-secret-of-our-app"
    scopes: Sequence[str] = SCOPES
    posts: list[Post] = field(default_factory=list)
    media: dict[str, Media] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Each request, as ``POST /2/tweets``."""
    secrets: list[str] = field(default_factory=list)
    """Every code and token that was ever given out."""
    access: dict[str, str] = field(default_factory=dict)
    """Tokens that let somebody in, each with its account's id."""
    refresh: dict[str, str] = field(default_factory=dict)
    refuses_duplicates: bool = True
    numbers: dict[str, int] = field(default_factory=lambda: {"like": 3, "retweet": 2, "reply": 1, "impression": 400})
    _codes: dict[str, _Code] = field(default_factory=dict)
    _scripts: list[_Script] = field(default_factory=list)
    _count: int = 0

    @contextmanager
    def answering(self) -> Iterator[FakeX]:
        """Answer every request to X's host, from all threads, until the block ends; no other host is reached."""
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST"):
                mock.add_callback(method, re.compile(f"{re.escape(HOST)}/2/.*"), callback=self._answer)
            yield self

    def next(
        self,
        status: int | None = None,
        *,
        at: str = "",
        headers: dict[str, str] | None = None,
        body: Any = None,
        error: Exception | None = None,
        after: bool = False,
    ) -> None:
        """Answer the next request whose ``METHOD /path`` begins with `at` otherwise, or with an exception.

        `after` has X do what it was asked first, so that only its answer goes missing.
        """
        words = body if isinstance(body, str) else json.dumps(body or {"title": "Scripted", "status": status})
        answer = (status, headers or {}, words) if status is not None else None
        self._scripts.append(_Script(at, answer, error, after))

    def meanwhile(self, work: Callable[[], object], *, at: str = "") -> None:
        """Do something else once X has done what the next request asks, and before it answers."""
        self._scripts.append(_Script(at, meanwhile=work))

    def time_out(self, *, at: str = "POST /2/tweets", after: bool = True) -> None:
        """Say nothing to the next request, `after` having done what it asks."""
        self.next(at=at, error=requests.exceptions.ReadTimeout("no answer came"), after=after)

    def refuse_connection(self, *, at: str = "") -> None:
        """Let the next request not even reach X."""
        nowhere = NewConnectionError(None, "refused")  # type: ignore[arg-type]
        self.next(at=at, error=requests.exceptions.ConnectionError(MaxRetryError(None, at, nowhere)))  # type: ignore[arg-type]

    def allow(self, address: str) -> dict[str, str]:
        """Press "Authorise app" on X's page at `address`; returns what X sends back: `state` and `code`."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == self.client_id and asked["response_type"] == "code", address
        assert asked["code_challenge_method"] == "S256" and asked["scope"] == " ".join(SCOPES), address
        code = self._secret("code")
        self._codes[code] = _Code(asked["code_challenge"], asked["redirect_uri"], " ".join(self.scopes))
        return {"state": asked["state"], "code": code}

    def let_in(self) -> tuple[str, str]:
        """Give out an access and a refresh token, as if somebody had connected long ago."""
        access, refresh = self._secret("access"), self._secret("refresh")
        self.access[access], self.refresh[refresh] = self.user_id, self.user_id
        return access, refresh

    def count(self, request: str) -> int:
        """Return how often a request such as ``POST /2/tweets`` was made."""
        return self.asked.count(request)

    def _secret(self, what: str) -> str:
        self._count += 1
        secret = f"{what}-{self._count}-{hashlib.sha256(f'{id(self)} {self._count}'.encode()).hexdigest()}"
        self.secrets.append(secret)
        return secret

    def _number(self) -> str:
        self._count += 1
        return str(1990000000000000000 + self._count)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        path = urlsplit(request.url or "").path
        asked = f"{request.method} {path}"
        self.asked.append(asked)
        script = next((script for script in self._scripts if asked.startswith(script.at)), None)
        if script is not None:
            self._scripts.remove(script)
            done = self._do(str(request.method), path, request) if script.after or script.meanwhile else None
            if script.meanwhile is not None and done is not None:
                script.meanwhile()
                return done[0], {}, json.dumps(done[1])
            if script.error is not None:
                raise script.error
            if script.answer is not None:
                return script.answer
        status, said = self._do(str(request.method), path, request)
        return status, {}, json.dumps(said)

    def _do(self, method: str, path: str, request: requests.PreparedRequest) -> tuple[int, Any]:
        if path.startswith("/2/oauth2/"):
            return self._oauth(path, request)
        user_id = self.access.get((request.headers.get("Authorization") or "").removeprefix("Bearer "))
        if user_id is None:
            return 401, {"title": "Unauthorized", "detail": "Unauthorized", "status": 401}
        if method == "GET":
            return self._read(path, parse_qs(urlsplit(request.url or "").query), user_id)
        deeds = {"/2/tweets": self._post, "/2/media/upload": self._upload, "/2/media/metadata": self._describe}
        return deeds[path](request, user_id)

    def _oauth(self, path: str, request: requests.PreparedRequest) -> tuple[int, Any]:
        sent = {name: values[0] for name, values in parse_qs(_text(request)).items()}
        if not self._is_our_app(request, sent):
            return 401, {"error": "unauthorized_client", "error_description": "Missing valid authorization header"}
        if path.endswith("/revoke"):
            self.access.pop(sent["token"], None)
            self.refresh.pop(sent["token"], None)
            return 200, {"revoked": True}
        if sent["grant_type"] == "refresh_token":
            if self.refresh.pop(sent["refresh_token"], None) is None:
                return 400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
            return self._give(" ".join(self.scopes))
        code = self._codes.get(sent["code"])
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if code is None or code.used or code.challenge != challenge or code.redirect_uri != sent["redirect_uri"]:
            words = f"Value passed for the authorization code was invalid: {sent['code']}"
            return 400, {"error": "invalid_request", "error_description": words}
        code.used = True
        return self._give(code.scopes)

    def _is_our_app(self, request: requests.PreparedRequest, sent: dict[str, str]) -> bool:
        if self.client_secret is None:
            return sent.get("client_id") == self.client_id and "Authorization" not in request.headers
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {pair}"

    def _give(self, scopes: str) -> tuple[int, Any]:
        access, refresh = self.let_in()
        said = {"token_type": "bearer", "expires_in": TWO_HOURS, "access_token": access, "scope": scopes}
        return 200, said | ({"refresh_token": refresh} if "offline.access" in scopes else {})

    def _read(self, path: str, asked: dict[str, list[str]], user_id: str) -> tuple[int, Any]:
        if path == "/2/users/me":
            return 200, {"data": {"id": user_id, "username": self.handle, "name": "Sunrise Letters"}}
        if path == "/2/tweets":
            metrics = {f"{name}_count": count for name, count in self.numbers.items()}
            wanted = asked["ids"][0].split(",")
            there = [post for post in self.posts if post.id in wanted]
            return 200, {"data": [post.as_x_says | {"public_metrics": metrics} for post in there]}
        return self._timeline(path.split("/")[3], asked)

    def _timeline(self, user_id: str, asked: dict[str, list[str]]) -> tuple[int, Any]:
        since = datetime.fromisoformat(asked["start_time"][0].rstrip("Z"))
        mine = [post for post in reversed(self.posts) if post.user_id == user_id and post.at >= since]
        seen = [post.as_x_says for post in mine if not post.hidden]
        start, most = int(asked.get("pagination_token", ["0"])[0]), int(asked["max_results"][0])
        page = seen[start : start + most]
        meta: dict[str, Any] = {"result_count": len(page)}
        if start + most < len(seen):
            meta["next_token"] = str(start + most)
        return 200, ({"data": page} if page else {}) | {"meta": meta}

    def _post(self, request: requests.PreparedRequest, user_id: str) -> tuple[int, Any]:
        sent = json.loads(_text(request))
        if self.refuses_duplicates and any(post.text == sent["text"] for post in self.posts):
            detail = "You are not allowed to create a Tweet with duplicate content."
            return 403, {"title": "Forbidden", "detail": detail, "status": 403, "type": "about:blank"}
        media_ids = sent.get("media", {}).get("media_ids", [])
        if any(media_id not in self.media for media_id in media_ids):
            return 400, {"title": "Invalid Request", "detail": "Your media IDs are invalid.", "status": 400}
        reply_to = sent.get("reply", {}).get("in_reply_to_tweet_id")
        post = Post(self._number(), sent["text"], media_ids, reply_to, utc_now(), user_id)
        self.posts.append(post)
        return 201, {"data": {"id": post.id, "text": post.as_x_says["text"]}}

    def _upload(self, request: requests.PreparedRequest, user_id: str) -> tuple[int, Any]:
        del user_id
        body = request.body if isinstance(request.body, bytes) else b""
        parts = body.split(b"--" + (request.headers["Content-Type"] or "").split("boundary=")[1].encode())
        named = {match[1]: part.split(b"\r\n\r\n", 1)[1][:-2] for part in parts if (match := _NAME.search(part))}
        if named.get(b"media_category") != b"tweet_image" or not named.get(b"media"):
            return 400, {"title": "Invalid Request", "detail": "media is missing", "status": 400}
        media_id = self._number()
        self.media[media_id] = Media(named[b"media"])
        return 200, {"data": {"id": media_id, "media_key": f"3_{media_id}", "expires_after_secs": 86400}}

    def _describe(self, request: requests.PreparedRequest, user_id: str) -> tuple[int, Any]:
        del user_id
        sent = json.loads(_text(request))
        self.media[sent["id"]].alt = sent["metadata"]["alt_text"]["text"]
        return 200, {"data": {"id": sent["id"], "associated_metadata": sent["metadata"]}}


_NAME = re.compile(rb' name="([^"]+)"')


def _text(request: requests.PreparedRequest) -> str:
    return request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
