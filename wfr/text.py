"""What people type, made fit for paper: cleaning, source tags and the small Markdown of case texts.

Cleaning strips what a paste can bring along unseen, and refuses only what it could not strip without changing
what the visitor saw:

* stripped: NUL and the other control characters, byte order marks, zero-width spaces, soft hyphens, the
  directional embeddings, isolates and the left-to-right override (phones and address books wrap numbers in
  them), lone surrogates, noncharacters, tag characters outside a flag, repeated or stray joiners, and
  combining marks after the eighth in a row;
* refused with a sentence: the right-to-left override (without it the letters stand in another order),
  private-use characters (only one device has their picture) and U+FFFD (a character arrived damaged);
* kept: every script, ZWJ and ZWNJ after a character, the marks LRM, RLM and ALM (one at a time), the visible
  number signs of Arabic, and code points that this Python's Unicode tables do not know yet: next year's emoji
  are unassigned today, and a letter's fonts are asked about each character anyway.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import nh3
from flask_babel import lazy_gettext as _l
from markdown_it import MarkdownIt
from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore

MARKS_IN_A_ROW = 8
"""How many combining marks one character may carry. The fullest Tibetan and Hebrew clusters stay below it."""

SOURCE_TAG = re.compile(r"\[[A-Z][0-9]+(?:,[ ]*[A-Z][0-9]+)*\](?!\()")
"""An inline source tag such as ``[I1]`` or ``[I1, I3]``; never a Markdown link ``[I1](address)``."""

# At the start of a line there is no space before the tag, so the one after it goes.
_TAG_AND_SPACE = re.compile(rf"(?m)^(?:{SOURCE_TAG.pattern}[ \t]*)+|[ \t\u00a0]*{SOURCE_TAG.pattern}")

_JOINERS = "\u200c\u200d"
_DIRECTION_MARKS = "\u061c\u200e\u200f"
_INVISIBLE = _JOINERS + _DIRECTION_MARKS
_SHOWS_NOTHING = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"})

_LINE_BREAK = re.compile("\r\n|[\r\n\v\f\x85\u2028\u2029]")
# Spaces that a letter's font may lack, and the blank Braille cell. The no-break spaces and the wide
# ideographic space mean something in French, Mongolian and Chinese, and stay.
_ODD_SPACE = re.compile("[\t\u1680\u2000-\u200a\u205f\u2800]")
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0, C1 and DEL, less the line breaks
    "\u00ad"  # soft hyphen
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers: letters that show nothing
    "\u17b4\u17b5"  # Khmer vowels that show nothing
    "\u200b\u2060-\u2064\u2065\u206a-\u206f\ufeff"  # zero-width space, word joiner, byte order mark
    "\u202a-\u202d\u2066-\u2069"  # embeddings, left-to-right override, isolates
    "\ufff0-\ufffc"  # interlinear annotation, the place of a lost picture
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and music controls
    "\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"  # unassigned and invisible
    "\ud800-\udfff"  # lone surrogates: no file and no answer can hold them
    f"{_NONCHARACTERS}"
    "]"
)
# The flags of England, Scotland and Wales are spelt in tag characters; anywhere else these hide words.
_FLAG_OR_TAGS = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f)|[\U000e0020-\U000e007f]"
)
_PRIVATE_USE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")

_HIDDEN_ORDER = _l("Remove the hidden characters that turn the text around: type it again instead of pasting it")
_PRIVATE = _l("Remove the symbol that only your own device can show, such as a logo or an icon")
_DAMAGED = _l("Type the text again: a character arrived damaged and shows as a question mark in a diamond")


class RefusedText(ValueError):
    """Text that cannot be cleaned without changing what its writer saw. Its words say what to do."""


def _without_unseen(value: str) -> str:
    """Return `value` in NFC without what is stripped, with plain line feeds. Raises `RefusedText`."""
    text = _ODD_SPACE.sub(" ", _LINE_BREAK.sub("\n", value))
    text = _FLAG_OR_TAGS.sub(lambda found: found[1] or "", _UNSEEN.sub("", text))
    if "\u202e" in text:
        raise RefusedText(_HIDDEN_ORDER)
    if "\ufffd" in text:
        raise RefusedText(_DAMAGED)
    if _PRIVATE_USE.search(text):
        raise RefusedText(_PRIVATE)
    text = unicodedata.normalize("NFC", text)
    return text if text.isascii() else _with_few_marks(text)


def _with_few_marks(text: str) -> str:
    """Return `text` with at most `MARKS_IN_A_ROW` combining marks in a row and no stray or repeated joiners.

    Joiners and direction marks between combining marks do not start the count again.
    """
    kept: list[str] = []
    marks = 0
    for character in text:
        before = kept[-1] if kept else " "
        if character in _INVISIBLE:
            if before in _INVISIBLE or (character in _JOINERS and before.isspace()):
                continue
        elif unicodedata.category(character)[0] == "M":
            marks += 1
            if marks > MARKS_IN_A_ROW:
                continue
        else:
            marks = 0
        kept.append(character)
    return "".join(kept)


def _if_visible(text: str) -> str:
    """Return `text`, or nothing where it is only spaces, format characters and marks without a character."""
    return text if any(unicodedata.category(character) not in _SHOWS_NOTHING for character in text) else ""


def clean_line(value: str) -> str:
    """Return one line of a person's words, fit for a letter, an e-mail and a log.

    Line breaks and tabs become spaces, runs of spaces one space, the ends are trimmed. A line with nothing to
    see in it is empty. Cleaning twice changes nothing. Raises `RefusedText` and nothing else.
    """
    text = _without_unseen(value).replace("\n", " ")
    return _if_visible(re.sub(" {2,}", " ", text).strip())


def clean_text(value: str) -> str:
    """Return several lines of a person's words, fit for a letter and an e-mail.

    Lines end in a line feed and carry no spaces at their end; at most two blank lines follow each other, and
    none stands at either end. Cleaning twice changes nothing. Raises `RefusedText` and nothing else.
    """
    lines = (line.rstrip() for line in _without_unseen(value).split("\n"))
    return _if_visible(re.sub("\n{4,}", "\n\n\n", "\n".join(lines)).strip())


def source_tags(text: str) -> list[str]:
    """Return the sources that `text` names, in the order of their first mention: ``["I1", "N2"]``."""
    names = (name.strip() for tag in SOURCE_TAG.findall(text) for name in tag.strip("[]").split(","))
    return list(dict.fromkeys(names))


def without_sources(text: str) -> str:
    """Return `text` as visitors read it: without source tags and the space before each."""
    return _TAG_AND_SPACE.sub("", text)


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of `text`: what blank lines part, trimmed, without empty ones."""
    return [part.strip() for part in re.split(r"\n[^\S\n]*\n", text.replace("\r\n", "\n")) if part.strip()]


def _lower_headings(state: StateCore) -> None:
    """Make every heading an h3 or h4: the page around a text owns h1 and h2."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3" if token.tag in ("h1", "h2", "h3") else "h4"


class _CaseMarkdown(MarkdownIt):
    """CommonMark in which only web addresses make a link; any other stays as typed, for its writer to see."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 -- the name is markdown-it's
        return url.lower().startswith(("http://", "https://"))


_MARKDOWN = _CaseMarkdown("commonmark", {"html": False, "linkify": False})
_MARKDOWN.disable(["image", "html_block", "html_inline"])
_MARKDOWN.core.ruler.push("lower_headings", _lower_headings)


_CLEANER = nh3.Cleaner(
    tags={"p", "br", "ul", "ol", "li", "strong", "em", "blockquote", "h3", "h4", "a"},
    attributes={"a": {"href"}},
    url_schemes={"http", "https"},
    link_rel="noopener",
    url_relative="deny",
)


@lru_cache(maxsize=1024)
def render_markdown(source: str) -> Markup:
    """Return a case text as safe HTML: CommonMark without raw HTML, images and autolinked words.

    Source tags are taken out first. Headings become h3 and h4. Only ``http`` and ``https`` make links.
    """
    return Markup(_CLEANER.clean(_MARKDOWN.render(without_sources(source))))  # noqa: S704 -- cleaned just now
