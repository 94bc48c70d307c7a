"""The words behind the glyphs: what a PDF says where its letters change shape, for search, copying and reading aloud.

WeasyPrint maps each glyph to the characters it first stood for. In the scripts of India one glyph is a part of many
letters, and text taken out of such a file lacks some and doubles others. The PDF standard's answer is ``ActualText``
(ISO 32000-1, 14.9.4): a line's own words in reading order, beside its glyphs.

Arabic has the same trouble with the dots of its letters, and is left alone: the two libraries that most programs read
PDF files with, PDFium (of 2026) and Poppler (of 2022), turn such words round, so that not even names without dots
could be found any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pydyf

_SHAPED = re.compile("[\u0900-\u10ff\u1780-\u17ff]")
"""Scripts from left to right whose letters join, change or move: those of India, and on to Myanmar and Khmer."""
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def write_words_beside_glyphs(stream: Any) -> None:
    """Let `stream`, WeasyPrint's class of a page's content, write the words of each line that is shaped beside it."""
    plain: Callable[[Any, Any, str], AbstractContextManager[None]] = stream.marked

    @contextmanager
    def marked(self: Any, box: Any, tag: str) -> Iterator[None]:
        with plain(self, box, tag):
            words = getattr(box, "text", "") if tag == "Span" else ""
            if not _SHAPED.search(words) or _RIGHT_TO_LEFT.search(words):
                yield
                return
            spoken = pydyf.Dictionary({"ActualText": pydyf.String(words)})
            pydyf.Stream.begin_marked_content(self, "Span", spoken)
            try:
                yield
            finally:
                pydyf.Stream.end_marked_content(self)

    stream.marked = marked
