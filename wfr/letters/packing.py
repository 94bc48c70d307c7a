"""Packing: what a class needs for one morning, many letters from one or several cases, becomes files and one ZIP.

Names are part of no order: they are handed over beside it, live in their request and on paper, and are kept nowhere.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from flask_babel import gettext

from wfr.cases.models import Case, Kind
from wfr.cases.queries import shelf, today
from wfr.errors import NotPossibleNow, Refused
from wfr.extensions import kept
from wfr.letters.merging import OWN_WORDS_MARKER, Letter, PersonalLines, merge_letter
from wfr.letters.printing import PAPERS, STYLESHEET, Paper, Render, Signer, class_letters_html
from wfr.paper import page_count
from wfr.press import Document, press

LETTERS_AT_MOST = 500
"""Letters of one pack, of all cases together."""

LETTERS_A_FILE = 100
"""Letters of one case in one PDF file: as many as a school's printer takes at a time."""

CHILDREN_AT_MOST = 4
_MEASURED_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Portion:
    """So many letters for one case, which is named by its slug."""

    case: str
    letters: int


@dataclass(frozen=True, slots=True)
class Part:
    """One PDF file of a pack: so many letters of a case, the first of which is number `first` (from 0) of its case."""

    case: str
    first: int
    letters: int

    @property
    def filename(self) -> str:
        """The file's name, which says nothing of those who sign."""
        return f"letters-{self.case}-{self.first + 1:03d}-{self.first + self.letters:03d}.pdf"


@dataclass(frozen=True, slots=True)
class PackOrder:
    """Which letters a class needs, on which paper and in which language of the site. It names no pupil."""

    portions: tuple[Portion, ...]
    paper: Paper
    language: str

    @property
    def total(self) -> int:
        """How many letters these are."""
        return sum(portion.letters for portion in self.portions)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files that the pack is made of."""
        return tuple(
            Part(portion.case, first, min(LETTERS_A_FILE, portion.letters - first))
            for portion in self.portions
            for first in range(0, portion.letters, LETTERS_A_FILE)
        )

    @property
    def is_one_file(self) -> bool:
        """True where the pack is a single PDF, and no ZIP."""
        return len(self.parts) == 1

    def as_json(self) -> dict[str, Any]:
        """Return the order as a database keeps it."""
        cases = {portion.case: portion.letters for portion in self.portions}
        return {"cases": cases, "paper": self.paper, "language": self.language}

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> PackOrder:
        """Return the order that `as_json` wrote down."""
        portions = tuple(Portion(case, letters) for case, letters in kept["cases"].items())
        return cls(portions, cast(Paper, kept["paper"]), kept["language"])


def check_order(order: PackOrder) -> None:
    """Raise `Refused` unless the order is of 1 to `LETTERS_AT_MOST` letters on a known paper, one portion a case."""
    cases = {portion.case for portion in order.portions}
    sound = len(cases) == len(order.portions) and order.paper in PAPERS
    if not sound or any(portion.letters < 1 for portion in order.portions) or not 1 <= order.total <= LETTERS_AT_MOST:
        raise Refused(gettext("A pack has 1 to %(most)d letters.", most=LETTERS_AT_MOST))


def packable(slug: str) -> Case:
    """Return a case that a class may print letters for today.

    Raises `NoSuchThing`, or `NotPossibleNow` for one that is not open, offers no letter or whose consent does not cover
    schools: never after its deadline, and not by an old link.
    """
    case = shelf().case(slug)
    if case.for_schools(today()) and case.offers(Kind.LETTER) and case.target(Kind.LETTER):
        return case
    standing = case.standing(today()).value
    raise NotPossibleNow("not_offered" if standing == "open" else standing, {"case": case})


def print_pack(order: PackOrder, *, render: Render, names: Sequence[str] = (), skip: int = 0) -> Iterator[bytes]:
    """Print the order's files in child processes and yield each PDF in its turn, `skip` of them left out.

    With `names` every portion is signed by them, in their order; else the letters are blank.
    Raises what `packable` raises, `wfr.press.Busy` and `wfr.paper.PaperError`.
    """
    parts = order.parts[skip:]
    letters = {portion.case: class_letter(packable(portion.case), order.language, names) for portion in order.portions}
    signers = [Signer(name) for name in names] or [Signer()] * LETTERS_AT_MOST

    def document(part: Part) -> Document:
        signing = signers[part.first : part.first + part.letters]
        return Document(
            class_letters_html(letters[part.case], signing, paper=order.paper, render=render), stylesheet=STYLESHEET
        )

    children = min(len(parts), os.cpu_count() or 1, CHILDREN_AT_MOST)
    yield from press(map(document, parts), processes=children)


def class_letter(case: Case, language: str, names: Sequence[str] = ()) -> Letter:
    """Return the letter that a class writes for `case`; where no `names` sign it, it has a place for own words."""
    target = case.target(Kind.LETTER)
    if target is None:
        raise NotPossibleNow("not_offered", {"case": case})
    lines = PersonalLines(own_words="" if names else str(OWN_WORDS_MARKER))
    return merge_letter(
        case, Kind.LETTER, target, lines, today=today(), language=language, demonstration=shelf().demonstration
    )


def pages_a_letter(case: Case, *, paper: Paper, language: str, render: Render) -> int:
    """Return how many pages a blank letter for `case` takes, laid out as it will be printed; kept for five minutes."""

    def measure() -> int:
        html = class_letters_html(class_letter(case, language), [Signer()], paper=paper, render=render)
        return page_count(html, stylesheet=STYLESHEET)

    return kept().get(f"pages {case.slug} {paper} {language}", _MEASURED_SECONDS, measure)


def zipped(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a ZIP of `files`, name and content each, while it is made. A PDF is compressed already: it is stored."""
    outlet = _Outlet()
    with zipfile.ZipFile(cast(Any, outlet), "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6]), content)
            yield outlet.drain()
    yield outlet.drain()


class _Outlet:
    """Where a ZIP is written to be sent on at once: one can go back only to what has not been drained yet.

    `zipfile` goes back to the head of each entry to note its size. Where it cannot it notes the size behind the entry,
    and programs that read a ZIP from front to back do not find the end of one that is stored.
    """

    def __init__(self) -> None:
        self._drained = 0
        self._buffer = io.BytesIO()
        self.write: Callable[[bytes], int] = self._buffer.write
        self.flush = self._buffer.flush

    def tell(self) -> int:
        return self._drained + self._buffer.tell()

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET or place < self._drained:
            raise io.UnsupportedOperation
        return self._drained + self._buffer.seek(place - self._drained)

    def drain(self) -> bytes:
        """Return what was written since the last time."""
        written = self._buffer.getvalue()
        self._drained += len(written)
        self._buffer.seek(0)
        self._buffer.truncate()
        return written
