"""Which case an address of this site is about, for those who ask what to show for a link."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from wfr.api.reading import listed_case
from wfr.cases.models import Case
from wfr.cases.queries import shelf
from wfr.errors import NoSuchThing
from wfr.extensions import settings
from wfr.share.codes import read_code

_OF_A_CASE = re.compile(r"/(?:cases/(?P<page>[^/]+)(?:/share)?|embed/(?P<embed>[^/]+)|s/(?P<code>[^/]+))")


def case_at(url: str) -> Case:
    """Return the listed case that a whole address is about: its page, its sharing page, its embed or a share link.

    Raises `NoSuchThing` for any other address and for another host's, `NotPossibleNow` for a withdrawn case.
    """
    found = _OF_A_CASE.fullmatch(_path_here(url))
    if found is None:
        raise NoSuchThing("address")
    if found["code"]:
        return listed_case(shelf().by_id(read_code(found["code"]).case_id).slug)
    return listed_case(found["page"] or found["embed"])


def _path_here(url: str) -> str:
    """Return the path of an address of this site, empty for any other."""
    try:
        there, here = urlsplit(url), urlsplit(settings().base_url)
    except ValueError:
        return ""
    same = (there.scheme.lower(), there.netloc.lower()) == (here.scheme, here.netloc.lower())
    return there.path if same else ""
