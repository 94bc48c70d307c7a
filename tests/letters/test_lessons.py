"""The lesson's outline and the equal task: short enough to be read, and with everything a teacher must know first."""

from __future__ import annotations

import re

import pytest

from tests.letters.classroom import codes, demo_cases, says_in_order, says_what_accessible_paper_must_say
from tests.letters.reading import Printed
from wfr.letters.lessons import Ages, print_lesson, print_task
from wfr.letters.printing import Paper, Render

PAPERS = pytest.mark.parametrize("paper", ["A4", "Letter"])
AGES = pytest.mark.parametrize("ages", ["11-14", "15-18"])


@PAPERS
@AGES
def test_an_outline_with_all_cases_has_three_pages_and_reads_in_order(render: Render, ages: Ages, paper: Paper) -> None:
    printed = Printed(print_lesson(demo_cases(), ages=ages, paper=paper, language="en", render=render))
    assert len(printed.texts) == 3
    says_in_order(
        "\n".join(printed.texts), "AIM", "WHAT YOU NEED", "BEFORE THE LESSON", "RULES OF THE ROOM", "Nobody must write",
        "THE CASES, BEFORE YOU CHOOSE", "THE HOUR, MINUTE BY MINUTE", "10 December 1948", "60–90",
        "QUESTIONS TO", "NAMES AND PRIVACY", "first names only, or nothing", "WHAT TO DO WITH THE LETTERS",
        "WHAT HAPPENS AFTERWARDS", "THE EQUAL TASK",
    )  # fmt: skip
    says_what_accessible_paper_must_say(printed, f"Lesson: a letter for somebody, ages {ages.replace('-', '–')}")
    assert all(printed.fonts().values())


@AGES
def test_each_case_comes_with_its_content_note_or_says_that_there_is_none(render: Render, ages: Ages) -> None:
    printed = Printed(print_lesson(demo_cases(), ages=ages, paper="A4", language="en", render=render))
    text = " ".join(" ".join(printed.texts).split())
    notes = [case.text("en").content_note for case in demo_cases()]
    assert all(note in text for note in notes if note)
    assert text.count("No content note is recorded.") == notes.count(None) > 0
    # Two of the demonstration's cases have no postal address.
    assert text.count("nobody can write on paper for this case") == 2


@AGES
def test_the_minutes_of_a_plan_follow_each_other_up_to_ninety(render: Render, ages: Ages) -> None:
    printed = Printed(print_lesson([], ages=ages, paper="A4", language="en", render=render))
    # A span of minutes stands alone at the left of its row; "ages 11–14" does not.
    spans = re.findall(r"^(\d+)–(\d+)(?= [A-Z]|$)", "\n".join(printed.texts), re.MULTILINE)
    assert spans[0][0] == "0" and spans[-1] == ("60", "90")
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]


def test_the_two_ages_have_lessons_of_their_own(render: Render) -> None:
    young, old = (
        " ".join(" ".join(Printed(print_lesson([], ages=ages, paper="A4", language="en", render=render)).texts).split())
        for ages in ("11-14", "15-18")
    )
    assert "The island".upper() in young and "ISLAND" not in old
    assert "48 states" in old and "48 states" not in young
    assert "No case is chosen yet." in young


def test_a_season_of_ten_cases_still_has_three_pages(render: Render) -> None:
    cases = (demo_cases() * 2)[:10]
    printed = Printed(print_lesson(cases, ages="15-18", paper="Letter", language="en", render=render))
    assert len(printed.texts) == 3


@PAPERS
def test_the_task_is_one_page_with_eight_rights_a_frame_and_three_questions(render: Render, paper: Paper) -> None:
    printed = Printed(print_task(paper=paper, language="en", render=render))
    assert len(printed.texts) == 1
    says_in_order(
        printed.texts[0], "DRAW THE STAMP", "EIGHT OF THIRTY RIGHTS", "9 Nobody may be locked up", "10 A court",
        "12 Your home", "14 If you are persecuted", "18 You may believe", "19 You may think", "24 You have a right",
        "26 You have a right", "1. Which right", "2. Invent somebody", "3. Who could", "Leave your name off",
    )  # fmt: skip
    says_what_accessible_paper_must_say(printed, "Draw the stamp")
    assert codes(printed, 0) == []


def test_unknown_ages_are_refused(render: Render) -> None:
    with pytest.raises(ValueError, match="9-10"):
        print_lesson([], ages="9-10", paper="A4", language="en", render=render)  # type: ignore[arg-type]
