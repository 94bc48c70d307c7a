"""A letter that takes two pages is said to, before it is printed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import get_args

import pytest

from tests.letters.conftest import Write
from wfr.cases.documents import preview_case
from wfr.cases.loading import folder_files
from wfr.cases.models import Case, CaseText, Kind
from wfr.cases.season_files import read_season
from wfr.letters.merging import Letter, PersonalLines, merge_letter, put_beside
from wfr.letters.overflowing import count_pages, may_take_two_pages
from wfr.letters.printing import Paper, Render
from wfr.paths import ROOT

PAPERS: tuple[Paper, ...] = get_args(Paper)
WORDS = {
    "English": (
        "the a river poem has been held for writing about water Government immediately to let her go 2026",
        90,
        200,
    ),
    "capitals": ("PLEASE SET HER FREE AT ONCE WWW", 100, 240),
    "Russian": ("Пожалуйста освободите её немедленно и безусловно река", 60, 130),
    "Hindi": ("कृपया उसे तुरंत रिहा करें नदी कविता श्रीमती विद्यालय", 90, 200),
    "Arabic": ("أطلب منكم الإفراج عنها فوراً ودون قيد أو شرط", 90, 210),
    "one letter": ("w", 200, 600),
    "lines": ("a\n", 6, 25),
}


def misses(letter: Letter, render: Render) -> Iterator[str]:
    """Name each paper on which a letter takes two pages that nobody had feared."""
    for paper in PAPERS:
        if not may_take_two_pages(letter, paper) and count_pages(letter, paper=paper, render=render) > 1:
            yield f"{letter.case_slug} on {paper}: {letter.paragraphs}"


def some_message(words: str, most: int) -> str:
    """Return paragraphs of random length, `most` words in all."""
    chosen = random.choices(words.split(" "), k=most)  # noqa: S311 - nothing secret
    paragraphs = []
    while chosen:
        length = random.randint(5, 70)  # noqa: S311
        paragraphs.append(" ".join(chosen[:length]))
        chosen = chosen[length:]
    return "\n\n".join(paragraphs)


@pytest.mark.parametrize("script", WORDS)
def test_the_guess_never_misses_a_letter_that_overflows(write: Write, render: Render, script: str) -> None:
    random.seed(script)
    words, least, most = WORDS[script]
    overflowing = 0
    for length in range(least, most, (most - least) // 9 or 1):
        letter = write(PersonalLines(name="Ana", message=some_message(words, length)))
        assert list(misses(letter, render)) == []
        overflowing += may_take_two_pages(letter, "A4")
    assert overflowing, "none of these letters was long enough to be a test"


@pytest.mark.parametrize(
    "own", ["", "I teach biology, and my pupils know what a river is worth. " * 2, "A river. " * 66]
)
def test_nor_one_of_the_demonstration(render: Render, own: str) -> None:
    files = read_season(folder_files(ROOT / "demo"), counted=True).cases
    cases = [preview_case(Case(id=1, slug=file.slug, position=0), file.document) for file in files]
    lines = PersonalLines(name="Ana Ribeiro", address="Rua do Souto 12\n4700-329 Braga", own_words=own)
    for case in cases:
        target = case.target(Kind.LETTER)
        if target:
            letter = merge_letter(
                case, Kind.LETTER, target, lines, today=date(2026, 11, 20), language="en", demonstration=True
            )
            assert list(misses(letter, render)) == []
            if not own:
                assert not may_take_two_pages(letter, "A4"), "a case's own letter is short enough to be sure"


@pytest.mark.parametrize("beside", [False, True])
def test_nor_one_in_arabic_or_in_two_languages(write: Write, render: Render, case: Case, beside: bool) -> None:
    random.seed(beside)
    arabic = CaseText(language="ar", letter="", letter_close="مع الاحترام،", email_subject="الحرية")
    case.texts.append(arabic)
    case.targets[0].languages = ["ar"]
    for length in range(60, 240, 25):
        case.texts[0].letter = some_message(WORDS["English"][0], length)
        arabic.letter = some_message(WORDS["Arabic"][0], length)
        letter = put_beside(write(), case, case.targets[0]) if beside else write(language="ar")
        assert list(misses(letter, render)) == []


def test_a_short_letter_is_not_doubted(write: Write, render: Render) -> None:
    assert not may_take_two_pages(write(), "A4")
    assert count_pages(write(), paper="A4", render=render) == 1
