"""Campaign posts on their way to the queue: written by one, approved by another, called off by anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from wfr.cases.models import Case
from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.jobs import ring
from wfr.share.codes import new_sharer
from wfr.share.models import CampaignPost, LinkPlace, PostEditor, PostState
from wfr.share.post_rules import problems_of
from wfr.staff.auditing import Values, digest, record
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

EDITABLE = (PostState.DRAFT, PostState.IN_REVIEW, PostState.APPROVED)
"""The states in which a post has surely not gone out, and may be changed or called off."""

QUEUE = "send_posts"
"""The job that sends what is due."""

MOVED_ON = _l("Things have moved on: this post is not as you saw it. Look again.")


@dataclass(frozen=True, slots=True)
class PostDraft:
    """What is written of a post. `publish_at` is UTC without a zone; None is as soon as it is approved."""

    words: str
    reply_words: str = ""
    link_in: LinkPlace = LinkPlace.POST
    card: bool = True
    card_alt: str = ""
    publish_at: datetime | None = None

    def put_into(self, post: CampaignPost) -> None:
        """Make this what the post says."""
        for name in self.__slots__:
            setattr(post, name, getattr(self, name))


def begin_post(*, by: Actor, case_id: int | None, language: str, draft: PostDraft) -> int:
    """Begin a post about a case, or about the season, as a draft; return its id. Raises `NotAllowed`, `NoSuchThing`."""
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        if case_id is not None and session.get(Case, case_id) is None:
            raise NoSuchThing(f"case {case_id}")
        post = add_draft(session, by, CampaignPost(case_id=case_id, language=language), draft)
    return post.id


def add_draft(session: AnySession, by: Actor, post: CampaignPost, draft: PostDraft) -> CampaignPost:
    """Store a new post, with a share link of its own, inside the caller's transaction."""
    draft.put_into(post)
    post.sharer, post.begun_by = new_sharer(), by.account_id
    session.add(post)
    session.flush()
    _add_editor(session, by, post)
    note(session, by, "begun", post, after={"case": post.case_id, "digest": digest_of(post)})
    return post


def change_post(*, by: Actor, post_id: int, revision: int, draft: PostDraft) -> None:
    """Change what a post says; it is a draft again, whoever had approved it.

    Raises `NoSuchThing`, `NotAllowed`, and `Refused` where it was saved since `revision`, or may have gone out.
    """
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        post = lock_post(session, post_id, revision)
        require_state(post, *EDITABLE)
        before = digest_of(post)
        draft.put_into(post)
        back_to_draft(post)
        _add_editor(session, by, post)
        note(session, by, "changed", post, before={"digest": before}, after={"digest": digest_of(post)})


def submit_post(*, by: Actor, post_id: int, revision: int) -> None:
    """Hand a draft to review. Raises `NoSuchThing`, `NotAllowed`, and `Refused` with everything that is in its way."""
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        post = lock_post(session, post_id, revision)
        require_state(post, PostState.DRAFT)
        _require_no_problems(session, post)
        post.state, post.note = PostState.IN_REVIEW, None
        post.submitted_by, post.submitted_at = by.account_id, utc_now()
        _touch(post)
        note(session, by, "submitted", post)


def approve_post(*, by: Actor, post_id: int, revision: int) -> None:
    """Let a post go out, at its hour or as soon as the queue comes to it.

    Raises `NoSuchThing`; `NotAllowed` for who may not review, and for everybody who wrote or handed in what it says;
    `Refused` where it does not wait for review, its hour has passed, or something is in its way.
    """
    with transaction() as session:
        require_role(session, by, Role.REVIEWER)
        post = lock_post(session, post_id, revision)
        require_state(post, PostState.IN_REVIEW)
        if by.account_id in writers_of(session, post):
            raise NotAllowed(_l("You wrote this post or handed it in: somebody else must approve it."))
        _require_no_problems(session, post)
        post.state, post.approved_by, post.approved_at = PostState.APPROVED, by.account_id, utc_now()
        post.tries, post.tried_at, post.next_try_at, post.why = 0, None, None, None
        _touch(post)
        at = post.publish_at.isoformat(timespec="minutes") if post.publish_at else None
        note(session, by, "approved", post, after={"digest": digest_of(post), "at": at})
    if post.publish_at is None:
        ring(QUEUE)


def return_post(*, by: Actor, post_id: int, revision: int, words: str) -> None:
    """Give a post in review back with what should change. Raises `NoSuchThing`, `NotAllowed`, `Refused`."""
    if not words.strip():
        raise Refused(_l("Say what should change."))
    with transaction() as session:
        require_role(session, by, Role.REVIEWER)
        post = lock_post(session, post_id, revision)
        require_state(post, PostState.IN_REVIEW)
        back_to_draft(post)
        post.note = words.strip()
        note(session, by, "returned", post, after={"note": digest(words)})


def cancel_post(*, by: Actor, post_id: int, revision: int) -> None:
    """Call a post off for good that has not gone out. Raises `NoSuchThing`, `NotAllowed`, `Refused`."""
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        post = lock_post(session, post_id, revision)
        require_state(post, *EDITABLE)
        if post.state == PostState.APPROVED:
            require_role(session, by, Role.REVIEWER)
        cancel(session, by, post, why=None)


def cancel(session: AnySession, by: Actor, post: CampaignPost, *, why: str | None) -> None:
    """Call a post off inside the caller's transaction; `why` is a word such as ``withdrawn``."""
    post.state, post.why, post.next_try_at = PostState.CANCELLED, why, None
    _touch(post)
    note(session, by, "cancelled", post, after={"why": why})


def lock_post(session: AnySession, post_id: int, revision: int | None = None) -> CampaignPost:
    """Return a post, locked; raises `NoSuchThing`, and `Refused` where it has changed since `revision`."""
    post = session.get(CampaignPost, post_id, with_for_update=True, populate_existing=True)
    if post is None:
        raise NoSuchThing(f"campaign post {post_id}")
    if revision not in (None, post.revision):
        raise Refused(MOVED_ON)
    return post


def require_state(post: CampaignPost, *states: PostState) -> None:
    """Raise `Refused` unless the post is in one of these states."""
    if post.state not in states:
        raise Refused(MOVED_ON)


def case_now(session: AnySession, post: CampaignPost) -> Case | None:
    """Return the post's case as the database has it now, with its targets; None for a post about the season."""
    if post.case_id is None:
        return None
    wanted = (
        select(Case)
        .where(Case.id == post.case_id)
        .options(selectinload(Case.targets), selectinload(Case.season), selectinload(Case.texts))
    )
    return session.scalars(wanted.execution_options(populate_existing=True)).one()


def writers_of(session: AnySession, post: CampaignPost) -> set[int]:
    """Return the accounts that wrote or handed in what a post says; none of them may approve it."""
    return all_writers_of(session, [post])[post.id]


def all_writers_of(session: AnySession, posts: Sequence[CampaignPost]) -> dict[int, set[int]]:
    """Return what `writers_of` does of several posts, by their ids."""
    writers = {post.id: {post.submitted_by} if post.submitted_by is not None else set() for post in posts}
    editors = select(PostEditor.post_id, PostEditor.account_id).where(PostEditor.post_id.in_(writers))
    for post_id, account_id in session.execute(editors):
        writers[post_id].add(account_id)
    return writers


def back_to_draft(post: CampaignPost) -> None:
    """Make a post a draft that nobody has approved; whatever was uploaded for it is forgotten."""
    post.state, post.note, post.why = PostState.DRAFT, None, None
    post.submitted_by = post.submitted_at = post.approved_by = post.approved_at = None
    post.tried_at = post.next_try_at = post.media_id = None
    post.tries = 0
    _touch(post)


def note(
    session: AnySession,
    by: Actor,
    what: str,
    post: CampaignPost,
    *,
    before: Values | None = None,
    after: Values | None = None,
) -> None:
    """Enter in the audit trail what was done to a post."""
    record(session, by, f"campaign_post.{what}", f"campaign_post:{post.id}", before=before, after=after)


def digest_of(post: CampaignPost) -> str:
    """Return the keyed digest of everything a post says."""
    return digest("\n".join((post.words, post.reply_words, post.link_in, str(post.card), post.card_alt)))


def _require_no_problems(session: AnySession, post: CampaignPost) -> None:
    problems = problems_of(post, case_now(session, post), utc_now().date())
    if post.publish_at is not None and post.publish_at < utc_now():
        problems.append(_l("Its hour has passed: choose a later one, or none."))
    if problems:
        raise Refused(" ".join(map(str, problems)))


def _touch(post: CampaignPost) -> None:
    post.revision += 1
    post.changed_at = utc_now()


def _add_editor(session: AnySession, by: Actor, post: CampaignPost) -> None:
    if by.account_id is not None and session.get(PostEditor, (post.id, by.account_id)) is None:
        session.add(PostEditor(post_id=post.id, account_id=by.account_id))
        session.flush()
