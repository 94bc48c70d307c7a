"""The public JSON's shapes: what stands in the OpenAPI document, with a meaning and an example for each field."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Length, OneOf, Range, Regexp

from wfr.api.reading import FEWEST_NAMED
from wfr.cases.models import Kind, SeasonState, Standing, UpdateKind

MOST_AT_ONCE = 100
FURTHEST = 10_000
USUAL_AT_ONCE = 50


def _about(description: str, example: Any = None) -> dict[str, Any]:
    return {
        "required": True,
        "metadata": {"description": description, **({} if example is None else {"example": example})},
    }


def _slug(of: str, example: str) -> fields.String:
    return fields.String(validate=Length(1, 80), **_about(f"The name of the {of} in addresses.", example))


def _country(description: str, example: str) -> fields.String:
    return fields.String(
        validate=Regexp("^[A-Z]{2}$"), **_about(f"{description}, as a code of ISO 3166-1 alpha-2.", example)
    )


def _address(description: str, example: str, **more: Any) -> fields.String:
    about = _about(description, example)
    about["metadata"]["format"] = "uri"
    return fields.String(**about, **more)


def _moment(description: str) -> fields.String:
    about = _about(description, "2026-12-10T09:00:00Z")
    about["metadata"]["format"] = "date-time"
    return fields.String(**about)


def _standing() -> fields.String:
    shown = [standing for standing in Standing if standing is not Standing.WITHDRAWN]
    about = _about("What can be done about it today. Ask people to act only while it is `open`.", "open")
    return fields.String(validate=OneOf(shown), **about)


class Shape(Schema):
    """A shape to which fields may be added: programs of others leave alone what they do not know."""

    class Meta:
        """What marshmallow asks."""

        unknown = EXCLUDE


class Problem(Shape):
    """A refusal, as RFC 9457 describes it."""

    type = _address("What sort of problem; `about:blank` where the status says it all.", "about:blank")
    title = fields.String(**_about("The status in words.", "Not Found"))
    status = fields.Integer(**_about("The HTTP status.", 404))
    detail = fields.String(
        metadata={"description": "What to know or to do.", "example": "There is nothing at this address."}
    )
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "What is wrong with each parameter.", "example": {"limit": ["Not a valid integer."]}},
    )


class Paging(Shape):
    """Which part of a list is asked for."""

    limit = fields.Integer(
        load_default=USUAL_AT_ONCE,
        validate=Range(1, MOST_AT_ONCE),
        metadata={"description": "How many items at most.", "example": 20},
    )
    offset = fields.Integer(
        load_default=0,
        validate=Range(0, FURTHEST),
        metadata={"description": "How many items to skip.", "example": 0},
    )


class Page(Shape):
    """What every list says of itself."""

    total = fields.Integer(validate=Range(0), **_about("How many items there are in all.", 10))
    limit = fields.Integer(validate=Range(1, MOST_AT_ONCE), **_about("How many were asked for.", USUAL_AT_ONCE))
    offset = fields.Integer(validate=Range(0, FURTHEST), **_about("How many were skipped.", 0))
    next = _address(
        "The address of the next items; null where there are none.",
        "https://write.example.org/api/v1/updates?limit=50&offset=50",
        allow_none=True,
    )


class Season(Shape):
    """A season: all days are UTC, the last one included."""

    slug = _slug("season", "2026")
    name = fields.String(**_about("What it is called.", "Write for Rights 2026"))
    state = fields.String(validate=OneOf(list(SeasonState)), **_about("Where it stands today.", "open"))
    opens = fields.Date(**_about("The first day.", "2026-11-20"))
    closes = fields.Date(**_about("The last day.", "2027-01-31"))
    key_date = fields.Date(**_about("The day it leads up to.", "2026-12-10"))
    reports_due = fields.Date(**_about("The last day on which what was sent is reported.", "2027-02-28"))
    goal = fields.Integer(allow_none=True, **_about("How many actions the campaign hopes for, if it says so.", 100000))
    demonstration = fields.Boolean(**_about("True where the site only shows what it can do.", False))


class Update(Shape):
    """News of a case."""

    case = _slug("case", "ada-vale")
    kind = fields.String(validate=OneOf(list(UpdateKind)), **_about("What sort of news.", "good_news"))
    dated = fields.Date(**_about("The day it sorts under.", "2026-11-30"))
    dated_as = fields.String(
        allow_none=True, **_about("How the day is written where less is known than a day.", "end of November 2026")
    )
    language = fields.String(**_about("The language of the text, as a tag.", "en"))
    text = fields.String(**_about("The news, as Markdown.", "She is home."))


class UpdatePage(Page):
    """A part of the news, the newest first."""

    items = fields.List(fields.Nested(Update), **_about("The news."))


class CaseSummary(Shape):
    """A case in short."""

    slug = _slug("case", "ada-vale")
    name = fields.String(**_about("Whom the case is about.", "Ada Vale"))
    country = _country("Where it happens", "TG")
    country_name = fields.String(**_about("The country in words.", "Togo"))
    season = fields.String(allow_none=True, **_about("The season's slug; null for an urgent action.", "2026"))
    standing = _standing()
    deadline = fields.Date(allow_none=True, **_about("The last day to write, if there is one.", "2027-01-31"))
    kinds = fields.List(
        fields.String(validate=OneOf(list(Kind))), **_about("The ways to act that are offered.", ["letter", "email"])
    )
    as_it_stood = fields.Date(allow_none=True, **_about("The day whose state of things the words tell.", "2026-11-01"))
    language = fields.String(**_about("The language of the words, as a tag.", "en"))
    headline = fields.String(**_about("What happened, in a line.", "Held for a poem about a river"))
    summary = fields.String(**_about("What happened, in a paragraph.", "She wrote a poem. She was taken the next day."))
    url = _address("The case’s page.", "https://write.example.org/cases/ada-vale")
    card = _address(
        "A picture of the case to show with a link: PNG, 1200 × 630 pixels. Its address changes with it.",
        "https://write.example.org/cards/ada-vale/en/0123456789ab.png",
    )


class CaseDetail(CaseSummary):
    """A case with its words."""

    story = fields.String(**_about("What happened, as Markdown.", "Ada wrote a poem."))
    ask = fields.String(**_about("What is asked for, as Markdown.", "- Set her free."))
    content_note = fields.String(
        allow_none=True, **_about("What to know before one reads the story.", "The story tells of torture.")
    )
    updates = fields.List(fields.Nested(Update), **_about("Its news, the newest first."))


class CasePage(Page):
    """A part of the cases, in the campaign’s order."""

    items = fields.List(fields.Nested(CaseSummary), **_about("The cases."))


class Count(Shape):
    """How many actions."""

    pledged = fields.Integer(**_about("Actions promised or done.", 120))
    taken = fields.Integer(**_about("The part of them said to be done.", 80))
    simulated = fields.Integer(**_about("The part of them that a demonstration made up.", 0))


class Kinds(Shape):
    """Actions by kind; together they are the whole."""

    letter = fields.Nested(Count, **_about("Letters by post."))
    email = fields.Nested(Count, **_about("E-mails."))
    post = fields.Nested(Count, **_about("Posts on social networks."))
    solidarity = fields.Nested(Count, **_about("Cards to the person."))


class Pledged(Shape):
    """How many actions were promised or done."""

    pledged = fields.Integer(**_about("Actions promised or done.", 120))


class CountryCount(Pledged):
    """The actions that come from one country, at least."""

    country = _country("Where the actions come from", "PT")


class Figures(Count):
    """Actions by kind."""

    kinds = fields.Nested(Kinds, **_about("The same by kind."))


class Breakdown(Figures):
    """Actions by kind and, read once an hour, by country; either way they are the whole."""

    countries = fields.List(
        fields.Nested(CountryCount),
        **_about(f"The countries with {FEWEST_NAMED} actions or more for a case, by code, in steps of {FEWEST_NAMED}."),
    )
    other_countries = fields.Nested(
        Pledged, **_about("All actions that no country is told of: where they are few, it might be told who wrote.")
    )


class CaseFigures(Figures):
    """A case’s actions by kind."""

    case = _slug("case", "ada-vale")


class Tally(Shape):
    """The tally of the whole site. Cases that are not listed here are in the total all the same."""

    as_of = _moment("When it was read, UTC.")
    total = fields.Nested(
        Breakdown, **_about("All actions. Its countries are the sums of those that the listed cases name.")
    )
    cases = fields.List(fields.Nested(CaseFigures), **_about("The listed cases, in the campaign’s order."))
    corrections = fields.Integer(
        **_about("The part of the total, pledged and taken, that corrections brought. It may be negative.", 0)
    )
    parcels = fields.Integer(**_about("The part of the total that was counted in parcels of schools.", 0))


class CaseTally(Breakdown):
    """The tally of one case."""

    case = _slug("case", "ada-vale")
    standing = _standing()
    as_of = _moment("When it was read, UTC.")
