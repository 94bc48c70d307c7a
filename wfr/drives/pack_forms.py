"""What a teacher may type to have a class's letters printed. The names are read here, printed, and never kept."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, Form, IntegerField, RadioField, SelectMultipleField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from wfr.fields import WordsField
from wfr.letters.addressing import filled
from wfr.letters.forms import NAME_LENGTH, PAPER_SIZES, Printable
from wfr.letters.packing import LETTERS_AT_MOST, PackOrder, Portion

A_CLASS = 30


class CountField(IntegerField):
    """A number of letters; whatever is none is answered with what to type."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was sent."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Type a number from 1 to %(max)s", max=LETTERS_AT_MOST)) from None


class PackForm(Form):
    """Letters for a class: for the cases chosen before, a number of blank ones each, or one for each name."""

    cases = SelectMultipleField(
        _l("Cases"), validate_choice=False, validators=[InputRequired(_l("Choose at least one case"))]
    )
    paper = RadioField(_l("Paper"), choices=PAPER_SIZES, default="A4")
    letters = CountField(
        _l("How many blank letters for each case?"),
        default=A_CLASS,
        validators=[
            Optional(),
            NumberRange(1, LETTERS_AT_MOST, _l("Type a number from 1 to %(max)s")),
        ],
    )
    names = WordsField(_l("Or names to print, one a line"), validators=[Optional(), Printable()])

    @property
    def signers(self) -> tuple[str, ...]:
        """The names that were typed, one letter each."""
        return filled(*(self.names.data or "").splitlines())

    def validate_names(self, field: Field) -> None:
        """Refuse a line that is no name, by its number: the error itself repeats no name."""
        for number, name in enumerate(filled(*(field.data or "").splitlines()), 1):
            if len(name) > NAME_LENGTH:
                raise ValidationError(
                    _("Name %(number)d has more than %(max)d characters", number=number, max=NAME_LENGTH)
                )
        self._check_total(len(self.signers))

    def validate_letters(self, field: Field) -> None:
        """Refuse more blank letters than one pack holds."""
        if not self.signers:
            self._check_total(field.data or 0)

    def validate(self, extra_validators: Any = None) -> bool:
        """Say whether all is well; an empty number is, where there are names."""
        valid = bool(super().validate(extra_validators))
        if valid and not self.signers and self.letters.data is None:
            self.letters.errors = [_("Type how many letters, or some names")]
            return False
        return valid

    def _check_total(self, each: int) -> None:
        cases = len(self.cases.data or ())
        if each * cases > LETTERS_AT_MOST:
            raise ValidationError(
                _(
                    "That makes %(total)d letters. One pack has at most %(most)d: choose fewer cases, or print twice",
                    total=each * cases,
                    most=LETTERS_AT_MOST,
                )
            )

    def order(self, language: str) -> PackOrder:
        """Return what is asked for, without the names; only of a valid form."""
        each = len(self.signers) or self.letters.data
        portions = tuple(Portion(slug, each) for slug in dict.fromkeys(self.cases.data))
        return PackOrder(portions, self.paper.data, language)
