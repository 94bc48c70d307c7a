"""A withdrawn case is named nowhere within five seconds: not on its own addresses, not in any list, not in the news."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from tests.acting import act, fill_in, ticket_in
from tests.factories import Cast
from tests.linting import LintingClient
from tests.staffing import make_account
from wfr.cases.models import Case, CaseStatus, Kind
from wfr.extensions import db, transaction
from wfr.pages import SHARED_SECONDS
from wfr.pledges.correcting import enter_correction, propose_correction
from wfr.staff.models import Actor, Role

NAME = "Ada Vale"
SECONDS = 5.0

Ask = Callable[[], TestResponse]


def set_status_only(app: Flask, slug: str, status: CaseStatus) -> int:
    """Change the status as another process would: nothing in this one is told. Returns the case's id."""
    with app.app_context():
        with transaction() as session:
            session.execute(update(Case).where(Case.slug == slug).values(status=status))
        found = db.session.scalar(select(Case.id).where(Case.slug == slug))
    assert found is not None
    return found


def own_addresses(visitor: LintingClient, slug: str, ticket: str) -> dict[str, Ask]:
    """Return every way to ask for something of this case alone; `fill_in` is done while it is open."""
    case = f"/cases/{slug}"
    elsewhere = (f"/embed/{slug}", f"/oembed?url=http://127.0.0.1:8000{case}", f"/api/v1/cases/{slug}")
    pages = (case, f"{case}/already", f"{case}/share", *elsewhere)
    asks: dict[str, Ask] = {f"GET {path}": lambda path=path: visitor.get(path) for path in pages}  # type: ignore[misc]
    asks["POST share"] = lambda: visitor.post(f"{case}/share", data={"words": "Write!"})
    for kind in ("letter", "email", "post", "solidarity"):
        path = f"{case}/{kind}"
        form = fill_in(visitor, path, message="Set her free!")
        asks[f"GET {path}"] = lambda path=path: visitor.get(path)  # type: ignore[misc]
        asks[f"POST {path}"] = lambda path=path, form=form: visitor.post(path, data=form)  # type: ignore[misc]
        asks[f"POST {path}/preview"] = lambda path=path, form=form: visitor.post(f"{path}/preview", data=form)  # type: ignore[misc]
        asks[f"htmx {path}/preview"] = lambda path=path, form=form: visitor.post(  # type: ignore[misc]
            f"{path}/preview", data=form, headers={"HX-Request": "true"}
        )
    already = fill_in(visitor, f"{case}/already", kind="letter")
    asks["POST already"] = lambda: visitor.post(f"{case}/already", data=already)
    asks["print letter"] = lambda: visitor.post(f"{case}/letter/print", data={"paper": "A4", "ticket": ticket})
    asks["print card"] = lambda: visitor.post(f"{case}/solidarity/print", data={"paper": "A4"})
    asks["eml"] = lambda: visitor.post(f"{case}/email/message.eml", data={})
    asks["posted"] = lambda: visitor.get(f"/posted/{ticket}")
    asks["mark posted"] = lambda: visitor.post("/posted", data={"ticket": ticket}, headers={"HX-Request": "true"})
    chosen = {"cases": [slug], "paper": "A4", "ticket": ticket}
    asks["several print"] = lambda: visitor.post("/several/print", data=chosen)
    asks["several by hand"] = lambda: visitor.post("/several/handwriting", data=chosen)
    return asks


def lists(visitor: LintingClient, cast: Cast) -> dict[str, Ask]:
    """Return every page of others that may name the case."""
    paths = (
        "/",
        "/several",
        "/stories",
        "/how-we-count",
        "/privacy",
        "/your-sheet",
        "/tally",
        "/tally.json",
        "/metrics",
        "/feed.atom",
        "/calendar.ics",
        "/api/v1/cases",
    )
    asks: dict[str, Ask] = {path: lambda path=path: visitor.get(path) for path in paths}  # type: ignore[misc]
    for other in (cast.long, cast.silent):
        asks[other] = lambda other=other: visitor.get(f"/cases/{other}")  # type: ignore[misc]
        form = fill_in(visitor, f"/cases/{other}/email", message="Set them free!")
        asks[f"thanks {other}"] = lambda other=other, form=form: visitor.post(f"/cases/{other}/email", data=form)  # type: ignore[misc]
    form = fill_in(visitor, "/several", cases=[cast.long])
    asks["several thanks"] = lambda: visitor.post("/several", data=form)
    return asks


def names_it(answer: TestResponse, slug: str) -> bool:
    text = answer.get_data(as_text=True)
    return slug in text or NAME in text


def correct(app: Flask, slug: str) -> None:
    with app.app_context():
        ines, tomas = (Actor(make_account(name, Role.COORDINATOR).id) for name in ("ines", "tomas"))
        case_id = db.session.scalar(select(Case.id).where(Case.slug == slug))
        assert case_id
        made = propose_correction(
            case_id=case_id, kind=Kind.LETTER, country="TG", number=9, reason="For Ada Vale", by=ines
        )
        enter_correction(correction_id=made.id, by=tomas)


def test_within_five_seconds_a_withdrawn_case_is_gone_everywhere(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    ticket = ticket_in(act(visitor, season.tiny))
    correct(app, season.tiny)
    mine, others = own_addresses(visitor, season.tiny, ticket), lists(visitor, season)
    # Everything is warm, and everything that can name the case does.
    assert {name for name, ask in mine.items() if ask().status_code == 410} == set()
    named = {name for name, ask in others.items() if names_it(ask(), season.tiny)}
    listing = {"/", "/several", "/tally", "/tally.json", "/how-we-count", "/feed.atom", "/api/v1/cases"}
    assert listing | {season.silent} <= named

    set_status_only(app, season.tiny, CaseStatus.WITHDRAWN)
    # A shared cache in front may keep what this process gave last for this long.
    ends = time.monotonic() + SECONDS - SHARED_SECONDS
    waiting = {**mine, **others}
    while waiting and time.monotonic() < ends:
        for name, ask in list(waiting.items()):
            answer = ask()
            gone = answer.status_code == 410 if name in mine else not names_it(answer, season.tiny)
            if gone:
                # The address itself may be repeated; what it answers says nothing else of anybody.
                assert NAME not in answer.get_data(as_text=True), name
                del waiting[name]
    assert set(waiting) == set()
    assert {name for name, ask in mine.items() if ask().status_code != 410} == set()
    assert {name for name, ask in others.items() if names_it(ask(), season.tiny)} == set()


@pytest.mark.parametrize("status", [CaseStatus.WITHDRAWN, CaseStatus.PAUSED, CaseStatus.CLOSED])
def test_the_news_says_which_case_is_not_open_by_id_and_nothing_else(
    app: Flask, visitor: LintingClient, season: Cast, status: CaseStatus
) -> None:
    case_id = set_status_only(app, season.tiny, status)
    page = visitor.get("/tally").get_data(as_text=True)
    assert f'<div id="standings" hidden hx-swap-oob="true" data-standings="{case_id}:{status}"></div>' in page
    assert (season.tiny in page) == (status is not CaseStatus.WITHDRAWN)


def test_the_stream_tells_it_too(app: Flask, visitor: LintingClient, season: Cast) -> None:
    answer = visitor.get("/live")
    stream = (chunk.decode() if isinstance(chunk, bytes) else chunk for chunk in answer.response)
    next(event for event in stream if event.startswith("event:"))
    case_id = set_status_only(app, season.tiny, CaseStatus.WITHDRAWN)
    began = time.monotonic()
    event = next(event for event in stream if event.startswith("event:"))
    assert time.monotonic() - began < SECONDS
    assert f'data-standings="{case_id}:withdrawn"' in event and season.tiny not in event
    answer.close()


def test_every_page_about_a_case_says_how_it_was_made_and_listens(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        case_id = db.session.scalar(select(Case.id).where(Case.slug == season.tiny))
    thanks = act(visitor, season.tiny)
    ticket = ticket_in(thanks)
    pages = [visitor.get(f"/cases/{season.tiny}{part}") for part in ("", "/letter", "/post", "/already")]
    for page in (*pages, thanks, visitor.get(f"/posted/{ticket}")):
        text = page.get_data(as_text=True)
        assert text.count(f'data-case="{case_id}" data-standing="open"') == 1
        assert text.count('id="live"') == 1 and text.count("js/live.js") == 1 and text.count("htmx.min.js") == 1


def test_a_paused_cases_page_listens_because_it_may_yet_be_withdrawn(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    set_status_only(app, season.tiny, CaseStatus.PAUSED)
    text = visitor.get(f"/cases/{season.tiny}").get_data(as_text=True)
    assert 'data-standing="paused"' in text and 'id="live"' in text
