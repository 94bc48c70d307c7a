"""The queue of campaign posts: what is due goes out on X, one post at a time, and nothing goes out twice."""

from __future__ import annotations

import structlog

from wfr.cases.models import Case
from wfr.cases.queries import is_demonstration
from wfr.extensions import db, settings, utc_now
from wfr.paper import PaperError
from wfr.share import attempts, x
from wfr.share.attempts import Attempt
from wfr.share.cards import card_of, draw_card
from wfr.share.finding import matches
from wfr.share.models import CampaignPost, LinkPlace, XAccount
from wfr.share.post_rules import reply_of, text_of
from wfr.share.posting import case_now
from wfr.share.renewing import NotConnected, clear_problem, note_problem, usable_access

log = structlog.get_logger(__name__)

SEARCH_FROM = attempts.SURELY_SHOWN
SAID_OF_THE_ACCOUNT = ("not_connected", "reconnect", "busy", "limited")
"""The words of `NotConnected` that say the same on a post's page; others would speak of the post."""


class _Done(Exception):
    """This post is settled for now; the next one may follow."""


def send_due_posts() -> int:
    """Send every post whose hour has come, and return how many attempts that took; the queue calls it every minute.

    Posts of withdrawn cases are called off first. Where no app is set, and in a demonstration, nothing leaves this
    machine: what would have been sent says so.
    """
    attempts.sweep_withdrawn()
    if stays_because():
        return attempts.would_send()
    done = 0
    while attempts.anything_due() and (sender := _sender()) and (attempt := attempts.claim_next(sender.account)):
        sender.send(attempt)
        done += 1
        if not sender.may_go_on:
            break
    return done


def _sender() -> _Sender | None:
    """Return who sends the next post, with a token that is good now; None, and the posts say why, where there is none.

    It is asked for each post: while one is sent, the token may run out.
    """
    try:
        return _Sender(*usable_access(now=utc_now()))
    except NotConnected as problem:
        attempts.wait_for_account(problem.why if problem.why in SAID_OF_THE_ACCOUNT else "not_renewed")
        return None


def stays_because() -> str | None:
    """Return why nothing may leave this machine, in a word, or None where posts are really sent.

    ``demonstration``; ``app`` where no app at X is set; ``address`` where nobody else could open our links.
    """
    if is_demonstration(db.session):
        return "demonstration"
    if not settings().x_client_id:
        return "app"
    return None if settings().is_public else "address"


class _Sender:
    """Sends a post with an access token; `may_go_on` unless X says that nothing more may be sent for now."""

    def __init__(self, account: XAccount, access: str) -> None:
        self.account = account
        self.access = access
        self.may_go_on = True

    def send(self, attempt: Attempt) -> None:
        """Take one post as far as it goes now: search, picture, post, reply, each step kept before the next."""
        try:
            post = self._look_up(attempt)
            if post.x_id is None:
                post = self._post(attempt, post)
            if post.link_in == LinkPlace.REPLY and post.reply_x_id is None and post.x_id is not None:
                self._reply(attempt, post)
        except _Done:
            pass
        finally:
            db.session.rollback()

    def _look_up(self, attempt: Attempt) -> CampaignPost:
        """Return the post, after making sure that an earlier try did not go out."""
        post, case = _read(attempt)
        if post.tried_at is None:
            return post
        if not self._same_account(post):
            attempts.hold_attempt(attempt, "unclear")
            raise _Done
        since, user_id = post.tried_at - SEARCH_FROM, self.account.user_id
        # No transaction is open while X is searched.
        db.session.rollback()
        try:
            posted = x.own_posts_since(self.access, user_id, since)
        except x.XProblem as problem:
            self._settle(attempt, problem, certain=False, searched=True)
            raise _Done from None
        post, case = _read(attempt)
        if not attempts.note_search(attempt, read=len(posted), matches=matches(post, case, posted)):
            raise _Done
        return _read(attempt)[0]

    def _same_account(self, post: CampaignPost) -> bool:
        before = db.session.get(XAccount, post.x_account_id) if post.x_account_id else None
        return before is not None and before.user_id == self.account.user_id

    def _post(self, attempt: Attempt, post: CampaignPost) -> CampaignPost:
        media_id = self._picture(attempt, post) if post.card else None
        post, case = _read(attempt)
        if media_id is not None and post.media_card != card_of(case, post.language).digest:
            # Somebody on it was withdrawn meanwhile, or may not be shown any more.
            attempts.put_off(attempt)
            raise _Done
        return self._create(attempt, text_of(post, case), media_id=media_id)

    def _reply(self, attempt: Attempt, post: CampaignPost) -> None:
        post, case = _read(attempt)
        self._create(attempt, reply_of(post, case) or "", reply_to=post.x_id)

    def _picture(self, attempt: Attempt, post: CampaignPost) -> str:
        """Return the id of the post's picture at X, which is handed over only where X has it no longer."""
        case, alt = case_now(db.session, post), post.card_alt
        # Taken before the picture is drawn: should that show something newer, it is only handed over once more.
        card = card_of(case, post.language).digest
        there = attempts.uploaded(db.session, post, card)
        if there:
            return there
        try:
            png = draw_card(case, post.language)
        except PaperError:
            log.exception("card_not_drawn", post=attempt.post_id)
            attempts.hold_attempt(attempt, "card")
            raise _Done from None
        # Nobody waits for a database while X takes the picture.
        db.session.rollback()
        try:
            media_id = x.upload_picture(self.access, png, alt)
        except x.XProblem as problem:
            self._settle(attempt, problem, certain=True)
            raise _Done from None
        attempts.note_upload(attempt, media_id, card)
        return media_id

    def _create(
        self, attempt: Attempt, words: str, *, media_id: str | None = None, reply_to: str | None = None
    ) -> CampaignPost:
        if not attempts.arm(attempt):
            raise _Done
        try:
            x_id = x.create_post(self.access, words, media_id=media_id, reply_to=reply_to)
        except x.XProblem as problem:
            in_doubt = isinstance(problem, x.Unclear) and problem.may_have_happened
            self._settle(attempt, problem, certain=not in_doubt)
            raise _Done from None
        posted = attempts.note_posted(attempt, x_id, reply=reply_to is not None)
        if self.account.problem:
            clear_problem(self.account.id)
        return posted

    def _settle(self, attempt: Attempt, problem: x.XProblem, *, certain: bool, searched: bool = False) -> None:
        log.warning("campaign_post_not_sent", post=attempt.post_id, why=problem.why, certain=certain)
        attempts.settle(attempt, problem, certain=certain, searched=searched)
        if isinstance(problem, x.Limited):
            note_problem(self.account.id, "limited", problem.until)
        elif isinstance(problem, x.Unauthorised) and utc_now() < self.account.expires_at:
            # A token that has merely run out is renewed for the next post.
            note_problem(self.account.id, "reconnect")
        # Where X is slow or away, one post in doubt is enough, and other jobs wait for this one.
        self.may_go_on = not isinstance(problem, x.Limited | x.Unauthorised | x.Unclear)


def _read(attempt: Attempt) -> tuple[CampaignPost, Case | None]:
    db.session.rollback()
    post = db.session.get_one(CampaignPost, attempt.post_id, populate_existing=True)
    return post, case_now(db.session, post)
