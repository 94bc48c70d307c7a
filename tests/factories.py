"""The cast: invented people and places, so that no test says anything about a real person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from wfr.cases.models import Case, CaseStatus, CaseText, CaseUpdate, Season, Story, Target
from wfr.cases.queries import today
from wfr.extensions import db

LETTER = """I am writing about {person}, who is held for a poem.

{own_words}

I ask you to set {person} free."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The season and the slugs of its cases: `tiny` is short, `long` is long, `silent` offers no letter."""

    season: Season
    tiny: str = "ada-vale"
    long: str = "maria-del-rosario-fernandez-de-la-vega-and-the-people-of-tierra-alta"
    silent: str = "omar-sand"


def make_season(*, opens: date | None = None, closes: date | None = None) -> Cast:
    """Store a season with three invented cases and a story."""
    season = Season(
        slug="test",
        name="Write for Rights",
        opens=opens or today() - timedelta(days=10),
        closes=closes or today() + timedelta(days=30),
        key_date=date(today().year, 12, 10),
        reports_due=(closes or today() + timedelta(days=30)) + timedelta(days=20),
        goal=1000,
    )
    db.session.add(season)
    cast = Cast(season)
    make_case(season, cast.tiny, "Ada Vale", kinds=["letter", "email", "post", "solidarity"], position=1)
    make_case(
        season,
        cast.long,
        "María del Rosario Fernández de la Vega and the People of Tierra Alta",
        country="AR",
        position=2,
        colours="plum",
        pattern="hills",
    )
    make_case(season, cast.silent, "Omar Sand", kinds=["email", "post"], position=3, colours="rust", pattern="waves")
    db.session.add(
        Story(
            slug="out",
            title="Nadia Reed",
            place="Nowhere",
            summary="Free after 300 letters.",
            text="She came home. [Z1]",
            figure="300",
            figure_of="letters",
            sources=["Z1: a test"],
        )
    )
    db.session.commit()
    return cast


def make_case(season: Season | None, slug: str, name: str, **changes: Any) -> Case:
    """Add one published case with words in English, an official and an address for solidarity."""
    kinds = changes.pop("kinds", ["letter", "email", "post"])
    values: dict[str, Any] = {
        "country": "TG",
        "status": CaseStatus.PUBLISHED,
        "schools": True,
        "feeds": True,
        "on_x": True,
        "pattern": "waves",
        "colours": "teal",
        "deadline": season.closes if season else None,
        "as_it_stood": date(2020, 11, 20),
    }
    case = Case(season=season, slug=slug, name=name, kinds=kinds, **{**values, **changes})
    case.texts = [
        CaseText(
            language="en",
            headline="Held for a poem about a river",
            summary="She wrote a poem. [Z1] She was taken the next day. [Z2]",
            story="Ada wrote a poem. [Z1]\n\nShe was **taken** the next day. [Z1, Z2]",
            ask="- Set her free. [Z1]",
            letter=LETTER,
            letter_close="Yours sincerely,",
            email_subject=f"Please set {name} free"[:200],
            email_body=LETTER,
            post="{person} is held for a poem. Set her free!",
            solidarity_message="Dear {person},\n\nWe think of you.\n\n{own_words}",
            solidarity_guidance="Write *short* and warm.",
            dos=["Be polite."],
            donts=["Do not mention politics."],
            why_not={"solidarity": "There is no address.", "letter": "There is no postal address."},
        )
    ]
    case.targets = [
        Target(
            position=0,
            office="Minister of Justice",
            salutation="Dear Minister,",
            address_lines=["Ministry of Justice", "1 River Road", "Lomé"] if "letter" in kinds else [],
            country=case.country,
            email=f"minister@{slug[:20].strip('-')}.example.org",
            unreached_from=["CA"],
            embassy_route="Send it to the embassy in Ottawa.",
        ),
        Target(
            position=1,
            for_solidarity=True,
            office=name[:200],
            salutation=f"Dear {name}"[:119] + ",",
            address_lines=["c/o The Poets", "2 Hill Street", "Lomé"],
            country=case.country,
        ),
    ]
    case.updates = [
        CaseUpdate(dated=date(2021, 6, 30), dated_as="end of June 2021", kind="good_news", text="She is home. [Z3]")
    ]
    db.session.add(case)
    return case
