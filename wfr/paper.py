"""Paper: HTML in, a tagged PDF out, set in the bundled fonts and made of our own files only.

The only module that knows WeasyPrint. It refuses to print something wrong: an address that is not ours, a
missing image, a font that is not bundled or a character that no bundled font has raises `PaperError`, where
WeasyPrint would go on with something else.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import mimetypes
import os
import platform
import re
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from fontTools.ttLib import TTFont

from wfr.actual_text import write_words_beside_glyphs
from wfr.paths import STATIC, VENDOR

if TYPE_CHECKING:
    from weasyprint import CSS, Document
    from weasyprint.text.fonts import FontConfiguration

FONTS = VENDOR / "print-fonts"
MEND_FONTS = "The print fonts are missing. Run: bin/print-fonts"
APT_LINE = "sudo apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"

# Pages are written as if they came from here; nothing is ever fetched over a network.
ORIGIN = "https://paper.invalid"
STATIC_PREFIX = "/static/"

PDF_VARIANT = "pdf/ua-1"
MM_PER_PIXEL = 25.4 / 96
_MILLIMETRES = {"mm": 1.0, "pt": 25.4 / 72}
_OWN_UNIT = re.compile(r"calc\(var\(--(mm|pt)\) \* (-?[\d.]+)\)")

T = TypeVar("T")


class PaperError(Exception):
    """A sheet could not be printed as it should be, so it was not printed. The message names the cause."""


class Face(NamedTuple):
    """One bundled font file: the family and weight that a stylesheet asks it by."""

    family: str
    weight: int
    file: str


FACES = (
    Face("Source Serif 4", 400, "source-serif-4-400.ttf"),
    Face("Source Serif 4", 600, "source-serif-4-600.ttf"),
    Face("Barlow Condensed", 700, "barlow-condensed-700.ttf"),
    Face("Noto Naskh Arabic", 400, "noto-naskh-arabic-400.ttf"),
    Face("Noto Naskh Arabic", 700, "noto-naskh-arabic-700.ttf"),
    Face("Noto Serif Devanagari", 400, "noto-serif-devanagari-400.ttf"),
    Face("Noto Serif Devanagari", 700, "noto-serif-devanagari-700.ttf"),
)
FAMILIES = frozenset(face.family for face in FACES)
GENERIC = frozenset({"serif", "sans-serif"})

# What no font needs: Pango itself draws line ends, joiners, and the marks of direction and of variation.
NON_BREAKING_HYPHEN = "\u2011"
INVISIBLE = frozenset(
    {0x09, 0x0A, 0x0D, 0x034F, 0x2011, 0xFEFF}.union(
        range(0x200B, 0x2010),
        range(0x202A, 0x202F),
        range(0x2060, 0x2065),
        range(0x2066, 0x2070),
        range(0xFE00, 0xFE10),
    )
)

_lock = threading.RLock()


def render_pdf(html: str, *, stylesheet: str) -> bytes:
    """Print `html` with `stylesheet` (a path below static/) as a tagged PDF/UA-1 file.

    The page must say its language and its title, which becomes the document's name. Addresses in it are read
    below static/, written as ``/static/…`` or relative to it; every other address is refused.
    Raises `PaperError`. One sheet at a time: Pango's font map is not made for several threads.
    """
    return _laid_out(html, stylesheet, _written)


def heights(html: str, *, stylesheet: str) -> dict[str, float]:
    """Return how high (mm) each element with an id comes out, by id: how a caller learns what fits a label.

    `html` and what is raised are as for `render_pdf`; nothing is written.
    """
    return _laid_out(html, stylesheet, _measured)


def page_count(html: str, *, stylesheet: str) -> int:
    """Return how many pages `html` fills: how a caller learns whether it must say less, or smaller.

    `html` and what is raised are as for `render_pdf`; nothing is written.
    """
    return _laid_out(html, stylesheet, lambda document: len(document.pages))


def _laid_out(html: str, stylesheet: str, then: Callable[[Document], T]) -> T:
    with _lock:
        workshop = _workshop()
        with _fatal_errors_translated(workshop.weasyprint):
            sheet = workshop.stylesheet(stylesheet)
            with _complaints() as complaints, _collecting_later():
                result = then(_lay_out(html, workshop, sheet))
        if complaints:
            raise PaperError(complaints[0])
        return result


def _lay_out(html: str, workshop: _Workshop, sheet: CSS) -> Document:
    page = workshop.weasyprint.HTML(
        # Fonts have "é" as one character where a keyboard may send two, and one sort of hyphen.
        string=unicodedata.normalize("NFC", html).replace(NON_BREAKING_HYPHEN, "-"),
        base_url=ORIGIN + STATIC_PREFIX,
        url_fetcher=workshop.fetcher,
    )
    document: Document = page.render(
        font_config=workshop.fonts, stylesheets=[sheet], pdf_variant=PDF_VARIANT, pdf_tags=True
    )
    if not document.metadata.title or not document.metadata.lang:
        raise PaperError("A page to print must have a title and a language")
    _check_fonts_asked_for(document, workshop.weasyprint.formatting_structure.boxes.TextBox)
    return document


def _written(document: Document) -> bytes:
    pdf: bytes = document.write_pdf(pdf_variant=PDF_VARIANT)
    _check_fonts_used(document)
    return pdf


def _measured(document: Document) -> dict[str, float]:
    found: dict[str, float] = {}
    for page in document.pages:
        outermost: dict[str, float] = {}
        for box in page._page_box.descendants():  # noqa: SLF001 - there is no public way
            name = box.element.get("id") if box.element is not None else None
            if name:
                outermost.setdefault(name, box.border_height() * MM_PER_PIXEL)
        found |= {name: found.get(name, 0.0) + height for name, height in outermost.items()}
    return found


def unprintable(text: str) -> list[str]:
    """Return the characters of `text` that no bundled font has, by Unicode name, each once, in order.

    Raises `PaperError` when the fonts are missing.
    """
    printable = _printable()
    missing = dict.fromkeys(
        character
        for character in unicodedata.normalize("NFC", text)
        if ord(character) not in printable and unicodedata.category(character) != "Zs"
    )
    return [unicodedata.name(character, f"U+{ord(character):04X}") for character in missing]


def check_paper() -> list[str]:
    """Return what is missing for printing, each with the line that mends it; an empty list is good.

    Costs a few milliseconds and does not import WeasyPrint, which cannot be imported without Pango. Without
    HarfBuzz's subsetter printing works, 9 times slower.
    """
    problems = []
    if not all(_loads(name) for name in ("gobject-2.0", "pango-1.0", "pangoft2-1.0", "fontconfig", "harfbuzz")):
        problems.append(f"Pango is missing, without which nothing can be printed. Run: {APT_LINE}")
    elif not _loads("harfbuzz-subset"):
        problems.append(f"HarfBuzz's subsetter is missing, which makes printing 9 times faster. Run: {APT_LINE}")
    if _missing_fonts():
        problems.append(MEND_FONTS)
    return problems


def warm_up() -> None:
    """Load WeasyPrint and the fonts now (about 1 s), so that the first person who prints need not wait."""
    with _lock:
        _workshop()


class _Workshop:
    """What one process needs to print, made once: WeasyPrint, the fonts and the stylesheets read so far."""

    def __init__(self) -> None:
        if missing := _missing_fonts():
            raise PaperError(f"{MEND_FONTS} (no {missing[0]})")
        try:
            # WeasyPrint reads the system's fonts while it is imported, and cannot be imported without Pango.
            with _bundled_fonts_only():
                self.weasyprint: Any = import_module("weasyprint")
                self.fonts: FontConfiguration = self.weasyprint.text.fonts.FontConfiguration()
        except OSError as problem:
            raise PaperError(f"Pango is missing. Run: {APT_LINE}") from problem
        write_words_beside_glyphs(import_module("weasyprint.pdf.stream").Stream)
        self.fetcher = _own_files(self.weasyprint.urls)
        self._sheets: dict[Path, tuple[int, CSS]] = {}

    def stylesheet(self, name: str) -> CSS:
        """Return a parsed stylesheet below static/, read again when its file has changed."""
        path = STATIC / name
        try:
            changed = path.stat().st_mtime_ns
        except OSError as problem:
            raise PaperError(f"The stylesheet {name} is missing") from problem
        kept = self._sheets.get(path)
        if kept is None or kept[0] != changed:
            sheet = self.weasyprint.CSS(
                string=_in_millimetres(path.read_text("utf-8")),
                base_url=f"{ORIGIN}{STATIC_PREFIX}{name}",
                url_fetcher=self.fetcher,
                font_config=self.fonts,
            )
            kept = self._sheets[path] = (changed, sheet)
        return kept[1]


@cache
def _workshop() -> _Workshop:
    return _Workshop()


def _in_millimetres(css: str) -> str:
    """Return `css` with its lengths in --mm and --pt worked out: on paper they are what they say, for every element."""
    return _OWN_UNIT.sub(lambda found: f"{float(found[2]) * _MILLIMETRES[found[1]]:.6g}mm", css)


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Let no garbage be looked for while a document is laid out: it has none, and a million objects to look through."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def _bundled_fonts_only() -> Iterator[None]:
    """Let fontconfig see the bundled fonts and nothing else while it reads its configuration.

    The configuration is read into memory, so the file can go at once; and the setting is put back, so that
    programs started by this process keep their own fonts.
    """
    before = os.environ.get("FONTCONFIG_FILE")
    with tempfile.TemporaryDirectory(prefix="wfr-fonts-") as folder:
        path = Path(folder) / "fonts.conf"
        path.write_text(f"<fontconfig><dir>{FONTS}</dir><cachedir>{folder}</cachedir></fontconfig>", "utf-8")
        os.environ["FONTCONFIG_FILE"] = str(path)
        try:
            yield
        finally:
            if before is None:
                del os.environ["FONTCONFIG_FILE"]
            else:
                os.environ["FONTCONFIG_FILE"] = before


def _own_files(urls: Any) -> Any:
    class OwnFiles(urls.URLFetcher):  # type: ignore[misc]
        """Reads files below static/ and refuses every other address, for good."""

        def fetch(self, url: str, headers: object = None) -> Any:  # noqa: ARG002 - WeasyPrint's signature
            path = own_file(url)
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            return urls.URLFetcherResponse(url, body=path.read_bytes(), headers={"Content-Type": kind})

    return OwnFiles(allowed_protocols=(), fail_on_errors=True)


def own_file(url: str) -> Path:
    """Return the file below static/ that an address on paper means; raises `PaperError` for any other."""
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" != ORIGIN or not parts.path.startswith(STATIC_PREFIX):
        raise PaperError(f"Paper is made of our own files only, not of {url[:200]}")
    path = (STATIC / unquote(parts.path.removeprefix(STATIC_PREFIX))).resolve()
    if not path.is_relative_to(STATIC.resolve()) or not path.is_file():
        raise PaperError(f"There is no file {parts.path[:200]}")
    return path


@contextmanager
def _fatal_errors_translated(weasyprint: Any) -> Iterator[None]:
    # WeasyPrint's fatal error is a BaseException, which would pass every handler of a web server.
    try:
        yield
    except weasyprint.urls.FatalURLFetchingError as problem:
        cause = problem.__cause__
        raise PaperError(str(cause) if isinstance(cause, PaperError) else str(problem)) from problem


class _Listener(logging.Handler):
    """Keeps what WeasyPrint only logs: an image it could not read, a character it drew as an empty box."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what WeasyPrint warns of, whatever its log's level; it is raised instead of logged."""
    log = logging.getLogger("weasyprint")
    listener = _Listener()
    before = log.level, log.propagate
    log.setLevel(logging.WARNING)
    log.propagate = False
    log.addHandler(listener)
    try:
        yield listener.messages
    finally:
        log.removeHandler(listener)
        log.setLevel(before[0])
        log.propagate = before[1]


def _check_fonts_asked_for(document: Document, text_box: type[Any]) -> None:
    """Refuse a style that asks for a font which is not bundled: Pango would take another without a word."""
    pages = (page._page_box for page in document.pages)  # noqa: SLF001 - there is no public way
    boxes = (box for page in pages for box in page.descendants())
    texts = (box for box in boxes if isinstance(box, text_box) and box.text.strip())
    faces = {(face.family, face.weight) for face in FACES}
    for families, weight in {(tuple(box.style["font_family"]), int(box.style["font_weight"])) for box in texts}:
        if not FAMILIES.union(GENERIC).issuperset(families) or (families[0], weight) not in faces:
            raise PaperError(f"The font {', '.join(families)} in weight {weight} is not bundled")


def _check_fonts_used(document: Document) -> None:
    strangers: Iterable[str] = {font.family for font in document.fonts.values()} - FAMILIES
    for family in strangers:
        raise PaperError(f"The font {family} is not bundled")


def _missing_fonts() -> list[str]:
    return [face.file for face in FACES if not (FONTS / face.file).is_file()]


@cache
def _printable() -> frozenset[int]:
    if missing := _missing_fonts():
        raise PaperError(f"{MEND_FONTS} (no {missing[0]})")
    characters = set(INVISIBLE)
    for face in FACES:
        with TTFont(FONTS / face.file, lazy=True) as font:
            characters.update(font.getBestCmap())
    return frozenset(characters)


def _loads(library: str) -> bool:
    """Say whether the system has a shared library, by the name WeasyPrint looks for."""
    version = "1" if library == "fontconfig" else "0"
    mac = platform.system() == "Darwin"
    try:
        ctypes.CDLL(f"lib{library}.{version}.dylib" if mac else f"lib{library}.so.{version}")
    except OSError:
        return False
    return True
