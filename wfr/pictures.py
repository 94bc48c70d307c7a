"""Pictures of printed pages: a PDF in, a PNG out. The only module that knows the rasteriser of pages."""

from __future__ import annotations

import io
import threading

import pypdfium2
from PIL import Image

COLOURS = 128
"""How many colours a picture keeps: a few inks, and what softens their edges."""

# PDFium is not made for several threads.
_lock = threading.Lock()


def page_picture(pdf: bytes, *, width: int, height: int) -> bytes:
    """Return the first page of `pdf` as a PNG of exactly `width` by `height` pixels, in at most `COLOURS` colours.

    The page is stretched where its proportions are others. Raises `pypdfium2.PdfiumError` for what is no PDF.
    """
    with _lock:
        document = pypdfium2.PdfDocument(pdf)
        try:
            page = document[0]
            picture = page.render(scale=width / page.get_width()).to_pil().convert("RGB")
        finally:
            document.close()
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    few = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, "PNG")
    return file.getvalue()
