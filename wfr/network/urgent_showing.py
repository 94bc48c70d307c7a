"""What an Urgent Action's page and its PDF show, put together from values: the same sheet for both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from babel import Locale, UnknownLocaleError
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from wfr.cases.documents import CaseDocument, preview_case
from wfr.cases.models import Case, CaseText, CaseUpdate, Kind, Target, UpdateKind
from wfr.countries import country_name
from wfr.letters.addressing import addressee_lines, filled, language_direction, text_direction, written_date
from wfr.letters.merging import prefilled_message
from wfr.letters.printing import Paper, Render, document_html, qr_code
from wfr.network.models import UrgentAction, UrgentIssue
from wfr.network.urgent_queries import bare_number, ordinal_words
from wfr.paper import render_pdf
from wfr.text import paragraphs

STYLESHEET = "css/urgent-paper.css"
MOST_COPIES_ON_PAPER = 4
"""How many embassies' addresses the PDF has room for; of more it names the page that has them."""


@dataclass(frozen=True, slots=True)
class Copy:
    """An embassy that is sent a copy: the name of the country it stands in, and its address, line by line."""

    place: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Appeal:
    """Where appeals go: an address as an envelope has it, and who is sent copies.

    `lines` are empty where no post goes there. `languages` are names, the best liked first. `route` says in words what
    to do where post does not reach the address.
    """

    office: str
    holder: str
    salutation: str
    lines: tuple[str, ...]
    email: str
    handle: str
    languages: tuple[str, ...]
    copies: tuple[Copy, ...]
    route: str
    country: str

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, by the script of the address."""
        return text_direction(self.lines or (self.office,))


@dataclass(frozen=True, slots=True)
class ModelLetter:
    """The letter that activists may take as it is: its greeting, paragraphs and close."""

    salutation: str
    paragraphs: tuple[str, ...]
    close: str


@dataclass(frozen=True, slots=True)
class UrgentSheet:
    """Everything that one issue of an Urgent Action says, in one language.

    `issued` is the issue's head line: which one, its number, index, country and day. `outcome` is what came of the case
    where no further action is requested, else None.
    """

    case: Case
    text: CaseText
    issue: UrgentIssue
    ordinal: str
    number: str
    country: str
    issued_on: date
    write_before: date | None
    letter: ModelLetter | None
    appeals: tuple[Appeal, ...]
    updates: tuple[CaseUpdate, ...]
    outcome: CaseUpdate | None
    language: str
    direction: str

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that whoever is written to reads, each once."""
        return tuple(dict.fromkeys(name for appeal in self.appeals for name in appeal.languages))

    @property
    def story(self) -> tuple[str, ...]:
        """The background, paragraph by paragraph, as Markdown."""
        return tuple(paragraphs(self.text.story))

    def day(self, day: date) -> str:
        """Return a day in words, in the language of the sheet."""
        return written_date(day, self.language)


def present_sheet(case: Case, action: UrgentAction, issue: UrgentIssue, language: str) -> UrgentSheet:
    """Return what an Urgent Action says now: the case's present words under the head of its newest issue."""
    return _sheet(case, action, issue, case.deadline, language)


def issued_sheet(case: Case, action: UrgentAction, issue: UrgentIssue, language: str) -> UrgentSheet:
    """Return what an issue said on its day, from the document that was frozen then."""
    document = CaseDocument.model_validate(issue.document)
    return _sheet(preview_case(case, document), action, issue, issue.write_before, language)


def _sheet(
    case: Case, action: UrgentAction, issue: UrgentIssue, write_before: date | None, language: str
) -> UrgentSheet:
    text = case.text(language)
    appeals = tuple(_appeal(target, text.language) for target in case.targets if not target.for_solidarity)
    updates = tuple(sorted(case.updates_in(text.language), key=lambda update: update.dated))
    outcomes = [update for update in updates if update.kind == UpdateKind.OUTCOME]
    return UrgentSheet(
        case=case,
        text=text,
        issue=issue,
        ordinal=ordinal_words(issue),
        number=bare_number(action),
        country=country_name(case.country, text.language),
        issued_on=issue.issued_on or issue.changed_at.date(),
        write_before=None if issue.outcome else write_before,
        letter=None if issue.outcome else _model_letter(case, text),
        appeals=appeals,
        updates=updates,
        outcome=outcomes[-1] if issue.outcome and outcomes else None,
        language=text.language,
        direction=language_direction(text.language),
    )


def _model_letter(case: Case, text: CaseText) -> ModelLetter | None:
    for kind, words in ((Kind.LETTER, text.letter), (Kind.EMAIL, text.email_body)):
        target = case.target(kind)
        if case.offers(kind) and target is not None and words.strip():
            body = prefilled_message(case, kind, text.language)
            return ModelLetter(target.salutation, tuple(paragraphs(body)), text.letter_close)
    return None


def _appeal(target: Target, language: str) -> Appeal:
    return Appeal(
        office=target.office,
        holder=target.name or "",
        salutation=target.salutation,
        lines=addressee_lines(target, language) if filled(*target.address_lines) else (),
        email=target.email or "",
        handle=f"@{target.x_handle.lstrip('@')}" if target.x_handle else "",
        languages=tuple(_language_name(tag, language) for tag in target.languages),
        copies=tuple(
            sorted(
                (Copy(country_name(place, language), filled(*lines)) for place, lines in target.embassies.items()),
                key=lambda copy: copy.place,
            )
        ),
        route=target.embassy_route or "",
        country=country_name(target.country, language),
    )


def _language_name(tag: str, language: str) -> str:
    try:
        return Locale.parse(tag, sep="-").get_display_name(Locale.parse(language, sep="-")) or tag
    except (ValueError, UnknownLocaleError):
        return tag


def days_left(deadline: date, day: date) -> str:
    """Return how long one can still write, in words."""
    days = (deadline - day).days
    if days < 0:
        return str(_("The day has passed"))
    if days == 0:
        return str(_("Today: send it now"))
    return str(ngettext("%(num)d day left", "%(num)d days left", days))


@dataclass(frozen=True, slots=True)
class PaperSheet:
    """An Urgent Action to print. `url` is where its page is; `demonstration` marks it as nothing to be sent."""

    sheet: UrgentSheet
    url: str
    demonstration: bool

    @property
    def qr(self) -> Markup:
        """The page's address as a QR code, described."""
        return qr_code(self.url, _("QR code: the Urgent Action for %(person)s", person=self.sheet.case.name))

    @property
    def address(self) -> str:
        """The page's address as people type it: without ``https://``."""
        return self.url.partition("://")[2]


def urgent_html(printed: PaperSheet, *, paper: Paper, render: Render) -> str:
    """Return the document that `urgent_pdf` prints; raises `ValueError` for an unknown paper."""
    title = _("Urgent Action: %(person)s", person=printed.sheet.case.name)
    language = printed.sheet.language
    values = {"shown": printed, "sheet": printed.sheet, "most_copies": MOST_COPIES_ON_PAPER}
    return document_html("paper/urgent_action.html", title, language, paper, render, **values)


def urgent_pdf(html: str) -> bytes:
    """Print the document of `urgent_html`; return the PDF. Raises `wfr.paper.PaperError`."""
    return render_pdf(html, stylesheet=STYLESHEET)
