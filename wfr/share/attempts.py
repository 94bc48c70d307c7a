"""The queue's rows: a post is claimed, armed and settled in transactions of their own, so that none goes out twice.

A post that is `sending` belongs to one worker until `next_try_at`. `tried_at` is set, and committed, in the last moment
before X is asked to post, and taken back once X's answer, or two searches, say that nothing was posted: whoever finds
it set must search before asking again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, and_, func, or_, select

from wfr.cases.models import Case
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.share import x
from wfr.share.models import AccountState, CampaignPost, LinkPlace, PostState, XAccount, XCharge
from wfr.share.post_rules import case_problem
from wfr.share.posting import cancel, case_now, note
from wfr.share.renewing import RECONNECT
from wfr.share.spending import Charge, charge, fits_budget, still_to_pay
from wfr.staff.models import JOB

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=10)
"""How long a post belongs to the worker that took it, longer than all requests to X can take together."""

LONGEST_REQUEST = timedelta(seconds=90)
"""Before its lease ends by less than this, a post is not begun any more."""

LOOK_AGAIN = timedelta(minutes=2)
SURELY_SHOWN = timedelta(minutes=5)
"""By when a post that went out stands in X's own list."""

MEDIA_LASTS = timedelta(hours=23)
LONGEST_PAUSE = timedelta(hours=4)
MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class Attempt:
    """A post that this worker has taken, until `until`."""

    post_id: int
    until: datetime


def claim_next(account: XAccount) -> Attempt | None:
    """Take the next post that is due and may be sent, or None.

    What its case no longer allows is stopped; what the month's budget does not cover stays and says so.
    """
    with transaction() as session:
        # Workers take turns at this row: two that look at the same budget at once would both find it enough.
        row = session.get_one(XAccount, account.id, with_for_update=True, populate_existing=True)
        now = utc_now()
        if not _lets_us_post(row, now):
            return None
        for post_id in session.scalars(_due(now)).all():
            post = session.get_one(CampaignPost, post_id, with_for_update=True, populate_existing=True)
            # Whoever held the row before may have called the post off, or changed what it says.
            if session.scalar(_due(now).where(CampaignPost.id == post_id)) is None or not _may_go(session, post):
                continue
            if post.tried_at is None:
                post.tries, post.x_account_id, post.why = post.tries + 1, account.id, None
            until = now + LEASE
            post.state, post.next_try_at = PostState.SENDING, until
            return Attempt(post.id, until)
    return None


def _lets_us_post(account: XAccount | None, now: datetime) -> bool:
    """Say whether an account is still ours to post with, and X takes something from us now."""
    if account is None or account.state != AccountState.CONNECTED or account.problem == RECONNECT:
        return False
    return account.paused_until is None or account.paused_until <= now


def anything_due() -> bool:
    """Say whether a post waits for the queue now."""
    return db.session.scalar(_due(utc_now()).limit(1)) is not None


def _due(now: datetime) -> Select[int]:
    again = or_(CampaignPost.next_try_at.is_(None), CampaignPost.next_try_at <= now)
    its_hour = or_(CampaignPost.publish_at.is_(None), CampaignPost.publish_at <= now)
    approved = and_(CampaignPost.state == PostState.APPROVED, its_hour)
    begun = CampaignPost.state == PostState.SENDING
    first = func.coalesce(CampaignPost.publish_at, CampaignPost.approved_at)
    return select(CampaignPost.id).where(or_(approved, begun), again).order_by(~begun, first, CampaignPost.id)


def _may_go(session: AnySession, post: CampaignPost) -> bool:
    if post.tried_at is not None:
        # It may be out: that has to be found out, whatever has become of its case or of the budget.
        return True
    if post.tries >= MOST_TRIES:
        hold(session, post, "tries")
        return False
    if _stopped_by_case(session, post, case_now(session, post)):
        return False
    # What is being sent already is in the sum.
    more = 0 if post.state == PostState.SENDING else still_to_pay(post)
    if not fits_budget(session, more, utc_now()):
        post.why = "budget"
        return False
    return True


def _stopped_by_case(session: AnySession, post: CampaignPost, case: Case | None) -> bool:
    """Stop a post that its case no longer allows, and say whether it was; what is out stays, without a reply."""
    word = case_problem(case, utc_now().date())
    if word is None:
        return False
    if post.x_id is not None:
        finish(session, post, why=word)
    elif word == "withdrawn":
        cancel(session, JOB, post, why=word)
    else:
        hold(session, post, word)
    return True


def arm(attempt: Attempt) -> bool:
    """Note that X is asked to post in the next moment; False where the post must not go out any more.

    The case is read once more: it may have been withdrawn since the post was taken.
    """
    with transaction() as session:
        post, now = _mine(session, attempt), utc_now()
        if post is None or _stopped_by_case(session, post, case_now(session, post)):
            return False
        account = session.get(XAccount, post.x_account_id, populate_existing=True)
        if now >= attempt.until - LONGEST_REQUEST or not _lets_us_post(account, now):
            post.state, post.next_try_at = PostState.SENDING if post.x_id else PostState.APPROVED, None
            return False
        post.tried_at = now
    return True


def _mine(session: AnySession, attempt: Attempt) -> CampaignPost | None:
    """Return the post, locked, unless it belongs to another worker by now, or to a person."""
    post = session.get_one(CampaignPost, attempt.post_id, with_for_update=True, populate_existing=True)
    mine = post.state == PostState.SENDING and post.next_try_at == attempt.until
    if not mine:
        log.warning("campaign_post_taken_over", post=post.id)
    return post if mine else None


def put_off(attempt: Attempt) -> None:
    """Give a post back to the queue before X was asked to post it; the next try begins anew."""
    with transaction() as session:
        post = _mine(session, attempt)
        if post is not None:
            post.state, post.next_try_at = PostState.APPROVED, None


def uploaded(session: AnySession, post: CampaignPost, card: str) -> str | None:
    """Return the picture that was uploaded for a post, while X still has it and the card with digest `card` is it."""
    if post.media_card != card:
        return None
    newest = session.scalar(
        select(func.max(XCharge.charged_at)).where(XCharge.post_id == post.id, XCharge.what == Charge.MEDIA)
    )
    return post.media_id if newest is not None and utc_now() - newest < MEDIA_LASTS else None


def note_upload(attempt: Attempt, media_id: str, card: str) -> None:
    """Keep the id of an uploaded picture and its card's digest, so that a second try needs no second upload."""
    with transaction() as session:
        post = session.get_one(CampaignPost, attempt.post_id, with_for_update=True, populate_existing=True)
        post.media_id, post.media_card = media_id, card
        charge(session, Charge.MEDIA, post.id)


def note_posted(attempt: Attempt, x_id: str, *, reply: bool) -> CampaignPost:
    """Keep what X calls the post, or its reply, and enter what it cost.

    It is so whoever has the post by now. What another worker has found by searching already stays as it is.
    """
    with transaction() as session:
        post = session.get_one(CampaignPost, attempt.post_id, with_for_update=True, populate_existing=True)
        if (post.reply_x_id if reply else post.x_id) is None:
            enter_posted(session, post, x_id)
    return post


def enter_posted(session: AnySession, post: CampaignPost, x_id: str) -> None:
    """Do what `note_posted` does, inside the caller's transaction."""
    if post.x_id is None:
        post.x_id, post.sent_at = x_id, utc_now()
        charge(session, Charge.POST_WITH_LINK if post.link_in == LinkPlace.POST else Charge.POST, post.id)
    else:
        post.reply_x_id = x_id
        charge(session, Charge.POST_WITH_LINK, post.id)
    post.tried_at, post.why = None, None
    if post.link_in != LinkPlace.REPLY or post.reply_x_id is not None:
        finish(session, post, why=None)


def finish(session: AnySession, post: CampaignPost, *, why: str | None) -> None:
    """End a post as sent, inside the caller's transaction; `why` is a word for why its reply is missing."""
    post.state, post.why, post.next_try_at, post.tried_at = PostState.SENT, why, None, None
    note(session, JOB, "sent", post, after={"x_id": post.x_id, "reply": post.reply_x_id, "why": why})


def note_search(attempt: Attempt, *, read: int, matches: list[str]) -> bool:
    """Settle what a search of the account's own posts found; True where the post may be tried again now.

    One match is the post. None is believed the second time, and not sooner than X shows what was posted. Several are
    for a person to tell apart.
    """
    with transaction() as session:
        charge(session, Charge.READ, attempt.post_id, times=read)
        post = _mine(session, attempt)
        if post is None:
            return False
        if len(matches) == 1:
            enter_posted(session, post, matches[0])
            return True
        if matches:
            hold(session, post, "unclear")
            return False
        now = utc_now()
        shown_by = (post.tried_at or now) + SURELY_SHOWN
        if post.why == "not_there" and now >= shown_by:
            post.tried_at, post.why = None, None
            post.tries += 1
            return True
        post.why, post.next_try_at = "not_there", max(now + LOOK_AGAIN, shown_by)
        return False


def settle(attempt: Attempt, problem: x.XProblem, *, certain: bool, searched: bool = False) -> None:
    """Do what follows from X's refusal; `certain` says that what was asked for has surely not happened.

    Short troubles are waited for, and the next try comes later each time; others are held for a person. A search that
    failed (`searched`) counts as a try: one that always fails must end with a person.
    """
    with transaction() as session:
        post = _mine(session, attempt)
        if post is None:
            return
        post.tries += int(searched)
        if certain:
            post.tried_at = None
        if isinstance(problem, x.Limited):
            _wait(post, "limited", problem.until)
        elif isinstance(problem, x.Unauthorised):
            _wait(post, "reconnect", utc_now())
        elif not isinstance(problem, x.Unclear):
            hold(session, post, problem.why if certain else "unclear")
        elif post.tries >= MOST_TRIES:
            hold(session, post, "tries" if certain else "unclear")
        else:
            _wait(post, "unreachable" if certain else "unclear", utc_now() + backoff(post.tries))


def backoff(tries: int) -> timedelta:
    """Return how long to wait after so many tries: 2, 4, 8 … minutes, at most `LONGEST_PAUSE`."""
    return min(timedelta(minutes=2 ** max(tries, 1)), LONGEST_PAUSE)


def _wait(post: CampaignPost, why: str, until: datetime) -> None:
    in_doubt = post.tried_at is not None or post.x_id is not None
    post.state = PostState.SENDING if in_doubt else PostState.APPROVED
    if not (in_doubt and post.why == "not_there"):
        post.why = why
    post.next_try_at = until


def hold(session: AnySession, post: CampaignPost, why: str) -> None:
    """Let a post wait for a person, inside the caller's transaction; `why` is a word for what is in its way."""
    post.state, post.why, post.next_try_at = PostState.HELD, why, None
    post.revision += 1
    note(session, JOB, "held", post, after={"why": why})


def hold_attempt(attempt: Attempt, why: str) -> None:
    """Let a post that this worker has taken wait for a person; see `hold`."""
    with transaction() as session:
        post = _mine(session, attempt)
        if post is not None:
            hold(session, post, why)


def sweep_withdrawn() -> int:
    """Call off every post that waits and whose case was withdrawn; return how many."""
    with transaction() as session:
        waiting = (PostState.DRAFT, PostState.IN_REVIEW, PostState.APPROVED)
        found = session.scalars(
            select(CampaignPost)
            .join(Case, Case.id == CampaignPost.case_id)
            .where(CampaignPost.state.in_(waiting), Case.status == "withdrawn")
            .order_by(CampaignPost.id)
            .with_for_update(of=CampaignPost)
        ).all()
        for post in found:
            cancel(session, JOB, post, why="withdrawn")
    return len(found)


def would_send() -> int:
    """Take what is due as far as it goes where nothing may leave this machine; return how much that was."""
    with transaction() as session:
        due = _locked_due(session)
        _hold_begun(session, due)
        told = [
            post
            for post in due
            if post.state == PostState.APPROVED and not _stopped_by_case(session, post, case_now(session, post))
        ]
        for post in told:
            post.state, post.why, post.sent_at = PostState.WOULD_SEND, None, utc_now()
            note(session, JOB, "would_have_been_sent", post)
    return len(told)


def wait_for_account(why: str) -> None:
    """Say of every post that is due that the account is in its way; `why` is a word such as ``reconnect``."""
    with transaction() as session:
        due = _locked_due(session)
        if why == "not_connected":
            _hold_begun(session, due)
        for post in due:
            if post.state == PostState.APPROVED:
                post.why = why


def _locked_due(session: AnySession) -> list[CampaignPost]:
    found = session.scalars(_due(utc_now())).all()
    return [session.get_one(CampaignPost, each, with_for_update=True, populate_existing=True) for each in found]


def _hold_begun(session: AnySession, posts: Iterable[CampaignPost]) -> None:
    """Hold what was begun and cannot be finished from here any more: only a person can look at X."""
    for post in posts:
        if post.state == PostState.SENDING:
            hold(session, post, "unclear")
