"""The desk's pages of success stories."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.desk_queries import names_of_accounts
from wfr.cases.models import Story
from wfr.cases.queries import all_stories, find_story
from wfr.cases.season_forms import StoryForm
from wfr.cases.stories import (
    newest_words,
    progress,
    publish_story,
    published_words,
    return_story,
    submit_story,
    take_down_story,
    write_story,
)
from wfr.errors import Refused
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route

blueprint = Blueprint("stories", __name__)


@desk_route(blueprint, "/stories", role=Role.WRITER)
def index() -> ResponseReturnValue:
    """Every story, and how far it has come."""
    stories = [(story, newest_words(story), progress(story).value) for story in all_stories()]
    return render_template("desk/stories/index.html", stories=stories, names=names_of_accounts())


@desk_route(blueprint, "/stories/new", role=Role.WRITER)
def new() -> ResponseReturnValue:
    """The form for a new story."""
    return render_template("desk/stories/new.html", form=StoryForm(data={"language": "en"}))


@desk_route(blueprint, "/stories/new", role=Role.WRITER, methods=("POST",))
def begin() -> ResponseReturnValue:
    """Write a new story, as a draft."""
    form = StoryForm(request.form)
    if form.validate():
        key = form.slug.data or "", form.language.data or ""
        try:
            write_story(by=actor(), key=key, words=form.words(), is_new=True)
        except Refused as problem:
            form.slug.errors = [str(problem.why)]
        else:
            flash(_("Saved as a draft."))
            return _to_story(*key)
    return render_template("desk/stories/new.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY


@desk_route(blueprint, "/stories/<slug>/<language>", role=Role.WRITER)
def edit(slug: str, language: str) -> ResponseReturnValue:
    """One story: its words, what visitors read of it, and what can be done next."""
    story = find_story(slug, language)
    words = newest_words(story).as_json()
    form = StoryForm(data={**words, "sources": "\n".join(words["sources"])})
    return _edit_page(story, form)


@desk_route(blueprint, "/stories/<slug>/<language>", role=Role.WRITER, methods=("POST",))
def change(slug: str, language: str) -> ResponseReturnValue:
    """Save a story's words as a draft."""
    form = StoryForm(request.form)
    if not form.validate():
        return _edit_page(find_story(slug, language), form), HTTPStatus.UNPROCESSABLE_ENTITY
    write_story(by=actor(), key=(slug, language), words=form.words())
    flash(_("Saved as a draft."))
    return _to_story(slug, language)


def _edit_page(story: Story, form: StoryForm) -> str:
    return render_template(
        "desk/stories/edit.html",
        story=story,
        form=form,
        state=progress(story).value,
        published=published_words(story) if story.pending else None,
        names=names_of_accounts(),
    )


@desk_route(blueprint, "/stories/<slug>/<language>/submit", role=Role.WRITER, methods=("POST",))
def submit(slug: str, language: str) -> ResponseReturnValue:
    """Ask for a review."""
    submit_story(by=actor(), key=(slug, language))
    flash(_("Submitted. Somebody else publishes it."))
    return _to_story(slug, language)


@desk_route(blueprint, "/stories/<slug>/<language>/return", role=Role.WRITER, methods=("POST",))
def give_back(slug: str, language: str) -> ResponseReturnValue:
    """Make a story in review a draft again."""
    return_story(by=actor(), key=(slug, language))
    flash(_("It is a draft again."))
    return _to_story(slug, language)


@desk_route(blueprint, "/stories/<slug>/<language>/publish", role=Role.REVIEWER, methods=("POST",), fresh=True)
def publish(slug: str, language: str) -> ResponseReturnValue:
    """Let visitors read a story that somebody else wrote and submitted."""
    publish_story(by=actor(), key=(slug, language))
    flash(_("Published. Visitors read it within seconds."))
    return _to_story(slug, language)


@desk_route(blueprint, "/stories/<slug>/<language>/take-down", role=Role.REVIEWER, methods=("POST",))
def take_down(slug: str, language: str) -> ResponseReturnValue:
    """Take a story away from visitors, at once."""
    take_down_story(by=actor(), key=(slug, language))
    flash(_("Taken down. It is a draft again."))
    return _to_story(slug, language)


def _to_story(slug: str, language: str) -> ResponseReturnValue:
    return redirect(url_for("stories.edit", slug=slug, language=language), HTTPStatus.SEE_OTHER)
