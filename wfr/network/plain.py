"""A case's or the desk's Markdown for mails: as plain text without its signs, and as HTML that carries its own look."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markupsafe import Markup

from wfr.text import render_markdown

_MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]<>#&!])")

TEXT = "margin:0 0 16px;font-size:17px;line-height:1.55"
LINK_COLOUR = "#003f87"
_LOOKS = {
    "<p>": f'<p style="{TEXT}">',
    "<ul>": f'<ul style="{TEXT};padding-inline-start:24px">',
    "<ol>": f'<ol style="{TEXT};padding-inline-start:24px">',
    "<li>": '<li style="margin:0 0 8px">',
    "<h3>": '<h2 class="head" style="margin:28px 0 10px;font-size:22px;line-height:1.2;font-weight:800">',
    "</h3>": "</h2>",
    "<h4>": '<h3 class="head" style="margin:20px 0 8px;font-size:18px;line-height:1.3;font-weight:800">',
    "</h4>": "</h3>",
    "<blockquote>": (
        '<blockquote class="sheet" style="margin:0 0 16px;padding:12px 16px 1px;background-color:#ffffff;'
        'color:#111111;border-inline-start:4px solid #c8102e">'
    ),
    "<a href=": f'<a class="link" style="color:{LINK_COLOUR}" href=',
}

# A list takes its direction from its words; a quotation's stand in paragraphs.
_BLOCK = re.compile(r"<(p|ul|ol|h2|h3)(?=[ >])")


def mail_html(source: str, *, mixed: bool = False) -> Markup:
    """Return Markdown as safe HTML for a mail: every element carries its look, headings are h2 and h3.

    Where languages may be `mixed`, each block has the direction of its own words.
    """
    html = str(render_markdown(source))
    # In this order: what was an h3 is an h2 when the h4 become h3.
    for bare, dressed in _LOOKS.items():
        html = html.replace(bare, dressed)
    if mixed:
        html = _BLOCK.sub(r'<\1 dir="auto"', html)
    return Markup(html)  # noqa: S704 -- render_markdown has cleaned it, and what is put in here is ours


def plain_text(source: str) -> str:
    """Return Markdown as plain text: paragraphs apart, headings underlined, a link's address behind its words."""
    reader = _Reader()
    reader.feed(str(render_markdown(source)))
    return reader.text()


def underlined(words: str, sign: str = "-") -> str:
    """Return a heading as plain text has them."""
    return f"{words}\n{sign * min(len(words), 78)}"


def escape_markdown(words: str) -> str:
    """Return words that mean themselves in Markdown, such as a name."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", " ".join(words.split()))


class _Reader(HTMLParser):
    """Reads what `render_markdown` has made, which is well-formed and small."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks: list[tuple[bool, str]] = []
        self._said = self._sign = self._address = self._linked = ""
        self._links: list[tuple[str, str]] = []
        self._lists: list[int | None] = []
        self._quotes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of what begins."""
        if tag in ("ul", "ol"):
            self._end_block()
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._begin_item()
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "br":
            self._said += "\n"
        elif tag == "a":
            self._address, self._linked = dict(attrs).get("href") or "", ""

    def handle_endtag(self, tag: str) -> None:
        """Take note of what ends."""
        if tag in ("p", "li"):
            self._end_block()
        elif tag in ("h3", "h4"):
            self._said = underlined(self._said.strip())
            self._end_block()
        elif tag in ("ul", "ol"):
            self._lists.pop()
        elif tag == "blockquote":
            self._quotes -= 1
        elif tag == "a":
            self._links.append((self._linked, self._address))
            self._address = ""

    def handle_data(self, data: str) -> None:
        """Take the words."""
        words = data.replace("\n", " ")
        self._said += words
        if self._address:
            self._linked += words

    def text(self) -> str:
        """Return what was read."""
        parts = [
            ("\n" if of_list and place and self._blocks[place - 1][0] else "\n\n") + words
            for place, (of_list, words) in enumerate(self._blocks)
        ]
        return "".join(parts).strip("\n")

    def _begin_item(self) -> None:
        number = self._lists[-1]
        if number is not None:
            self._lists[-1] = number = number + 1
        self._sign = "  " * (len(self._lists) - 1) + ("- " if number is None else f"{number}. ")

    def _end_block(self) -> None:
        words = "\n".join(" ".join(line.split(" ")).strip() for line in self._said.split("\n")).strip()
        if words:
            words = f"{'| ' * self._quotes}{self._sign}{self._with_addresses(words)}"
            self._blocks.append((bool(self._lists), words))
            self._sign = ""
        self._said, self._links = "", []

    def _with_addresses(self, words: str) -> str:
        """Put one address below its sentence, where it can be copied, and several behind the words they belong to."""
        links = [(linked, address) for linked, address in self._links if linked.strip() != address]
        if len(links) == 1:
            return f"{words}\n{links[0][1]}"
        for linked, address in links:
            words = words.replace(linked, f"{linked} <{address}>", 1)
        return words
