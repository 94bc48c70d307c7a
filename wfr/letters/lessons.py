"""Lessons: the outline of an hour for a teacher with little time, and the task for pupils who prefer not to write.

The words are the campaign's own and stand in the templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flask_babel import gettext

from wfr.cases.models import Case, Kind
from wfr.countries import country_name
from wfr.letters.printing import Paper, Render, document_html
from wfr.paper import page_count, render_pdf
from wfr.text import without_sources

STYLESHEET = "css/classroom.css"

Ages = Literal["11-14", "15-18"]
MOST_PAGES = 3
TYPE_STEPS = 3
"""How many sizes of type classroom.css has for an outline, the largest first: ``lesson-0``, ``lesson-1`` …"""
OUTLINES = {"11-14": "paper/_lesson_11_14.html", "15-18": "paper/_lesson_15_18.html"}


@dataclass(frozen=True, slots=True)
class LessonCase:
    """What a teacher must know of a case beforehand. `on_paper`: pupils can write a letter or a card for it."""

    name: str
    country: str
    content_note: str
    on_paper: bool


def print_lesson(cases: Sequence[Case], *, ages: Ages, paper: Paper, language: str, render: Render) -> bytes:
    """Print the outline of a lesson with `cases` for a class of these ages; return the PDF.

    It has three pages at most for as many cases as a season has (about ten), in smaller type where they need it.
    It may be printed before any case is chosen. Raises `wfr.paper.PaperError` when a sheet would not come out
    right, `ValueError` for unknown ages or an unknown paper, `LookupError` for a case without words.
    """
    if ages not in OUTLINES:
        raise ValueError(f"no lesson for ages {ages!r}")
    title = gettext("Lesson: a letter for somebody, ages %(ages)s", ages=ages.replace("-", "–"))
    shown = [_lesson_case(case, language) for case in cases]
    values = {"ages": ages, "outline": OUTLINES[ages], "cases": shown}

    def html(step: int) -> str:
        return document_html("paper/lesson.html", title, language, paper, render, step=step, **values)

    smaller = range(TYPE_STEPS - 1)
    fitting = (step for step in smaller if page_count(html(step), stylesheet=STYLESHEET) <= MOST_PAGES)
    return render_pdf(html(next(fitting, TYPE_STEPS - 1)), stylesheet=STYLESHEET)


def print_task(*, paper: Paper, language: str, render: Render) -> bytes:
    """Print the task that is worth as much as a letter, "Draw the stamp", on one page; return the PDF.

    Raises as `print_lesson` does.
    """
    html = document_html("paper/task.html", gettext("Draw the stamp"), language, paper, render)
    return render_pdf(html, stylesheet=STYLESHEET)


def _lesson_case(case: Case, language: str) -> LessonCase:
    text = case.text(language)
    kinds = (Kind.LETTER, Kind.SOLIDARITY)
    return LessonCase(
        name=case.name,
        country=country_name(case.country, text.language),
        content_note=without_sources(text.content_note or "").strip(),
        on_paper=any(case.offers(kind) and case.target(kind) is not None for kind in kinds),
    )
