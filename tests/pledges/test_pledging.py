"""A promise is recorded once, counted exactly, and says nothing about who made it."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import inspect, select

from tests.acting import act, fill_in, text_of, ticket_in
from tests.factories import Cast
from tests.linting import LintingClient
from wfr.cases.models import Case, Kind
from wfr.extensions import db
from wfr.pledges.models import Pledge, PledgeState
from wfr.pledges.pledging import Promise, mark_taken, pledge, withdraw
from wfr.pledges.tallying import Count, Figures, find_drift, read_figures


@pytest.fixture
def figures(app: Flask, season: Cast) -> Callable[[], Figures]:
    """Return a function that reads the whole tally and first proves that it agrees with the ledger."""

    def read() -> Figures:
        with app.app_context():
            assert find_drift(db.session) == []
            whole = Figures()
            for part in read_figures(db.session).values():
                for kind, count in part.kinds.items():
                    whole.add_kind(kind, count.pledged, count.taken, count.simulated)
            return whole

    return read


def a_promise(app: Flask, slug: str, **changes: object) -> Promise:
    with app.app_context():
        case_id = db.session.scalar(select(Case.id).where(Case.slug == slug))
    values = {
        "id": uuid4(),
        "case_id": case_id,
        "kind": Kind.LETTER,
        "country": "TG",
        "language": "en",
        **changes,
    }
    return Promise(**values)  # type: ignore[arg-type]


def test_a_pledge_is_answered_with_the_thank_you_page_itself(
    visitor: LintingClient, season: Cast, figures: Callable[[], Figures]
) -> None:
    page = act(visitor, season.tiny, name="Ana Ribeiro")
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    assert figures().kinds["letter"] == Count(pledged=1)


def without_codes(text: str) -> str:
    """Return what is read on a page, the codes of its share links left out."""
    return re.sub(r"/s/[0-9a-z]{18}", "/s/", text)


def test_a_double_click_is_one_pledge(visitor: LintingClient, season: Cast, figures: Callable[[], Figures]) -> None:
    path = f"/cases/{season.tiny}/letter"
    form = fill_in(visitor, path)
    first, second = (visitor.post(path, data=form) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    # The links to pass on are new each time: nothing ties them to the pledge.
    assert without_codes(text_of(first)) == without_codes(text_of(second))
    assert figures().pledged == 1


def test_a_hundred_tickets_sent_ten_times_at_once_are_a_hundred_pledges(
    app: Flask, season: Cast, figures: Callable[[], Figures]
) -> None:
    promises = [a_promise(app, season.tiny) for _ in range(100)]

    def send(promise: Promise) -> None:
        with app.app_context():
            pledge([promise])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, promises * 10))
    assert figures().pledged == 100


def test_saying_it_is_done_moves_taken_and_not_pledged(
    app: Flask, season: Cast, figures: Callable[[], Figures]
) -> None:
    promise = a_promise(app, season.tiny)
    with app.app_context():
        pledge([promise])
        for _ in range(3):
            found = mark_taken(promise.id)
            assert found is not None and found.state == PledgeState.TAKEN
    assert figures().kinds["letter"] == Count(pledged=1, taken=1)


@pytest.mark.parametrize("done_first", [False, True])
def test_a_promise_taken_back_is_counted_no_more(
    app: Flask, season: Cast, figures: Callable[[], Figures], done_first: bool
) -> None:
    promise = a_promise(app, season.tiny, simulated=True)
    with app.app_context():
        pledge([promise])
        if done_first:
            mark_taken(promise.id)
        withdraw(promise.id)
        withdraw(promise.id)
        again = mark_taken(promise.id)
        assert again is not None and again.state == PledgeState.WITHDRAWN
    assert figures().kinds["letter"] == Count()


def test_several_promises_are_recorded_all_or_none(app: Flask, season: Cast, figures: Callable[[], Figures]) -> None:
    good = a_promise(app, season.tiny)
    broken = a_promise(app, season.tiny, case_id=999_999)
    with app.app_context(), pytest.raises(Exception, match=r"(?i)foreign key|integrity"):
        pledge([good, broken])
    assert figures().pledged == 0


def test_done_without_a_pledge_is_nothing(app: Flask, season: Cast) -> None:
    with app.app_context():
        assert mark_taken(uuid4()) is None
        assert withdraw(uuid4()) is None


def test_the_ledger_has_no_place_for_a_person(app: Flask) -> None:
    with app.app_context():
        columns = {column["name"] for column in inspect(db.engine).get_columns("pledges")}
    assert columns == {
        "id", "case_id", "kind", "country", "language", "state", "pledged_at", "taken_at", "withdrawn_at", "simulated",
    }  # fmt: skip


def test_personal_lines_are_in_no_table(app: Flask, visitor: LintingClient, season: Cast) -> None:
    act(visitor, season.tiny, name="Zebedee Quux", address="9 Secret Lane", own_words="My heart is blue.")
    with app.app_context():
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(select(table)):
                assert "Quux" not in str(row) and "Secret Lane" not in str(row) and "blue" not in str(row)


def test_ten_letters_in_december_are_one_pledge_each(
    visitor: LintingClient, season: Cast, figures: Callable[[], Figures]
) -> None:
    form = fill_in(visitor, "/several", cases=[season.tiny, season.long])
    for _ in range(2):
        assert visitor.post("/several", data=form).status_code == 200
    assert figures().kinds["letter"].pledged == 2


def test_i_have_already_written_is_pledged_and_done(
    visitor: LintingClient, season: Cast, figures: Callable[[], Figures]
) -> None:
    path = f"/cases/{season.tiny}/already"
    page = visitor.post(path, data=fill_in(visitor, path, kind="solidarity"))
    assert page.status_code == 200
    assert figures().kinds["solidarity"] == Count(pledged=1, taken=1)


def test_opening_the_slips_link_records_nothing_and_its_button_does(
    app: Flask, visitor: LintingClient, season: Cast, figures: Callable[[], Figures]
) -> None:
    ticket = ticket_in(act(visitor, season.tiny))
    assert visitor.get(f"/posted/{ticket}").status_code == 200
    assert figures().taken == 0
    answer = visitor.post("/posted", data={"ticket": ticket})
    assert answer.status_code == 303
    assert visitor.get(answer.headers["Location"]).status_code == 200
    assert figures().taken == 1
    visitor.post("/posted", data={"ticket": ticket, "action": "withdraw"})
    assert figures().pledged == 0


def test_htmx_gets_only_the_part_that_changed(visitor: LintingClient, season: Cast) -> None:
    ticket = ticket_in(act(visitor, season.tiny))
    answer = visitor.post("/posted", data={"ticket": ticket}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert b"<html" not in answer.data and b'id="did-it-go"' in answer.data


def test_country_and_language_are_kept_as_they_were_given(app: Flask, visitor: LintingClient, season: Cast) -> None:
    act(visitor, season.tiny, "email", country="PT")
    with app.app_context():
        (found,) = db.session.scalars(select(Pledge))
        assert (found.kind, found.country, found.language, found.state) == ("email", "PT", "en", "pledged")
