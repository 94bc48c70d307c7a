"""The public JSON: what it says, what it leaves out, how it is kept, and that every refusal is JSON too."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from tests.acting import act
from tests.cases.test_public_pages import forget_everything
from tests.factories import Cast, make_case
from tests.linting import LintingClient
from wfr.api.reading import FEWEST_NAMED
from wfr.cases.models import Case, CaseStatus, CaseText
from wfr.cases.queries import today
from wfr.extensions import transaction
from wfr.pages import SHARED_SECONDS
from wfr.pledges.tallying import Change, change_count

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

API = "/api/v1"
NAME = "Ada Vale"


def lists(slug: str) -> tuple[str, ...]:
    return tuple(f"{API}/{path}" for path in ("cases", "tally", "updates", "cases?limit=100", "updates?limit=100"))


def own(slug: str) -> tuple[str, ...]:
    return tuple(f"{API}/cases/{slug}{rest}" for rest in ("", "/tally"))


def change(app: Flask, slug: str, **values: Any) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Case).where(Case.slug == slug).values(**values))
    forget_everything(app)


def count(app: Flask, slug: str, *rows: tuple[str, str, int, int, int], an_hour_later: bool = True) -> None:
    """Add to the counters of a case: kind, country, pledged, taken, simulated."""
    with app.app_context(), transaction() as session:
        case = session.query(Case).filter_by(slug=slug).one()
        for kind, country, *numbers in rows:
            change_count(session, (case.id, kind, country), Change(*numbers))
    forget_everything(app)
    if an_hour_later:
        app.extensions["wfr.kept"].forget("countries")


def test_the_season_is_told(visitor: LintingClient, season: Cast) -> None:
    answer = visitor.get(f"{API}/season").get_json()
    assert answer["slug"] == "test" and answer["state"] == "open" and answer["goal"] == 1000
    assert answer["opens"] < today().isoformat() < answer["closes"] < answer["reports_due"]
    assert answer["demonstration"] is False


def test_a_case_is_told_with_its_words_and_without_sources(visitor: LintingClient, season: Cast) -> None:
    case = visitor.get(f"{API}/cases/{season.tiny}").get_json()
    assert case["name"] == NAME and case["country"] == "TG" and case["country_name"] == "Togo"
    assert case["standing"] == "open" and case["kinds"] == ["letter", "email", "post", "solidarity"]
    assert case["summary"] == "She wrote a poem. She was taken the next day."
    assert case["ask"] == "- Set her free." and case["story"].startswith("Ada wrote a poem.\n\nShe was **taken**")
    assert case["url"].endswith(f"/cases/{season.tiny}") and case["url"].startswith("http://")
    assert case["card"].startswith("http://") and case["card"].endswith(".png")
    assert [(news["dated_as"], news["text"]) for news in case["updates"]] == [("end of June 2021", "She is home.")]


def test_the_note_before_a_story_is_told_without_sources(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context(), transaction() as session:
        session.query(CaseText).update({"content_note": "It tells of torture. [Z1]"})
    assert visitor.get(f"{API}/cases/{season.tiny}").get_json()["content_note"] == "It tells of torture."


def test_lists_come_in_parts_that_name_the_next(visitor: LintingClient, season: Cast) -> None:
    first = visitor.get(f"{API}/cases?limit=2").get_json()
    assert [case["slug"] for case in first["items"]] == [season.tiny, season.long] and first["total"] == 3
    assert first["next"].endswith("/api/v1/cases?limit=2&offset=2")
    last = visitor.get(f"{API}/cases?limit=2&offset=2").get_json()
    assert [case["slug"] for case in last["items"]] == [season.silent] and last["next"] is None


def test_a_part_that_cannot_be_is_refused_and_said_why(visitor: LintingClient, season: Cast) -> None:
    for query in ("limit=0", "limit=101", "limit=many", "offset=-1", "offset=10001", "limit="):
        answer = visitor.get(f"{API}/updates?{query}")
        assert answer.status_code == 422 and answer.mimetype == "application/problem+json", query
        assert list(answer.get_json()["errors"]) == [query.split("=")[0]]


def test_the_tally_adds_up_by_kind_and_by_country_and_names_no_country_of_a_few(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    count(
        app,
        season.tiny,
        ("letter", "PT", FEWEST_NAMED, 4, 2),
        ("email", "PT", 3, 3, 0),
        ("letter", "TG", FEWEST_NAMED - 2, 1, 0),
        ("email", "IS", 1, 0, 0),
    )
    count(app, season.long, ("letter", "TG", 2, 2, 0))
    world = visitor.get(f"{API}/tally").get_json()
    case = visitor.get(f"{API}/cases/{season.tiny}/tally").get_json()
    assert case["countries"] == [{"country": "PT", "pledged": 10}] == world["total"]["countries"]
    assert case["other_countries"] == {"pledged": 12} and world["total"]["other_countries"] == {"pledged": 14}
    for whole in (case, world["total"]):
        for name in ("pledged", "taken", "simulated"):
            assert whole[name] == sum(each[name] for each in whole["kinds"].values())
        by_country = sum(each["pledged"] for each in whole["countries"]) + whole["other_countries"]["pledged"]
        assert whole["pledged"] == by_country
    listed = {each["case"]: each["pledged"] for each in world["cases"]}
    assert listed == {season.tiny: 22, season.long: 2, season.silent: 0}


def countries(visitor: LintingClient, path: str) -> tuple[dict[str, int], int]:
    """Return the countries that a table names, and how many actions come from the others."""
    answer = visitor.get(API + path).get_json()
    table = answer.get("total", answer)
    named = {each["country"]: each["pledged"] for each in table["countries"]}
    return named, table["other_countries"]["pledged"]


def test_no_difference_between_tables_tells_where_one_person_wrote(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    count(app, season.tiny, ("letter", "BY", 40, 0, 0))
    before = countries(visitor, "/tally")
    count(app, season.long, ("letter", "BY", 1, 0, 0))
    assert countries(visitor, "/tally") == ({"BY": 40}, 1) and before == ({"BY": 40}, 0)
    assert countries(visitor, f"/cases/{season.tiny}/tally") == ({"BY": 40}, 0)
    assert countries(visitor, f"/cases/{season.long}/tally") == ({}, 1)
    # Nor do the actions for a case that is not listed.
    count(app, season.silent, ("letter", "BY", 20, 0, 0), ("letter", "IS", 10, 0, 0))
    assert countries(visitor, "/tally") == ({"BY": 60, "IS": 10}, 1)
    change(app, season.silent, feeds=False)
    assert countries(visitor, "/tally") == ({"BY": 40}, 31)


def test_countries_move_in_steps_and_once_an_hour_only_and_still_add_up(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    path = f"/cases/{season.tiny}/tally"
    count(app, season.tiny, ("letter", "PT", 19, 0, 0))
    assert countries(visitor, path) == ({"PT": 10}, 9)
    for number, told in ((1, ({"PT": 10}, 10)), (-11, ({}, 9))):
        count(app, season.tiny, ("letter", "PT", number, 0, 0), an_hour_later=False)
        assert countries(visitor, path) == told == countries(visitor, "/tally")
    count(app, season.tiny, ("letter", "PT", 11, 0, 0))
    assert countries(visitor, path) == ({"PT": 20}, 0)


def test_the_tally_is_that_of_the_pages(app: Flask, visitor: LintingClient, season: Cast) -> None:
    act(visitor, season.tiny)
    act(visitor, season.silent, "email")
    forget_everything(app)
    ours, theirs = visitor.get(f"{API}/tally").get_json(), visitor.get("/tally.json").get_json()
    for kind, number in theirs["total"].items():
        assert ours["total"]["kinds"][kind]["pledged"] == number["pledged"]
    assert {name: ours[name] for name in ("corrections", "parcels")} == {"corrections": 0, "parcels": 0}
    assert ours["total"]["pledged"] == 2 and ours["as_of"].endswith("Z")


@pytest.mark.parametrize("values", [{"feeds": False}, {"status": CaseStatus.PAUSED}], ids=["no consent", "paused"])
def test_what_other_sites_may_not_show_is_in_the_totals_and_nowhere_else(
    app: Flask, visitor: LintingClient, season: Cast, values: dict[str, Any]
) -> None:
    count(app, season.tiny, ("letter", "PT", 30, 0, 0))
    change(app, season.tiny, **values)
    assert {visitor.get(path).status_code for path in own(season.tiny)} == {404}
    for path in lists(season.tiny):
        text = visitor.get(path).get_data(as_text=True)
        assert season.tiny not in text and NAME not in text, path
    assert visitor.get(f"{API}/tally").get_json()["total"]["pledged"] == 30
    assert visitor.get(f"/cases/{season.tiny}").status_code == 200


def test_drafts_are_not_there(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context(), transaction() as session:
        session.add(make_case(None, "eva-moss", "Eva Moss", status=CaseStatus.DRAFT))
    assert visitor.get(f"{API}/cases/eva-moss").status_code == 404
    assert "eva-moss" not in visitor.get(f"{API}/cases").get_data(as_text=True)


def test_a_withdrawn_case_is_gone_and_not_named(app: Flask, visitor: LintingClient, season: Cast) -> None:
    count(app, season.tiny, ("letter", "PT", 30, 0, 0))
    mine, others = own(season.tiny), lists(season.tiny)
    assert {visitor.get(path).status_code for path in mine} == {200}
    assert all(season.tiny in visitor.get(path).get_data(as_text=True) for path in others)

    change(app, season.tiny, status=CaseStatus.WITHDRAWN)
    for path in mine:
        answer = visitor.get(path)
        assert (answer.status_code, answer.mimetype) == (410, "application/problem+json")
        assert NAME not in answer.get_data(as_text=True) and season.tiny not in answer.get_data(as_text=True)
    for path in others:
        text = visitor.get(path).get_data(as_text=True)
        assert season.tiny not in text and NAME not in text, path
    assert visitor.get(f"{API}/tally").get_json()["total"]["pledged"] == 30


def test_no_answer_names_a_targets_mailbox(visitor: LintingClient, season: Cast) -> None:
    paths = [f"{API}/openapi.json", f"{API}/season", *lists(season.tiny)]
    paths += [path for slug in (season.tiny, season.long, season.silent) for path in own(slug)]
    for path in paths:
        answer = visitor.get(path)
        assert answer.status_code == 200 and "@" not in answer.get_data(as_text=True), path


def test_every_answer_is_open_to_all_origins_and_can_be_kept_a_moment(visitor: LintingClient, season: Cast) -> None:
    for path in ("/season", "/cases", "/cases/ada-vale", "/tally", "/updates?limit=5", "/openapi.json"):
        check_answer(visitor, path)


def check_answer(visitor: LintingClient, path: str) -> None:
    answer = visitor.get(API + path, headers={"Origin": "https://paper.example.org"})
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*" and "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-cache" and answer.headers["ETag"]
    assert answer.headers["CDN-Cache-Control"] == f"max-age={SHARED_SECONDS}"
    head = visitor.head(API + path)
    assert head.status_code == 200 and head.data == b"" and head.headers["Access-Control-Allow-Origin"] == "*"


def test_what_has_not_changed_is_not_sent_again(visitor: LintingClient, season: Cast) -> None:
    first = visitor.get(f"{API}/cases")
    again = visitor.get(f"{API}/cases", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"


def test_a_browser_that_asks_first_is_let_through(visitor: LintingClient, season: Cast) -> None:
    asked = {"Origin": "https://paper.example.org", "Access-Control-Request-Method": "GET"}
    for path in ("/cases", "/nowhere"):
        answer = visitor.options(API + path, headers=asked)
        assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == answer.headers["Allow"] == "GET, HEAD, OPTIONS"


REFUSED = (
    ("GET", "/", 404),
    ("GET", "/nowhere/at/all", 404),
    ("GET", "/cases/nobody", 404),
    ("GET", "/cases/nobody/tally", 404),
    ("POST", "/cases", 405),
    ("DELETE", "/cases/ada-vale", 405),
    ("PUT", "/nowhere", 405),
)


def test_every_refusal_is_a_problem_in_json_that_all_origins_may_read(visitor: LintingClient, season: Cast) -> None:
    for method, path, status in REFUSED:
        answer = visitor.open(API + path, method=method)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), path
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.get_json()["status"] == status and answer.get_json()["title"]
        assert ("Allow" in answer.headers) == (status == 405)


def test_other_sites_open_nothing_but_what_is_meant_for_them(visitor: LintingClient, season: Cast) -> None:
    for path in ("/", f"/cases/{season.tiny}", "/how-we-count", "/nowhere"):
        assert "Access-Control-Allow-Origin" not in visitor.get(path).headers, path


def test_before_the_first_season_there_is_none(visitor: LintingClient) -> None:
    assert visitor.get(f"{API}/season").status_code == 404
    assert visitor.get(f"{API}/cases").get_json()["items"] == []
    assert visitor.get(f"{API}/tally").get_json()["total"]["countries"] == []
