"""What a visitor promises when acting on a case: the message's own form, a ticket and a country."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form, HiddenField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from wfr.cases.models import Kind
from wfr.countries import countries, is_country
from wfr.letters.forms import CardForm, EmailForm, LetterForm, PostForm, SeveralLettersForm
from wfr.pages import language


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
    """What every action asks: the ticket that makes it count once, and the country it comes from."""

    ticket = HiddenField()
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
