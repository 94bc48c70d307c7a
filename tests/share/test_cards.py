"""Share cards: the right size and weight, the right words, nobody named who must not be, and drawn only once."""

from __future__ import annotations

import dataclasses
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import update
from time_machine import travel

from tests.cases.test_public_pages import forget_everything
from tests.factories import Cast, make_case, make_season
from tests.letters.classroom import LONGEST_NAME as LONG
from tests.letters.reading import Printed
from tests.linting import LintingClient
from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import shelf, today
from wfr.extensions import db, render_apart
from wfr.pages import KEEP_HEADER
from wfr.paper import render_pdf
from wfr.pledges.models import TallyCount
from wfr.share import cards
from wfr.share.cards import HEIGHT, WIDTH, card_of, draw_card
from wfr.share.lettering import NARROW, lettering

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


ARABIC = "نسيمة السادة"
MOST_BYTES = 200_000


@pytest.fixture
def named(app: Flask, season: Cast) -> Cast:
    """The cast in an app context, nothing of it read yet."""
    return season


def change(app: Flask, slug: str, **values: object) -> None:
    """Change a case as the desk does, and let every cache forget what it knew."""
    with app.app_context():
        db.session.execute(update(Case).where(Case.slug == slug).values(**values))
        db.session.commit()
    forget_everything(app)


def count(app: Flask, slug: str, number: int, simulated: int = 0) -> None:
    """Let a case have so many letters."""
    with app.app_context():
        case_id = shelf().case(slug).id
        db.session.query(TallyCount).filter_by(case_id=case_id).delete()
        db.session.add(
            TallyCount(
                case_id=case_id, kind="letter", country="TG", shard=0, pledged=number, taken=0, simulated=simulated
            )
        )
        db.session.commit()
    forget_everything(app)


def url_of(app: Flask, slug: str | None) -> str:
    """Return the path of a card's picture."""
    with app.app_context():
        return card_of(shelf().case(slug) if slug else None, "en").path


def alt_of(app: Flask, slug: str | None) -> str:
    """Return what a card's picture shows, in words."""
    with app.app_context():
        return card_of(shelf().case(slug) if slug else None, "en").alt


def neutral(app: Flask) -> bytes:
    """Return the picture that names nobody."""
    with app.app_context():
        return draw_card(Case(slug="x", name="Nobody", country="TG", status=CaseStatus.WITHDRAWN), "en")


def printed(app: Flask, slug: str) -> Printed:
    """Return the page that a card's picture is made of."""
    with app.app_context():
        face = cards._face(shelf().case(slug), "en")
        html = render_apart(cards.TEMPLATE, "en", title=face.name, direction=face.direction, paper="card", face=face)
        return Printed(render_pdf(html, stylesheet=cards.STYLESHEET))


def test_a_picture_is_1200_by_630_and_light_and_serves_get_and_head(
    app: Flask, named: Cast, visitor: LintingClient
) -> None:
    with app.app_context():
        make_case(named.season, "ar", ARABIC, pattern="guilloche")
        make_case(named.season, "longest", "W" * 159 + "é", pattern="weave")
        db.session.commit()
    for slug in (named.tiny, named.long, "ar", "longest", None):
        answer = visitor.get(url_of(app, slug))
        picture = Image.open(io.BytesIO(answer.data))
        assert (answer.status_code, answer.mimetype, picture.format) == (200, "image/png", "PNG")
        assert picture.size == (WIDTH, HEIGHT) == (1200, 630)
        assert 10_000 < len(answer.data) <= MOST_BYTES
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["CDN-Cache-Control"] == "max-age=2"
    head = visitor.head(url_of(app, named.tiny))
    assert (head.status_code, head.data) == (200, b"")


def test_it_says_who_where_how_many_and_as_of_when(app: Flask, named: Cast) -> None:
    with travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False):
        count(app, named.tiny, 10_342)
        text = " ".join(printed(app, named.tiny).texts[0].split())
        for words in (
            "ADA VALE",
            "WRITE FOR RIGHTS",
            "TOGO",
            "MORE THAN",
            "10,000",
            "ACTIONS",
            "as of 21 November 2026",
        ):
            assert words in text
        assert "partly simulated" not in text
        assert "10,342" not in text
        shown = "The stamp of Ada Vale, Togo. More than 10,000 actions, as of 21 November 2026."
        assert alt_of(app, named.tiny) == shown
        count(app, named.tiny, 10_342, simulated=1)
        assert "partly simulated" in printed(app, named.tiny).texts[0]


def test_without_a_number_it_invites_only_where_one_can_act(app: Flask, named: Cast) -> None:
    assert "Be among the first to write." in alt_of(app, named.tiny)
    change(app, named.tiny, status=CaseStatus.CLOSED)
    assert alt_of(app, named.tiny) == "The stamp of Ada Vale, Togo. Letters for human rights."


def ink(app: Flask, name: str) -> float:
    """Return how wide a name's widest line comes out on the picture, in sizes of its letters."""
    with app.app_context():
        face = dataclasses.replace(cards._face(None, "en"), name=name, head="")
        picture = Image.open(io.BytesIO(cards._draw(face))).convert("L").crop((380, 0, WIDTH, 412))
        box = picture.point(lambda light: 255 * (light < 60)).getbbox()
        assert box
        return (box[2] - box[0]) / face.lettering.size


def test_a_name_in_arabic_is_set_in_its_own_font_with_joined_letters_on_one_page(app: Flask, named: Cast) -> None:
    change(app, named.tiny, name=ARABIC)
    page = printed(app, named.tiny)
    assert len(page.texts) == 1
    assert page.fonts()["Noto Naskh Arabic"]
    apart = " ".join("\N{ZERO WIDTH NON-JOINER}".join(word) for word in ARABIC.split())
    assert ink(app, ARABIC) < 0.9 * ink(app, apart)


def test_the_name_stands_in_the_square_that_some_networks_cut_out(app: Flask, named: Cast) -> None:
    page = printed(app, named.long)
    points = 72 / 96
    for line in lettering(LONG, 304).lines:
        box = max(page.find(0, line), key=lambda found: found.top)
        assert 285 * points < box.left
        assert box.right < 915 * points + 1
        assert box.right - box.left < NARROW * points + 1


def test_the_address_changes_with_what_is_drawn_and_with_nothing_else(app: Flask, named: Cast) -> None:
    with travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as clock:
        count(app, named.tiny, 300)
        first = url_of(app, named.tiny)
        count(app, named.tiny, 499)
        change(app, named.tiny, position=9)
        assert url_of(app, named.tiny) == first
        count(app, named.tiny, 501)
        second = url_of(app, named.tiny)
        change(app, named.tiny, name="Ada Dale")
        third = url_of(app, named.tiny)
        clock.shift(timedelta(days=1))
        forget_everything(app)
        assert len({first, second, third, url_of(app, named.tiny)}) == 4
    assert first.startswith("/cards/ada-vale/en/")
    assert len(first.rsplit("/", 1)[1]) == len("0123456789ab.png")


def test_the_same_card_is_drawn_once_for_all_who_ask_at_once(app: Flask, named: Cast) -> None:
    def ask(_number: int) -> bytes:
        with app.app_context():
            return draw_card(shelf().case(named.tiny), "en")

    with ThreadPoolExecutor(6) as threads:
        pictures = list(threads.map(ask, range(6)))
    assert len({id(picture) for picture in pictures}) == 1
    count(app, named.tiny, 101)
    assert ask(0) != pictures[0]


def test_any_digest_is_answered_with_the_present_picture(app: Flask, named: Cast, visitor: LintingClient) -> None:
    now = visitor.get(url_of(app, named.tiny))
    assert visitor.get(f"/cards/{named.tiny}/en/000000000000.png").data == now.data
    assert visitor.get("/cards/season/en/no-digest.png").data == visitor.get(url_of(app, None)).data


@pytest.mark.parametrize("path", ["/cards/nobody/en/0.png", "/cards/ada-vale/xx/0.png", "/cards/season/tlh/0.png"])
def test_unknown_cases_and_languages_have_no_card(named: Cast, visitor: LintingClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_an_unpublished_case_has_no_card(app: Flask, named: Cast, visitor: LintingClient) -> None:
    change(app, named.tiny, status=CaseStatus.DRAFT)
    assert visitor.get(f"/cards/{named.tiny}/en/0.png").status_code == 404


def test_a_withdrawn_case_has_the_neutral_picture_at_its_old_address(
    app: Flask, named: Cast, visitor: LintingClient
) -> None:
    old = url_of(app, named.tiny)
    assert visitor.get(old).data != neutral(app)
    with app.app_context():
        db.session.execute(update(Case).where(Case.slug == named.tiny).values(status=CaseStatus.WITHDRAWN))
        db.session.commit()
    # What lets a second pass, as it does for every other page.
    forget_everything(app)
    answer = visitor.get(old)
    assert (answer.status_code, answer.data) == (200, neutral(app))
    assert "Ada" not in alt_of(app, named.tiny)
    assert "ADA" not in "".join(printed(app, named.tiny).texts)


@pytest.mark.parametrize(
    "changes", [{"feeds": False}, {"status": CaseStatus.PAUSED}, {"consent_ends": "yesterday"}, {"name": "Ada 漢字"}]
)
def test_who_did_not_agree_or_cannot_be_drawn_is_not_named(
    app: Flask, named: Cast, visitor: LintingClient, changes: dict[str, object]
) -> None:
    if "consent_ends" in changes:
        changes = {"consent_ends": today() - timedelta(days=1)}
    change(app, named.tiny, **changes)
    assert visitor.get(url_of(app, named.tiny)).data == neutral(app)
    assert "Ada" not in alt_of(app, named.tiny)


@pytest.mark.parametrize("kept_from", ["feeds", "on_x"])
def test_the_seasons_card_shows_only_stamps_of_those_who_agreed(app: Flask, named: Cast, kept_from: str) -> None:
    assert alt_of(app, None).startswith("Write for Rights: the campaign's stamp.")
    with app.app_context():
        make_case(named.season, "fourth", "Fourth Name")
        db.session.commit()
    forget_everything(app)
    with app.app_context():
        face = cards._face(None, "en")
        assert {stamp.name for stamp in face.stamps} == {"Ada Vale", LONG, "Omar Sand", "Fourth Name"}
    change(app, named.tiny, **{kept_from: False})
    with app.app_context():
        assert [stamp.name for stamp in cards._face(None, "en").stamps] == ["Write for Rights"]


@pytest.mark.parametrize(("day", "head"), [(10, "Write by 10 December 2026"), (11, "")])
def test_the_seasons_card_says_until_when_as_long_as_it_is_so(app: Flask, day: int, head: str) -> None:
    with travel(datetime(2026, 12, day, 12, tzinfo=UTC), tick=False):
        with app.app_context():
            make_season()
        forget_everything(app)
        with app.app_context():
            assert cards._face(None, "en").head == head


def test_a_template_asks_for_a_card_by_its_case_or_for_the_seasons(app: Flask, named: Cast) -> None:
    with app.test_request_context():
        case = shelf().case(named.tiny)
        page = app.jinja_env.from_string("{{ share_card(case).url }} {{ share_card().url }} {{ share_card().width }}")
        shown = page.render(case=case).split()
        assert shown == [card_of(case, "en").url, card_of(None, "en").url, "1200"]
        assert shown[0].startswith("http://127.0.0.1")


def test_a_made_up_address_shows_the_present_card_and_no_cache_keeps_it(
    app: Flask, visitor: LintingClient, named: Cast
) -> None:
    present = url_of(app, named.tiny)
    made_up = f"{present.rpartition('/')[0]}/0123456789ab.png"
    answers = [visitor.get(address) for address in (present, made_up)]
    assert answers[0].data == answers[1].data
    assert [KEEP_HEADER in answer.headers for answer in answers] == [True, False]
    assert answers[1].headers["Cache-Control"] == "no-store"
