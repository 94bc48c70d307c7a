"""What a visitor may type on a letter, an e-mail, a post or a card. None of it is ever stored."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, Form, RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from wfr.fields import LineField, WordsField
from wfr.letters.merging import PersonalLines
from wfr.paper import unprintable

NAME_LENGTH = 100
ADDRESS_LENGTH = 300
OWN_WORDS_LENGTH = 600
SUBJECT_LENGTH = 200
MESSAGE_LENGTH = 8_000
POST_LENGTH = 2_000
NAMED_AT_MOST = 3

PAPER_SIZES = (SelectChoice("A4", "A4"), SelectChoice("Letter", _l("US Letter")))


class Printable:
    """Refuses, by name, characters that none of the bundled fonts can print: a letter never shows an empty box."""

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise `ValidationError` with the characters' Unicode names."""
        missing = unprintable(field.data or "")
        if missing:
            raise ValidationError(
                _("Our fonts cannot print: %(characters)s", characters=", ".join(missing[:NAMED_AT_MOST]))
            )


def at_most(length: int, words: str) -> Length:
    """Return the length rule whose error is `words`, with the number in its `%(max)d`."""
    return Length(max=length, message=words)


def name_field(*rules: Any) -> LineField:
    """Return the field for the writer's name or initials."""
    too_long = at_most(NAME_LENGTH, _l("Your name can have at most %(max)d characters"))
    return LineField(_l("Your name"), validators=[Optional(), too_long, *rules])


def own_words_field(*rules: Any) -> WordsField:
    """Return the field for the writer's own sentence."""
    too_long = at_most(OWN_WORDS_LENGTH, _l("Your own sentence can have at most %(max)d characters"))
    return WordsField(_l("One sentence of your own"), validators=[Optional(), too_long, *rules])


def message_field(*rules: Any) -> WordsField:
    """Return the field with the whole message, freely editable."""
    too_long = at_most(MESSAGE_LENGTH, _l("The message can have at most %(max)d characters"))
    return WordsField(_l("Every word of the message"), validators=[Optional(), too_long, *rules])


class MessageForm(Form):
    """The lines that every prefilled message shares."""

    name = name_field()
    own_words = own_words_field()
    message = message_field()


class PaperForm(MessageForm):
    """A message that will be printed, and so can hold only what the bundled fonts have."""

    name = name_field(Printable())
    own_words = own_words_field(Printable())
    message = message_field(Printable())
    paper = RadioField(_l("Paper"), choices=PAPER_SIZES, default="A4")


class LetterForm(PaperForm):
    """A letter to an official."""

    address = WordsField(
        _l("Your address"),
        validators=[
            Optional(),
            at_most(ADDRESS_LENGTH, _l("Your address can have at most %(max)d characters")),
            Printable(),
        ],
    )
    beside = BooleanField(_l("In two languages"))
    copy = BooleanField(_l("Also print a copy for the embassy"))


class EmailForm(MessageForm):
    """An e-mail to an official, sent from the visitor's own program."""

    subject = LineField(
        _l("Subject"),
        validators=[
            Optional(),
            at_most(SUBJECT_LENGTH, _l("The subject can have at most %(max)d characters")),
        ],
    )


class PostForm(Form):
    """A post in the visitor's own account."""

    message = WordsField(
        _l("Your post"),
        validators=[
            InputRequired(_l("Write something to post")),
            at_most(POST_LENGTH, _l("The post can have at most %(max)d characters")),
        ],
    )


class CardForm(PaperForm):
    """A card to the person in the case."""


class SeveralLettersForm(LetterForm):
    """The same lines on a letter for each of the ticked cases."""

    cases = SelectMultipleField(
        _l("Cases"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validators=[InputRequired(_l("Tick at least one case"))],
    )


def lines_of(form: Form) -> PersonalLines:
    """Return the visitor's own lines from any of these forms; fields that a form lacks are empty."""

    def data(field: str) -> str:
        return (form[field].data or "") if field in form else ""

    return PersonalLines(
        name=data("name"),
        address=data("address"),
        own_words=data("own_words"),
        message=data("message") or None,
        subject=data("subject"),
    )
