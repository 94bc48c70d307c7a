"""What a page with many parts shows of a case, put together from values: its photograph."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request, url_for
from markupsafe import Markup

from wfr.cases.models import Case, CaseText, Photograph
from wfr.cases.queries import find_photograph, shelf

PHOTOGRAPH_TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}
SIZES = {
    "stamp": "(max-width: 52rem) 38vw, 17rem",
    "page": "(max-width: 52rem) 100vw, 41rem",
}
"""How wide a photograph stands, by where it stands, for the browser's choice of a file."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph as a page needs it. `sources` are pairs of a media type and what it says for ``srcset``."""

    sources: tuple[tuple[str, str], ...]
    fallback: str
    sizes: str
    width: int
    height: int
    alt: str


def photograph(case: Case, where: str, text: CaseText | None = None) -> Markup:
    """Return a case's photograph as HTML for a ``stamp`` or the ``page``; nothing where there is none.

    Its description is that of `text`; without one it only adorns the name beside it.
    """
    at_desk = request.path.startswith("/desk")
    found = find_photograph(case.photograph) if at_desk else shelf().photograph(case.photograph)
    if found is None:
        return Markup()
    page = current_app.jinja_env.get_template("components/_photograph.html")
    return Markup(page.render(picture=_picture(found, where, text, at_desk=at_desk)))  # noqa: S704 -- it escapes


def _picture(found: Photograph, where: str, text: CaseText | None, *, at_desk: bool) -> Picture:
    endpoint = "photographs.file" if at_desk else "cases.photograph_of"

    def url(width: int, file_format: str) -> str:
        return url_for(endpoint, photograph=found.id, width=width, file_format=file_format)

    def srcset(file_format: str) -> str:
        return ", ".join(f"{url(width, file_format)} {width}w" for width in found.widths())

    return Picture(
        sources=tuple((media_type, srcset(name)) for name, media_type in PHOTOGRAPH_TYPES.items()),
        fallback=url(max(width for width in found.widths() if width <= 640 or width == found.widths()[0]), "jpg"),
        sizes=SIZES[where],
        width=found.width,
        height=found.height,
        alt=text.photograph_alt if text else "",
    )
