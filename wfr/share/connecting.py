"""Connecting the campaign's account on X: OAuth 2.0 with PKCE, from leaving for X to having its tokens sealed away.

Between leaving and coming back stands one row. It is good once, for ten minutes, for the account and the desk session
that began it; a callback that does not fit links nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from wfr.errors import Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.sealing import seal, unseal
from wfr.share import x
from wfr.share.models import AccountState, XAccount, XConnecting
from wfr.share.renewing import (
    NotConnected,
    forget_at_x,
    newest_account,
    put_tokens,
    take_tokens,
    the_app,
    thing_of,
)
from wfr.staff.auditing import record, record_refusal
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

LASTS = timedelta(minutes=10)
_KEPT = timedelta(days=1)
_PURPOSE = "x-connecting"

_NOTHING_LINKED = {
    "unknown": _l("This answer is not to a question of ours. Nothing was connected. Start again from this desk."),
    "elsewhere": _l(
        "This was begun in another browser, or before you signed in anew. Nothing was connected. Start again here."
    ),
    "used": _l("This answer of X's was used before. Nothing was connected. Start again if the account is not here."),
    "late": _l("More than ten minutes have passed. Nothing was connected. Start again."),
    "scopes": _l("X did not grant all that posting needs. Nothing was connected. Start again and allow everything."),
    "unclear": _l("X gave no clear answer. Nothing was connected. Start again in a few minutes."),
    "limited": _l("X takes no more requests for now. Nothing was connected. Start again in a quarter of an hour."),
    "unauthorised": _l(
        "X does not know our app. Nothing was connected. Check WFR_X_CLIENT_ID and WFR_X_CLIENT_SECRET."
    ),
    "forbidden": _l("X does not let our app in. Nothing was connected. Look at the app in X's developer console."),
    "refused": _l("X did not take the answer back. Nothing was connected. Start again."),
}


class _NothingLinked(Exception):
    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def begin_connecting(*, by: Actor, session_key: str) -> str:
    """Remember that `by` leaves for X, and return the address at X; raises `NotAllowed`, `Refused`, `DatabaseAway`.

    `session_key` is what only this browser's desk session has.
    """
    app = _app()
    now, state, verifier = utc_now(), secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    with transaction() as session:
        account = require_role(session, by, Role.COORDINATOR)
        session.execute(delete(XConnecting).where(XConnecting.made_at < now - _KEPT))
        session.add(
            XConnecting(
                state=_digest(state),
                verifier=seal(_PURPOSE, verifier),
                session=_digest(session_key),
                account_id=account.id,
                made_at=now,
            )
        )
    return x.authorise_url(app, state, verifier)


def finish_connecting(*, by: Actor, session_key: str, state: str, code: str) -> XAccount:
    """Connect the account whose owner said yes at X, in place of any other; returns it.

    The row of this way is used up, in a transaction of its own, before X is asked: a second try finds it used. Raises
    `Refused` with the words for whoever stands at the desk, and records the refusal; `NotAllowed`, `DatabaseAway`.
    """
    app = _app()
    try:
        verifier = _use(by, session_key, state)
        tokens, person = _ask(app, code, verifier)
    except _NothingLinked as refusal:
        word = refusal.word
    else:
        return _link(by, tokens, person)
    record_refusal(by, "x.connect_refused", "x_account", after={"why": word})
    raise Refused(_NOTHING_LINKED[word])


def disconnect(*, by: Actor) -> bool:
    """Forget the account's tokens, here first and then at X; returns whether X could be told.

    Raises `Refused` when no account is connected, `NotAllowed`, `DatabaseAway`.
    """
    with transaction() as session:
        require_role(session, by, Role.COORDINATOR)
        account = newest_account(session, lock=True)
        if account is None or account.state != AccountState.CONNECTED:
            raise Refused(_l("No account is connected."))
        tokens = _end(account)
        record(session, by, "x.disconnected", thing_of(account), before={"user_id": account.user_id})
    return forget_at_x(*tokens)


def _use(by: Actor, session_key: str, state: str) -> str:
    """Use up the row of this way to X and return its verifier."""
    now = utc_now()
    with transaction() as session:
        account = require_role(session, by, Role.COORDINATOR)
        row = session.get(XConnecting, _digest(state), with_for_update=True, populate_existing=True)
        if row is None:
            raise _NothingLinked("unknown")
        if row.account_id != account.id or row.session != _digest(session_key):
            raise _NothingLinked("elsewhere")
        if row.used_at is not None:
            raise _NothingLinked("used")
        if now - row.made_at > LASTS:
            raise _NothingLinked("late")
        row.used_at = now
        verifier = unseal(_PURPOSE, row.verifier)
        row.verifier = ""
    return verifier


def _ask(app: x.App, code: str, verifier: str) -> tuple[x.Tokens, x.Person]:
    """Trade the code, and ask whose account it is."""
    try:
        tokens = x.fetch_tokens(app, code, verifier)
        person = None if tokens.missing else x.whoami(tokens.access)
    except x.XProblem as problem:
        raise _NothingLinked(problem.why) from None
    if person is None:
        forget_at_x(tokens.access, *filter(None, [tokens.refresh]))
        raise _NothingLinked("scopes")
    return tokens, person


def _link(by: Actor, tokens: x.Tokens, person: x.Person) -> XAccount:
    with transaction() as session:
        coordinator = require_role(session, by, Role.COORDINATOR)
        strangers = _end_others(session, person)
        account = XAccount(
            user_id=person.id,
            handle=person.handle[:40],
            name=person.name[:100],
            connected_by=coordinator.id,
            connected_at=utc_now(),
        )
        put_tokens(account, tokens)
        session.add(account)
        session.flush()
        record(session, by, "x.connected", thing_of(account), after={"user_id": person.id, "scopes": tokens.scopes})
    forget_at_x(*strangers)
    return account


def _end_others(session: AnySession, person: x.Person) -> list[str]:
    """End every account that is still connected, and return the tokens that X shall forget.

    Those of the same account stay out: X knows one consent of a person to an app, and the new tokens rest on it.
    """
    strangers: list[str] = []
    connected = select(XAccount).where(XAccount.state == AccountState.CONNECTED).with_for_update()
    for account in session.scalars(connected.execution_options(populate_existing=True)):
        tokens = _end(account)
        if account.user_id != person.id:
            strangers += tokens
    return strangers


def _end(account: XAccount) -> list[str]:
    account.state, account.ended_at = AccountState.REVOKED, utc_now()
    account.problem, account.paused_until = None, None
    return take_tokens(account)


def _app() -> x.App:
    try:
        return the_app()
    except NotConnected:
        raise Refused(_l("Our app at X has no credentials yet: set WFR_X_CLIENT_ID first.")) from None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
