"""Sharing a case: the panel of links, on a page of its own and wherever another page includes it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from wfr.cases.models import Case, Standing
from wfr.cases.queries import today
from wfr.cases.views import visible_case
from wfr.errors import NoSuchThing, NotPossibleNow
from wfr.extensions import kept, limit_of
from wfr.pages import PROCESS_SECONDS, language, private, public, wants_fragment
from wfr.share.codes import EVERYBODY, ShareCode, new_sharer
from wfr.share.forms import ShareForm
from wfr.share.linking import private_token, read_private_token
from wfr.share.sharing import PANEL, ShareLinkView, share_links, words_for

blueprint = Blueprint("share", __name__)


@dataclass(frozen=True, slots=True)
class SharePanel:
    """What `share/_panel.html` shows: a case's links, and the words and the server that a visitor gave for them.

    `private` is the private token of whoever has links of their own, and empty where they are everybody's. `words` are
    None until the visitor has changed them; `default` are the staff's. `problems` has the error of a field by its name.
    """

    case: Case
    links: list[ShareLinkView]
    default: str
    words: str | None
    server: str
    private: str
    problems: dict[str, str]

    @property
    def by_channel(self) -> dict[str, ShareLinkView]:
        """The links by their channel."""
        return {link.channel: link for link in self.links}

    @property
    def private_address(self) -> str:
        """Where whoever has links of their own can see what came of them; empty for everybody's."""
        return url_for("share_links.shared", token=self.private) if self.private else ""

    @property
    def server_address(self) -> str:
        """The composer of the visitor's own Mastodon server; empty where none is known."""
        path = self.by_channel["mastodon"].url
        return f"https://{self.server}{path}" if self.server else ""


def panel_of(case: Case, sharer: int = EVERYBODY, form: ShareForm | None = None) -> SharePanel:
    """Return the panel of a case; a `form` that was validated says what a visitor changed."""
    default = words_for(case, language(), "any")
    problems = {name: str(errors[0]) for name, errors in form.errors.items() if name} if form else {}
    given: dict[str, Any] = {**form.data, **dict.fromkeys(problems)} if form else {}
    words: str | None = given.get("words")
    if words is not None and words.split() == default.split():
        words = None  # Sent along untouched: each channel keeps its own.
    return SharePanel(
        case=case,
        links=share_links(case, language(), sharer, words),
        default=default,
        words=form.words.data if form and "words" in problems else words,
        server=given.get("server") or "",
        private=private_token(case, sharer) if sharer != EVERYBODY else "",
        problems=problems,
    )


@dataclass(frozen=True, slots=True)
class _Stencil:
    """A panel with the links of nobody in it, and the marks to be replaced by somebody's: codes and private token."""

    page: str
    marks: list[str]


@blueprint.app_template_global()
def own_share_panel(case: Case) -> Markup:
    """Return the panel of one person's own links, new each time. Many act at once: it is rendered once a second."""
    stencil = kept().get(f"own share panel {case.slug} {language()}", PROCESS_SECONDS, lambda: _cut_stencil(case))
    page = stencil.page
    for mark, own in zip(stencil.marks, _marks_of(case, new_sharer()), strict=True):
        page = page.replace(mark, own)
    return Markup(page)  # noqa: S704 -- marks and what takes their place are letters, figures and signs of an address


def _cut_stencil(case: Case) -> _Stencil:
    # A sharer whom nobody can guess: no words hold their codes by chance or on purpose.
    nobody = new_sharer()
    return _Stencil(render_template("share/_panel.html", panel=panel_of(case, nobody)), _marks_of(case, nobody))


def _marks_of(case: Case, sharer: int) -> list[str]:
    return [*(ShareCode(case.id, channel, sharer).text for channel in PANEL), private_token(case, sharer)]


@blueprint.app_template_test()
def shareable(case: Case) -> bool:
    """Say whether a case may be passed on today: it is open or will be, and the consent covers other sites."""
    return case.shareable(today())


@blueprint.get("/cases/<slug>/share")
@public
def ways(slug: str) -> ResponseReturnValue:
    """The ways to pass a case on, with links that are everybody's."""
    case = _shareable_case(slug)
    return render_template("share/share.html", panel=panel_of(case), case=case)


@blueprint.post("/cases/<slug>/share")
@private
@limit_of("limit_previews")
def changed(slug: str) -> ResponseReturnValue:
    """The same with a visitor's own words or server: to htmx the links alone, to a browser without it the page."""
    case = _shareable_case(slug)
    form = ShareForm(request.form)
    form.validate()
    panel = panel_of(case, _sharer_in(form, case), form)
    if wants_fragment():
        return render_template("share/_links.html", panel=panel)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if panel.problems else HTTPStatus.OK
    return render_template("share/share.html", panel=panel, case=case), status


def _shareable_case(slug: str) -> Case:
    case = visible_case(slug)
    if case.shareable(today()):
        return case
    standing = case.standing(today())
    if standing not in (Standing.OPEN, Standing.COMING):
        raise NotPossibleNow(standing.value, {"case": case})
    why_not = _("The consent for this case covers writing from here, not networks and other sites.")
    raise NotPossibleNow("not_offered", {"case": case, "why_not": why_not})


def _sharer_in(form: ShareForm, case: Case) -> int:
    try:
        case_id, sharer = read_private_token(form.private.data or "")
    except NoSuchThing:
        return EVERYBODY
    return sharer if case_id == case.id else EVERYBODY
