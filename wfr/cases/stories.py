"""Success stories: written by one, published by another, changed without being taken down."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from wfr.cases.models import Story, StoryState
from wfr.cases.season_files import SLUG, StoryEntry
from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.auditing import digest, record
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

StoryKey = tuple[str, str]
"""A story's slug and language."""


class StoryBusy(Refused):
    """The story has a draft or a review open already."""


@dataclass(frozen=True, slots=True)
class StoryWords:
    """What a story says. `sources` are lines such as ``R8: Magai is free, amnesty.ca``."""

    title: str
    place: str
    summary: str
    text: str
    figure: str | None = None
    figure_of: str | None = None
    sources: tuple[str, ...] = ()

    @classmethod
    def of_entry(cls, entry: StoryEntry) -> StoryWords:
        """Return what a file's story says."""
        return cls.of(entry.columns())

    @classmethod
    def of(cls, values: Any) -> StoryWords:
        """Return what a mapping says that has at least these words."""
        words = {name: values[name] for name in cls.__slots__}
        return cls(**{**words, "sources": tuple(words["sources"])})

    def as_json(self) -> dict[str, Any]:
        """Return the words as the database keeps them."""
        return {**asdict(self), "sources": list(self.sources)}


def published_words(story: Story) -> StoryWords:
    """Return what the story's row says: what visitors read, once it is published."""
    return StoryWords.of({name: getattr(story, name) for name in StoryWords.__slots__})


def newest_words(story: Story) -> StoryWords:
    """Return what the story says, or shall say: the words that the desk works on."""
    return StoryWords.of(story.pending) if story.pending else published_words(story)


def progress(story: Story) -> StoryState:
    """Return how far the newest words have come."""
    return StoryState(story.pending["state"] if story.pending else story.state)


def write_story(*, by: Actor, key: StoryKey, words: StoryWords, is_new: bool = False) -> None:
    """Write a new story, or change one; what visitors read of a published one stays until the change is published.

    Raises `NoSuchThing`, and `Refused` while it is in review, or where the address is taken.
    """
    if is_new and not (re.match(SLUG, key[0]) and key[1]):
        raise Refused(_l("A story needs an address, such as magai-ngong, and a language, such as en."))
    with transaction() as session:
        story = _find(session, key)
        if is_new and story is not None:
            raise Refused(_l("There is a story at this address already, in this language."))
        if not is_new and story is None:
            raise NoSuchThing(key)
        if story is not None and progress(story) is StoryState.IN_REVIEW:
            raise Refused(_l("This story is being reviewed. Wait for the answer, or ask for it back."))
        _write(session, by, key, words)


def draft_story(session: AnySession, by: Actor, key: StoryKey, words: StoryWords, *, position: int) -> bool:
    """Make these words a story's draft, inside the caller's transaction; False where it says so already.

    Raises `StoryBusy` where other words are being worked on.
    """
    story = _find(session, key)
    if story is not None and newest_words(story) == words:
        return False
    if story is not None and (story.pending or story.state != StoryState.PUBLISHED):
        raise StoryBusy(_l("this story has a draft or a review open already; finish that one first"))
    _write(session, by, key, words, position=position)
    return True


def submit_story(*, by: Actor, key: StoryKey) -> None:
    """Ask for a review of a story's draft. Raises `NoSuchThing`, and `Refused` where there is no draft."""
    with transaction() as session:
        story = _require(session, key, StoryState.DRAFT)
        _set_progress(story, StoryState.IN_REVIEW)
        _add_editor(story, by)
        _record(session, by, "story.submitted", story)


def return_story(*, by: Actor, key: StoryKey) -> None:
    """Give a story that is in review back to who wrote it. Raises `NoSuchThing`, `Refused`."""
    with transaction() as session:
        story = _require(session, key, StoryState.IN_REVIEW)
        _set_progress(story, StoryState.DRAFT)
        _record(session, by, "story.returned", story)


def publish_story(*, by: Actor, key: StoryKey) -> None:
    """Let visitors read a story that is in review.

    Raises `NoSuchThing`, `Refused` where none is in review, and `NotAllowed` for whoever wrote or submitted it.
    """
    with transaction() as session:
        story = _require(session, key, StoryState.IN_REVIEW)
        require_role(session, by, Role.REVIEWER)
        if by.account_id in story.editors:
            raise NotAllowed(_l("You wrote or submitted this story: somebody else must publish it."))
        _set_columns(story, newest_words(story))
        story.pending, story.editors = None, []
        story.state, story.published_by = StoryState.PUBLISHED, by.account_id
        _record(session, by, "story.published", story)


def take_down_story(*, by: Actor, key: StoryKey) -> None:
    """Take a published story away from visitors, at once; its newest words are a draft again.

    Raises `NoSuchThing`, and `Refused` where visitors do not read it anyway.
    """
    with transaction() as session:
        story = _find(session, key)
        if story is None:
            raise NoSuchThing(key)
        require_role(session, by, Role.REVIEWER)
        if story.state != StoryState.PUBLISHED:
            raise Refused(_l("Visitors do not read this story."))
        _set_columns(story, newest_words(story))
        story.pending, story.state = None, StoryState.DRAFT
        _touch(story, by)
        _record(session, by, "story.taken_down", story)


def _find(session: AnySession, key: StoryKey) -> Story | None:
    return session.scalar(
        select(Story)
        .where(Story.slug == key[0], Story.language == key[1])
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _require(session: AnySession, key: StoryKey, state: StoryState) -> Story:
    story = _find(session, key)
    if story is None:
        raise NoSuchThing(key)
    if progress(story) is not state:
        raise Refused(
            _l("This story has no draft to submit.")
            if state is StoryState.DRAFT
            else _l("This story is not in review any more.")
        )
    return story


def _write(session: AnySession, by: Actor, key: StoryKey, words: StoryWords, *, position: int | None = None) -> None:
    story = _find(session, key)
    before = digest(str(newest_words(story).as_json())) if story else None
    if story is None:
        last = session.scalar(select(func.max(Story.position))) or 0
        story = Story(
            slug=key[0],
            language=key[1],
            position=last + 1 if position is None else position,
            state=StoryState.DRAFT,
            editors=[],
        )
        session.add(story)
    if story.state == StoryState.PUBLISHED:
        story.pending = {**words.as_json(), "state": StoryState.DRAFT.value}
    else:
        _set_columns(story, words)
    _touch(story, by)
    session.flush()
    after = {"digest": digest(str(words.as_json()))}
    record(session, by, "story.written", f"story:{story.id}", before={"digest": before}, after=after)


def _set_columns(story: Story, words: StoryWords) -> None:
    for name, value in words.as_json().items():
        setattr(story, name, value)


def _set_progress(story: Story, state: StoryState) -> None:
    if story.pending:
        story.pending = {**story.pending, "state": state.value}
    else:
        story.state = state


def _touch(story: Story, by: Actor) -> None:
    story.changed_by, story.changed_at = by.account_id, utc_now()
    _add_editor(story, by)


def _add_editor(story: Story, by: Actor) -> None:
    if by.account_id is not None and by.account_id not in story.editors:
        # A new list: the column does not see what is appended to the old one.
        story.editors = [*story.editors, by.account_id]


def _record(session: AnySession, by: Actor, what: str, story: Story) -> None:
    record(session, by, what, f"story:{story.id}", after={"slug": story.slug, "language": story.language})
