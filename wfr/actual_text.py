"""The words behind the glyphs: what a PDF says where its letters change shape, for search, copying and reading aloud.

WeasyPrint maps each glyph to the characters it first stood for. In Arabic and the scripts of India one glyph is a part
of many letters (the dots, a half letter), and text taken out of such a file lacks some and doubles others. The PDF
standard's answer is ``ActualText`` (ISO 32000-1, 14.9.4): a line's own words in reading order, beside its glyphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pydyf

_SHAPED = re.compile("[\u0590-\u10ff\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufefc]")
"""Scripts whose letters join, change or move: from Hebrew to Myanmar, Khmer and Mongolian, and Arabic's old forms."""


def write_words_beside_glyphs(stream: Any) -> None:
    """Let `stream`, WeasyPrint's class of a page's content, write the words of each line that is shaped beside it."""
    plain: Callable[[Any, Any, str], AbstractContextManager[None]] = stream.marked

    @contextmanager
    def marked(self: Any, box: Any, tag: str) -> Iterator[None]:
        with plain(self, box, tag):
            words = getattr(box, "text", "") if tag == "Span" else ""
            if not _SHAPED.search(words):
                yield
                return
            spoken = pydyf.Dictionary({"ActualText": pydyf.String(words)})
            pydyf.Stream.begin_marked_content(self, "Span", spoken)
            try:
                yield
            finally:
                pydyf.Stream.end_marked_content(self)

    stream.marked = marked
