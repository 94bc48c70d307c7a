"""Posters: one page of the paper's own size, a code that leads where the address says, a name that stays inside."""

from __future__ import annotations

import pytest

from tests.letters.classroom import (
    LONGEST_NAME,
    arabic_case,
    codes,
    demo_cases,
    says_in_order,
    says_what_accessible_paper_must_say,
)
from tests.letters.reading import Printed
from wfr.cases.models import Case
from wfr.letters.posters import PosterPaper, poster_for, print_posters
from wfr.letters.printing import Render

URL = "https://write.example.org/cases/ada-vale"
SIZES = {"A3": (841.9, 1190.6), "A4": (595.3, 841.9), "Letter": (612.0, 792.0), "Tabloid": (792.0, 1224.0)}


@pytest.mark.parametrize("paper", SIZES)
def test_each_paper_has_one_page_a_poster_and_the_code_leads_to_the_address(
    render: Render, case: Case, paper: PosterPaper
) -> None:
    posters = [poster_for(case, url=URL, language="en"), poster_for(case, url=URL, language="en", code="KR7MPD")]
    printed = Printed(print_posters(posters, paper=paper, render=render))
    assert [printed.size(page) for page in range(len(printed.texts))] == [SIZES[paper]] * 2
    assert [codes(printed, page) for page in (0, 1)] == [[URL], [URL]]
    assert "write.example.org/cases/ada-vale" in printed.texts[0]


def test_it_reads_write_for_the_name_the_headline_and_the_way_to_join(render: Render, case: Case) -> None:
    poster = poster_for(case, url=URL, language="en", code="KR7MPD")
    printed = Printed(print_posters([poster], paper="A4", render=render))
    says_in_order(
        printed.texts[0], "WRITE FOR ADA VALE", "TOGO", "Held for a poem", "Write with us: write.example.org/join",
        "KR7MPD", "write.example.org/cases/ada-vale",
    )  # fmt: skip
    says_what_accessible_paper_must_say(printed, "Write for Ada Vale")
    assert printed.fonts() == {"Barlow Condensed": True}


def test_without_a_drive_nothing_is_said_of_a_code(render: Render, case: Case) -> None:
    printed = Printed(print_posters([poster_for(case, url=URL, language="en")], paper="A4", render=render))
    assert "join" not in printed.texts[0].lower()


def test_the_stamp_has_the_ink_of_its_pair(render: Render, case: Case) -> None:
    case.colours = "plum"
    printed = Printed(print_posters([poster_for(case, url=URL, language="en")], paper="A4", render=render))
    page = printed._document[0].render(scale=1).to_pil().convert("RGB")
    shares = {colour: count for count, colour in page.getcolors(maxcolors=1 << 20)}
    assert shares[(0x7A, 0x1F, 0x3D)] > 20_000
    assert shares[(0xFF, 0xE6, 0x00)] > 100_000


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_longest_name_and_headline_touch_nothing_else(render: Render, case: Case, paper: PosterPaper) -> None:
    case.name, case.texts[0].headline = LONGEST_NAME, ("Word " * 40).strip()
    poster = poster_for(case, url=URL, language="en", code="KR7MPD")
    printed = Printed(print_posters([poster], paper=paper, render=render))
    name, headline = printed.find(0, "TIERRA ALTA")[0], printed.find(0, "Word Word")[0]
    assert len(printed.texts) == 1
    # Below the last line of the name there is still the stamp's edge, turned a little.
    assert headline.top < name.bottom - 20
    assert codes(printed, 0) == [URL]


def test_every_case_of_the_demonstration_has_a_poster_and_so_has_one_in_arabic(render: Render) -> None:
    cases = [*demo_cases(), arabic_case()]
    posters = [poster_for(case, url=f"{URL}-{case.slug}", language="en") for case in cases]
    printed = Printed(print_posters(posters, paper="A4", render=render))
    assert len(printed.texts) == len(cases)
    for page, case in enumerate(cases):
        assert codes(printed, page) == [f"{URL}-{case.slug}"]
    # The Arabic stamp stands in the middle of its page too, its value at the left.
    value, country = (printed.find(len(cases) - 1, words)[0] for words in ("LE", "WRITE FOR"))
    assert 110 < value.left < 200
    assert abs(country.left + country.right - 595) < 12


def test_what_cannot_be_a_poster_is_refused(render: Render, case: Case) -> None:
    with pytest.raises(ValueError, match="whole address"):
        poster_for(case, url="/cases/ada-vale", language="en")
    with pytest.raises(ValueError, match="A5"):
        print_posters([poster_for(case, url=URL, language="en")], paper="A5", render=render)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no poster"):
        print_posters([], paper="A4", render=render)
