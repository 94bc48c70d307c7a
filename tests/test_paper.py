"""Paper is made of our own files and fonts, or not at all."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import threading
import unicodedata
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

from tests.letters.reading import Printed
from wfr import paper
from wfr.paper import FACES, PaperError, check_paper, own_file, render_pdf, unprintable
from wfr.paths import ROOT, STATIC

SHEET = "css/paper.css"
SERIF = '<style>body { font-family: "Source Serif 4", "Noto Naskh Arabic", serif }</style>'


def page(body: str, head: str = "") -> str:
    return f'<html lang="en"><head><title>A test</title>{SERIF}{head}</head><body>{body}</body></html>'


@pytest.fixture(autouse=True)
def paper_is_there() -> None:
    """What is missing is a failure with the line that mends it."""
    assert check_paper() == []


@pytest.mark.parametrize(
    "name",
    [
        "Łukasz Żółć",
        "Đặng Văn Lâm",
        "Ελένη Παπαδοπούλου",
        "Сергей Ђорђевић",
        "محمد",
        "Zoë Ångström",
        "M’Bóka",
    ],
)
def test_names_print_in_our_fonts(name: str) -> None:
    printed = Printed(render_pdf(page(f"<p>{name}</p>"), stylesheet=SHEET))
    assert printed.texts[0].strip() == name
    assert unprintable(name) == []


def test_a_name_typed_in_two_characters_prints_as_one() -> None:
    name = unicodedata.normalize("NFD", "Żółć Đặng")
    assert unprintable(name) == []
    assert Printed(render_pdf(page(name), stylesheet=SHEET)).texts[0].strip() == "Żółć Đặng"


def test_characters_that_no_font_has_are_named() -> None:
    assert unprintable("Ana 😀, 日 and 😀 again") == ["GRINNING FACE", "CJK UNIFIED IDEOGRAPH-65E5"]
    assert unprintable("") == []


def test_what_is_called_printable_prints() -> None:
    every = [chr(code) for code in sorted(paper._printable()) if code > 0x20 and chr(code) not in "<&"]
    # A few change into another character when they are composed, such as the Greek numeral sign.
    printable = [character for character in every if not unprintable(character)]
    assert len(printable) > 1500
    render_pdf(page(" ".join(printable)), stylesheet=SHEET)


def test_what_needs_no_font_prints_anywhere() -> None:
    spaces = [code for code in range(0x3001) if unicodedata.category(chr(code)) == "Zs"]
    marks = [chr(code) for code in [*spaces, *paper.INVISIBLE]]
    assert unprintable("".join(marks)) == []
    lines = [line for mark in marks for line in (mark, f"a{mark}b", f"م{mark}م", f"{mark}1")]
    render_pdf(page("".join(f"<p>{line}</p>" for line in lines)), stylesheet=SHEET)


def test_a_character_that_no_font_has_is_never_an_empty_box() -> None:
    with pytest.raises(PaperError, match="263A"):
        render_pdf(page("☺"), stylesheet=SHEET)


@pytest.mark.parametrize(
    "body",
    [
        '<img alt="" src="http://127.0.0.1:9/x.png">',
        '<img alt="" src="//127.0.0.1:9/x.png">',
        '<img alt="" src="file:///etc/passwd">',
        '<img alt="" src="data:image/svg+xml,<svg/>">',
        '<img alt="" src="img/no-such-picture.png">',
        '<img alt="" src="/static/../pyproject.toml">',
        '<img alt="" src="/static/%2e%2e/pyproject.toml">',
        '<object data="file:///etc/passwd">x</object>',
        '<p style="background: url(http://127.0.0.1:9/x.png)">x</p>',
        '<svg width="9" height="9"><image href="file:///etc/passwd" width="9" height="9"/></svg>',
    ],
)
def test_every_picture_that_is_not_ours_stops_the_print(body: str) -> None:
    with pytest.raises(PaperError):
        render_pdf(page(body), stylesheet=SHEET)


@pytest.mark.parametrize(
    "head",
    [
        '<link rel="stylesheet" href="file:///etc/passwd">',
        '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">',
        '<style>@import url("http://127.0.0.1:9/x.css");</style>',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<base href="http://127.0.0.1:9/"><link rel="stylesheet" href="x.css">',
    ],
)
def test_every_file_that_is_not_ours_stops_the_print(head: str) -> None:
    with pytest.raises(PaperError):
        render_pdf(page("x", head), stylesheet=SHEET)


def test_addresses_below_static_are_our_files() -> None:
    assert own_file("https://paper.invalid/static/css/paper.css?v=1") == (STATIC / SHEET).resolve()


def test_a_broken_picture_stops_the_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "css").mkdir()
    shutil.copy(STATIC / SHEET, tmp_path / SHEET)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    monkeypatch.setattr(paper, "STATIC", tmp_path)
    with pytest.raises(PaperError, match=r"broken\.png"):
        render_pdf(page('<img alt="" src="/static/broken.png">'), stylesheet=SHEET)


def test_a_missing_stylesheet_stops_the_print() -> None:
    with pytest.raises(PaperError, match=r"css/none\.css"):
        render_pdf(page("x"), stylesheet="css/none.css")


@pytest.mark.parametrize(
    "style",
    [
        "font-family: 'DejaVu Sans'",
        "font-family: monospace",
        "font-family: 'Source Serif 4', Arial",
        "font-weight: 900",
        "font-family: 'Barlow Condensed'; font-weight: 400",
    ],
)
def test_a_font_that_is_not_bundled_stops_the_print(style: str) -> None:
    with pytest.raises(PaperError, match="not bundled"):
        render_pdf(page(f'<p style="{style}">x</p>'), stylesheet=SHEET)


@pytest.mark.parametrize("html", ['<html lang="en"><body>x', "<html><title>t</title><body>x"])
def test_paper_without_a_title_or_a_language_is_refused(html: str) -> None:
    with pytest.raises(PaperError, match="title and a language"):
        render_pdf(f"{html}{SERIF}", stylesheet=SHEET)


def test_missing_fonts_are_told_with_the_line_that_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "FONTS", tmp_path)
    assert check_paper() == [paper.MEND_FONTS]
    with pytest.raises(PaperError, match="bin/print-fonts"):
        paper._Workshop()


@pytest.mark.parametrize(("library", "said"), [("libpango-1.0", "Pango is missing"), ("libharfbuzz-subset", "9 times")])
def test_missing_libraries_are_told_with_the_line_that_mends_it(
    monkeypatch: pytest.MonkeyPatch, library: str, said: str
) -> None:
    load = ctypes.CDLL

    def without(name: str) -> ctypes.CDLL:
        if name.startswith(library):
            raise OSError(name)
        return load(name)

    monkeypatch.setattr(ctypes, "CDLL", without)
    (problem,) = check_paper()
    assert said in problem
    assert paper.APT_LINE in problem


def test_other_programs_keep_their_fonts() -> None:
    paper.warm_up()
    assert "wfr-fonts" not in os.environ.get("FONTCONFIG_FILE", "")


def test_many_threads_print_what_they_were_given() -> None:
    printed: dict[int, str] = {}

    def print_one(number: int) -> None:
        pdf = render_pdf(page(f"<p>Number {number} Łukasz محمد</p>" * 5), stylesheet=SHEET)
        printed[number] = Printed(pdf).texts[0]

    threads = [threading.Thread(target=print_one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: text.count(f"Number {number} ") for number, text in printed.items()} == dict.fromkeys(range(12), 5)


def test_the_fonts_made_are_the_fonts_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = SourceFileLoader("print_fonts", str(ROOT / "bin" / "print-fonts"))
    spec = spec_from_loader("print_fonts", loader)
    assert spec is not None
    script = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "print_fonts", script)
    loader.exec_module(script)
    assert {face.target.name for face in script.FACES} == {face.file for face in FACES}
