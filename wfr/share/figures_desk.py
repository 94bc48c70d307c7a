"""The desk's page of what came of sharing."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.intents import NAMES
from wfr.share.queries import own_links, shared_cases
from wfr.staff.models import Role
from wfr.staff.policy import desk_route

blueprint = Blueprint("sharing", __name__)


@desk_route(blueprint, "/sharing", role=Role.WRITER)
def figures() -> ResponseReturnValue:
    """What came of share links, by case and channel; never whose they were."""
    return render_template(
        "desk/share/figures.html", shared=shared_cases(), own_links=own_links(), channel_names=channel_names()
    )


def channel_names() -> dict[str, str]:
    """Return what people call each channel of `wfr.intents.CHANNELS`."""
    return {
        **NAMES,
        "email": _("E-mail"),
        "sms": _("Text message"),
        "link": _("Copied link"),
        "text": _("Copied words"),
        "device": _("The phone’s own way"),
        "campaign": _("The campaign’s posts"),
    }
