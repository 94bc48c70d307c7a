"""The campaign's account on X as it is used: which it is, tokens that work, and why nothing goes out.

X takes a refresh token once and gives another with the new access token. So one process at a time renews them, and both
new tokens are stored in one transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from cryptography.fernet import InvalidToken
from sqlalchemy import select

from wfr.errors import DomainError
from wfr.extensions import AnySession, settings, transaction
from wfr.sealing import seal, unseal
from wfr.share import x
from wfr.share.models import AccountState, XAccount
from wfr.staff.auditing import record
from wfr.staff.models import JOB

CALLBACK = "/desk/share/account/callback"
"""Where X sends a coordinator back to; the app at X must have registered it with our whole address before it."""

RECONNECT = "reconnect"
_PURPOSE = "x-account"
_RENEW_BEFORE = timedelta(minutes=2)
# Longer than a request to X takes: whoever claimed so long ago was killed, or got no answer.
_PATIENCE = timedelta(minutes=2)


class NotConnected(DomainError):
    """Nothing can be posted now.

    `why` is ``no_app`` (no credentials of an app are set), ``not_connected``, ``reconnect`` (X knows our tokens no
    longer), ``busy`` (another process renews them: try in a minute), or the word of an `XProblem` met while renewing.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def usable_access(*, now: datetime) -> tuple[XAccount, str]:
    """Return the connected account and an access token that is good for two minutes at least, renewed where needed.

    X is asked outside any transaction. Raises `NotConnected`, `DatabaseAway`.
    """
    app = the_app()
    account, refresh = _claim(now)
    if refresh is None:
        return account, _opened(account.access)
    try:
        tokens = x.refresh_tokens(app, refresh)
    except x.XProblem as problem:
        why = _not_renewed(account.id, now, problem)
        raise NotConnected(why) from None
    if not _renewed(account, now, tokens):
        # Somebody has disconnected the account meanwhile.
        forget_at_x(tokens.access, tokens.refresh)
        raise NotConnected("not_connected")
    return account, tokens.access


def note_problem(account_id: int, why: str, until: datetime | None = None) -> None:
    """Note why nothing goes out, in a word, and until when X takes nothing from us (UTC) where it said so."""
    with transaction() as session:
        account = session.get(XAccount, account_id, with_for_update=True, populate_existing=True)
        if account is not None:
            account.problem, account.paused_until = why, until


def clear_problem(account_id: int) -> None:
    """Note that things go out again; a problem that only a new connection ends stays."""
    with transaction() as session:
        account = session.get(XAccount, account_id, with_for_update=True, populate_existing=True)
        if account is not None and account.problem != RECONNECT:
            account.problem, account.paused_until = None, None


def the_app() -> x.App:
    """Return our app at X; raises `NotConnected` where no credentials are set."""
    mine = settings()
    if not mine.x_client_id:
        raise NotConnected("no_app")
    secret = mine.x_client_secret.get_secret_value() if mine.x_client_secret else None
    return x.App(mine.x_client_id, secret, f"{mine.base_url}{CALLBACK}")


def newest_account(session: AnySession, *, lock: bool = False) -> XAccount | None:
    """Return the account that was connected last, whatever became of it, locked for the caller's transaction or not."""
    newest = select(XAccount).order_by(XAccount.id.desc()).limit(1).execution_options(populate_existing=True)
    return session.scalar(newest.with_for_update() if lock else newest)


def put_tokens(account: XAccount, tokens: x.Tokens) -> None:
    """Seal new tokens into an account's row, inside the caller's transaction."""
    account.access, account.refresh = seal(_PURPOSE, tokens.access), seal(_PURPOSE, tokens.refresh)
    account.expires_at = tokens.expires_at
    account.scopes = tokens.scopes[:200] or account.scopes
    account.refreshing_since = None


def take_tokens(account: XAccount) -> list[str]:
    """Empty an account's sealed columns, inside the caller's transaction, and return what could be read of them."""
    tokens = []
    for sealed in (account.access, account.refresh):
        try:
            tokens.append(unseal(_PURPOSE, sealed))
        except InvalidToken:
            continue
    account.access = account.refresh = ""
    account.refreshing_since = None
    return tokens


def forget_at_x(*tokens: str) -> bool:
    """Ask X to forget tokens, and say whether it did; meant for outside a transaction."""
    told = True
    for token in tokens:
        try:
            x.revoke_token(the_app(), token)
        except (x.XProblem, NotConnected):
            told = False
    return told


def _claim(now: datetime) -> tuple[XAccount, str | None]:
    """Return the account, and its refresh token where it is for the caller, and nobody else, to trade it."""
    with transaction() as session:
        account = newest_account(session, lock=True)
        if account is None or account.state == AccountState.REVOKED:
            raise NotConnected("not_connected")
        if account.state == AccountState.EXPIRED or account.problem == RECONNECT:
            raise NotConnected(RECONNECT)
        if account.paused_until is not None and account.paused_until > now:
            raise NotConnected("limited")
        if account.expires_at - now > _RENEW_BEFORE:
            return account, None
        if account.refreshing_since is not None and now - account.refreshing_since < _PATIENCE:
            raise NotConnected("busy")
        refresh = _opened(account.refresh)
        account.refreshing_since = now
    return account, refresh


def _renewed(account: XAccount, claimed: datetime, tokens: x.Tokens) -> bool:
    """Store both new tokens, if the account is still ours to renew."""
    with transaction() as session:
        account = session.get_one(XAccount, account.id, with_for_update=True, populate_existing=True)
        if account.state != AccountState.CONNECTED or account.refreshing_since != claimed:
            return False
        put_tokens(account, tokens)
        if account.problem == x.Unclear.why:
            account.problem = None
    return True


def _not_renewed(account_id: int, claimed: datetime, problem: x.XProblem) -> str:
    """Note what came of an attempt to renew, and return the word for it.

    Where X may have taken the refresh token and its answer was lost, the claim stays until it lapses; then the same
    token is tried again, and if X has given out its successor, it says that it knows this one no longer.
    """
    with transaction() as session:
        account = session.get_one(XAccount, account_id, with_for_update=True, populate_existing=True)
        if account.state != AccountState.CONNECTED or account.refreshing_since != claimed:
            return "not_connected"
        account.problem = problem.why
        if not (isinstance(problem, x.Unclear) and problem.may_have_happened):
            account.refreshing_since = None
        if isinstance(problem, x.Limited):
            account.paused_until = problem.until
        if _is_over(problem):
            take_tokens(account)
            account.state, account.ended_at, account.problem = AccountState.EXPIRED, claimed, RECONNECT
            record(session, JOB, "x.expired", thing_of(account))
        return account.problem


def thing_of(account: XAccount) -> str:
    """Return what the audit trail calls an account."""
    return f"x_account:{account.id}"


def _is_over(problem: x.XProblem) -> bool:
    wrong = isinstance(problem, x.RefusedByX) and problem.status == HTTPStatus.BAD_REQUEST
    return wrong or isinstance(problem, x.Unauthorised)


def _opened(sealed: str) -> str:
    try:
        return unseal(_PURPOSE, sealed)
    except InvalidToken:
        # The key has changed and the former one is listed no longer.
        raise NotConnected(RECONNECT) from None
