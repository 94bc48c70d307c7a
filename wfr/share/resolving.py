"""Posts that are held: a person looks at X and says what became of them."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from wfr.errors import Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.jobs import ring
from wfr.share.attempts import enter_posted, finish
from wfr.share.models import CampaignPost, PostState, XAccount
from wfr.share.post_rules import CASE_WORDS, case_problem
from wfr.share.posting import QUEUE, back_to_draft, cancel, case_now, lock_post, note, require_state
from wfr.share.renewing import newest_account
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

_ADDRESS = re.compile(r"(?:https://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/(\w+)/status/(\d{5,20})(?:[/?#].*)?")
NO_NAME = "i"
"""Stands in an address at X where it names no account."""


def say_sent(*, by: Actor, post_id: int, revision: int, address: str) -> None:
    """Note that a held post went out, at this address on X; a reply that is missing follows.

    Raises `NoSuchThing`, `NotAllowed`, and `Refused` where the post is not held, or the address is none of a post of
    our account.
    """
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        raise Refused(_l("Paste the post’s address, such as https://x.com/name/status/1234567890."))
    with transaction() as session:
        post = _held(session, by, post_id, revision)
        name, x_id = found.groups()
        ours = {account.handle.lower() for account in _accounts(session, post)}
        if ours and name.lower() not in {NO_NAME, *ours}:
            raise Refused(_l("That is a post of @%(name)s, which is not our account.", name=name))
        known = or_(CampaignPost.x_id == x_id, CampaignPost.reply_x_id == x_id)
        if session.scalar(select(CampaignPost.id).where(known)):
            raise Refused(_l("That is the address of another post on this list."))
        note(session, by, "said_to_be_out", post, after={"x_id": x_id})
        _go_on(post)
        enter_posted(session, post, x_id)


def send_again(*, by: Actor, post_id: int, revision: int) -> None:
    """Have the queue try a held post again, or its missing reply: the person has looked, and it is not at X.

    Raises `NoSuchThing`, `NotAllowed`, `Refused`.
    """
    with transaction() as session:
        post = _held(session, by, post_id, revision)
        problem = case_problem(case_now(session, post), utc_now().date())
        if problem:
            raise Refused(CASE_WORDS[problem])
        _go_on(post)
        if post.x_id is None:
            post.state = PostState.APPROVED
        note(session, by, "sent_again", post)
    ring(QUEUE)


def rewrite_held(*, by: Actor, post_id: int, revision: int) -> None:
    """Make a held post a draft again: the person has looked, and it is not at X. Raises as `send_again` does."""
    with transaction() as session:
        post = _held(session, by, post_id, revision)
        if post.x_id is not None:
            raise Refused(_l("The post is out; only its reply is missing."))
        back_to_draft(post)
        note(session, by, "rewritten", post)


def drop_held(*, by: Actor, post_id: int, revision: int) -> None:
    """Give a held post up, or its missing reply. Raises `NoSuchThing`, `NotAllowed`, `Refused`."""
    with transaction() as session:
        post = _held(session, by, post_id, revision)
        if post.x_id is None:
            cancel(session, by, post, why="dropped")
        else:
            note(session, by, "reply_dropped", post)
            finish(session, post, why="dropped")


def _held(session: AnySession, by: Actor, post_id: int, revision: int) -> CampaignPost:
    require_role(session, by, Role.REVIEWER)
    post = lock_post(session, post_id, revision)
    require_state(post, PostState.HELD)
    return post


def _accounts(session: AnySession, post: CampaignPost) -> list[XAccount]:
    """Return the accounts that may have posted it: the one it was tried with, and the present one."""
    tried = session.get(XAccount, post.x_account_id) if post.x_account_id is not None else None
    return [account for account in (tried, newest_account(session)) if account is not None]


def _go_on(post: CampaignPost) -> None:
    post.state, post.why, post.tries = PostState.SENDING, None, 0
    post.tried_at = post.next_try_at = None
    post.revision += 1
