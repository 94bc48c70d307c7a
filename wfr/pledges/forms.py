"""What a visitor promises when acting on a case: the message's own form, a ticket and a country."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form, HiddenField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from wfr.cases.models import Kind
from wfr.countries import countries
from wfr.letters.forms import CardForm, EmailForm, LetterForm, PostForm, SeveralLettersForm
from wfr.pages import language


class PromiseForm(Form):
    """What every action asks: the ticket that makes it count once, and the country it comes from."""

    ticket = HiddenField()
    country = SelectField(
        _l("The country you write from"),
        validators=[InputRequired(_l("Choose the country you write from"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = (SelectChoice(code, name) for code, name in countries(language()))
        self.country.choices = [SelectChoice("", _("Choose a country")), *named]


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
