"""The desk's pages of campaign posts: written by one, approved by another, sent by the queue."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.desk_queries import names_of_accounts
from wfr.errors import Refused
from wfr.share import posting, resolving
from wfr.share.cards import card_of
from wfr.share.desk_forms import SEASON, AddressForm, NewPostForm, PostForm, ReturnForm
from wfr.share.post_queries import (
    FILTERS,
    PostAtDesk,
    cases_to_post_about,
    count_parts,
    post_at_desk,
    posts_at_desk,
    present_account,
)
from wfr.share.post_rules import first_words
from wfr.share.post_showing import PostPreview, preview_of, prices_of_places, spending
from wfr.share.posting import PostDraft
from wfr.share.sending import stays_because
from wfr.share.spending import in_dollars, price_of
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route

blueprint = Blueprint("campaign_posts", __name__)


@desk_route(blueprint, "/posts", role=Role.WRITER)
def posts() -> ResponseReturnValue:
    """Every campaign post: what waits for whom, what is on its way, what came of what is out."""
    return _list_page(_new_form())


@desk_route(blueprint, "/posts", role=Role.WRITER, methods=("POST",))
def begin() -> ResponseReturnValue:
    """Begin a post with what is said of its case anyway."""
    form = _new_form()
    if not form.validate():
        return _list_page(form), HTTPStatus.UNPROCESSABLE_ENTITY
    case = next((case for case in cases_to_post_about() if case.id == form.case.data), None)
    language = form.language.data
    draft = PostDraft(words=first_words(case, language), card_alt=card_of(case, language).alt)
    case_id = None if form.case.data == SEASON else form.case.data
    return _to(posting.begin_post(by=actor(), case_id=case_id, language=language, draft=draft))


@desk_route(blueprint, "/posts/<int:post_id>", role=Role.WRITER)
def post(post_id: int) -> ResponseReturnValue:
    """One post: its words, how it will look, what it costs, and what comes next."""
    found = post_at_desk(post_id)
    return _post_page(found, PostForm.of(found.post))


@desk_route(blueprint, "/posts/<int:post_id>", role=Role.WRITER, methods=("POST",))
def save(post_id: int) -> ResponseReturnValue:
    """Save what a post says, as a draft."""
    form = PostForm(request.form)
    if form.validate():
        try:
            posting.change_post(by=actor(), post_id=post_id, revision=form.revision.data, draft=form.draft())
        except Refused as problem:
            # What was typed must not be lost to a page that only says why.
            form.words.errors = [str(problem.why)]
        else:
            return _back(post_id, _("Saved as a draft."))
    found = post_at_desk(post_id)
    return _post_page(found, form, preview_of(found, form.draft())), HTTPStatus.UNPROCESSABLE_ENTITY


@desk_route(blueprint, "/posts/<int:post_id>/preview", role=Role.WRITER, methods=("POST",))
def preview(post_id: int) -> ResponseReturnValue:
    """How the post would look with what is typed now; nothing is stored."""
    form = PostForm(request.form)
    form.validate()
    return render_template("desk/share/_post_preview.html", shown=preview_of(post_at_desk(post_id), form.draft()))


@desk_route(blueprint, "/posts/<int:post_id>/submit", role=Role.WRITER, methods=("POST",))
def submit(post_id: int) -> ResponseReturnValue:
    """Hand a draft to review."""
    posting.submit_post(by=actor(), post_id=post_id, revision=_revision())
    return _back(post_id, _("Handed in. Somebody else approves it."))


@desk_route(blueprint, "/posts/<int:post_id>/approve", role=Role.REVIEWER, methods=("POST",), fresh=True)
def approve(post_id: int) -> ResponseReturnValue:
    """Let somebody else's post go out."""
    posting.approve_post(by=actor(), post_id=post_id, revision=_revision())
    return _back(post_id, _("Approved. The queue takes it from here."))


@desk_route(blueprint, "/posts/<int:post_id>/return", role=Role.REVIEWER, methods=("POST",))
def give_back(post_id: int) -> ResponseReturnValue:
    """Give a post back with what should change."""
    words = _only_field(ReturnForm(request.form))
    posting.return_post(by=actor(), post_id=post_id, revision=_revision(), words=words)
    return _back(post_id, _("Given back. It is a draft again."))


@desk_route(blueprint, "/posts/<int:post_id>/cancel", role=Role.WRITER, methods=("POST",))
def cancel(post_id: int) -> ResponseReturnValue:
    """Call a post off that has not gone out."""
    posting.cancel_post(by=actor(), post_id=post_id, revision=_revision())
    return _back(post_id, _("Called off. It will not go out."))


@desk_route(blueprint, "/posts/<int:post_id>/went-out", role=Role.REVIEWER, methods=("POST",))
def went_out(post_id: int) -> ResponseReturnValue:
    """Say where on X a held post is."""
    address = _only_field(AddressForm(request.form))
    resolving.say_sent(by=actor(), post_id=post_id, revision=_revision(), address=address)
    return _back(post_id, _("Noted: it is out."))


@desk_route(blueprint, "/posts/<int:post_id>/again", role=Role.REVIEWER, methods=("POST",))
def again(post_id: int) -> ResponseReturnValue:
    """Have the queue try a held post again."""
    resolving.send_again(by=actor(), post_id=post_id, revision=_revision())
    return _back(post_id, _("The queue tries again."))


@desk_route(blueprint, "/posts/<int:post_id>/rewrite", role=Role.REVIEWER, methods=("POST",))
def rewrite(post_id: int) -> ResponseReturnValue:
    """Make a held post a draft again."""
    resolving.rewrite_held(by=actor(), post_id=post_id, revision=_revision())
    return _back(post_id, _("It is a draft again."))


@desk_route(blueprint, "/posts/<int:post_id>/drop", role=Role.REVIEWER, methods=("POST",))
def drop(post_id: int) -> ResponseReturnValue:
    """Give a held post up, or its missing reply."""
    resolving.drop_held(by=actor(), post_id=post_id, revision=_revision())
    return _back(post_id, _("Dropped. Nothing more is sent."))


def _new_form() -> NewPostForm:
    return NewPostForm(request.form or None, cases=[(case.id, case.name) for case in cases_to_post_about()])


def _list_page(form: NewPostForm) -> str:
    part = request.args.get("part")
    part = part if part in FILTERS else None
    return render_template(
        "desk/share/posts.html",
        found=posts_at_desk(part),
        part=part,
        counts=count_parts(),
        form=form,
        names=names_of_accounts(),
        account=present_account(),
        spending=spending(),
        stays=stays_because(),
        price=lambda each: in_dollars(price_of(each)),
    )


def _post_page(found: PostAtDesk, form: PostForm, shown: PostPreview | None = None) -> str:
    return render_template(
        "desk/share/post.html",
        found=found,
        post=found.post,
        form=form,
        shown=shown or preview_of(found),
        prices=prices_of_places(card=bool(form.card.data)),
        names=names_of_accounts(),
        spending=spending(),
        stays=stays_because(),
    )


def _only_field(form: ReturnForm | AddressForm) -> str:
    """Return what was typed into a form of one field; raises `Refused` with what is wrong with it."""
    (field,) = form
    if not form.validate():
        raise Refused(field.errors[0])
    return str(field.data)


def _revision() -> int:
    return request.form.get("revision", 0, int)


def _back(post_id: int, words: str) -> ResponseReturnValue:
    flash(words)
    return _to(post_id)


def _to(post_id: int) -> ResponseReturnValue:
    return redirect(url_for("campaign_posts.post", post_id=post_id), HTTPStatus.SEE_OTHER)
