"""Success stories: written by one, published by another, changed without being taken down."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests.acting import text_of
from tests.factories import Cast
from tests.linting import LintingClient
from tests.staffing import Colleague, colleague
from wfr.cases.models import Story, StoryState
from wfr.extensions import db, kept
from wfr.staff.models import AuditEntry, Role

WORDS = {
    "title": "Nadia Reed",
    "place": "Nowhere",
    "summary": "Free after 400 letters.",
    "text": "She came home. [Z1]",
    "figure": "400",
    "figure_of": "letters",
    "sources": "Z1: a newspaper: page 3",
}
NEW = {**WORDS, "slug": "home", "language": "en", "title": "Home at last"}
OUT, HOME = "/desk/stories/out/en", "/desk/stories/home/en"


@pytest.fixture
def wim(app: Flask, season: Cast) -> Colleague:
    """A writer."""
    return colleague(app, "wim")


@pytest.fixture
def rosa(app: Flask, season: Cast) -> Colleague:
    """A reviewer."""
    return colleague(app, "rosa", Role.REVIEWER)


def public_page(app: Flask, visitor: LintingClient) -> str:
    with app.app_context():
        kept().forget("shelf")
        app.extensions["wfr.page_cache"].forget()
    return text_of(visitor.get("/stories"))


def state_of(app: Flask, slug: str) -> tuple[str, bool]:
    with app.app_context():
        story = db.session.scalars(select(Story).where(Story.slug == slug)).one()
        return story.state, story.pending is not None


def test_one_writes_another_publishes(app: Flask, wim: Colleague, rosa: Colleague, visitor: LintingClient) -> None:
    assert wim.send("/desk/stories/new", **NEW).headers["Location"] == HOME
    assert "Home at last" not in public_page(app, visitor)
    assert wim.send(f"{HOME}/publish").status_code == 403
    assert rosa.send(f"{HOME}/publish").status_code == 409
    assert wim.send(f"{HOME}/submit").status_code == 303
    assert "somebody else publishes it" in text_of(wim.get(HOME))
    assert wim.send(HOME, **{**WORDS, "title": "Slipped in"}).status_code == 409
    assert rosa.send(f"{HOME}/publish").status_code == 303
    assert "Home at last" in public_page(app, visitor) and state_of(app, "home") == (StoryState.PUBLISHED, False)
    with app.app_context():
        told = db.session.scalars(select(AuditEntry.what).where(AuditEntry.what.like("story.%"))).all()
    assert told == ["story.written", "story.submitted", "story.published"]


def test_whoever_touched_a_story_may_not_publish_it(app: Flask, rosa: Colleague, wim: Colleague) -> None:
    rosa.send("/desk/stories/new", **NEW)
    wim.send(HOME, **{**WORDS, "title": "A comma more"})
    rosa.send(f"{HOME}/submit")
    page = rosa.send(f"{HOME}/publish")
    assert page.status_code == 403 and "somebody else" in text_of(page)
    ruth = colleague(app, "ruth", Role.REVIEWER)
    assert ruth.send(f"{HOME}/publish").status_code == 303


def test_a_published_story_is_changed_without_being_taken_down(
    app: Flask, wim: Colleague, rosa: Colleague, visitor: LintingClient
) -> None:
    assert "300 letters" in public_page(app, visitor)
    assert wim.send(OUT, **WORDS).status_code == 303
    assert state_of(app, "out") == (StoryState.PUBLISHED, True)
    assert "300 letters" in public_page(app, visitor) and "400" not in public_page(app, visitor)
    assert "300 letters" in text_of(wim.get(OUT)) and "a change" in text_of(wim.get("/desk/stories"))
    wim.send(f"{OUT}/submit")
    wim.send(f"{OUT}/return")
    wim.send(f"{OUT}/submit")
    rosa.send(f"{OUT}/publish")
    assert "400 letters" in public_page(app, visitor) and state_of(app, "out") == (StoryState.PUBLISHED, False)


def test_a_story_is_taken_down_at_once_and_comes_back_by_two(
    app: Flask, wim: Colleague, rosa: Colleague, visitor: LintingClient
) -> None:
    assert wim.send(f"{OUT}/take-down").status_code == 403
    assert rosa.send(f"{OUT}/take-down").status_code == 303
    assert "Nadia Reed" not in public_page(app, visitor)
    assert rosa.send(f"{OUT}/take-down").status_code == 409
    rosa.send(f"{OUT}/submit")
    assert rosa.send(f"{OUT}/publish").status_code == 403
    ruth = colleague(app, "ruth", Role.REVIEWER)
    ruth.send(f"{OUT}/publish")
    assert "Nadia Reed" in public_page(app, visitor)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", " ", "Give the story a title"),
        ("sources", "a newspaper", "One source a line"),
        ("text", "She came home. [Z7]", "Z7 has no source"),
        ("slug", "out", "already"),
        ("slug", "Not Good", "Small letters"),
        ("language", "english", "language"),
    ],
)
def test_a_story_that_lacks_something_is_not_kept(
    app: Flask, wim: Colleague, field: str, value: str, words: str
) -> None:
    page = wim.send("/desk/stories/new", **{**NEW, field: value})
    assert page.status_code == 422 and words in text_of(page)
    with app.app_context():
        assert len(db.session.scalars(select(Story)).all()) == 1


def test_unknown_stories_are_not_found(wim: Colleague) -> None:
    assert wim.get("/desk/stories/never/en").status_code == 404
    assert wim.send("/desk/stories/never/en/submit").status_code == 404
    assert wim.send("/desk/stories/never/en", **WORDS).status_code == 404
