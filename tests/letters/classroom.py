"""The demonstration's cases without a database, and how their paper is read back."""

from __future__ import annotations

from functools import cache

import zxingcpp

from tests.letters.reading import Printed
from wfr.cases.documents import preview_case
from wfr.cases.loading import folder_files
from wfr.cases.models import Case, CaseText, Target
from wfr.cases.season_files import read_season
from wfr.paths import DEMO

LONGEST_NAME = "María del Rosario Fernández de la Vega and the People of Tierra Alta"


@cache
def demo_cases() -> list[Case]:
    """Return the seven cases of the demonstration, in no session."""
    files = read_season(folder_files(DEMO), counted=True).cases
    return [preview_case(Case(slug=file.slug, position=file.position), file.document) for file in files]


def arabic_case() -> Case:
    """Return the case of Layla Haddad, who is invented, in Arabic."""
    case = Case(slug="layla", name="ليلى حداد", country="TN", kinds=["letter"], pattern="sunrise", colours="rust")
    case.texts = [
        CaseText(
            language="ar",
            headline="كتبت قصيدة عن نهر",
            summary="كتبت ليلى قصيدة. [Z1]",
            story="كتبت ليلى قصيدة عن نهر.\n\nأخذوها في اليوم التالي.",
            ask="- أطلقوا سراحها.",
            letter="أكتب إليكم من أجل {person}.\n\n{own_words}",
            letter_close="مع الاحترام،",
            dos=["كن مهذبًا."],
            donts=["لا تذكر السياسة."],
        )
    ]
    address = {"office": "وزير العدل", "address_lines": ["وزارة العدل", "شارع النهر"], "languages": ["ar"]}
    case.targets = [
        Target(position=0, for_solidarity=False, salutation="سيدي الوزير،", country="TN", unreached_from=[], **address)
    ]
    return case


def codes(printed: Printed, page: int) -> list[str]:
    """Return what the codes of a page say."""
    return [found.text for found in zxingcpp.read_barcodes(printed.picture(page, scale=3))]


def says_in_order(text: str, *parts: str) -> None:
    """Check that the parts follow each other in the text, wherever its lines break."""
    rest = " ".join(text.split())
    for part in parts:
        assert part in rest, part
        rest = rest.partition(part)[2]


def says_what_accessible_paper_must_say(printed: Printed, title: str) -> None:
    """Check tags, language and title, and that every picture has a description."""
    root = printed.pdf.Root
    assert root.MarkInfo.Marked
    assert root.ViewerPreferences.DisplayDocTitle
    assert printed.pdf.docinfo["/Title"] == title
    figures = [thing for thing in printed.pdf.objects if getattr(thing, "get", None) and thing.get("/S") == "/Figure"]
    assert all(str(figure.get("/Alt", "")) for figure in figures)
