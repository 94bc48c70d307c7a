"""Reading PDF files back: what stands on a page, where, and in which fonts."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pikepdf
import pypdfium2
import zxingcpp
from PIL import Image

MM = 72 / 25.4
"""A millimetre in points."""


@dataclass(frozen=True)
class Box:
    """A rectangle in points, from the lower left corner of the page."""

    left: float
    bottom: float
    right: float
    top: float

    def lies_in(self, other: Box) -> bool:
        """Say whether it is wholly inside the other."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.bottom <= self.bottom
            and self.top <= other.top
        )

    def overlaps(self, other: Box) -> bool:
        """Say whether the two share any area."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


class Printed:
    """A PDF file as its reader finds it. Pages count from 0."""

    def __init__(self, pdf: bytes) -> None:
        self.pdf = pikepdf.open(io.BytesIO(pdf))
        self._document = pypdfium2.PdfDocument(pdf)
        self.texts = [self._text(page) for page in range(len(self._document))]

    def _text(self, page: int) -> str:
        text = self._document[page].get_textpage().get_text_bounded()
        return "\n".join(text.replace("\r\n", "\n").splitlines())

    def size(self, page: int) -> tuple[float, float]:
        """Return width and height in points."""
        width, height = self._document[page].get_size()
        return round(width, 1), round(height, 1)

    def find(self, page: int, words: str) -> list[Box]:
        """Return the box around each place where `words` stand on one line."""
        textpage = self._document[page].get_textpage()
        search = textpage.search(words, match_case=True)
        boxes = []
        while place := search.get_next():
            start, count = place
            corners = [textpage.get_charbox(number) for number in range(start, start + count)]
            lefts, bottoms, rights, tops = zip(*corners, strict=True)
            boxes.append(Box(min(lefts), min(bottoms), max(rights), max(tops)))
        return boxes

    def characters(self, page: int) -> list[Box]:
        """Return the box of every character that shows on a page."""
        textpage = self._document[page].get_textpage()
        shown = [number for number in range(textpage.count_chars()) if textpage.get_text_range(number, 1).strip()]
        return [Box(*textpage.get_charbox(number)) for number in shown]

    def codes(self, page: int, within: Box | None = None) -> list[str]:
        """Return what a scanner reads from the QR codes of a page, or of a part of it."""
        scale = 4
        picture = self.picture(page, scale)
        if within:
            corners = (within.left, picture.height / scale - within.top, within.right)
            left, top, right, bottom = *corners, picture.height / scale - within.bottom
            picture = picture.crop(tuple(round(side * scale) for side in (left, top, right, bottom)))  # type: ignore[arg-type]
        return [code.text for code in zxingcpp.read_barcodes(picture)]

    def drawings(self, page: int) -> int:
        """Return how many things on a page are drawn rather than written."""
        return sum(1 for thing in self._document[page].get_objects() if thing.type != 1)

    def picture(self, page: int, scale: float = 4) -> Image.Image:
        """Return the page as a grey picture, `scale` pixels a point."""
        picture: Image.Image = self._document[page].render(scale=scale).to_pil().convert("L")
        return picture

    def fonts(self) -> dict[str, bool]:
        """Return the family of every font of the file, and whether the font itself is inside."""
        found: dict[str, bool] = {}
        for page in self.pdf.pages:
            for font in page.Resources.get("/Font", {}).values():
                for part in font.DescendantFonts:
                    family, inside = str(part.FontDescriptor.FontFamily), "/FontFile2" in part.FontDescriptor
                    found[family] = found.get(family, True) and inside
        return found

    def said(self, page: int) -> list[str]:
        """Return the words that a page says beside its glyphs (``ActualText``), line by line."""
        marked = [
            instruction.operands[1]
            for instruction in pikepdf.parse_content_stream(self.pdf.pages[page])
            if str(instruction.operator) == "BDC"
        ]
        return [str(mark["/ActualText"]) for mark in marked if "/ActualText" in mark]  # type: ignore[operator, index]

    def glyphs(self, page: int) -> list[str]:
        """Return the glyphs shown on a page, in the order they are shown, as four hexadecimal digits each."""
        shown: list[str] = []
        for instruction in pikepdf.parse_content_stream(self.pdf.pages[page]):
            if str(instruction.operator) in {"TJ", "Tj"}:
                parts = instruction.operands
                parts = parts[0] if str(instruction.operator) == "TJ" else parts  # type: ignore[assignment]
                text = b"".join(bytes(part) for part in parts if isinstance(part, pikepdf.String)).hex()
                shown += [text[start : start + 4] for start in range(0, len(text), 4)]
        return shown
