"""Letters, cards and handwriting sheets on paper, read back from the PDF."""

from __future__ import annotations

import pytest
import segno

from tests.letters.conftest import ANA, Write
from tests.letters.reading import Printed
from wfr.cases.models import Case, CaseText, Kind
from wfr.letters.merging import PersonalLines
from wfr.letters.printing import Render, Slip, handwriting_entry, print_card, print_handwriting, print_letters
from wfr.paper import FAMILIES, render_pdf

URL = "https://example.org/posted/abcdefghijklmnopqrstuvwxyz.0123456789"
SLIP = Slip("Ada Vale", URL, ("Put a stamp on it.", "Post it before 31 January 2027."))

FOLD_MARKS = 2

PARTS_IN_ORDER = [
    "Ana Ribeiro",
    "Rua do Souto 12",
    "Kofi Brook",
    "12 Quay Street",
    "TOGO",
    "20 November 2026",
    "Freedom for Ada Vale",
    "Dear Minister,",
    "I am writing about Ada Vale",
    "I teach biology",
    "I ask you to set Ada Vale free.",
    "Yours respectfully,",
    "Ana Ribeiro",
]


def test_a_letter_reads_in_order_on_one_page(write: Write, render: Render) -> None:
    printed = Printed(print_letters([write()], paper="A4", render=render))
    assert len(printed.texts) == 1
    rest = printed.texts[0]
    for part in PARTS_IN_ORDER:
        assert part in rest
        rest = rest.partition(part)[2]


def test_it_says_what_accessible_paper_must_say(write: Write, render: Render) -> None:
    pdf = Printed(print_letters([write()], paper="A4", render=render, slips=[SLIP])).pdf
    assert pdf.Root.MarkInfo.Marked
    assert pdf.Root.StructTreeRoot.K
    assert pdf.Root.Lang == "en"
    assert pdf.Root.ViewerPreferences.DisplayDocTitle
    assert pdf.docinfo["/Title"] == "Letter for Ada Vale"
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == "Letter for Ada Vale"


def test_the_code_on_the_slip_has_a_description(write: Write, render: Render) -> None:
    pdf = Printed(print_letters([write()], paper="A4", render=render, slips=[SLIP])).pdf
    figures = [thing for thing in pdf.objects if getattr(thing, "get", None) and thing.get("/S") == "/Figure"]
    assert [str(figure.Alt) for figure in figures] == ["QR code: I have posted my letter for Ada Vale"]


def test_the_file_s_name_does_not_tell_who_wrote(write: Write, render: Render) -> None:
    pdf = Printed(print_letters([write()], paper="A4", render=render)).pdf
    assert "Ana" not in str(dict(pdf.docinfo))


def test_every_font_is_ours_and_inside(write: Write, render: Render) -> None:
    letter = write(PersonalLines(name="Łukasz Żółć Đặng Ελένη Сергей محمد अनन्या"), demonstration=True)
    printed = Printed(print_letters([letter], paper="A4", render=render, slips=[SLIP]))
    assert printed.fonts() == dict.fromkeys(FAMILIES, True)


@pytest.mark.parametrize(("paper", "size"), [("A4", (595.3, 841.9)), ("Letter", (612.0, 792.0))])
def test_each_letter_has_a_sheet_of_the_chosen_paper(
    write: Write, render: Render, paper: str, size: tuple[float, float]
) -> None:
    letters = [write(PersonalLines(name=name)) for name in ("Ana", "Bo", "Chidi")]
    printed = Printed(print_letters(letters, paper=paper, render=render, slips=[SLIP]))  # type: ignore[arg-type]
    assert [printed.size(page) for page in range(4)] == [size] * 4
    assert [name in text for name, text in zip(["Ana", "Bo", "Chidi"], printed.texts, strict=False)] == [True] * 3
    assert len(printed.texts) == 4


def test_an_unknown_paper_is_refused(write: Write, render: Render) -> None:
    with pytest.raises(ValueError, match="A5"):
        print_letters([write()], paper="A5", render=render)  # type: ignore[arg-type]


def test_a_long_letter_ends_on_another_sheet_with_words_above_the_signature(write: Write, render: Render) -> None:
    long = "\n\n".join(["Nobody should be held for a poem, and nobody should have to say so twice. " * 4] * 9)
    printed = Printed(print_letters([write(PersonalLines(name="Ana", message=long))], paper="A4", render=render))
    assert len(printed.texts) == 2
    assert printed.texts[1].index("Nobody") < printed.texts[1].index("Yours respectfully,")


def test_the_slip_is_never_on_a_sheet_that_is_posted(write: Write, render: Render) -> None:
    printed = Printed(print_letters([write(), write()], paper="A4", render=render, slips=[SLIP, SLIP]))
    letters, slip = printed.texts[:-1], printed.texts[-1]
    assert len(letters) == 2
    assert [printed.drawings(page) for page in (0, 1)] == [FOLD_MARKS, FOLD_MARKS]
    assert not any("SLIP" in text or "POSTED" in text for text in letters)
    assert "KEEP THIS SLIP" in slip
    assert slip.count("Ada Vale") == 2
    assert "Ana" not in slip


def test_the_code_is_the_given_address(write: Write, render: Render) -> None:
    printed = Printed(print_letters([write()], paper="A4", render=render, slips=[SLIP]))
    code = segno.make(URL, micro=False, error="m")
    modules = [list(row) for row in code.matrix_iter(border=0)]
    picture = printed.picture(1).point(lambda grey: grey < 128)
    # The code is the first dark thing below the rule, at the left margin of 20 mm; its size is 38 mm.
    scale, left, size = 4 * 72 / 25.4, 20 * 4 * 72 / 25.4, 38
    module = size * scale / len(modules)

    def dark(x: float, y: float) -> bool:
        return bool(picture.getpixel((int(x), int(y))))

    finder = int(7 * module) - 3
    middle = left + module / 2
    top = next(y for y in range(picture.height) if all(dark(middle, y + step) for step in range(0, finder, 3)))
    places = range(len(modules))
    seen = [[dark(left + (x + 0.5) * module, top + (y + 0.5) * module) for x in places] for y in places]
    assert seen == [[bool(module) for module in row] for row in modules]


def test_ten_slips_fit_one_sheet_and_say_shared_hints_once(write: Write, render: Render) -> None:
    slips = [Slip(f"Case {number}", f"{URL}{number}", SLIP.hints) for number in range(10)]
    printed = Printed(print_letters([write()], paper="A4", render=render, slips=slips))
    assert len(printed.texts) == 2
    assert printed.texts[1].count("Put a stamp on it.") == 1


def test_hostile_lines_are_only_text(write: Write, render: Render) -> None:
    name = '<img src="http://127.0.0.1:9/x.png"><b>Bo</b>'
    words = "</p></article><style>*{display:none}</style><link rel=stylesheet href=file:///etc/passwd>{{ 7*7 }}"
    letter = write(PersonalLines(name=name, own_words=words))
    text = Printed(print_letters([letter], paper="A4", render=render)).texts[0].replace("\n", " ")
    assert name in text
    assert "<style>*{display:none}</style>" in text
    assert "{{ 7*7 }}" in text
    assert "Yours respectfully," in text


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_in_a_demonstration_the_mark_lies_across_the_address(
    write: Write, render: Render, case: Case, direction: str
) -> None:
    if direction == "rtl":
        case.texts.append(
            CaseText(language="ar", letter="من أجل {person}.", letter_close="مع الاحترام،", email_subject="")
        )
    letter = write(language="ar" if direction == "rtl" else "en", demonstration=True)
    printed = Printed(print_letters([letter], paper="A4", render=render))
    marks = printed.find(0, "DEMONSTRATION") + printed.find(0, "DO NOT SEND")
    address = [printed.find(0, line)[0] for line in letter.addressee_lines]
    assert len(marks) == 2
    assert sum(any(mark.overlaps(line) for mark in marks) for line in address) >= 3


def test_without_a_demonstration_there_is_no_mark(write: Write, render: Render) -> None:
    assert "DEMONSTRATION" not in Printed(print_letters([write()], paper="A4", render=render)).texts[0]


def test_nobody_s_name_leaves_a_line_to_sign_on(write: Write, render: Render) -> None:
    printed = Printed(print_letters([write(PersonalLines())], paper="A4", render=render))
    assert printed.texts[0].rstrip().endswith("Yours respectfully,")
    assert printed.drawings(0) == FOLD_MARKS + 1


def test_a_card_has_the_words_and_the_envelope_s_address(write: Write, render: Render) -> None:
    card = write(ANA, kind=Kind.SOLIDARITY, demonstration=True)
    printed = Printed(print_card(card, paper="Letter", render=render))
    text = printed.texts[0]
    assert len(printed.texts) == 1
    assert text.index("Dear Ada,") < text.index("I teach biology") < text.index("PO Box 7") < text.index("TOGO")
    mark, box = printed.find(0, "DEMONSTRATION")[0], printed.find(0, "PO Box 7")[0]
    assert abs(mark.bottom - box.bottom) < 40
    assert "Rua do Souto" not in text


def test_a_handwriting_sheet_has_greeting_points_and_envelope(render: Render, case: Case) -> None:
    entries = [handwriting_entry(case, case.targets[0], language="en", demonstration=True)] * 3
    printed = Printed(print_handwriting(entries, paper="A4", render=render))
    text = printed.texts[0]
    assert len(printed.texts) == 1
    assert text.count("DO NOT SEND") == 3
    assert text.index("Dear Minister,") < text.index("Set her free.") < text.index("TOGO")
    assert "[Z1" not in text
    assert "**" not in text


def test_a_letter_in_arabic_runs_from_the_right_and_joins_its_letters(write: Write, render: Render, case: Case) -> None:
    case.texts.append(CaseText(language="ar", letter="ممم", letter_close="مع الاحترام،", email_subject="الحرية لآدا"))
    letter = write(PersonalLines(name="محمد"), language="ar")
    printed = Printed(print_letters([letter], paper="A4", render=render))
    assert printed.pdf.Root.Lang == "ar"
    assert printed.find(0, "20")[0].right < 300
    assert printed.find(0, "ممم")[0].left > 300
    # A joined word shows three forms of the same letter; unshaped text would show one glyph three times.
    glyphs = printed.glyphs(0)
    first, middle, last = printed_word(glyphs, 3)
    assert len({first, middle, last}) == 3


def printed_word(glyphs: list[str], length: int) -> list[str]:
    """Return the glyphs of the body, which is the only word between the greeting and the close."""
    commas = [number for number, glyph in enumerate(glyphs) if glyphs.count(glyph) >= 2]
    assert commas
    runs = [glyphs[start : start + length] for start in range(len(glyphs) - length + 1)]
    return max(runs, key=lambda run: len(set(run)))


def test_a_name_in_devanagari_is_shaped_in_its_own_font(write: Write, render: Render) -> None:
    printed = Printed(
        print_letters([write(PersonalLines(name="अनन्या शर्मा", own_words="श्री क्ष"))], paper="A4", render=render)
    )
    assert printed.fonts() == {"Source Serif 4": True, "Noto Serif Devanagari": True}
    # Shaped, the conjuncts are glyphs of their own and the name has fewer glyphs than characters.
    assert [len(shaped("अनन्या")), len(shaped("शर्मा")), len(shaped("श्री"))] == [5, 4, 2]
    assert printed.texts[0].count("अनन्या शर्मा") == 2
    assert "श्री क्ष" in printed.texts[0]


def test_a_file_says_the_words_whose_letters_join_and_no_others(write: Write, render: Render) -> None:
    lines = PersonalLines(name="अनन्या शर्मा", address="محمد", own_words="श्री क्षत्रिय")
    printed = Printed(print_letters([write(lines)], paper="A4", render=render))
    assert printed.said(0) == ["अनन्या शर्मा", "श्री क्षत्रिय", "अनन्या शर्मा"]


def shaped(word: str) -> list[str]:
    """Return the glyphs that a word is printed with."""
    html = f'<html lang="hi"><title>A word</title><p style="font-family: \'Noto Serif Devanagari\'">{word}</p></html>'
    return Printed(render_pdf(html, stylesheet="css/paper.css")).glyphs(0)
