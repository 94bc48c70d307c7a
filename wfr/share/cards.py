"""Share cards: the pictures that networks show beside a link, drawn by the same templates as the stamps.

A card says who, where, and how many actions there are so far. It names nobody whose case was withdrawn, or whose
consent does not cover other sites: then it is neutral, and bears the site's name alone. The season's card, which the
campaign posts on X, shows only those whose consent covers both. A picture is drawn when it is first asked for and kept
in memory, by the digest of everything that is drawn on it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

import structlog
from babel import Locale
from babel.numbers import format_decimal
from flask_babel import force_locale
from flask_babel import gettext as _

from wfr.cases.models import Case, Season, Standing
from wfr.cases.queries import Shelf, shelf, today
from wfr.errors import NoSuchThing
from wfr.extensions import babel, kept, render_apart, settings
from wfr.letters.addressing import language_direction, text_direction, written_date
from wfr.letters.paper_stamps import PaperStamp, paper_stamp
from wfr.paper import PaperError, render_pdf, unprintable
from wfr.paths import STATIC, TEMPLATES
from wfr.pictures import page_picture
from wfr.pledges.queries import board
from wfr.share.lettering import Lettering, lettering

log = structlog.get_logger(__name__)

WIDTH, HEIGHT = 1200, 630
"""Pixels, of the picture and of the page it is drawn on."""

NAME_HEIGHT, LINE_HEIGHT = 304, 136
"""Pixels that the name and the line below it may take up."""

TEMPLATE = "paper/share_card.html"
STYLESHEET = "css/share-cards.css"
_DRAWN_BY = (
    TEMPLATES / TEMPLATE,
    TEMPLATES / "components" / "_stamp.html",
    STATIC / STYLESHEET,
    STATIC / "css" / "paper-stamps.css",
    STATIC / "css" / "tokens.css",
)

CARDS_KEPT = 256
KEPT = "share card "
STAMPS_ON_A_SHEET = 4
DIGEST_LETTERS = 12
SEASON = "season"
"""Stands in the address of the season's card, where a case's has its slug."""


@dataclass(frozen=True, slots=True)
class ShareCard:
    """Where a card's picture is and what it shows, in words. `url` is the whole address; sizes are pixels.

    `digest` changes with everything that is drawn.
    """

    url: str
    alt: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def digest(self) -> str:
        """The part of the address that stands for what is drawn."""
        return self.url.rpartition("/")[2].removesuffix(".png")

    @property
    def path(self) -> str:
        """The address without the host, for pages of this site."""
        return self.url.removeprefix(settings().base_url)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number so far: the words before and after it, as one sentence has them, and what is to be known of it."""

    before: str
    number: str
    after: str
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join((f"{self.before} {self.number} {self.after}".strip(), *self.notes))


@dataclass(frozen=True, slots=True)
class Face:
    """Everything that is drawn on a card, in words that are ready: `head`, `country` and, set huge, `name`.

    Below them stands `figure`, or `line` where there is no number yet. The engraving of `ground` lies behind them;
    `mark` says that it is a demonstration.
    """

    language: str
    name: str
    alt: str
    stamps: tuple[PaperStamp, ...]
    ground: PaperStamp
    mark: str = ""
    head: str = ""
    country: str = ""
    line: str = ""
    figure: Figure | None = None

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, by the language."""
        return language_direction(self.language)

    @property
    def lettering(self) -> Lettering:
        """How the name is set."""
        return lettering(self.name, NAME_HEIGHT)

    @property
    def line_lettering(self) -> Lettering:
        """How the line below the name is set."""
        return lettering(self.line, LINE_HEIGHT)

    @property
    def name_direction(self) -> str:
        """``ltr`` or ``rtl``, by the name's own script."""
        return text_direction((self.name,))


def milestone(number: int) -> int | None:
    """Return the largest of 100, 250, 500, 1,000, 2,500 … that `number` is more than, or None."""
    reached, power = None, 100
    while number > power:
        reached = next(step for step in (power * 5, power * 5 // 2, power) if number > step)
        power *= 10
    return reached


def site_languages() -> frozenset[str]:
    """Return the languages that the site has words in, as tags such as ``en``."""
    return frozenset({"en", *(str(locale).replace("_", "-") for locale in babel.list_translations())})


def card_of(case: Case | None, language: str) -> ShareCard:
    """Return the card of a case, or of the season for None, in one of the site's languages. Draws nothing."""
    face = _face(case, language)
    slug = case.slug if case else SEASON
    return ShareCard(f"{settings().base_url}/cards/{slug}/{language}/{_digest(face)}.png", face.alt)


def draw_card(case: Case | None, language: str) -> bytes:
    """Return the picture of a case's card, or of the season's for None: a PNG of `WIDTH` by `HEIGHT` pixels.

    Drawn at most once by a process as long as nothing on it changes, and not while another request draws it.
    Raises `wfr.paper.PaperError` where nothing can be printed at all.
    """
    face = _face(case, language)
    return kept().get(f"{KEPT}{_digest(face)}", math.inf, lambda: _draw(face))


def card_case(slug: str, language: str) -> Case | None:
    """Return the case that a card's address means, None for `SEASON`; raises `NoSuchThing`."""
    if language not in site_languages():
        raise NoSuchThing(f"card in {language}")
    return None if slug == SEASON else shelf().case(slug)


def _draw(face: Face) -> bytes:
    html = render_apart(TEMPLATE, face.language, title=face.name, direction=face.direction, paper="card", face=face)
    kept().keep_newest(KEPT, CARDS_KEPT)
    return page_picture(render_pdf(html, stylesheet=STYLESHEET), width=WIDTH, height=HEIGHT)


@lru_cache(maxsize=CARDS_KEPT)
def _digest(face: Face) -> str:
    return hashlib.sha256(f"{_fingerprint()}{face!r}".encode()).hexdigest()[:DIGEST_LETTERS]


@cache
def _fingerprint() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _DRAWN_BY)).hexdigest()


def _face(case: Case | None, language: str) -> Face:
    seen, day = shelf(), today()
    with force_locale(language.replace("-", "_")):
        mark = _("Demonstration") if seen.demonstration else ""
        if case is None:
            return _season_face(seen, language, day, mark)
        if _may_be_named(case, day):
            return _case_face(case, language, day, mark)
        return _neutral_face(language, mark)


def _may_be_named(case: Case, day: date) -> bool:
    """Say whether a picture that other sites show may name the case, and whether it can be drawn."""
    return case.for_feeds(day) and _drawable(case.name)


@lru_cache(maxsize=1024)
def _drawable(name: str) -> bool:
    try:
        missing = unprintable(name)
    except PaperError:
        # Nothing can be printed at all: whoever draws says so.
        return True
    if missing:
        log.warning("card_without_name", why="no font has its characters", missing=missing)
    return not missing


def _neutral_face(language: str, mark: str) -> Face:
    site = settings().site_name
    alt = _alt(_("%(site)s: the campaign's stamp.", site=site), _campaign())
    return Face(language, site, alt, (_own_stamp(site),), _own_stamp(site), mark=mark, line=_campaign())


def _case_face(case: Case, language: str, day: date, mark: str) -> Face:
    stamp = paper_stamp(case, language)
    figure = _figure(case, language)
    line = _("Be among the first to write.") if case.standing(day) is Standing.OPEN else _campaign()
    about = _("The stamp of %(person)s, %(country)s.", person=case.name, country=stamp.country)
    return Face(
        language,
        case.name,
        _alt(about, figure or line, mark),
        (stamp,),
        stamp,
        mark=mark,
        head=settings().site_name,
        country=stamp.country,
        line=line,
        figure=figure,
    )


def _season_face(seen: Shelf, language: str, day: date, mark: str) -> Face:
    site = settings().site_name
    # This card goes out on X too: there it must name nobody whom the campaign may not post about.
    shown = [case for case in seen.of_the_day(day) if case.on_x and _may_be_named(case, day)][:STAMPS_ON_A_SHEET]
    stamps = tuple(paper_stamp(case, language) for case in shown) if len(shown) == STAMPS_ON_A_SHEET else ()
    figure = _figure(None, language)
    head = _until(seen.season, language, day)
    about = _("%(site)s: a sheet of stamps.", site=site) if stamps else _("%(site)s: the campaign's stamp.", site=site)
    return Face(
        language,
        site,
        _alt(about, head, figure or _campaign(), mark),
        stamps or (_own_stamp(site),),
        _own_stamp(site),
        mark=mark,
        head=head,
        line=_campaign(),
        figure=figure,
    )


def _campaign() -> str:
    return str(_("Letters for human rights"))


@lru_cache(maxsize=8)
def _own_stamp(site: str) -> PaperStamp:
    """Return the stamp of the site itself, which stands for nobody."""
    return paper_stamp(Case(slug="", name=site, country="", pattern="waves", colours="navy"), "en")


def _until(season: Season | None, language: str, day: date) -> str:
    if season is None or not season.opens <= day <= season.key_date:
        return ""
    return str(_("Write by %(day)s", day=written_date(season.key_date, language)))


def _alt(*parts: object) -> str:
    """Return what a picture shows as one line of sentences."""
    return " ".join(f"{part}".rstrip(".") + "." for part in parts if part)


def _figure(case: Case | None, language: str) -> Figure | None:
    tally = board()
    figures = tally.of(case)
    reached = milestone(figures.pledged)
    if reached is None:
        return None
    number = format_decimal(reached, locale=Locale.parse(language, sep="-"))
    before, _number, after = _("More than %(number)s actions", number="\0").partition("\0")
    as_of = _("as of %(day)s", day=written_date(tally.as_of.date(), language))
    notes = (as_of, _("partly simulated")) if figures.simulated else (as_of,)
    return Figure(before.strip(), number, after.strip(), notes)
