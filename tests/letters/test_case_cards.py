"""Case cards: two sides each, whatever the words, and nothing on them that tells who wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markupsafe import Markup

from tests.letters.classroom import (
    LONGEST_NAME,
    arabic_case,
    codes,
    demo_cases,
    says_in_order,
    says_what_accessible_paper_must_say,
)
from tests.letters.reading import Printed
from wfr.cases.models import Case, CaseText, Kind
from wfr.letters.case_cards import CaseCard, case_card_for, print_case_cards
from wfr.letters.printing import Paper, Render
from wfr.paper import FAMILIES
from wfr.text import render_markdown

URL = "https://write.example.org/cases/ada-vale"


def card_of(case: Case, language: str = "en") -> CaseCard:
    return case_card_for(case, case.target(Kind.LETTER), url=URL, language=language, demonstration=True)


@pytest.fixture
def case(case: Case) -> Case:
    """Ada Vale's case with what a database would have filled in."""
    case.texts[0].dos, case.texts[0].donts = ["Be polite."], ["Do not mention politics."]
    case.texts[0].content_note = "This case tells of prison."
    case.targets[0].languages = ["en"]
    return case


@pytest.fixture
def card(case: Case) -> CaseCard:
    """Ada Vale's, who wrote a poem."""
    return card_of(case)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_every_case_of_the_demonstration_has_two_whole_sides(render: Render, paper: Paper) -> None:
    cases = demo_cases()
    printed = Printed(print_case_cards([card_of(case) for case in cases], paper=paper, render=render))
    assert len(printed.texts) == 2 * len(cases) == 14
    for case, front, back in zip(cases, printed.texts[::2], printed.texts[1::2], strict=True):
        assert case.name in front
        assert "AS IT STOOD IN NOVEMBER 2020" in front
        assert "The whole story" not in front
        assert "[" not in front
        assert (case.text("en").content_note or "") in " ".join(front.split())
        assert case.name.upper() in back


def test_the_front_reads_from_the_person_to_what_we_ask(render: Render, card: CaseCard) -> None:
    front = Printed(print_case_cards([card], paper="A4", render=render)).texts[0]
    says_in_order(
        front, "ADA VALE", "TOGO", "Ada Vale".upper(), "This case tells of prison.", "Held for a poem",
        "WHAT HAPPENED", "She wrote a poem.", "WHAT WE ASK", "Set her free.", "Give her poem back.",
    )  # fmt: skip
    assert "AS IT STOOD" not in front


def test_the_back_has_the_letter_the_advice_and_the_envelope(render: Render, card: CaseCard) -> None:
    back = Printed(print_case_cards([card], paper="A4", render=render)).texts[1]
    says_in_order(
        back, "This letter is in English.", "Dear Minister,", "I am writing about Ada Vale", "[your own sentence]",
        "I ask you to set Ada Vale free.", "Yours respectfully,", "DO", "Be polite.", "DON’T",
        "Do not mention politics.", "ON THE ENVELOPE", "12 Quay Street", "TOGO",
    )  # fmt: skip
    assert "DO NOT SEND" in back


def test_no_side_has_a_code(render: Render, card: CaseCard) -> None:
    printed = Printed(print_case_cards([card], paper="A4", render=render))
    assert [codes(printed, page) for page in (0, 1)] == [[], []]


def test_a_card_is_tagged_described_and_set_in_our_fonts(render: Render, card: CaseCard) -> None:
    printed = Printed(print_case_cards([card], paper="Letter", render=render))
    says_what_accessible_paper_must_say(printed, "Case card: Ada Vale")
    fonts = printed.fonts()
    assert all(fonts.values())
    assert set(fonts) == {"Source Serif 4", "Barlow Condensed"}


def story_of(paragraphs: int) -> tuple[Markup, ...]:
    """Return a story of paragraphs of 62 words, the last of them their number."""
    return tuple(render_markdown("Word " * 60 + f"end {number}.") for number in range(paragraphs))


def test_a_long_case_is_set_smaller_before_anything_is_left_out(render: Render, card: CaseCard) -> None:
    long = replace(card, story=story_of(5))
    printed = Printed(print_case_cards([long, card], paper="A4", render=render))
    assert len(printed.texts) == 4
    assert "end 4." in printed.texts[0]
    assert "The whole story" not in printed.texts[0]
    assert height(printed, 0, "end 4.") < 0.9 * height(printed, 2, "Set her free.")


def height(printed: Printed, page: int, words: str) -> float:
    box = printed.find(page, words)[0]
    return box.top - box.bottom


def test_what_cannot_fit_ends_with_a_whole_paragraph_and_the_address(render: Render, card: CaseCard) -> None:
    letter = tuple(f"{'Word ' * 60}end {n}." for n in range(20))
    printed = Printed(print_case_cards([replace(card, story=story_of(20), letter=letter)], paper="A4", render=render))
    assert len(printed.texts) == 2
    for page, words in ((0, "The whole story:"), (1, "The whole letter:")):
        text = " ".join(printed.texts[page].split())
        before, _, after = text.partition(words)
        assert before.rstrip().endswith(".")
        assert before.rsplit("end ", 1)[1].strip(" .").isdigit()
        assert after.strip().startswith("write.example.org/cases/ada-vale")


def test_a_case_without_a_letter_says_so_and_shows_no_envelope(render: Render) -> None:
    silent = next(case for case in demo_cases() if not case.offers(Kind.LETTER))
    back = Printed(print_case_cards([card_of(silent)], paper="A4", render=render)).texts[1]
    assert "NO PAPER LETTER FOR THIS CASE" in back
    assert "ON THE ENVELOPE" not in back
    assert "DO NOT SEND" not in back


def test_further_languages_of_the_office_are_named(render: Render, case: Case) -> None:
    case.targets[0].languages = ["fr", "en"]
    assert card_of(case).also == ("French",)


def test_a_card_in_arabic_runs_from_the_right(render: Render) -> None:
    printed = Printed(print_case_cards([card_of(arabic_case(), "ar")], paper="A4", render=render))
    assert len(printed.texts) == 2
    assert printed.pdf.Root.Lang == "ar"
    assert printed.find(0, "WHAT HAPPENED")[0].left > 300
    assert printed.find(1, "TUNISIA")[0].left > 300
    assert set(printed.fonts()) <= FAMILIES


def test_the_longest_name_keeps_two_sides_and_stays_on_its_stamp(render: Render, card: CaseCard, case: Case) -> None:
    case.name = LONGEST_NAME
    printed = Printed(print_case_cards([card_of(case)], paper="Letter", render=render))
    assert len(printed.texts) == 2
    # The stamp is 51 mm wide and begins at the margin of 20 mm.
    assert printed.find(0, "TIERRA ALTA")[0].right < (20 + 51) * 72 / 25.4


def test_a_colour_pair_that_is_no_more_is_printed_in_another(case: Case) -> None:
    case.colours = "gone"
    assert card_of(case).stamp.ink == "#0f4c5c"


def test_no_card_and_no_words_are_refused(render: Render, case: Case) -> None:
    with pytest.raises(ValueError, match="no card"):
        print_case_cards([], paper="A4", render=render)
    case.texts = list[CaseText]()
    with pytest.raises(LookupError):
        card_of(case)
