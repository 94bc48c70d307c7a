"""The numbers: the tally as a page's fragment, as JSON and as a live stream, and how it is counted."""

from __future__ import annotations

from flask import Response, current_app, jsonify, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from wfr.cases.queries import shelf
from wfr.extensions import settings
from wfr.pages import public
from wfr.pledges.live import Newsroom, NoRoom
from wfr.pledges.queries import as_json, board, public_corrections
from wfr.pledges.views import blueprint

JSON_SECONDS = 1


@blueprint.get("/how-we-count")
@public
def how_we_count() -> ResponseReturnValue:
    """What the figures mean and what they cannot know."""
    return render_template("pledges/how_we_count.html", corrections=public_corrections(shelf()))


@blueprint.get("/your-sheet")
@public
def your_sheet() -> ResponseReturnValue:
    """The actions this browser remembers; the page itself is the same for everybody."""
    return render_template("pledges/your_sheet.html")


@blueprint.get("/tally")
@public
def tally() -> ResponseReturnValue:
    """Every number of the site as one out-of-band fragment, for browsers that poll."""
    return numbers()


@blueprint.get("/tally.json")
@public
def tally_json() -> ResponseReturnValue:
    """The tally for everybody else's programs."""
    response = jsonify(as_json(board(), shelf()))
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@blueprint.after_request
def keep_json_a_second(response: Response) -> Response:
    """Let any cache hold the JSON for a second; it names no case that a page does not."""
    if response.mimetype == "application/json" and response.status_code == 200:
        response.headers["Cache-Control"] = f"public, max-age={JSON_SECONDS}"
    return response


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """The live stream, where there is room; 204 tells the browser to poll instead."""
    newsroom: Newsroom = current_app.extensions["wfr.newsroom"]
    try:
        stream = newsroom.listen()
    except NoRoom:
        return "", 204
    response = make_response(Response(stream, mimetype="text/event-stream"))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    if settings().stream_url:
        response.headers["Access-Control-Allow-Origin"] = settings().base_url
    return response


def numbers() -> str:
    """Return the fragment with every number of the site."""
    return render_template("pledges/_numbers.html", cases=shelf().featured(), oob=True)


def stream_url() -> str:
    """Return where browsers listen: this process, or the separate stream process."""
    path: str = url_for("pledges.live")
    return f"{settings().stream_url or ''}{path}"
