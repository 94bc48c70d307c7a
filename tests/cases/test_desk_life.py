"""The life of a case at the desk, as its pages let three colleagues live it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from tests.acting import text_of
from tests.cases.test_public_pages import forget_everything
from tests.factories import LETTER, Cast
from tests.linting import XHTML, LintingClient, read_page
from tests.staffing import CSRF, Colleague, colleague
from wfr.cases.models import CaseStatus, CaseVersion, VersionState
from wfr.cases.publishing import keep_hours
from wfr.cases.queries import today
from wfr.extensions import db
from wfr.staff.models import Role

CASE = "/desk/cases/nadia-reed"


def fields_of(page: str, form_id: str = "editor") -> dict[str, Any]:
    """Return what sending a page's form as it stands would send."""
    form = next(form for form in read_page(page).iter(f"{XHTML}form") if form.get("id") == form_id)
    fields: dict[str, Any] = {}
    for control in form.iter():
        name = control.get("name")
        value = _value(control) if name else None
        if name and value is not None:
            fields.setdefault(name, []).append(value)
    return {**fields, "csrf_token": CSRF.findall(page)[:1]}


def _value(control: ET.Element) -> str | None:
    kind = str(control.tag).removeprefix(XHTML)
    if kind == "textarea":
        return "".join(control.itertext())
    if kind == "select":
        options = list(control.iter(f"{XHTML}option"))
        chosen = [option for option in options if option.get("selected") is not None] or options[:1]
        return chosen[0].get("value") or "" if chosen else None
    if kind == "input":
        ticked = control.get("type") not in ("radio", "checkbox") or control.get("checked") is not None
        return (control.get("value") or "") if ticked else None
    return None


def write(who: Colleague, path: str = CASE, *, language: str = "en", **changes: Any) -> Any:
    """Open the editor, change fields of it (``text__story`` for ``text-story``) and press a button or save."""
    page = who.get(f"{path}/edit?language={language}").get_data(as_text=True)
    changes = {name.replace("__", "-"): value for name, value in changes.items()}
    return who.send(f"{path}/edit", **{**fields_of(page), **changes})


WORDS = {
    "text__headline": "Held for a song",
    "text__summary": "She sang. [S1]",
    "text__story": "She sang a **song**. [S1]",
    "text__ask": "- Set her free. [S1]",
    "text__letter": LETTER,
    "text__letter_close": "Yours sincerely,",
    "text__email_subject": "Please set Nadia Reed free",
}


@pytest.fixture
def desk(app: Flask, season: Cast) -> dict[str, Colleague]:
    """A writer, a reviewer, a coordinator, and a season that has begun."""
    return {role.value: colleague(app, role.value, role) for role in Role}


@pytest.fixture
def begun(desk: dict[str, Colleague]) -> dict[str, Colleague]:
    """A case whose draft is whole."""
    writer = desk["writer"]
    answer = writer.send("/desk/cases", name="Nadia Reed", slug="nadia-reed", country="TG", season="0", language="en")
    assert answer.headers["Location"] == f"{CASE}/edit"
    write(writer, do="targets.add")
    write(writer, do="sources.add")
    target = {
        "targets-0-office": "Minister of Justice",
        "targets-0-salutation": "Dear Minister,",
        "targets-0-address_lines": "1 River Road\nLomé",
        "targets-0-source_tags": "S1",
    }
    assert write(writer, kinds="letter", **WORDS, **target, **{"sources-0-title": "A test"}).status_code == 303
    return desk


def revision_of(who: Colleague) -> str:
    return str(fields_of(who.get(f"{CASE}/edit").get_data(as_text=True))["revision"][0])


def hand_in(who: Colleague) -> Any:
    return who.send(f"{CASE}/submit", revision=revision_of(who))


def agree(who: Colleague, **changes: Any) -> Any:
    given = {
        "given_by": "family",
        "name": "Nadia Reed",
        "story": "y",
        "kinds": "letter",
        "ends": (today() + timedelta(days=100)).isoformat(),
        "checked_on": today().isoformat(),
        "evidence": "file 12",
    }
    return who.send(f"{CASE}/consent", **{**given, **changes})


def published(desk: dict[str, Colleague], number: int = 1) -> Any:
    hand_in(desk["writer"])
    agree(desk["writer"])
    desk["reviewer"].send(f"{CASE}/approve", number=number, sources_seen="y")
    return desk["coordinator"].send(f"{CASE}/publish", number=number)


def test_a_case_goes_from_its_first_word_to_visitors(
    app: Flask, begun: dict[str, Colleague], visitor: LintingClient
) -> None:
    writer, reviewer, coordinator = begun["writer"], begun["reviewer"], begun["coordinator"]
    assert "The draft is whole" in text_of(writer.get(CASE))
    assert hand_in(writer).status_code == 303
    assert "Review it" in text_of(reviewer.get(CASE))
    assert "consent is recorded." in text_of(reviewer.get(f"{CASE}/review"))
    reviewer.send(f"{CASE}/ask-for-change", number="1", note="Say which song.")
    assert "Say which song." in text_of(writer.get("/desk/"))
    writer.send(f"{CASE}/draft")
    write(writer, text__story="She sang a song of the river. [S1]")
    hand_in(writer)
    assert reviewer.send(f"{CASE}/approve", number="2").status_code == 303
    assert "consent is recorded." in text_of(coordinator.get(CASE))
    assert coordinator.send(f"{CASE}/publish", number="2").status_code == 409
    assert agree(writer).status_code == 303
    assert visitor.get("/cases/nadia-reed").status_code == 404
    assert coordinator.send(f"{CASE}/publish", number="2").status_code == 303
    forget_everything(app)
    assert "song of the river" in text_of(visitor.get("/cases/nadia-reed"))


def test_who_has_written_cannot_approve_not_even_by_hand(begun: dict[str, Colleague]) -> None:
    reviewer = begun["reviewer"]
    write(reviewer, text__headline="Held for one song")
    hand_in(begun["writer"])
    assert "somebody else must approve it" in text_of(reviewer.get(CASE))
    assert "Approve it" not in text_of(reviewer.get(f"{CASE}/review"))
    assert reviewer.send(f"{CASE}/approve", number="1", sources_seen="y").status_code == 403
    assert begun["writer"].send(f"{CASE}/approve", number="1").status_code == 403
    assert begun["coordinator"].send(f"{CASE}/approve", number="1").status_code == 303


def test_visitors_read_the_old_version_until_the_new_one_is_published(
    app: Flask, begun: dict[str, Colleague], visitor: LintingClient
) -> None:
    assert published(begun).status_code == 303
    begun["writer"].send(f"{CASE}/draft")
    write(begun["writer"], text__headline="Held for a second song")
    hand_in(begun["writer"])
    page = begun["reviewer"].get(f"{CASE}/review").get_data(as_text=True)
    assert "<ins>" in page and "taken out:" not in page
    begun["reviewer"].send(f"{CASE}/approve", number="2")
    forget_everything(app)
    assert "Held for a song" in text_of(visitor.get("/cases/nadia-reed"))
    begun["coordinator"].send(f"{CASE}/publish", number="2")
    forget_everything(app)
    assert "Held for a second song" in text_of(visitor.get("/cases/nadia-reed"))


def test_publishing_needs_a_fresh_code_and_withdrawing_never_does(
    app: Flask, begun: dict[str, Colleague], visitor: LintingClient
) -> None:
    stale = colleague(app, "stale", Role.COORDINATOR, fresh=False)
    hand_in(begun["writer"])
    agree(begun["writer"])
    begun["reviewer"].send(f"{CASE}/approve", number="1")
    asked = stale.send(f"{CASE}/publish", number="1")
    assert asked.status_code == 403 and "A fresh code, please" in text_of(asked)
    begun["coordinator"].send(f"{CASE}/publish", number="1")
    forget_everything(app)
    assert visitor.get("/cases/nadia-reed").status_code == 200
    assert stale.send(f"{CASE}/withdraw", reason="She is in danger.").status_code == 303
    forget_everything(app)
    assert visitor.get("/cases/nadia-reed").status_code == 410


def test_a_withdrawn_case_comes_back_by_two_people_and_paused(app: Flask, begun: dict[str, Colleague]) -> None:
    published(begun)
    reviewer, coordinator = begun["reviewer"], begun["coordinator"]
    assert "Withdraw now" in text_of(reviewer.get(CASE))
    assert "Withdraw now" not in text_of(begun["writer"].get(CASE))
    reviewer.send(f"{CASE}/withdraw", reason="A threat.")
    coordinator.send(f"{CASE}/ask-return")
    assert coordinator.send(f"{CASE}/agree-return").status_code == 403
    second = colleague(app, "second", Role.COORDINATOR)
    assert "asks to bring it back" in text_of(second.get(CASE))
    assert second.send(f"{CASE}/agree-return").status_code == 303
    assert "Let it go on" in text_of(coordinator.get(CASE))
    assert coordinator.send(f"{CASE}/resume").status_code == 303


def test_a_case_is_paused_by_a_reviewer_with_a_reason(begun: dict[str, Colleague]) -> None:
    published(begun)
    assert begun["reviewer"].send(f"{CASE}/pause", reason="").status_code == 409
    assert begun["writer"].send(f"{CASE}/pause", reason="No").status_code == 403
    assert begun["reviewer"].send(f"{CASE}/pause", reason="We are checking.").status_code == 303
    assert "We are checking." in text_of(begun["writer"].get(CASE))
    assert begun["coordinator"].send(f"{CASE}/close", reason="She is free.").status_code == 303


def test_a_publication_waits_for_its_hour_and_can_be_called_off(app: Flask, begun: dict[str, Colleague]) -> None:
    hand_in(begun["writer"])
    agree(begun["writer"])
    begun["reviewer"].send(f"{CASE}/approve", number="1")
    coordinator, tomorrow = begun["coordinator"], (today() + timedelta(days=1)).isoformat()
    past = coordinator.send(f"{CASE}/publish", number="1", on="2020-01-01", at="09:00")
    assert past.status_code == 409 and "has passed" in text_of(past)
    assert coordinator.send(f"{CASE}/publish", number="1", on="soon").status_code == 409
    assert coordinator.send(f"{CASE}/publish", number="1", on=tomorrow, at="09:00").status_code == 303
    assert "Goes public" in text_of(begun["writer"].get(CASE))
    with app.app_context():
        keep_hours()
        assert db.session.query(CaseVersion).one().state == VersionState.APPROVED
    assert coordinator.send(f"{CASE}/unschedule").status_code == 303
    assert "Publish it now" in text_of(coordinator.get(CASE))


def test_closing_can_be_set_for_later(begun: dict[str, Colleague]) -> None:
    published(begun)
    tomorrow = (today() + timedelta(days=1)).isoformat()
    assert begun["coordinator"].send(f"{CASE}/close", on=tomorrow, at="12:00").status_code == 303
    assert "It closes by itself" in text_of(begun["coordinator"].get(CASE))


def test_any_version_can_be_looked_at_and_gone_back_to(begun: dict[str, Colleague]) -> None:
    published(begun)
    writer = begun["writer"]
    writer.send(f"{CASE}/draft")
    write(writer, text__headline="Held for another song")
    page = writer.get(f"{CASE}/versions/2")
    assert "taken out" in text_of(page) and "another" in text_of(page)
    assert writer.get(f"{CASE}/versions/2?against=0").status_code == 200
    assert writer.get(f"{CASE}/versions/9").status_code == 404
    assert writer.send(f"{CASE}/revert", number="1").status_code == 303
    assert "Held for a song" in writer.get(f"{CASE}/edit").get_data(as_text=True)


def test_taking_back_from_review_lets_writing_go_on(begun: dict[str, Colleague]) -> None:
    writer = begun["writer"]
    hand_in(writer)
    assert writer.get(f"{CASE}/edit").status_code == 409
    assert writer.send(f"{CASE}/take-back").status_code == 303
    assert writer.send(f"{CASE}/draft").headers["Location"] == f"{CASE}/edit"
    assert writer.get(f"{CASE}/review").status_code == 409


def test_consent_says_what_is_wrong_and_can_be_taken_back(app: Flask, begun: dict[str, Colleague]) -> None:
    writer = begun["writer"]
    assert agree(writer, evidence="call +44 20 7946 0000").status_code == 422
    late = agree(writer, ends=(today() - timedelta(days=1)).isoformat())
    assert late.status_code == 422 and "Look at the dates" in text_of(late)
    assert agree(writer, ends="never").status_code == 422
    published(begun)
    assert writer.send(f"{CASE}/consent/revoke").status_code == 403
    begun["reviewer"].send(f"{CASE}/consent/revoke")
    assert "taken back" in text_of(writer.get(f"{CASE}/consent"))
    assert "Paused" in text_of(writer.get(CASE))


@pytest.mark.parametrize("path", ["", "/edit", "/consent", "/review", "/versions/1"])
def test_a_case_that_is_not_there_is_404(desk: dict[str, Colleague], path: str) -> None:
    assert desk["writer"].get(f"/desk/cases/nobody{path}").status_code == 404


def test_a_case_from_a_file_is_changed_by_beginning_a_draft(desk: dict[str, Colleague], season: Cast) -> None:
    writer, path = desk["writer"], f"/desk/cases/{season.long}"
    assert "loaded from a file" in text_of(writer.get(path))
    before = writer.get(f"{path}/edit")
    assert before.status_code == 409 and "Change this case" in text_of(before)
    assert writer.send(f"{path}/draft").status_code == 303
    assert writer.get(f"{path}/edit").status_code == 200
    assert str(CaseStatus.PUBLISHED) in writer.get("/desk/cases").get_data(as_text=True)


def test_beginning_a_case_says_what_is_wrong(desk: dict[str, Colleague], season: Cast) -> None:
    writer = desk["writer"]
    new = {"name": "Nadia Reed", "slug": season.tiny, "country": "TG", "season": "0", "language": "en"}
    taken = writer.send("/desk/cases", **new)
    assert taken.status_code == 422 and "There is a case at this address already." in text_of(taken)
    assert writer.send("/desk/cases", **{**new, "slug": "Nadia Reed"}).status_code == 422
    assert writer.send("/desk/cases", **{**new, "slug": "nadia", "country": ""}).status_code == 422
