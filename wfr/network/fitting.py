"""Lines of a mail: wrapped for the eyes where they can be, and never longer than mail servers take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wfr.intents import graphemes

WIDTH = 78
"""Characters of a line of text, as RFC 5322 recommends."""
LONGEST_LINE = 998
"""Bytes of any line, its end not counted (RFC 5322)."""

_ROOM = 800
"""Bytes of a line that we break: a mark in it becomes a longer link."""

_TAG_OR_WORDS = re.compile(r"<[^>]*>|[^<]+")


def fit_text(text: str) -> str:
    """Return text in lines of at most `WIDTH` characters as ``format=flowed`` (RFC 3676) has them.

    A line that ends in a space goes on in the next one, so that a phone can set a paragraph anew. What has no spaces,
    such as a link or a sentence in Chinese, stays whole as long as a line may be.
    """
    return "\n".join(line for paragraph in text.split("\n") for line in _flowed(paragraph.rstrip(" ")))


def fit_html(html: str) -> str:
    """Return HTML that looks the same, with no line longer than a mail may have as far as it can be broken."""
    return "\n".join(line for whole in html.split("\n") for line in _broken(whole))


def _flowed(paragraph: str) -> Iterator[str]:
    line = ""
    for word in re.findall(r"[^ ]+ *| +", paragraph):
        if line and len((line + word).rstrip(" ")) > WIDTH:
            yield _stuffed(line)
            line = ""
        rest = word
        while len(rest.encode()) > _ROOM:
            piece, rest = _head(rest)
            yield _stuffed(piece)
        line += rest
    yield _stuffed(line)


def _stuffed(line: str) -> str:
    """Return a line that means itself: these beginnings mean something else to mail programs (RFC 3676, 4.4)."""
    return f" {line}" if line.startswith((" ", ">", "From ")) else line


def _broken(line: str) -> Iterator[str]:
    built = ""
    for piece in _pieces(line):
        if built and len((built + piece).encode()) > _ROOM:
            yield built.rstrip(" ")
            built = ""
        built += piece
    yield built


def _pieces(line: str) -> Iterator[str]:
    """Split a line where a break changes nothing: behind a space, or inside a ``<wbr>`` in words that are too long."""
    if len(line.encode()) <= _ROOM:
        yield line
        return
    piece = ""
    for part in _TAG_OR_WORDS.findall(line):
        for word in re.findall(r"[^ ]* |[^ ]+", part):
            rest = word
            while not part.startswith("<") and len((piece + rest).encode()) > _ROOM:
                head, rest = _head(rest, _ROOM - len(piece.encode()))
                yield f"{piece}{head}<wbr"
                piece = ">"
            piece += rest
            if piece.endswith(" "):
                yield piece
                piece = ""
    yield piece


def _head(word: str, room: int = _ROOM) -> tuple[str, str]:
    """Cut a word before it is `room` bytes long, between two characters as people see them, and in no HTML entity."""
    size = place = 0
    for cluster in graphemes(word):
        size += len(cluster.encode())
        if size > room - len("<wbr"):
            break
        place += len(cluster)
    begun = word.rfind("&", max(0, place - 10), place)
    if begun > 0 and ";" not in word[begun:place]:
        place = begun
    return word[: place or 1], word[place or 1 :]
