"""What people type is cleaned without hurting any script, and case texts become safe HTML."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfr.text import (
    MARKS_IN_A_ROW,
    RefusedText,
    clean_line,
    clean_text,
    paragraphs,
    render_markdown,
    source_tags,
    without_sources,
)

# The characters that make trouble, so that Hypothesis meets them in every other example.
TROUBLE = st.sampled_from(
    "\x00\x1b\x7f\x85\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202c\u202d\u2066\u2069\ufeff\u00ad\u2028"
    "\r\n\t\v "
    "\u00a0\u3000\u2003\u0301\u0308\u0338\u20dd\u093c\u094d\u09be\u09c7\u034f\ufe0f=e\u1100\u1161\u11a8\ud800\udc00"
    "\ufdd0\uffff\u3164\u2800\u180e\U000e0041\U000e007f\U0001f3f4\U0001f468\U0001f1e8\u212b\u0344"
)
ANY_CHARACTER = st.characters(exclude_categories=())
TYPED = st.lists(TROUBLE | ANY_CHARACTER | st.sampled_from("abc \n")).map("".join)


def cleaned(value: str) -> tuple[str, ...]:
    """Return what both cleaners make of `value`; nothing for one that refuses it."""
    answers = []
    for clean in (clean_line, clean_text):
        with suppress(RefusedText):
            answers.append(clean(value))
    return tuple(answers)


WORDS = {
    "Arabic with vowels": "مُحَمَّدٌ بْنُ عَبْدِ اللهِ",
    "Hebrew with points and cantillation": "בְּרֵאשִׁ֖ית בָּרָ֣א",
    "Persian with a joiner": "می\u200cخواهم نامه\u200cای بنویسم",
    "Persian abbreviation that ends in a joiner": "۱۳۹۹ ه\u200d",
    "Hindi": "क्षत्रिय न्याय श्रीमती",
    "Hindi with a half letter": "क्\u200dष",
    "Bengali": "র\u200d্যাব আমার সোনার বাংলা",
    "Malayalam": "ന\u0d4d\u200d മലയാളം",
    "Sinhala": "ශ\u0dca\u200dරී ලංකා",
    "Burmese": "မြန်မာနိုင်ငံ",
    "Tibetan": "བོད་སྐད་ཧཱུྃ",
    "Thai": "สวัสดีค่ะ ท่านนายกรัฐมนตรี",
    "Khmer": "សូមជម្រាបសួរ",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ\u180eᠠ",
    "Chinese": "尊敬的先生\u3000您好",
    "Korean": "안녕하세요",
    "Vietnamese": "Nguyễn Thị Ngọc Ánh",
    "Yoruba": "Ẹ̀yin ọmọ Ọ̀yọ́",
    "French": "Où\u202f? «\u00a0Là\u00a0»",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "a skin tone": "\U0001f44d\U0001f3fd",
    "a flag": "\U0001f1e8\U0001f1ed",
    "the flag of Wales": "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "the rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "a Hebrew sentence with a mark": "C++\u200e היא שפה",
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
def test_every_script_passes_unchanged(words: str) -> None:
    words = unicodedata.normalize("NFC", words)
    assert clean_line(words) == words
    assert clean_text(f"{words}\n\n{words}") == f"{words}\n\n{words}"


@settings(deadline=None)
@given(TYPED)
def test_cleaning_never_raises_anything_but_a_refusal(value: str) -> None:
    cleaned(value)


@settings(deadline=None)
@given(TYPED)
def test_cleaning_twice_changes_nothing(value: str) -> None:
    try:
        line, text = clean_line(value), clean_text(value)
    except RefusedText:
        return
    assert clean_line(line) == line
    assert clean_text(text) == text


@settings(deadline=None)
@given(TYPED)
def test_nothing_hidden_comes_out(value: str) -> None:
    for answer in cleaned(value):
        assert unicodedata.is_normalized("NFC", answer)
        assert answer == answer.strip()
        answer.encode()
        for character in answer:
            assert unicodedata.category(character) not in {"Cs", "Co", "Zl", "Zp"}
            assert character == "\n" or unicodedata.category(character) != "Cc"
            assert not 0x202A <= ord(character) <= 0x202E
            assert not 0x2066 <= ord(character) <= 0x2069
            assert not 0xFDD0 <= ord(character) <= 0xFDEF
            assert ord(character) & 0xFFFE != 0xFFFE
            assert character not in "\ufeff\u200b\u00ad\u3164\ufffd"


@settings(deadline=None)
@given(TYPED)
def test_no_character_carries_a_tower_of_marks(value: str) -> None:
    for answer in cleaned(value):
        run = 0
        for character in answer:
            if character not in "\u200c\u200d\u200e\u200f\u061c":
                run = run + 1 if unicodedata.category(character).startswith("M") else 0
            assert run <= MARKS_IN_A_ROW


@settings(deadline=None)
@given(TYPED)
def test_a_line_is_one_line(value: str) -> None:
    try:
        line = clean_line(value)
    except RefusedText:
        return
    assert len(line.splitlines()) <= 1
    assert "  " not in line


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("\ufeffAna", "Ana"),
        ("An\u200ba", "Ana"),
        ("An\x00a\x07", "Ana"),
        ("\u202a+43 1 234\u202c", "+43 1 234"),
        ("\u202d(0)1\u202c", "(0)1"),
        ("\u2066عمر\u2069", "عمر"),
        ("Ana\ud800", "Ana"),
        ("Ana\uffff", "Ana"),
        ("Ana\U000e0041\U000e0042", "Ana"),
        ("Ana\u200d\u200d\u200dB", "Ana\u200dB"),
        ("Ana \u200c B", "Ana B"),
        ("Ana\u200e\u200e\u200e B", "Ana\u200e B"),
        ("A\u030angstro\u0308m", "Ångström"),
        ("  Ana\t\tB\r\nC\u2028D\x0bE  ", "Ana B C D E"),
        ("Z" + "\u0315" * 40 + "a", "Z" + "\u0315" * MARKS_IN_A_ROW + "a"),
        ("\u3164", ""),
        ("\u200e \u2800 \u180e", ""),
        ("\u0301", ""),
    ],
)
def test_what_a_paste_brings_along_unseen_goes_without_a_word(pasted: str, kept: str) -> None:
    assert clean_line(pasted) == kept


def test_a_text_keeps_its_lines_and_loses_the_spaces_around_them() -> None:
    typed = "\r\n  Dear Sir,  \r\n\r\nfirst\u2029second\rthird \r\n\r\n\r\n\r\n\r\nlast\n\n"
    assert clean_text(typed) == "Dear Sir,\n\nfirst\nsecond\nthird\n\n\nlast"


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("abc\u202edef", "turn the text around"),
        ("my \uf8ff logo", "only your own device"),
        ("J\ufffdrgen", "Type the text again"),
    ],
)
def test_what_cannot_be_stripped_honestly_is_refused_with_advice(typed: str, advice: str) -> None:
    with pytest.raises(RefusedText, match=advice):
        clean_line(typed)
    with pytest.raises(RefusedText, match=advice):
        clean_text(typed)


def test_a_refusal_is_the_value_error_that_forms_show() -> None:
    with pytest.raises(ValueError, match="Remove") as refused:
        clean_line("\u202e")
    assert str(refused.value.args[0]) == str(refused.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("He was taken. [I1] He is free.", "He was taken. He is free."),
        ("He was taken [I1, I3].", "He was taken."),
        ("Both [N2][N3] agree; so [W10] do we", "Both agree; so do we"),
        ("- one [B3]\n- two [B4, B5]\n", "- one\n- two\n"),
        ("[I1] He was taken.\n[I2][I3] Then freed.", "He was taken.\nThen freed."),
        ("See [I1](https://example.org) now. [I2]", "See [I1](https://example.org) now."),
        ("[a1] [IN1] [I] [I1 and I2] [1]", "[a1] [IN1] [I] [I1 and I2] [1]"),
    ],
)
def test_visitors_never_see_source_tags_and_links_stay_links(written: str, read: str) -> None:
    assert without_sources(written) == read


def test_source_tags_come_in_order_and_once() -> None:
    assert source_tags("a [N2][I1, I3] b [N2, I1] c [Z](x) [Q1](https://example.org) [Q2]") == [
        "N2",
        "I1",
        "I3",
        "Q2",
    ]


@settings(deadline=None)
@given(st.text(alphabet="[]I1,N2 (\n)a"))
def test_only_source_tags_are_taken_out(text: str) -> None:
    if not source_tags(text):
        assert without_sources(text) == text


def test_markdown_becomes_the_few_elements_a_story_needs() -> None:
    html = render_markdown(
        "# A\n\nOne *two* **three** [I1]\nfour [five](https://example.org)\n\n- six\n\n1. seven\n\n> eight\n\n#### B"
    )
    assert html == (
        "<h3>A</h3>\n<p>One <em>two</em> <strong>three</strong>\n"
        'four <a href="https://example.org" rel="noopener">five</a></p>\n'
        "<ul>\n<li>six</li>\n</ul>\n<ol>\n<li>seven</li>\n</ol>\n"
        "<blockquote>\n<p>eight</p>\n</blockquote>\n<h4>B</h4>\n"
    )
    assert html.__html__() == html


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://tracker.example/pixel.gif)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,x)",
        "[x](//other.example)",
        "[x](mailto:a@example.org)",
        "<javascript:alert(1)>",
        "[x]\n\n[x]: javascript:alert(1)",
    ],
)
def test_markdown_carries_no_script_no_picture_and_no_odd_address(attack: str) -> None:
    html = render_markdown(attack)
    for forbidden in (
        "<script",
        "<img",
        'href="j',
        'href="J',
        'href="d',
        'href="/',
        'href="m',
        "onerror=alert(1)>",
    ):
        assert forbidden not in html


def test_words_that_look_like_an_address_are_not_linked() -> None:
    assert render_markdown("see www.example.org or http://example.org") == (
        "<p>see www.example.org or http://example.org</p>\n"
    )


@settings(deadline=None)
@given(st.text())
def test_any_markdown_renders(source: str) -> None:
    assert "<script" not in render_markdown(source)


def test_paragraphs_are_what_blank_lines_part() -> None:
    assert paragraphs("\n one\ntwo \r\n\r\n\n  \n three\n") == ["one\ntwo", "three"]
    assert paragraphs(" \n ") == []
