"""The pages of Urgent Actions: what is urgent now, one of them with its earlier issues and its PDF, and at the desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.acting import act, fill_in, text_of
from tests.cases.test_desk_life import WORDS, fields_of
from tests.factories import Cast
from tests.letters.reading import Printed
from tests.linting import LintingClient
from tests.network.urgent import (
    ARABIC,
    LONG,
    People,
    forget,
    issue,
    issued,
    make_people,
    make_urgent,
    publish_words,
    say_outcome,
)
from tests.staffing import colleague
from wfr import paths
from wfr.cases.models import Case, CaseStatus, CaseText
from wfr.cases.queries import ON_SHELF_AFTER_END, shelf, today
from wfr.extensions import db, utc_now
from wfr.network import issuing
from wfr.network.demonstrating import load_urgent_actions, read_urgent_file
from wfr.network.models import UrgentIssue
from wfr.pledges.simulating import load_demonstration
from wfr.staff.models import Role

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PAGE = "/urgent-actions/ada-vale"
FOR_USE = ("Model letter", "Dear Minister,", "Ministry of Justice", "Embassy of Togo", "Preferred languages")
"""What stands on the page only while one can act."""
ADDRESSES = (PAGE, f"{PAGE}.pdf", f"{PAGE}/1", f"{PAGE}/2", "/cases/ada-vale")


@pytest.fixture
def people(app: Flask) -> People:
    """Three people at the desk."""
    with app.app_context():
        return make_people()


@pytest.fixture
def urgent(app: Flask, people: People) -> People:
    """Ada Vale's Urgent Action: a First UA, and a Second UA with other words."""
    with app.app_context():
        case = make_urgent(people, number="UA 12/26")
        issue(people.reviewer, "ada-vale")
        case = db.session.get_one(Case, case.id)
        case.texts[0].headline = "Moved to another prison"
        db.session.commit()
        publish_words(people, case)
        issuing.begin_issue(by=people.writer, slug="ada-vale")
        issue(people.reviewer, "ada-vale", 2)
    forget(app)
    return people


@pytest.fixture
def change(app: Flask) -> Callable[..., None]:
    """Change a case where it is stored, and let visitors see it at once."""

    def change(slug: str = "ada-vale", **values: Any) -> None:
        with app.app_context():
            case = db.session.query(Case).filter(Case.slug == slug).one()
            for name, value in values.items():
                setattr(case, name, value)
            db.session.commit()
        forget(app)

    return change


def test_one_page_says_it_all_in_the_layout_that_activists_know(
    app: Flask, visitor: LintingClient, urgent: People
) -> None:
    page = visitor.get(PAGE)
    words = text_of(page)
    assert page.headers["CDN-Cache-Control"] == "max-age=2"
    order = [
        "Second UA 12/26",
        "Country Togo",
        "Urgent Action : Ada Vale",
        "Moved to another prison",
        "Take action",
        "Write before",
        "21 days left",
        "Write a letter",
        "What we ask",
        "Model letter",
        "Dear Minister,",
        "who is held for a poem. [your own sentence] I ask you",
        "Yours sincerely,",
        "Ministry of Justice",
        "Copies to: the embassy of Togo in your country",
        "Embassy of Togo, 1 Long Street",
        "Preferred languages French, English.",
        "Additional information",
        "All issues First UA",
    ]
    places = [words.find(part) for part in order]
    assert -1 not in places and places == sorted(places), list(zip(order, places, strict=True))
    html = page.get_data(as_text=True)
    for kind in ("letter", "email", "post"):
        assert f'href="/cases/ada-vale/{kind}"' in html
    assert "/cases/ada-vale/solidarity" not in html and "{person}" not in html and "Z1" not in words
    assert visitor.get(f"{PAGE}/2").headers["Location"] == PAGE


def test_an_earlier_issue_says_what_it_said_and_that_it_is_no_longer_current(
    visitor: LintingClient, urgent: People
) -> None:
    words = text_of(visitor.get(f"{PAGE}/1"))
    assert "Held for a poem about a river" in words and "Moved to another prison" not in words
    assert "It is no longer current: please do not act on it." in words and "Take action" not in words
    assert "What we ask" in words and not [part for part in FOR_USE if part in words]
    for address in (f"{PAGE}/3", f"{PAGE}/0", "/urgent-actions/nobody", "/urgent-actions/nobody.pdf"):
        assert visitor.get(address).status_code == 404


def test_a_name_that_was_changed_is_said_and_found_nowhere_any_more(
    app: Flask, visitor: LintingClient, urgent: People
) -> None:
    search = "/urgent-actions/archive?q="
    assert "2 issues" in text_of(visitor.get(f"{search}vale"))
    assert "1 issue" in text_of(visitor.get(f"{search}prison")) and "river" in text_of(visitor.get(f"{PAGE}/1"))
    with app.app_context():
        case = db.session.query(Case).one()
        case.name = "A young poet"
        db.session.commit()
        publish_words(urgent, case)
    forget(app)
    page = visitor.get(f"{PAGE}/1")
    words = text_of(page)
    assert "First UA 12/26" in words and "A young poet" in words and "Its words are no longer shown." in words
    assert "Vale" not in page.get_data(as_text=True) and "river" not in words and f'href="{PAGE}"' in page.text
    assert "Nothing was found" in text_of(visitor.get(f"{search}vale"))
    assert "Nothing was found" in text_of(visitor.get(f"{search}prison"))
    for known in ("young+poet", "UA+12/26", "AFR+57"):
        assert "A young poet" in text_of(visitor.get(search + known))
    with app.app_context():
        issuing.begin_issue(by=urgent.writer, slug="ada-vale")
        issue(urgent.reviewer, "ada-vale", 3)
    forget(app)
    assert "1 issue" in text_of(visitor.get(f"{search}prison"))


def test_a_case_has_no_such_page_before_its_first_ua_is_issued(
    app: Flask, visitor: LintingClient, people: People, season: Cast
) -> None:
    with app.app_context():
        make_urgent(people, "nadia-reed", "Nadia Reed")
    forget(app)
    assert visitor.get("/cases/nadia-reed").status_code == 200
    for slug in ("nadia-reed", season.tiny):
        assert visitor.get(f"/urgent-actions/{slug}").status_code == 404
        assert visitor.get(f"/urgent-actions/{slug}.pdf").status_code == 404
    assert "Nadia Reed" not in text_of(visitor.get("/urgent-actions"))


def test_people_act_for_it_as_for_any_case(app: Flask, visitor: LintingClient, urgent: People) -> None:
    assert act(visitor, "ada-vale", "letter").status_code == 200
    assert act(visitor, "ada-vale", "email").status_code == 200
    forget(app)
    assert "2 actions pledged so far" in text_of(visitor.get(PAGE))
    assert visitor.get("/several").status_code == 200 and visitor.get("/schools/pack").status_code == 200
    assert [case["slug"] for case in visitor.get("/api/v1/cases").get_json()["items"]] == ["ada-vale"]
    assert visitor.get("/embed/ada-vale").status_code == 200


ENDS = {
    "expired": ({"deadline": today() - timedelta(days=1)}, "This Urgent Action has expired"),
    "closed": ({"status": CaseStatus.CLOSED}, "No further action is requested."),
    "paused": ({"status": CaseStatus.PAUSED}, "Please do not write for it now."),
    "consent": ({"consent_ends": today() - timedelta(days=1)}, "Please do not write for it now."),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_cannot_be_acted_on_has_no_form_no_print_and_no_mail(
    visitor: LintingClient, urgent: People, change: Callable[..., None], end: str
) -> None:
    path = "/cases/ada-vale/letter"
    fields = fill_in(visitor, path)
    values, words = ENDS[end]
    change(**values)
    page = visitor.get(PAGE)
    assert page.status_code == 200 and words in text_of(page)
    html = page.get_data(as_text=True)
    assert 'href="/cases/ada-vale/letter"' not in html and ".pdf" not in html and "days left" not in html
    assert "Additional information" in text_of(page) and not [part for part in FOR_USE if part in text_of(page)]
    assert visitor.get(f"{PAGE}.pdf").status_code == 410
    for kind in ("letter", "email", "post"):
        assert visitor.get(f"/cases/ada-vale/{kind}").status_code == 410
        assert visitor.post(f"/cases/ada-vale/{kind}", data=fields).status_code == 410
    assert visitor.post(f"{path}/print", data=fields).status_code == 410
    assert visitor.post("/cases/ada-vale/email/message.eml", data=fields).status_code == 410
    assert "Ada Vale" not in text_of(visitor.get("/urgent-actions"))
    assert visitor.get(f"{PAGE}/1").status_code == 200


def test_what_is_withdrawn_is_gone_at_every_address_and_named_at_none(
    visitor: LintingClient, urgent: People, change: Callable[..., None]
) -> None:
    assert all(visitor.get(address).status_code in (200, 302) for address in ADDRESSES)
    change(status=CaseStatus.WITHDRAWN)
    for address in ADDRESSES:
        page = visitor.get(address)
        assert page.status_code == 410 and "Ada" not in page.get_data(as_text=True)
    for address in ("/", "/urgent-actions", "/urgent-actions/archive", "/urgent-actions/archive?q=ada"):
        page = visitor.get(address)
        assert page.status_code == 200 and "Ada" not in page.get_data(as_text=True).replace("q=ada", "")
    assert b"Ada" not in visitor.get("/urgent-actions.atom").data


def test_an_outcome_is_said_first_and_nothing_is_asked_any_more(
    app: Flask, visitor: LintingClient, urgent: People
) -> None:
    with app.app_context():
        say_outcome(urgent, db.session.query(Case).one())
        issuing.begin_issue(by=urgent.writer, slug="ada-vale", outcome=True)
        issue(urgent.reviewer, "ada-vale", 3)
    forget(app)
    words = text_of(visitor.get(PAGE))
    assert words.index("No further action is requested") < words.index("She is at home by her river.")
    assert "Model letter" not in words and "Preferred languages" not in words
    assert "Outcome: no further action" in words and visitor.get(f"{PAGE}.pdf").status_code == 410
    assert "no further action" in text_of(visitor.get("/cases/ada-vale"))


def test_the_list_begins_with_what_comes_first(app: Flask, visitor: LintingClient, people: People) -> None:
    with app.app_context():
        days = {"omar-sand": 9, "nadia-reed": 0, "ada-vale": 1, "long": 30, "late": -1}
        for slug, left in days.items():
            make_urgent(people, slug, LONG if slug == "long" else slug.title(), deadline=today() + timedelta(days=9))
            issue(people.reviewer, slug)
            case = db.session.query(Case).filter(Case.slug == slug).one()
            case.deadline = today() + timedelta(days=left)
            db.session.commit()
    forget(app)
    page = visitor.get("/urgent-actions").get_data(as_text=True)
    shown = re.findall(r'href="/urgent-actions/([a-z-]+)"', page)
    assert [slug for slug in shown if slug in days] == ["nadia-reed", "ada-vale", "omar-sand", "long"]
    assert "Today: send it now" in page and "1 day left" in page and "9 days left" in page
    home = visitor.get("/").get_data(as_text=True)
    assert home.count('class="ua-row ') == 3 and LONG not in home and "Urgent now" in home


def test_nothing_urgent_leaves_the_home_page_as_it_was(visitor: LintingClient, season: Cast) -> None:
    page = visitor.get("/").get_data(as_text=True)
    assert "Urgent now" not in page and "urgent.css" not in page
    assert "Nothing is urgent just now." in text_of(visitor.get("/urgent-actions"))


def test_the_page_of_a_case_leads_to_its_urgent_action(visitor: LintingClient, urgent: People) -> None:
    page = visitor.get("/cases/ada-vale")
    assert "Second UA 12/26 Write before" in text_of(page)
    assert text_of(page).count("Write before") == 2 and "Write by" not in text_of(page)
    assert f'href="{PAGE}.pdf"' in page.get_data(as_text=True)


def test_an_urgent_action_is_no_case_of_the_season(
    app: Flask, visitor: LintingClient, season: Cast, people: People
) -> None:
    with app.app_context():
        make_urgent(people, "lena-brook", "Lena Brook")
        issue(people.reviewer, "lena-brook")
    forget(app)
    with app.app_context():
        assert "lena-brook" not in [case.slug for case in shelf().featured()]
    assert 'class="ua-strip"' not in visitor.get(f"/cases/{season.tiny}").get_data(as_text=True)
    sheet = visitor.get("/").get_data(as_text=True).partition('class="stamp-sheet"')[2]
    assert "Lena Brook" not in sheet


def test_what_was_over_long_ago_is_found_though_it_is_not_on_the_shelf(
    app: Flask, visitor: LintingClient, urgent: People, change: Callable[..., None]
) -> None:
    long_ago = utc_now() - ON_SHELF_AFTER_END - timedelta(days=2)
    with app.app_context():
        case_id = db.session.query(Case.id).scalar()
    for values in ({"status": CaseStatus.CLOSED, "status_at": long_ago}, {"status": CaseStatus.PUBLISHED}):
        change(**values, deadline=long_ago.date())
        with app.app_context():
            assert "ada-vale" not in shelf().cases and shelf().by_id(case_id).name == "Ada Vale"
        assert "expired" in text_of(visitor.get(PAGE)) or "No further action" in text_of(visitor.get(PAGE))
        assert visitor.get("/cases/ada-vale/letter").status_code == 410
        assert 'data-standings=""' in visitor.get("/tally").get_data(as_text=True)
    change(status=CaseStatus.WITHDRAWN)
    assert all(visitor.get(address).status_code == 410 for address in ADDRESSES)
    change(status=CaseStatus.DRAFT)
    assert visitor.get("/cases/ada-vale").status_code == 404
    # What was closed a moment ago stays, however long it is past its day: open pages are told.
    change(status=CaseStatus.CLOSED, status_at=utc_now())
    assert f"{case_id}:closed" in visitor.get("/tally").get_data(as_text=True)


def test_strangers_slugs_do_not_fill_the_memory(app: Flask, visitor: LintingClient, urgent: People) -> None:
    for number in range(260):
        assert visitor.get(f"/cases/nobody-{number}").status_code == 404
    names = [name for name in app.extensions["wfr.kept"]._entries if name.startswith("apart ")]
    assert len(names) <= 201


@pytest.mark.parametrize(
    ("name", "language"), [("Bo", "en"), (LONG, "en"), (ARABIC, "ar")], ids=["short", "long", "arabic"]
)
def test_it_prints_on_a4_and_letter(
    app: Flask, visitor: LintingClient, people: People, name: str, language: str
) -> None:
    with app.app_context():
        case = make_urgent(people, name=name, number="UA 12/26")
        if language != "en":
            for part in ("headline", "summary", "story", "ask", "letter"):
                setattr(case.texts[0], part, "احتجزت بسبب قصيدة عن النهر.")
            case.texts[0].language = language
            db.session.commit()
            publish_words(people, case)
        issue(people.reviewer, "ada-vale")
    forget(app)
    answer = visitor.get(f"{PAGE}.pdf")
    assert answer.mimetype == "application/pdf" and answer.headers["CDN-Cache-Control"] == "max-age=2"
    printed = Printed(answer.data)
    assert printed.size(0) == (595.3, 841.9) and len(printed.texts) <= 3
    assert printed.pdf.Root.MarkInfo.Marked and str(printed.pdf.Root.Lang) == language
    assert printed.codes(0) == ["http://127.0.0.1:8000/urgent-actions/ada-vale"]
    if language == "en":
        flat = " ".join(" ".join(printed.texts).split())
        for words in (
            "First UA: 12/26",
            "URGENT ACTION",
            name.upper(),
            "[your own sentence]",
            "ADDITIONAL INFORMATION",
        ):
            assert words in flat
    letter = Printed(visitor.get(f"{PAGE}.pdf?paper=Letter").data)
    assert letter.size(0) == (612.0, 792.0)


def test_the_pdf_changes_with_the_words(app: Flask, visitor: LintingClient, urgent: People) -> None:
    assert "Moved to another prison" in " ".join(Printed(visitor.get(f"{PAGE}.pdf").data).texts[0].split())
    with app.app_context():
        db.session.query(CaseText).one().headline = "Moved back"
        db.session.commit()
    app.extensions["wfr.kept"].forget("shelf")
    app.extensions["wfr.page_cache"].forget()
    assert "Moved back" in " ".join(Printed(visitor.get(f"{PAGE}.pdf").data).texts[0].split())


def test_the_demonstration_has_an_invented_one_whose_days_move(app: Flask, visitor: LintingClient) -> None:
    with app.app_context():
        load_urgent_actions()
        assert db.session.query(UrgentIssue).count() == 0
        load_demonstration(paths.DEMO, simulated=False)
        for _ in range(2):
            load_urgent_actions()
        assert [each.ordinal for each in db.session.query(UrgentIssue).order_by(UrgentIssue.ordinal)] == [1, 2]
        db.session.query(UrgentIssue).filter(UrgentIssue.ordinal == 2).one().write_before = today() - timedelta(
            days=400
        )
        load_urgent_actions()
        second = issued("iria-noor", 2)
        assert second.write_before == db.session.query(Case).filter(Case.slug == "iria-noor").one().deadline
        assert second.document is not None and set(second.document["texts"]) == {"en", "es"}
    forget(app)
    for address in ("/urgent-actions/iria-noor", "/urgent-actions/iria-noor/1", "/cases/iria-noor"):
        assert "This person is invented" in text_of(visitor.get(address))
    first, second = (
        Printed(visitor.get(a).data) for a in (f"/urgent-actions/iria-noor.pdf{q}" for q in ("", "?paper=Letter"))
    )
    assert "DEMONSTRATION, DO NOT SEND" in first.texts[0] and len(first.texts) == len(second.texts) == 2


def test_what_the_desk_changes_of_the_demonstration_stays(app: Flask, people: People) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        load_urgent_actions()
        second = issued("iria-noor", 2)
        before, second.index_number = second.issued_on, "the desk's own"
        case = db.session.query(Case).filter(Case.slug == "iria-noor").one()
        case.status = CaseStatus.CLOSED
        db.session.commit()
        load_urgent_actions()
        assert (issued("iria-noor", 2).issued_on, issued("iria-noor", 2).index_number) == (before, "the desk's own")
        file = read_urgent_file(paths.DEMO / "urgent" / "iria-noor.toml", today())
        assert file.document.name == "Iria Noor" and file.document.country == "AQ"


DESK = "/desk/urgent-actions"


def test_two_people_bring_an_urgent_action_from_its_first_word_to_its_issue(app: Flask, visitor: LintingClient) -> None:
    writer, reviewer, coordinator = (colleague(app, role.value, role) for role in Role)
    day = (today() + timedelta(days=14)).isoformat()
    begun = {
        "name": "Nadia Reed", "slug": "nadia-reed", "number": "UA 12/26", "country": "TG", "language": "en",
        "concern": "expression", "write_before": day,
    }  # fmt: skip
    refused = writer.send(DESK, **{**begun, "slug": "No!", "concern": "", "write_before": ""})
    assert refused.status_code == 422 and "There is a problem" in text_of(refused)
    assert "Give the day to write before." in text_of(refused)
    assert writer.send(DESK, **begun).headers["Location"] == "/desk/cases/nadia-reed/edit"
    assert writer.send(DESK, **begun).status_code == 422
    words = text_of(writer.get(f"{DESK}/nadia-reed"))
    assert "Issue it: First UA" in words and "The case is not public" in words
    write_case(writer, day)
    publish_case(writer, reviewer, coordinator)
    assert writer.send(f"{DESK}/nadia-reed/issues/1", index_number="AFR 57/0001/2026", write_before=day,
                       concern="torture").status_code == 303  # fmt: skip
    page = reviewer.get(f"{DESK}/nadia-reed")
    assert "version no. 1" in text_of(page) and "Issue it now" not in text_of(writer.get(f"{DESK}/nadia-reed"))
    seen = re.search(r'name="seen" value="([^"]+)"', page.get_data(as_text=True))
    assert seen is not None
    assert writer.send(f"{DESK}/nadia-reed/issues/1/issue", seen=seen[1]).status_code == 403
    assert reviewer.send(f"{DESK}/nadia-reed/issues/1/issue", seen="old").status_code == 409
    assert visitor.get("/urgent-actions/nadia-reed").status_code == 404
    assert reviewer.send(f"{DESK}/nadia-reed/issues/1/issue", seen=seen[1]).status_code == 303
    forget(app)
    assert "First UA 12/26" in text_of(visitor.get("/urgent-actions/nadia-reed"))
    words = text_of(reviewer.get(f"{DESK}/nadia-reed"))
    assert "Begin the outcome" in words and "Its mailing" in words
    assert writer.send(f"{DESK}/nadia-reed/issues", sort="outcome").status_code == 303
    assert "no update of the kind" in text_of(reviewer.get(f"{DESK}/nadia-reed"))
    assert writer.send(f"{DESK}/nadia-reed/issues", sort="update").status_code == 409
    assert "Outcome: no further action" in text_of(writer.get(DESK))
    for address in (f"{DESK}/nobody", f"{DESK}/nobody/issues"):
        assert (writer.get if address.endswith("nobody") else writer.send)(address).status_code == 404


def write_case(writer: Any, day: str) -> None:
    path = "/desk/cases/nadia-reed/edit"
    target = {
        "targets-0-office": "Minister of Justice",
        "targets-0-salutation": "Dear Minister,",
        "targets-0-address_lines": "1 River Road\nLomé",
        "targets-0-source_tags": "S1",
    }
    steps: list[dict[str, str]] = [
        {"do": "targets.add"},
        {"do": "sources.add"},
        {
            **{name.replace("__", "-"): value for name, value in WORDS.items()},
            **target,
            "sources-0-title": "A test",
            "kinds": "letter",
        },
    ]
    for step in steps:
        page = writer.get(f"{path}?language=en").get_data(as_text=True)
        assert writer.send(path, **{**fields_of(page), **step}).status_code in (200, 303)


def publish_case(writer: Any, reviewer: Any, coordinator: Any) -> None:
    case = "/desk/cases/nadia-reed"
    revision = fields_of(writer.get(f"{case}/edit").get_data(as_text=True))["revision"][0]
    assert writer.send(f"{case}/submit", revision=revision).status_code == 303
    consent = {
        "given_by": "family", "name": "Nadia Reed", "story": "y", "feeds": "y", "kinds": "letter",
        "ends": (today() + timedelta(days=100)).isoformat(), "checked_on": today().isoformat(), "evidence": "file 12",
    }  # fmt: skip
    assert writer.send(f"{case}/consent", **consent).status_code == 303
    assert reviewer.send(f"{case}/approve", number="1", sources_seen="y").status_code == 303
    assert coordinator.send(f"{case}/publish", number="1").status_code == 303
