"""The papers of a class's morning that are the same for everybody: each by its name, and all of them for one ZIP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from flask_babel import gettext

from wfr.cases.models import Case, Kind
from wfr.cases.queries import shelf, today
from wfr.drives.papers import PackingSlip, print_packing_slip
from wfr.errors import NoSuchThing
from wfr.extensions import kept
from wfr.letters.addressing import filled
from wfr.letters.case_cards import case_card_for, print_case_cards
from wfr.letters.lessons import print_lesson, print_task
from wfr.letters.merging import PersonalLines, merge_letter
from wfr.letters.petitions import petition_for, print_petition
from wfr.letters.posters import Poster, poster_for, print_posters
from wfr.letters.printing import Paper, Render
from wfr.letters.stationery import Envelope, envelope_for, print_cards, print_envelopes, print_labels

CARDS_AT_MOST = 4
SHEET_SECONDS = 60.0
SHEETS_KEPT = 40
"""So many finished sheets a process keeps; each has about 100 kB."""


@dataclass(frozen=True, slots=True)
class SheetOrder:
    """What the sheets are made of.

    `address` gives the page of a case; a drive's `code` leads to `join` instead. `schools` is where a drive begins.
    """

    cases: tuple[Case, ...]
    paper: Paper
    language: str
    address: Callable[[Case], str]
    schools: str
    code: str | None = None
    join: str = ""

    def url(self, case: Case) -> str:
        """Return where the code on a sheet about `case` leads."""
        return self.join if self.code else self.address(case)


def print_sheet(what: str, order: SheetOrder, *, render: Render) -> bytes:
    """Print one of the `SHEETS`, at most `SHEET_SECONDS` ago: thirty classes that ask for the same are one print.

    Whether its cases may be printed at all is for the caller to ask, each time. Raises `NoSuchThing` for another name,
    and what its printing raises.
    """
    if what not in SHEETS:
        raise NoSuchThing(what)
    slugs = " ".join(case.slug for case in order.cases)
    name = f"sheet {what} {order.paper} {order.language} {order.code} {today()} {slugs}"
    sheet = kept().get(name, SHEET_SECONDS, lambda: SHEETS[what](order, render))
    kept().keep_newest("sheet ", SHEETS_KEPT)
    return sheet


def sheets_for(order: SheetOrder, *, render: Render) -> Iterator[tuple[str, bytes]]:
    """Print all sheets in the order in which they are used, each under the name of its file."""
    for number, what in enumerate(SHEETS, 1):
        if what == "petition":
            for case in order.cases:
                alone = replace(order, cases=(case,))
                yield f"{number:02d}-{what}-{case.slug}.pdf", print_sheet(what, alone, render=render)
        elif what != "cards" or with_cards(order.cases):
            yield f"{number:02d}-{what}.pdf", print_sheet(what, order, render=render)


def _lesson(ages: str) -> Callable[[SheetOrder, Render], bytes]:
    def sheet(order: SheetOrder, render: Render) -> bytes:
        return print_lesson(order.cases, ages=ages, paper=order.paper, language=order.language, render=render)  # type: ignore[arg-type]

    return sheet


def _case_cards(order: SheetOrder, render: Render) -> bytes:
    demonstration = shelf().demonstration
    cards = [
        case_card_for(
            case,
            case.target(Kind.LETTER),
            url=order.address(case),
            language=order.language,
            demonstration=demonstration,
        )
        for case in order.cases
    ]
    return print_case_cards(cards, paper=order.paper, render=render)


def _task(order: SheetOrder, render: Render) -> bytes:
    return print_task(paper=order.paper, language=order.language, render=render)


def _cards(order: SheetOrder, render: Render) -> bytes:
    cards = [
        merge_letter(
            case,
            Kind.SOLIDARITY,
            target,
            PersonalLines(),
            today=today(),
            language=order.language,
            demonstration=shelf().demonstration,
        )
        for case in with_cards(order.cases)
        if (target := case.target(Kind.SOLIDARITY))
    ]
    if not cards:
        raise NoSuchThing("cards")
    return print_cards([card for card in cards for _ in range(CARDS_AT_MOST)], paper=order.paper, render=render)


def with_cards(cases: Iterable[Case]) -> list[Case]:
    """Return those of `cases` whose person a card reaches."""
    return [case for case in cases if case.offers(Kind.SOLIDARITY) and case.target(Kind.SOLIDARITY)]


def _envelopes_of(order: SheetOrder) -> list[Envelope]:
    return [
        envelope_for(case, target, language=order.language, demonstration=shelf().demonstration)
        for case in order.cases
        if (target := case.target(Kind.LETTER))
    ]


def _labels(order: SheetOrder, render: Render) -> bytes:
    kind, count = ("L7160", 21) if order.paper == "A4" else ("5160", 30)
    envelopes = _envelopes_of(order)
    # A whole sheet of labels for each case: nobody cuts one apart on a Wednesday night.
    labels = [envelope for envelope in envelopes for _ in range(count)]
    return print_labels(labels, sheet=kind, skip=0, render=render)  # type: ignore[arg-type]


def _envelopes(order: SheetOrder, render: Render) -> bytes:
    return print_envelopes(_envelopes_of(order), size="DL" if order.paper == "A4" else "10", render=render)


def _posters(order: SheetOrder, render: Render) -> bytes:
    return print_posters(_posters_of(order), paper=order.paper, render=render)


def _large_posters(order: SheetOrder, render: Render) -> bytes:
    return print_posters(_posters_of(order), paper="A3" if order.paper == "A4" else "Tabloid", render=render)


def _posters_of(order: SheetOrder) -> list[Poster]:
    return [poster_for(case, url=order.url(case), language=order.language, code=order.code) for case in order.cases]


def _petition(order: SheetOrder, render: Render) -> bytes:
    case = order.cases[0]
    target = case.target(Kind.LETTER)
    if target is None:
        raise NoSuchThing(case.slug)
    petition = petition_for(
        case, target, url=order.url(case), language=order.language, demonstration=shelf().demonstration
    )
    return print_petition(petition, paper=order.paper, render=render)


def _packing_slip(order: SheetOrder, render: Render) -> bytes:
    season = shelf().season
    slip = PackingSlip(
        drive_name=gettext("Our class"),
        country_name="",
        season_name=season.name if season else "",
        lines=tuple((case.name, None) for case in order.cases),
        report_url=order.schools,
        collected_at=filled(*((season and season.letters_collected_at) or "").splitlines()),
        demonstration=shelf().demonstration,
        language=order.language,
    )
    return print_packing_slip(slip, paper=order.paper, render=render)


SHEETS: dict[str, Callable[[SheetOrder, Render], bytes]] = {
    "lesson-11-14": _lesson("11-14"),
    "lesson-15-18": _lesson("15-18"),
    "case-cards": _case_cards,
    "task": _task,
    "cards": _cards,
    "labels": _labels,
    "envelopes": _envelopes,
    "packing-slip": _packing_slip,
    "posters": _posters,
    "large-posters": _large_posters,
    "petition": _petition,
}
"""Every sheet by its name, in the order in which a morning needs them. A petition is for the first case only."""
