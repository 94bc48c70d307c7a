"""Share links: where they lead, and what came of one's own."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from wfr.cases.models import Case
from wfr.cases.queries import shelf, today
from wfr.cases.views import actions_for, visible_case
from wfr.extensions import AnySession, kept, limit_of
from wfr.pages import PROCESS_SECONDS, language, private, wants_fragment, wants_page
from wfr.pledges.origins import Origin
from wfr.pledges.pledging import Promise
from wfr.share.codes import read_code
from wfr.share.linking import may_count, read_private_token, record_share_pledge
from wfr.share.openings import Openings
from wfr.share.queries import FEWEST_TOLD, came_of
from wfr.share.visitors import is_preview

blueprint = Blueprint("share_links", __name__)

# The page is rendered once a second for each case; the code is put into the copy.
CODE_MARK = "code-goes-here"


@blueprint.get("/s/<code>")
@private
def landing(code: str) -> ResponseReturnValue:
    """The case that a share link is for; what one can do there carries the code on. It leads nowhere else."""
    shared = read_code(code)
    case = visible_case(shelf().by_id(shared.case_id).slug)
    preview = not wants_page() or is_preview(dict(request.headers))
    if may_count(shared, preview=preview):
        openings().add(shared, preview=preview)
    page = kept().get(f"landing {case.slug} {language()}", PROCESS_SECONDS, lambda: _page(case))
    return page.replace(CODE_MARK, shared.text)


@blueprint.get("/shared/<token>")
@private
@limit_of("limit_previews")
def shared(token: str) -> ResponseReturnValue:
    """What came of somebody's own links for one case, for whoever has the private link."""
    case_id, sharer = read_private_token(token)
    case = visible_case(shelf().by_id(case_id).slug)
    template = "share/_came_of_it.html" if wants_fragment() else "share/came_of_it.html"
    return render_template(template, case=case, came=came_of(sharer, case_id), fewest=FEWEST_TOLD)


def openings() -> Openings:
    """Return where this process gathers the openings of share links."""
    return cast("Openings", current_app.extensions["wfr.openings"])


def origin_of(text: str) -> Origin:
    """Return what is recorded of a pledge that came of a share link; raises `NoSuchThing` for no code of ours."""
    code = read_code(text)

    def record(session: AnySession, promise: Promise) -> None:
        # A link for one case says nothing of an action for another.
        if promise.case_id == code.case_id:
            record_share_pledge(session, code, promise.id)

    return Origin(code.text, record)


def _page(case: Case) -> str:
    text = case.text(language())
    return render_template(
        "share/landing.html",
        case=case,
        text=text,
        updates=case.updates_in(language()),
        standing=case.standing(today()).value,
        actions=actions_for(case, text),
        via=CODE_MARK,
    )
