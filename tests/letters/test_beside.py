"""A letter in two languages: the target's on the left, the writer's own on the right, on one sheet."""

from __future__ import annotations

import re

import pytest

from tests.letters.conftest import ANA, Write
from tests.letters.reading import Printed
from wfr.cases.models import Case, CaseText, Kind
from wfr.letters.merging import PersonalLines, language_beside, put_beside
from wfr.letters.printing import Paper, Render, letters_html, print_letters


@pytest.fixture
def french(case: Case) -> Case:
    """The case with a letter in French, which the minister reads."""
    case.texts.append(
        CaseText(
            language="fr",
            letter="Je vous écris au sujet de {person}.\n\n{own_words}\n\nJe vous prie de la libérer.",
            letter_close="Veuillez agréer mes salutations,",
            email_subject="Liberté pour Ada Vale",
        )
    )
    case.targets[0].languages = ["ar", "fr", "en"]
    return case


def test_it_is_offered_only_where_the_target_reads_what_the_case_has(case: Case, french: Case) -> None:
    target = case.targets[0]
    assert language_beside(french, target, "en") == "fr"
    assert language_beside(french, target, "fr") == "en"
    french.texts[1].letter = " "
    assert language_beside(french, target, "en") is None
    target.languages = ["en"]
    assert language_beside(french, target, "en") is None


def test_own_words_stand_in_the_writer_s_column_alone(write: Write, french: Case) -> None:
    letter = put_beside(write(), french, french.targets[0])
    assert letter.rows == (
        (("Je vous écris au sujet de Ada Vale.",), ("I am writing about Ada Vale, who is held for a poem.",)),
        ((), (ANA.own_words,)),
        (("Je vous prie de la libérer.",), ("I ask you to set Ada Vale free.",)),
    )


def test_what_does_not_correspond_is_not_paired(write: Write, french: Case) -> None:
    letter = put_beside(write(PersonalLines(message="All mine.")), french, french.targets[0])
    assert letter.rows == ((("Je vous écris au sujet de Ada Vale.", "Je vous prie de la libérer."), ("All mine.",)),)


def test_a_letter_without_another_language_stays_as_it_is(write: Write, case: Case) -> None:
    letter = write()
    case.targets[0].languages = ["fr"]
    assert put_beside(letter, case, case.targets[0]) is letter


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_both_columns_are_on_one_sheet_and_read_row_by_row(
    write: Write, render: Render, french: Case, paper: Paper
) -> None:
    letter = put_beside(write(), french, french.targets[0])
    printed = Printed(print_letters([letter], paper=paper, render=render))
    (text,) = printed.texts
    parts = [
        "TOGO",
        "Liberté",
        "Freedom",
        "Dear Minister,",
        "Je vous écris",
        "I am writing",
        "I teach",
        "Je vous prie",
        "I ask",
        "Veuillez",
        "Yours",
        "Ana Ribeiro",
    ]
    rest = text
    for part in parts:
        assert part in rest, part
        rest = rest.partition(part)[2]
    assert text.count("TOGO") == text.count("20 November 2026") == 1
    middle = printed.size(0)[0] / 2
    theirs, mine = printed.find(0, "Je vous prie")[0], printed.find(0, "I ask you")[0]
    assert theirs.right < middle < mine.left
    assert theirs.top == pytest.approx(mine.top, abs=4)


def test_each_column_says_its_language_and_direction(write: Write, render: Render, french: Case) -> None:
    french.texts[1].language = "ar"
    html = letters_html([put_beside(write(), french, french.targets[0])], paper="A4", render=render)
    cells = re.findall(r'<div class="beside-cell" lang="(\w+)" dir="(\w+)">(.*?)</div>', html)
    assert {cell[:2] for cell in cells[::2]} == {("ar", "rtl")}
    assert {cell[:2] for cell in cells[1::2]} == {("en", "ltr")}
    assert [len(cells), sum("Je vous" in words for _language, _direction, words in cells[::2])] == [10, 2]


def test_arabic_stands_on_the_left_and_runs_from_the_right(write: Write, render: Render, french: Case) -> None:
    french.texts[1].language, french.texts[1].letter = "ar", "ممم\n\nممم"
    letter = put_beside(write(), french, french.targets[0])
    assert letter.beside is not None and (letter.beside.language, letter.beside.direction) == ("ar", "rtl")
    printed = Printed(print_letters([letter], paper="A4", render=render))
    word = printed.find(0, "ممم")[0]
    assert 240 < word.right < printed.size(0)[0] / 2


def test_a_card_is_never_in_two_languages(write: Write, french: Case) -> None:
    assert write(kind=Kind.SOLIDARITY).rows == ()
