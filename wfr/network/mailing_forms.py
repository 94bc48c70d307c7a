"""What the desk may type of mailings. A draft may lack anything; what keeps it from going out is said beside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, Form, IntegerField, SelectField
from wtforms.validators import InputRequired, Optional, ValidationError

from wfr.cases.desk_forms import DayField, HourField, at_most, options
from wfr.fields import LineField, WordsField
from wfr.network.models import MailingWords
from wfr.network.preparing import Said

LONGEST_SUBJECT = 200
LONGEST_WORDS = 20_000
HALF = _l("Give a day and a time, or neither.")


class NewsForm(Form):
    """Whose followers a new mailing is for."""

    case = SelectField(_l("News of"), coerce=int)

    def __init__(self, *args: Any, cases: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case.choices = options(cases)


class WordsForm(Form):
    """What a mailing says in one language."""

    revision = IntegerField(_l("Revision"), [InputRequired()])
    subject = LineField(_l("Subject"), [at_most(LONGEST_SUBJECT)])
    words = WordsField(_l("Words"), [at_most(LONGEST_WORDS)])

    @classmethod
    def of(cls, said: MailingWords | None, revision: int) -> WordsForm:
        """Return the form as it shows what is stored of a language, which may be nothing."""
        return cls(obj=said, data={"revision": revision})

    def said(self, language: str) -> Said:
        """Return what was typed."""
        return Said(language, self.subject.data or "", self.words.data or "")


class HourForm(Form):
    """When an approved mailing goes out: empty for now."""

    on = DayField(_l("Day"), [Optional()])
    at = HourField(_l("Time (UTC)"), [Optional()])

    def validate_on(self, field: Field) -> None:
        """A day and an hour come together."""
        if field.data is not None and self.at.data is None:
            raise ValidationError(HALF)

    def validate_at(self, field: Field) -> None:
        """The other half: `validate_on` is not asked where no day was given."""
        if field.data is not None and self.on.data is None:
            raise ValidationError(HALF)

    def moment(self) -> datetime | None:
        """Return the hour that was asked for, in UTC without a zone, or None for now."""
        if self.on.data is None or self.at.data is None:
            return None
        return datetime.combine(self.on.data, self.at.data)


class ReturnForm(Form):
    """What should change."""

    note = LineField(_l("What should change"), [InputRequired(_l("Say what should change.")), at_most(500)])
