"""The reads that the desk's pages of campaign posts need. Rows belong to the request's session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import today
from wfr.errors import NoSuchThing
from wfr.extensions import db
from wfr.share.models import CampaignPost, LinkPlace, PostState, XAccount
from wfr.share.post_rules import CASE_WORDS, case_problem, link_of, problems_of
from wfr.share.posting import EDITABLE, all_writers_of
from wfr.share.queries import Came, came_of
from wfr.share.renewing import newest_account
from wfr.staff.models import Account, Role

FILTERS: dict[str, tuple[PostState, ...]] = {
    "held": (PostState.HELD,),
    "review": (PostState.IN_REVIEW,),
    "drafts": (PostState.DRAFT,),
    "queue": (PostState.APPROVED, PostState.SENDING),
    "sent": (PostState.SENT,),
    "would_send": (PostState.WOULD_SEND,),
    "cancelled": (PostState.CANCELLED,),
}
"""The parts of the list, the most pressing first, and the states that each shows."""

NEWEST = 200


@dataclass(frozen=True, slots=True)
class PostAtDesk:
    """A post as the desk sees it: with its case, what came of its share link, and who may not approve it.

    `account` is the account on X that it was sent with, or will be; None where none is connected.
    """

    post: CampaignPost
    case: Case | None
    account: XAccount | None
    came: Came | None
    writers: frozenset[int]

    @property
    def withdrawn(self) -> bool:
        """Say whether its case was withdrawn: then its words are not shown any more."""
        return self.case is not None and self.case.status == CaseStatus.WITHDRAWN

    @property
    def editable(self) -> bool:
        """Say whether its words may be changed."""
        return self.post.state in EDITABLE and not self.withdrawn

    @property
    def link(self) -> str:
        """The address that the post or its reply carries."""
        return link_of(self.post, self.case)

    @property
    def url(self) -> str | None:
        """Where the post is on X, or None while it is not out."""
        return self._on_x(self.post.x_id)

    @property
    def reply_url(self) -> str | None:
        """Where its reply is on X, or None while there is none."""
        return self._on_x(self.post.reply_x_id)

    def _on_x(self, x_id: str | None) -> str | None:
        # X leads from any name to the right one; the number is what counts.
        return f"https://x.com/{self.account.handle if self.account else 'i'}/status/{x_id}" if x_id else None

    @property
    def reply_missing(self) -> bool:
        """Say whether the post is out and its reply is not."""
        return bool(self.post.x_id and self.post.link_in == LinkPlace.REPLY and not self.post.reply_x_id)

    def may_approve(self, account: Account) -> bool:
        """Say whether this account may approve what waits for review."""
        return account.may(Role.REVIEWER) and account.id not in self.writers

    def problems(self) -> list[object]:
        """Return, in words, everything that keeps the post from going out."""
        return problems_of(self.post, self.case, today())

    @property
    def stopped_by_case(self) -> object | None:
        """Say in words why its case lets nothing be posted today, or None."""
        word = case_problem(self.case, today())
        return CASE_WORDS[word] if word else None

    def waits_for(self, account: Account) -> bool:
        """Say whether the next step is this account's."""
        if self.post.state == PostState.HELD:
            return account.may(Role.REVIEWER)
        if self.post.state == PostState.IN_REVIEW:
            return self.may_approve(account)
        return self.post.state == PostState.DRAFT and (self.post.begun_by is None or account.id in self.writers)


def posts_at_desk(part: str | None = None) -> list[PostAtDesk]:
    """Return the posts of one part of `FILTERS`, or all, those that need somebody first, then the newest."""
    wanted = select(CampaignPost).order_by(CampaignPost.id.desc()).limit(NEWEST)
    if part in FILTERS:
        wanted = wanted.where(CampaignPost.state.in_(FILTERS[part]))
    posts = db.session.scalars(wanted).all()
    order = [state for states in FILTERS.values() for state in states]
    return sorted(_at_desk(posts), key=lambda each: order.index(PostState(each.post.state)))


def posts_waiting_for(account: Account) -> list[PostAtDesk]:
    """Return the posts whose next step is this account's: held, handed in, or its own drafts and the milestones'."""
    states = (PostState.HELD, PostState.IN_REVIEW, PostState.DRAFT)
    posts = db.session.scalars(
        select(CampaignPost).where(CampaignPost.state.in_(states)).order_by(CampaignPost.id).limit(NEWEST)
    ).all()
    return [found for found in _at_desk(posts, counted=False) if found.waits_for(account)]


def post_at_desk(post_id: int) -> PostAtDesk:
    """Return one post; raises `NoSuchThing`."""
    post = db.session.get(CampaignPost, post_id)
    if post is None:
        raise NoSuchThing(f"campaign post {post_id}")
    (found,) = _at_desk([post])
    return found


def _at_desk(posts: Sequence[CampaignPost], *, counted: bool = True) -> list[PostAtDesk]:
    """Return posts with what belongs to them, by as many reads as one needs; `counted` has what came of their links."""
    if not posts:
        return []
    cases = _cases({post.case_id for post in posts if post.case_id is not None})
    accounts = {account.id: account for account in db.session.scalars(select(XAccount).order_by(XAccount.id))}
    newest = next(reversed(accounts.values()), None)
    writers = all_writers_of(db.session, posts)
    return [
        PostAtDesk(
            post=post,
            case=cases.get(post.case_id) if post.case_id is not None else None,
            account=accounts.get(post.x_account_id or 0, newest),
            came=came_of(post.sharer) if counted and _counts(post) else None,
            writers=frozenset(writers[post.id]),
        )
        for post in posts
    ]


def _counts(post: CampaignPost) -> bool:
    """Say whether the post is out and carries its own share link."""
    return post.x_id is not None and post.case_id is not None and post.link_in != LinkPlace.PROFILE


def _cases(ids: set[int]) -> dict[int, Case]:
    parts = (Case.season, Case.texts, Case.targets)
    found = select(Case).where(Case.id.in_(ids)).options(*(selectinload(part) for part in parts))
    return {case.id: case for case in db.session.scalars(found)} if ids else {}


def count_parts() -> dict[str, int]:
    """Return how many posts each part of `FILTERS` has."""
    states = Counter(db.session.scalars(select(CampaignPost.state)))
    return {part: sum(states[state] for state in wanted) for part, wanted in FILTERS.items()}


def present_account() -> XAccount | None:
    """Return the account on X that was connected last, whatever became of it."""
    return newest_account(db.session)


def cases_to_post_about() -> Sequence[Case]:
    """Return the cases that a post may be written about today, in the desk's order."""
    public = select(Case).where(Case.status == CaseStatus.PUBLISHED).order_by(Case.season_id.desc(), Case.position)
    parts = (Case.season, Case.texts, Case.targets)
    found = db.session.scalars(public.options(*(selectinload(part) for part in parts)))
    return [case for case in found if case_problem(case, today()) is None]
