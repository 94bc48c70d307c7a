"""A member's own page: what happened to the people she follows, what she gets, what is kept of her."""

from __future__ import annotations

import json
from http import HTTPStatus

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.errors import Refused
from wfr.extensions import limit_of
from wfr.mail import NotSent
from wfr.network.following import unfollow
from wfr.network.forms import WishesForm, told
from wfr.network.links import LinkFor, link_token
from wfr.network.member_queries import everything_about, followed_by, languages_offered, masked, member_by_link
from wfr.network.models import Frequency, Member
from wfr.network.preferring import change_wishes, replace_links
from wfr.network.views import blueprint
from wfr.pages import language, private

MY_DATA = "my-data.json"


@blueprint.get("/network/me/<token>")
@private
def me(token: str) -> ResponseReturnValue:
    """Everything about one member, for whoever has her link."""
    member, _case = member_by_link(token, LinkFor.ME)
    return _my_page(token, member, _form_of(member), saved="saved" in request.args)


@blueprint.post("/network/me/<token>")
@private
def send_wishes(token: str) -> ResponseReturnValue:
    """Change what a member asks for."""
    member, _case = member_by_link(token, LinkFor.ME)
    form = _form_of(member, request.form)
    if not form.validate():
        return _my_page(token, member, form), HTTPStatus.UNPROCESSABLE_ENTITY
    change_wishes(token=token, wishes=form.wishes())
    return redirect(url_for(".me", token=token, saved="1"), HTTPStatus.SEE_OTHER)


@blueprint.post("/network/me/<token>/unfollow")
@private
def send_unfollow(token: str) -> ResponseReturnValue:
    """End the following of one case."""
    unfollow(token=token, case_id=request.form.get("case", 0, int))
    return redirect(url_for(".me", token=token), HTTPStatus.SEE_OTHER)


@blueprint.get("/network/me/<token>/export")
@private
def export(token: str) -> ResponseReturnValue:
    """All that is kept about a member, as a file."""
    member, _case = member_by_link(token, LinkFor.ME)
    words = json.dumps(everything_about(member), ensure_ascii=False, indent=2)
    response = Response(words + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{MY_DATA}"'
    return response


@blueprint.post("/network/me/<token>/new-links")
@private
@limit_of("limit_members")
def send_new_links(token: str) -> ResponseReturnValue:
    """End a member's links; the new ones go to her mailbox and nowhere else."""
    member, _case = member_by_link(token, LinkFor.ME)
    try:
        replace_links(token=token)
    except Refused as problem:
        return _my_page(token, member, _form_of(member), notice=problem.why), HTTPStatus.CONFLICT
    except NotSent:
        return render_template("network/links_not_mailed.html"), HTTPStatus.SERVICE_UNAVAILABLE
    return redirect(url_for(".check_mail", asked="links"), HTTPStatus.SEE_OTHER)


def _form_of(member: Member, typed: object = None) -> WishesForm:
    """Return the form of a member's wishes; a language that nobody writes in any more stays hers."""
    offered = languages_offered()
    offered += [tag for tag in member.languages if tag not in offered]
    follows = member.frequency == Frequency.FOLLOWING or bool(followed_by(member, language()))
    return WishesForm(typed, languages=offered, follows=follows, **told(member))


def _my_page(token: str, member: Member, form: WishesForm, *, notice: object = None, saved: bool = False) -> str:
    return render_template(
        "network/me.html",
        token=token,
        member=member,
        address=masked(member),
        followed=followed_by(member, language()),
        leave_token=link_token(member, LinkFor.LEAVE),
        form=form,
        notice=notice,
        saved=_("Saved.") if saved else None,
    )
