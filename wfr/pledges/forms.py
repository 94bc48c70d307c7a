"""What a visitor promises when acting on a case: the message's own form, a ticket and a country."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form, HiddenField, IntegerField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from wfr.cases.models import Kind
from wfr.countries import countries, is_country
from wfr.fields import LineField
from wfr.letters.forms import CardForm, EmailForm, LetterForm, PostForm, SeveralLettersForm, at_most
from wfr.pages import language
from wfr.pledges.correcting import LARGEST_CORRECTION, LONGEST_REASON


@lru_cache(maxsize=64)
def country_choices(language: str) -> list[SelectChoice]:
    """Return the choices of a country field; the same list for every form in `language`."""
    return [SelectChoice(code, name) for code, name in countries(language)]


class CountryField(SelectField):
    """A country, asked and never guessed. Two hundred and fifty choices are looked up, not walked through."""

    def pre_validate(self, _form: Form) -> None:
        """Refuse what is no country."""
        if self.data and not is_country(self.data):
            raise ValidationError(_("Choose the country you write from"))


class PromiseForm(Form):
    """What every action asks: the ticket that makes it count once, and the country it comes from.

    `via` is where the visitor comes from (`wfr.pledges.origins`), or empty.
    """

    ticket = HiddenField()
    via = HiddenField()
    country = CountryField(
        _l("The country you write from"),
        validators=[InputRequired(_l("Choose the country you write from"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = [SelectChoice("", _("Choose a country")), *country_choices(language())]


class PledgeLetterForm(PromiseForm, LetterForm):
    """A pledge to post a letter."""


class PledgeEmailForm(PromiseForm, EmailForm):
    """A pledge to send an e-mail."""


class PledgePostForm(PromiseForm, PostForm):
    """A pledge to post in one's own account."""


class PledgeCardForm(PromiseForm, CardForm):
    """A pledge to send a card."""


class SeveralForm(PromiseForm, SeveralLettersForm):
    """Ten letters in December: one pledge for each ticked case."""


class AlreadyForm(PromiseForm):
    """The action without the writing table: "I've already written"."""

    kind = RadioField(_l("What did you send?"), validators=[InputRequired(_l("Choose what you sent"))])


FORMS: dict[Kind, type[PromiseForm]] = {
    Kind.LETTER: PledgeLetterForm,
    Kind.EMAIL: PledgeEmailForm,
    Kind.POST: PledgePostForm,
    Kind.SOLIDARITY: PledgeCardForm,
}


def _case_id(value: Any) -> int | None:
    return int(value) if value else None


class CorrectionForm(Form):
    """A correction, as somebody at the desk proposes it. The choices of `case` and `kind` are the caller's."""

    case = SelectField(_l("Case"), coerce=_case_id, validators=[InputRequired(_l("Choose a case"))])
    kind = SelectField(_l("Kind of action"), validators=[InputRequired(_l("Choose what was sent"))])
    country = CountryField(_l("The country it came from"), validators=[InputRequired(_l("Choose a country"))])
    number = IntegerField(_l("How many"), validators=[InputRequired(_l("Give a whole number, such as 400 or -12"))])
    reason = LineField(
        _l("Reason"),
        validators=[
            InputRequired(_l("Say why, in words that everybody may read")),
            at_most(LONGEST_REASON, _l("The reason can have at most %(max)d characters")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = [SelectChoice("", _("Choose a country")), *country_choices(language())]

    def validate_number(self, field: IntegerField) -> None:
        """Refuse zero, and what is too large to be one correction."""
        if not field.data:
            raise ValidationError(_("Nothing would change: the number is zero"))
        if abs(field.data) > LARGEST_CORRECTION:
            raise ValidationError(_("One correction is at most %(max)s actions", max=f"{LARGEST_CORRECTION:,}"))
