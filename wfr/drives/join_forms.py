"""What a pupil may type: a first name or nothing, a sentence, every word of the message. None of it is ever stored."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField
from wtforms.validators import Optional

from wfr.fields import LineField
from wfr.letters.forms import PaperForm, Printable, at_most

FIRST_NAME_LENGTH = 40
LETTER_PAPER = frozenset(("BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"))
"""Countries whose printers hold US Letter (Unicode CLDR, paper size)."""


class PupilForm(PaperForm):
    """A pupil's letter or card. Neither surname nor address nor country is asked: the country is the class's."""

    ticket = HiddenField()
    name = LineField(
        _l("Your first name"),
        validators=[
            Optional(),
            at_most(FIRST_NAME_LENGTH, _l("Your first name can have at most %(max)d characters")),
            Printable(),
        ],
    )


def paper_in(country: str) -> str:
    """Return the paper that printers in a country hold."""
    return "Letter" if country in LETTER_PAPER else "A4"
