"""The pack: everything for a class's morning on one page, for anybody, without a drive and without an e-mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any, cast

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from wfr.cases.models import Case, Kind
from wfr.cases.queries import shelf, today
from wfr.drives.codes import CODE
from wfr.drives.pack_forms import PackForm
from wfr.drives.pack_sheets import SHEETS, SheetOrder, print_sheet, sheets_for, with_cards
from wfr.errors import NoSuchThing
from wfr.extensions import limit_of, settings, utc_now
from wfr.letters.models import Pack
from wfr.letters.pack_queue import drop_closed_pack, files_of, find_pack, order_pack
from wfr.letters.packing import PackOrder, packable, pages_a_letter, print_pack, zipped
from wfr.letters.printing import PAPERS, Paper
from wfr.pages import language, private, public, wants_fragment
from wfr.press import Busy

blueprint = Blueprint("packs", __name__)

AT_ONCE = 40
"""So many blank letters are printed while the teacher waits; more go through the queue."""

BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Choice:
    """What a teacher has chosen so far, as the page's address says it."""

    cases: tuple[Case, ...]
    paper: Paper
    code: str | None

    def query(self, **changes: Any) -> dict[str, Any]:
        """Return the choice as the query of an address."""
        chosen = {"cases": [case.slug for case in self.cases], "paper": self.paper, "code": self.code}
        return {**chosen, **changes}

    def sheets(self) -> SheetOrder:
        """Return what the sheets are made of."""
        base = settings().base_url
        return SheetOrder(
            cases=self.cases,
            paper=self.paper,
            language=language(),
            address=lambda case: base + url_for("cases.case", slug=case.slug),
            schools=f"{base}/schools",
            code=self.code,
            join=f"{base}/join/{self.code}",
        )


@blueprint.get("/schools/pack")
@public
def pack() -> ResponseReturnValue:
    """The page of a Wednesday night: what to print, in which order, and how long it takes."""
    offered = _offered()
    slugs = set(request.args.getlist("cases"))
    chosen = tuple(case for case in offered if not slugs or case.slug in slugs)
    return _page(Choice(chosen, _paper(request.args.get("paper")), _code(request.args.get("code"))), PackForm())


@blueprint.get("/schools/pack/<what>.pdf")
@public
@limit_of("limit_prints")
def sheet(what: str) -> ResponseReturnValue:
    """One of the sheets that are the same for everybody."""
    if what not in SHEETS:
        raise NoSuchThing(what)
    choice = Choice(
        tuple(packable(slug) for slug in dict.fromkeys(request.args.getlist("cases"))) or _offered(),
        _paper(request.args.get("paper")),
        _code(request.args.get("code")),
    )
    if not choice.cases:
        raise NoSuchThing("cases")
    return _file([print_sheet(what, choice.sheets(), render=render_template)], f"{what}.pdf", inline=True)


@blueprint.post("/schools/pack/letters")
@private
@limit_of("limit_packs")
def letters() -> ResponseReturnValue:
    """The class's letters: named ones and small packs at once, large packs of blank ones through the queue."""
    return _print(everything=False)


@blueprint.post("/schools/pack/everything")
@private
@limit_of("limit_packs")
def everything() -> ResponseReturnValue:
    """One ZIP with all sheets and the class's letters."""
    return _print(everything=True)


@blueprint.get("/schools/packs/<identity>")
@private
def progress(identity: str) -> ResponseReturnValue:
    """How far a large pack has come; a reload, or another device, shows the same."""
    found = _found(identity)
    if found is None:
        return render_template("drives/pack_gone.html"), HTTPStatus.GONE
    template = "drives/_pack_progress.html" if wants_fragment() else "drives/pack_progress.html"
    minutes = max(int((found.expires_at - utc_now()).total_seconds() // 60), 1)
    return render_template(template, pack=found, order=PackOrder.of_json(found.asked), minutes=minutes)


@blueprint.get("/schools/packs/<identity>/file")
@private
@limit_of("limit_prints")
def file(identity: str) -> ResponseReturnValue:
    """A finished pack, as long as every case in it may be written for."""
    found = _found(identity)
    if found is None:
        return render_template("drives/pack_gone.html"), HTTPStatus.GONE
    if found.state != "ready":
        return redirect(url_for("packs.progress", identity=identity), HTTPStatus.SEE_OTHER)
    return _letters_file(PackOrder.of_json(found.asked), (data for _name, data in files_of(found)))


def _found(identity: str) -> Pack | None:
    """Return a pack whose cases are all open still, None once its hour is over; raises `NotPossibleNow`."""
    try:
        drop_closed_pack(identity)
        return find_pack(identity)
    except NoSuchThing:
        return None


def _print(*, everything: bool) -> ResponseReturnValue:
    form = PackForm(request.form)
    cases = tuple(packable(slug) for slug in dict.fromkeys(form.cases.data or ()))
    choice = Choice(cases, _paper(form.paper.data), _code(request.form.get("code")))
    if not form.validate():
        return _page(choice, form), HTTPStatus.UNPROCESSABLE_ENTITY
    order = form.order(language())
    if not everything and not form.signers and order.total > AT_ONCE:
        return redirect(url_for("packs.progress", identity=order_pack(order)), HTTPStatus.SEE_OTHER)
    printed = print_pack(order, names=form.signers, render=render_template)
    try:
        first = next(printed)
    except Busy:
        return _page(choice, form, busy=True), HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": str(BUSY_SECONDS)}
    # The sheets and the first letters before the answer begins: what cannot be printed is said on a page.
    all_letters = chain([first], printed)
    if not everything:
        return _letters_file(order, all_letters)
    named = zip((part.filename for part in order.parts), all_letters, strict=True)
    sheets = list(sheets_for(choice.sheets(), render=render_template))
    return _file(zipped(chain(sheets, named)), f"class-pack-{today()}.zip")


def _letters_file(order: PackOrder, pdfs: Iterator[bytes]) -> Response:
    """Answer with the letters: the PDF itself where it is one, else a ZIP that is sent while it is made."""
    if order.is_one_file:
        return _file(pdfs, order.parts[0].filename)
    named = zip((part.filename for part in order.parts), pdfs, strict=True)
    return _file(zipped(named), f"class-letters-{today()}.zip")


def _file(content: Iterator[bytes] | Sequence[bytes], name: str, *, inline: bool = False) -> Response:
    body = content if isinstance(content, Sequence) else stream_with_context(content)
    sort = "application/zip" if name.endswith(".zip") else "application/pdf"
    disposition = f'{"inline" if inline else "attachment"}; filename="{name}"'
    return Response(body, mimetype=sort, headers={"Content-Disposition": disposition})


def _page(choice: Choice, form: PackForm, *, busy: bool = False) -> str:
    long = [case for case in choice.cases if _pages(case, choice.paper) > 1]
    return render_template(
        "drives/pack.html",
        choice=choice,
        form=form,
        offered=_offered(),
        long=long,
        busy=busy,
        cards=with_cards(choice.cases),
    )


def _pages(case: Case, paper: Paper) -> int:
    return pages_a_letter(case, paper=paper, language=language(), render=render_template)


def _offered() -> tuple[Case, ...]:
    """Return the cases that a class can print letters for today."""
    return tuple(case for case in shelf().for_schools(today()) if case.offers(Kind.LETTER) and case.target(Kind.LETTER))


def _paper(asked: str | None) -> Paper:
    return cast(Paper, asked) if asked in PAPERS else "A4"


def _code(asked: str | None) -> str | None:
    """Return a join code if it has the form of one; nothing else is printed on a poster."""
    return asked if asked and CODE.fullmatch(asked) else None
